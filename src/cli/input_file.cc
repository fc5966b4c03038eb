// SPDX-License-Identifier: Apache-2.0
#include "cli/input_file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace weft::cli {
namespace {

std::unexpected<Error> FailErrno(std::string_view what) {
  return Fail(ErrorCode::kIo, std::string(what) + ": " + std::strerror(errno));
}

}  // namespace

Result<std::unique_ptr<InputFile>> InputFile::Open(const std::string& path,
                                                   const std::atomic<bool>* stop) {
  const int descriptor = path == "-" ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return FailErrno("cannot open it");
  std::unique_ptr<InputFile> file(new InputFile(descriptor, stop));
  struct stat facts{};
  if (fstat(descriptor, &facts) != 0) return FailErrno("cannot look at it");
  if (S_ISDIR(facts.st_mode)) return Fail(ErrorCode::kIo, "it is a directory: name its files");
  file->is_regular_ = S_ISREG(facts.st_mode);
  if (file->is_regular_) file->bytes_ = static_cast<uint64_t>(facts.st_size);
  file->modified_ns_ = static_cast<uint64_t>(facts.st_mtim.tv_sec) * 1'000'000'000 +
                       static_cast<uint64_t>(facts.st_mtim.tv_nsec);
  return file;
}

InputFile::~InputFile() {
  if (descriptor_ != STDIN_FILENO) close(descriptor_);
}

Status InputFile::WaitForInput() const {
  // A signal that comes just before poll() does not end it.
  constexpr int kLookAtStopMs = 100;
  pollfd wait{.fd = descriptor_, .events = POLLIN, .revents = 0};
  while (!*stop_) {
    const int ready = poll(&wait, 1, kLookAtStopMs);
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return FailErrno("cannot wait for it");
  }
  return Fail(ErrorCode::kCancelled, "interrupted");
}

Result<size_t> InputFile::Read(std::span<char> to) {
  if (!is_regular_) WEFT_TRY(WaitForInput());
  while (true) {
    const ssize_t count = read(descriptor_, to.data(), to.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return FailErrno("cannot read it");
    position_ += static_cast<uint64_t>(count);
    return static_cast<size_t>(count);
  }
}

}  // namespace weft::cli

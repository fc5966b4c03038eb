// SPDX-License-Identifier: Apache-2.0
#include "cli/output_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace weft::cli {
namespace {

constexpr char kDraft[] = ".part";

std::unexpected<Error> FailErrno(std::string_view what) {
  const ErrorCode code = errno == ENOSPC ? ErrorCode::kNoSpace : ErrorCode::kIo;
  return Fail(code, std::string(what) + ": " + std::strerror(errno));
}

wire::Compression CompressionOf(std::string_view path) {
  if (path.ends_with(".gz")) return wire::Compression::kGzip;
  if (path.ends_with(".zst")) return wire::Compression::kZstd;
  if (path.ends_with(".lz4")) return wire::Compression::kLz4;
  return wire::Compression::kNone;
}

}  // namespace

Result<std::unique_ptr<OutputFile>> OutputFile::Create(const std::string& path) {
  if (path.empty() || path == "-")
    return std::unique_ptr<OutputFile>(new OutputFile("", STDOUT_FILENO));
  const int descriptor =
      open((path + kDraft).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor < 0) return FailErrno("cannot create " + path + kDraft);
  return std::unique_ptr<OutputFile>(new OutputFile(path, descriptor));
}

OutputFile::OutputFile(std::string path, int descriptor)
    : path_(std::move(path)), descriptor_(descriptor), compression_(CompressionOf(path_)) {}

OutputFile::~OutputFile() {
  if (descriptor_ < 0 || path_.empty()) return;
  close(descriptor_);
  std::remove((path_ + kDraft).c_str());
}

Status OutputFile::Write(std::string_view bytes) {
  std::string compressed;
  if (compression_ != wire::Compression::kNone) {
    compressed = wire::Compress(compression_, bytes);
    bytes = compressed;
  }
  while (!bytes.empty()) {
    const ssize_t count = write(descriptor_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return FailErrno("cannot write " + (path_.empty() ? "the output" : path_));
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return {};
}

Status OutputFile::Finish() {
  if (path_.empty()) return {};
  if (fsync(descriptor_) != 0) return FailErrno("cannot write " + path_);
  close(descriptor_);
  descriptor_ = -1;
  if (std::rename((path_ + kDraft).c_str(), path_.c_str()) != 0)
    return FailErrno("cannot name " + path_);
  return {};
}

}  // namespace weft::cli

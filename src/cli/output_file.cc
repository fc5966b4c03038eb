// SPDX-License-Identifier: Apache-2.0
#include "cli/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

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
    return std::unique_ptr<OutputFile>(new OutputFile("", "", STDOUT_FILENO));
  struct stat found;
  const bool exists = stat(path.c_str(), &found) == 0;
  if (exists && S_ISDIR(found.st_mode))
    return Fail(ErrorCode::kInvalidArgument, "cannot write " + path + ": it is a directory");
  std::string place = path, draft;
  if (!exists || S_ISREG(found.st_mode)) {
    // What a link names is replaced, not the link.
    std::error_code error;
    if (exists) place = std::filesystem::canonical(path, error).string();
    if (error) return Fail(ErrorCode::kIo, "cannot write " + path + ": " + error.message());
    draft = place + kDraft;
  }
  const std::string& opened = draft.empty() ? place : draft;
  const int descriptor = open(opened.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor < 0) return FailErrno("cannot create " + opened);
  return std::unique_ptr<OutputFile>(
      new OutputFile(std::move(place), std::move(draft), descriptor));
}

OutputFile::OutputFile(std::string path, std::string draft, int descriptor)
    : path_(std::move(path)),
      draft_(std::move(draft)),
      descriptor_(descriptor),
      compression_(CompressionOf(path_)) {}

OutputFile::~OutputFile() {
  if (descriptor_ < 0 || path_.empty()) return;
  close(descriptor_);
  if (!draft_.empty()) std::remove(draft_.c_str());
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
  // Pipes and devices cannot be synced.
  if (!draft_.empty() && fsync(descriptor_) != 0) return FailErrno("cannot write " + path_);
  close(descriptor_);
  descriptor_ = -1;
  if (!draft_.empty() && std::rename(draft_.c_str(), path_.c_str()) != 0)
    return FailErrno("cannot name " + path_);
  return {};
}

}  // namespace weft::cli

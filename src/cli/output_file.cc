// SPDX-License-Identifier: Apache-2.0
#include "cli/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <utility>

namespace weft::cli {
namespace {

wire::Compression CompressionOf(std::string_view path) {
  if (path.ends_with(".gz")) return wire::Compression::kGzip;
  if (path.ends_with(".zst")) return wire::Compression::kZstd;
  if (path.ends_with(".lz4")) return wire::Compression::kLz4;
  return wire::Compression::kNone;
}

}  // namespace

Result<std::unique_ptr<OutputFile>> OutputFile::Create(const std::string& path) {
  if (path.empty() || path == "-")
    return std::unique_ptr<OutputFile>(new OutputFile("", std::nullopt, STDOUT_FILENO));
  WEFT_TRY(CheckPlanted(path));
  struct stat found;
  const bool is_link = lstat(path.c_str(), &found) == 0 && S_ISLNK(found.st_mode);
  const bool exists = stat(path.c_str(), &found) == 0;
  if (exists && S_ISDIR(found.st_mode))
    return Fail(ErrorCode::kInvalidArgument, "cannot write " + path + ": it is a directory");
  if (exists && !S_ISREG(found.st_mode)) {
    const int descriptor = open(path.c_str(), O_WRONLY | O_CLOEXEC | (is_link ? 0 : O_NOFOLLOW));
    if (descriptor < 0) return FailErrno("cannot open " + path);
    return std::unique_ptr<OutputFile>(new OutputFile(path, std::nullopt, descriptor));
  }
  std::string place = path;
  // What a link names is replaced, not the link. What was no link when it was checked is not
  // followed if it has become one.
  std::error_code error;
  if (exists && is_link) place = std::filesystem::canonical(path, error).string();
  if (error) return Fail(ErrorCode::kIo, "cannot write " + path + ": " + error.message());
  WEFT_ASSIGN(DraftFile draft, DraftFile::Create(place));
  // Who may read it is up to whoever made it.
  if (exists && fchmod(draft.descriptor(), found.st_mode & 0777) != 0)
    return FailErrno("cannot write " + path);
  const int descriptor = draft.descriptor();
  return std::unique_ptr<OutputFile>(
      new OutputFile(std::move(place), std::move(draft), descriptor));
}

OutputFile::OutputFile(std::string path, std::optional<DraftFile> draft, int descriptor)
    : path_(std::move(path)),
      draft_(std::move(draft)),
      descriptor_(descriptor),
      compression_(CompressionOf(path_)) {}

OutputFile::~OutputFile() {
  if (!path_.empty() && !draft_ && descriptor_ >= 0) close(descriptor_);
}

Status OutputFile::Write(std::string_view bytes) {
  std::string compressed;
  if (compression_ != wire::Compression::kNone) {
    compressed = wire::Compress(compression_, bytes);
    bytes = compressed;
  }
  return WriteAll(descriptor_, bytes, path_.empty() ? "the output" : path_);
}

Status OutputFile::Finish() {
  if (draft_) return draft_->Keep(/*sync=*/true);
  if (!path_.empty()) close(std::exchange(descriptor_, -1));
  return {};
}

}  // namespace weft::cli

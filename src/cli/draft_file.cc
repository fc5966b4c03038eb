// SPDX-License-Identifier: Apache-2.0
#include "cli/draft_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

namespace weft::cli {

std::unexpected<Error> FailErrno(std::string_view what) {
  const ErrorCode code = errno == ENOSPC ? ErrorCode::kNoSpace : ErrorCode::kIo;
  return Fail(code, std::string(what) + ": " + std::strerror(errno));
}

Status WriteAll(int descriptor, std::string_view bytes, std::string_view name) {
  while (!bytes.empty()) {
    const ssize_t count = write(descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return FailErrno(fmt::format("cannot write {}", name));
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return {};
}

Status CheckPlanted(const std::string& path, bool believed) {
  struct stat place, folder;
  if (lstat(path.c_str(), &place) != 0 || S_ISDIR(place.st_mode)) return {};
  if (S_ISREG(place.st_mode) && !believed) return {};
  std::string above = std::filesystem::path(path).parent_path().string();
  if (stat(above.empty() ? "." : above.c_str(), &folder) != 0) return {};
  const bool shared = (folder.st_mode & S_IWOTH) != 0 ||
                      ((folder.st_mode & S_ISVTX) != 0 && (folder.st_mode & S_IWGRP) != 0);
  if (!shared || place.st_uid == geteuid() || place.st_uid == folder.st_uid) return {};
  return Fail(ErrorCode::kPermissionDenied,
              fmt::format("cannot write {}: another user has put a {} there", path,
                          S_ISLNK(place.st_mode)   ? "link"
                          : S_ISREG(place.st_mode) ? "file"
                                                   : "pipe or device"));
}

Result<DraftFile> DraftFile::Create(std::string path) {
  constexpr int kTriesMax = 16;
  // The longest name that file systems take is 255 bytes.
  constexpr size_t kNameBytesMax = 200;
  std::filesystem::path whole(path);
  std::string name = whole.filename().string().substr(0, kNameBytesMax);
  for (int tries = 1;; ++tries) {
    uint64_t number = 0;
    if (getrandom(&number, sizeof number, 0) != sizeof number)
      return FailErrno("cannot read random bytes");
    std::string draft =
        whole.replace_filename(fmt::format("{}.{:016x}.part", name, number)).string();
    const int descriptor =
        open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (descriptor >= 0) return DraftFile(std::move(path), std::move(draft), descriptor);
    if (errno != EEXIST || tries == kTriesMax) return FailErrno("cannot create " + path);
  }
}

DraftFile::DraftFile(std::string path, std::string draft, int descriptor)
    : path_(std::move(path)), draft_(std::move(draft)), descriptor_(descriptor) {}

DraftFile::DraftFile(DraftFile&& other) noexcept
    : path_(std::move(other.path_)),
      draft_(std::move(other.draft_)),
      descriptor_(std::exchange(other.descriptor_, -1)) {}

DraftFile::~DraftFile() {
  if (descriptor_ < 0) return;
  close(descriptor_);
  std::remove(draft_.c_str());
}

Status DraftFile::Write(std::string_view bytes) { return WriteAll(descriptor_, bytes, path_); }

Status DraftFile::Keep(bool sync) {
  if (sync && fsync(descriptor_) != 0) return FailErrno("cannot write " + path_);
  if (std::rename(draft_.c_str(), path_.c_str()) != 0) return FailErrno("cannot name " + path_);
  close(std::exchange(descriptor_, -1));
  return {};
}

}  // namespace weft::cli

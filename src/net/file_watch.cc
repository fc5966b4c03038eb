// SPDX-License-Identifier: Apache-2.0
#include "net/file_watch.h"

#include <sys/stat.h>

#include <span>

#include "base/env.h"
#include "net/loop.h"

namespace weft::net {
namespace {
constexpr uint64_t kSmallBytesMax = 1 << 20;
constexpr uint64_t kIntervalsUntilAgain = 12;
std::string TimeText(const timespec& time) {
  return std::to_string(time.tv_sec) + "." + std::to_string(time.tv_nsec);
}
}  // namespace

FileWatch::FileWatch(std::vector<std::string> paths, uint64_t interval_ms)
    : paths_([&paths] {
        std::erase(paths, "");
        return std::move(paths);
      }()),
      interval_ms_(interval_ms),
      next_ms_(MonotonicMs() + static_cast<int64_t>(interval_ms)),
      seen_(Look()) {}

std::vector<std::string> FileWatch::Look() const {
  std::vector<std::string> out;
  for (const std::string& path : paths_) {
    struct stat facts{};
    if (::stat(path.c_str(), &facts) != 0) {
      out.emplace_back("missing");
      continue;
    }
    out.push_back(std::to_string(facts.st_dev) + "/" + std::to_string(facts.st_ino) + "/" +
                  std::to_string(facts.st_size) + "/" + TimeText(facts.st_mtim) + "/" +
                  TimeText(facts.st_ctim));
  }
  return out;
}

bool FileWatch::Changed() {
  if (paths_.empty()) return false;
  std::lock_guard lock(mutex_);
  int64_t now = MonotonicMs();
  if (now < next_ms_) return false;
  next_ms_ = now + static_cast<int64_t>(interval_ms_);
  std::vector<std::string> seen = Look();
  if (seen == seen_ && now < again_ms_) return false;
  seen_ = std::move(seen);
  again_ms_ = INT64_MAX;
  return true;
}

void FileWatch::TryAgain() {
  std::lock_guard lock(mutex_);
  again_ms_ = MonotonicMs() + static_cast<int64_t>(kIntervalsUntilAgain * interval_ms_);
}

Result<std::string> ReadSmallFile(const std::string& path) {
  WEFT_ASSIGN(auto file, PosixEnv()->OpenRead(path));
  if (file->bytes() > kSmallBytesMax)
    return Fail(ErrorCode::kTooLarge, path + " is over 1 MiB: that is not what belongs there");
  std::string text(file->bytes(), '\0');
  WEFT_TRY(file->ReadAt(0, std::span(text)));
  return text;
}

}  // namespace weft::net

// SPDX-License-Identifier: Apache-2.0
#include "net/rare_log.h"

#include <utility>

#include "net/loop.h"

namespace weft::net {
namespace {
constexpr int64_t kEveryMs = 60'000;
}  // namespace

void RareLog::Say(LogLevel level, std::string_view room, std::string message) {
  uint64_t unsaid = 0;
  {
    std::lock_guard lock(mutex_);
    int64_t now = MonotonicMs();
    if (now < next_ms_) {
      ++unsaid_;
      return;
    }
    next_ms_ = now + kEveryMs;
    unsaid = std::exchange(unsaid_, 0);
  }
  if (unsaid > 0) message += " (and " + std::to_string(unsaid) + " like it since the last line)";
  Log(level, room, message);
}

}  // namespace weft::net

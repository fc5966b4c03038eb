// SPDX-License-Identifier: Apache-2.0
//
// A line for what a peer can cause as often as it likes: said at once, then at most once a minute
// with the number of times in between. Metrics have the exact counts.
//
// Thread rule: any thread.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "base/log.h"

namespace weft::net {

class RareLog {
 public:
  // Text of peers inside `message` is escaped here.
  void Say(LogLevel level, std::string_view room, std::string message);

 private:
  std::mutex mutex_;
  int64_t next_ms_ = 0;  // guarded by mutex_
  uint64_t unsaid_ = 0;  // guarded by mutex_
};

}  // namespace weft::net

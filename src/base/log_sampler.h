// SPDX-License-Identifier: Apache-2.0
//
// LogSampler: of one message, the first few of every tick pass and then each so-many-th. Messages
// are told apart by a hash into a fixed table, so memory is bounded whatever is logged; two that
// share a slot share its count. The same idea as the Collector's
// service::telemetry::logs::sampling.
//
// Thread rule: one at a time (the log holds its lock).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace weft {

struct LogSampling {
  bool enabled = true;
  uint64_t tick_ns = 10'000'000'000;
  uint64_t initial = 10;
  uint64_t thereafter = 0;  // 0: none until the next tick
};

class LogSampler {
 public:
  void Configure(const LogSampling& sampling) { sampling_ = sampling; }
  // True when a line with this key may be written at `now_ns` (monotonic). `suppressed` is then how
  // many were held back since the last one.
  bool Pass(std::string_view key, uint64_t now_ns, uint64_t* suppressed);

 private:
  struct Slot {
    uint64_t began_ns = 0;
    uint64_t seen = 0;
    uint64_t suppressed = 0;
  };
  LogSampling sampling_;
  std::array<Slot, 1024> slots_{};
};

}  // namespace weft

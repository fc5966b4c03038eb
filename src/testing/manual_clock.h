// SPDX-License-Identifier: Apache-2.0
//
// ManualClock: time that moves only when a test says so. Wall time and monotonic time can be moved
// apart, as a clock that jumps does.
//
// Thread rule: every method may be called from any thread.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/clock.h"

namespace weft::testing {

class ManualClock : public Clock {
 public:
  // 2026-01-01T00:00:00Z unless told otherwise.
  explicit ManualClock(uint64_t now_ns = 1'767'225'600'000'000'000) : now_ns_(now_ns) {}

  uint64_t NowNs() override { return now_ns_.load(); }
  uint64_t MonotonicNs() override { return monotonic_ns_.load(); }
  void Advance(uint64_t ns) {
    now_ns_ += ns;
    monotonic_ns_ += ns;
  }
  // The wall clock is set; monotonic time does not notice.
  void JumpTo(uint64_t now_ns) { now_ns_ = now_ns; }

 private:
  std::atomic<uint64_t> now_ns_;
  std::atomic<uint64_t> monotonic_ns_{1};
};

}  // namespace weft::testing

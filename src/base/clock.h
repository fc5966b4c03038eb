// SPDX-License-Identifier: Apache-2.0
//
// Time behind an interface, so that no test waits for a real second. Everything that reads time or
// sleeps takes a Clock*; production passes SystemClock(), tests a testing::ManualClock.
//
// Thread rule: every method may be called from any thread.
#pragma once

#include <cstdint>

namespace weft {

class Clock {
 public:
  virtual ~Clock() = default;
  // Nanoseconds since the Unix epoch. May jump.
  virtual uint64_t NowNs() = 0;
  // Nanoseconds since an arbitrary start. Never goes back.
  virtual uint64_t MonotonicNs() = 0;
};

// The process-wide real clock. Never null, never freed.
Clock* SystemClock();

}  // namespace weft

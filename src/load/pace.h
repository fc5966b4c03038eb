// SPDX-License-Identifier: Apache-2.0
//
// An even pace over a whole run, whatever number of calls it is sent in: a request is due when the
// spans before it, since the first request of the run, have used up their time.
//
// Thread rule: one thread, but for WaitUntil(). Next: load/load_sender.h.
#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.h"

namespace weft::load {

class Pace {
 public:
  explicit Pace(double spans_per_second, Clock* clock = SystemClock())
      : spans_per_second_(spans_per_second), clock_(clock) {}

  // When the next request is due, which has so many spans, on Clock::MonotonicNs(). The first call
  // begins the run.
  uint64_t NextDueNs(uint64_t spans);
  // When all spans have used up their time.
  uint64_t EndNs() const;
  uint64_t ElapsedNs() const;
  void WaitUntil(uint64_t due_ns) const;

 private:
  const double spans_per_second_;
  Clock* const clock_;
  std::optional<uint64_t> began_ns_;
  uint64_t spans_ = 0;  // of the requests so far
};

}  // namespace weft::load

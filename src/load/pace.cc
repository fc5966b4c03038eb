// SPDX-License-Identifier: Apache-2.0
#include "load/pace.h"

#include <algorithm>
#include <chrono>
#include <thread>

namespace weft::load {

uint64_t Pace::NextDueNs(uint64_t spans) {
  if (!began_ns_) began_ns_ = clock_->MonotonicNs();
  uint64_t due_ns = EndNs();
  spans_ += spans;
  return due_ns;
}

uint64_t Pace::EndNs() const {
  // The slowest rates must not overflow: 30 years are as good as never.
  constexpr double kNeverNs = 1e18;
  double taken_ns = static_cast<double>(spans_) / spans_per_second_ * 1e9;
  return began_ns_.value_or(0) + static_cast<uint64_t>(std::min(taken_ns, kNeverNs));
}

uint64_t Pace::ElapsedNs() const { return began_ns_ ? clock_->MonotonicNs() - *began_ns_ : 0; }

void Pace::WaitUntil(uint64_t due_ns) const {
  for (uint64_t now_ns; (now_ns = clock_->MonotonicNs()) < due_ns;)
    std::this_thread::sleep_for(std::chrono::nanoseconds(due_ns - now_ns));
}

}  // namespace weft::load

// SPDX-License-Identifier: Apache-2.0
//
// What may be deleted: blocks whose youngest record was received too long ago, and the oldest
// blocks while all together take too many bytes. Nothing else in the store deletes data.
//
// A wall clock that jumps ahead must not delete: TrustedClock follows monotonic time until a jump
// ahead of more than an hour has been seen to last for an hour; a clock set back is believed.
// Thread rule: one thread at a time. Next: store/engine.h.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/clock.h"

namespace weft::store {

class TrustedClock {
 public:
  // `known_ns`: the latest wall time that stored data proves, 0 if there is none. A start more than
  // an hour after it is a jump like any other.
  TrustedClock(Clock* clock, uint64_t known_ns);
  // The wall time by which ages may be judged.
  uint64_t NowNs();

 private:
  Clock* const clock_;
  uint64_t trusted_ns_ = 0;    // wall time at...
  uint64_t monotonic_ns_ = 0;  // ...this monotonic time
  struct Jump {
    int64_t offset_ns = 0;  // of the wall clock from the trusted one
    uint64_t seen_ns = 0;   // monotonic
  };
  std::optional<Jump> jump_;
};

struct RetentionCandidate {
  uint64_t received_max_ns = 0;
  uint64_t bytes = 0;
};
struct RetentionLimits {
  uint64_t age_ns = 0;  // 0: no limit
  uint64_t bytes = 0;   // 0: no limit
};
// Indexes of the blocks to delete.
std::vector<size_t> PickExpired(const std::vector<RetentionCandidate>& blocks,
                                const RetentionLimits& limits, uint64_t now_ns);

}  // namespace weft::store

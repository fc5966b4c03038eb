// SPDX-License-Identifier: Apache-2.0
#include "store/retention.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>

namespace weft::store {
namespace {

constexpr int64_t kJumpNs = 3600ll * 1'000'000'000;
constexpr uint64_t kConfirmNs = 3600ull * 1'000'000'000;

}  // namespace

TrustedClock::TrustedClock(Clock* clock, uint64_t known_ns)
    : clock_(clock),
      trusted_ns_(known_ns != 0 ? known_ns : clock->NowNs()),
      monotonic_ns_(clock->MonotonicNs()) {
  NowNs();
}

uint64_t TrustedClock::NowNs() {
  const uint64_t wall = clock_->NowNs();
  const uint64_t monotonic = clock_->MonotonicNs();
  trusted_ns_ += monotonic - monotonic_ns_;
  monotonic_ns_ = monotonic;
  const auto offset = static_cast<int64_t>(wall - trusted_ns_);
  // Backwards at once: an earlier "now" deletes less. Records of a clock that once ran ahead must
  // not make all others look old.
  if (offset <= kJumpNs) {
    jump_.reset();
    trusted_ns_ = wall;
  } else if (!jump_ || std::llabs(offset - jump_->offset_ns) > kJumpNs) {
    jump_ = Jump{offset, monotonic};
  } else if (monotonic - jump_->seen_ns >= kConfirmNs) {
    jump_.reset();
    trusted_ns_ = wall;
  }
  return trusted_ns_;
}

std::vector<size_t> PickExpired(const std::vector<RetentionCandidate>& blocks,
                                const RetentionLimits& limits, uint64_t now_ns) {
  std::vector<size_t> order(blocks.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, {}, [&](size_t i) { return blocks[i].received_max_ns; });
  uint64_t bytes = 0;
  for (const RetentionCandidate& block : blocks) bytes += block.bytes;
  std::vector<size_t> expired;
  for (const size_t i : order) {
    const uint64_t received = blocks[i].received_max_ns;
    const bool old = limits.age_ns != 0 && received < now_ns && now_ns - received > limits.age_ns;
    const bool over = limits.bytes != 0 && bytes > limits.bytes;
    if (!old && !over) break;
    expired.push_back(i);
    bytes -= blocks[i].bytes;
  }
  return expired;
}

}  // namespace weft::store

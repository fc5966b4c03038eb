// SPDX-License-Identifier: Apache-2.0
#include "store/merge_pace.h"

#include <algorithm>

namespace weft::store {
namespace {

// Merged for what is appended, in parts of four: a merge is over before the next one comes due.
constexpr uint64_t kMergedParts = 5, kAppendedParts = 4;
constexpr uint64_t kPausesOfWork = 3;
// So that a merge soon sees that it has to hurry.
constexpr uint64_t kPauseNsMax = 100'000'000;
constexpr uint64_t kDelayNsMax = 1'000'000'000;

// In thousandths; by the square, so that it begins gently and the limit is never reached.
uint64_t DelayParts(const Fill& fill) {
  if (fill.used <= fill.free || fill.max <= fill.free) return 0;
  const uint64_t parts =
      std::min<uint64_t>(1000, (fill.used - fill.free) * 1000 / (fill.max - fill.free));
  return parts * parts / 1000;
}

}  // namespace

uint64_t MergePace::PauseNs(uint64_t merged, uint64_t appended, uint64_t now_ns) {
  const bool alone = appended == appended_;
  appended_ = appended;
  const uint64_t due = (appended - appended_at_start_) * kMergedParts / kAppendedParts;
  if (alone || merged <= due) return 0;
  return std::min((now_ns - resumed_ns_) * kPausesOfWork, kPauseNsMax);
}

uint64_t AnswerDelayNs(const Fill& head, const Fill& unmerged) {
  return std::max(DelayParts(head), DelayParts(unmerged)) * (kDelayNsMax / 1000);
}

}  // namespace weft::store

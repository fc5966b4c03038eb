// SPDX-License-Identifier: Apache-2.0
//
// How background work shares a processor with appends. A merge comes due all at once, for what many
// flushes have left: at full speed it would take half of a busy core for seconds, then nothing.
// MergePace spreads it over the time in which as much is appended again. AnswerDelayNs() is the
// other side: as the store comes near a limit, answers come later, so that senders slow down before
// they are refused.
//
// Thread rule: pure, but for MergePace, which is its merge's thread's.
// Next: store/engine.h, store/delayed_answers.h.
#pragma once

#include <cstdint>

namespace weft::store {

// What was appended and merged is counted in spans and log records, time in monotonic ns.
class MergePace {
 public:
  MergePace(uint64_t appended, uint64_t now_ns)
      : appended_at_start_(appended), appended_(appended), resumed_ns_(now_ns) {}

  // After a piece of work; `merged`: since the start. How long to pause: never where nothing was
  // appended meanwhile, or where the merge is behind. A merge takes at most four times its time.
  uint64_t PauseNs(uint64_t merged, uint64_t appended, uint64_t now_ns);
  void Resumed(uint64_t now_ns) { resumed_ns_ = now_ns; }

 private:
  const uint64_t appended_at_start_;
  uint64_t appended_;
  uint64_t resumed_ns_;
};

// How much of a limit is used.
struct Fill {
  uint64_t used = 0, max = 0;
  // Up to here nothing is late.
  uint64_t free = 0;
};
// How long an answer waits; at the limit, where the next request is refused, a second.
uint64_t AnswerDelayNs(const Fill& head, const Fill& unmerged);

}  // namespace weft::store

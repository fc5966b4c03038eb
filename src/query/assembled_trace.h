// SPDX-License-Identifier: Apache-2.0
//
// AssembledTrace: one whole trace in hand, every fragment of it, ready to be judged span by span
// and summed up. This is where answers become exact: structure and counts come from here, never
// from a fragment.
//
// Thread rule: one thread at a time. Next: query/search.cc.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "model/span_batch.h"
#include "query/plan.h"
#include "query/query.h"
#include "query/row_program.h"
#include "trace/trace.h"

namespace weft::query {

class AssembledTrace {
 public:
  // REQUIRES: at least one span.
  explicit AssembledTrace(SpanBatch batch);

  uint64_t start_ns() const { return start_ns_; }
  const SpanBatch& batch() const { return batch_; }
  // Spans that match the plan and start in its window, by start.
  std::vector<uint32_t> FindMatches(const Plan& plan) const;
  TraceSummary Summarise(const Plan& plan, const std::vector<uint32_t>& matches,
                         uint32_t spans_max) const;

 private:
  friend class AssembledSource;
  // Of the whole trace, whatever the plan's window.
  std::vector<uint32_t> FindSpans(const SpanFilter& filter) const;
  MatchedSpan Describe(const Plan& plan, uint32_t span) const;

  SpanBatch batch_;
  std::vector<trace::Node> nodes_;
  trace::Tree tree_;
  std::vector<uint32_t> position_;  // of each span of the batch in pre-order
  uint64_t start_ns_ = 0, end_ns_ = 0;
  uint32_t root_ = 0;  // span of the batch: the earliest root, else the first in pre-order
  bool root_missing_ = false;
};

}  // namespace weft::query

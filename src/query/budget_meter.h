// SPDX-License-Identifier: Apache-2.0
//
// BudgetMeter: what one query call has used of its budget. Asked between row groups and traces, and
// before a trace is assembled, so that a query overruns by little.
//
// Thread rule: one thread at a time; `cancelled` may be set from anywhere.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "base/clock.h"
#include "query/query.h"

namespace weft::query {

// What a span or log record is taken to need once its trace is assembled: itself, its attributes
// and text, its place in the tree. Most need more: an estimate that is too low answers more
// questions.
constexpr uint64_t kAssembledRowBytes = 512;

// Spans and log records of a trace in all segments, duplicates too: what assembling it would read.
inline Result<uint64_t> CountRows(const store::Snapshot& snapshot, const TraceId& id) {
  uint64_t count = 0;
  for (const auto& segment : snapshot.segments()) {
    WEFT_ASSIGN(segment::Segment::TraceRows rows, segment->FindTrace(id));
    count += rows.spans.size() + rows.logs.size();
  }
  return count;
}

class BudgetMeter {
 public:
  explicit BudgetMeter(const Budget& budget)
      : budget_(budget),
        clock_(budget.clock == nullptr ? SystemClock() : budget.clock),
        begin_ns_(clock_->MonotonicNs()) {}

  uint64_t elapsed_ns() const { return clock_->MonotonicNs() - begin_ns_; }
  // kCancelled, kDeadlineExceeded or kResourceExhausted, with a sentence for people.
  Status Check(uint64_t bytes_used) const {
    if (budget_.cancelled != nullptr && budget_.cancelled->load(std::memory_order_relaxed))
      return Fail(ErrorCode::kCancelled, "the query was cancelled");
    if (elapsed_ns() > budget_.deadline_ns)
      return Fail(ErrorCode::kDeadlineExceeded,
                  "the query ran out of time after " +
                      std::to_string(budget_.deadline_ns / 1'000'000) + " ms");
    if (bytes_used > budget_.memory_bytes)
      return Fail(ErrorCode::kResourceExhausted, "the query needs more memory than its " +
                                                     std::to_string(budget_.memory_bytes >> 20) +
                                                     " MiB");
    return {};
  }
  // May a trace of so many spans and log records be assembled? kResourceExhausted, naming it.
  Status CheckTrace(const TraceId& id, uint64_t rows, uint64_t bytes_used) const {
    uint64_t left = budget_.memory_bytes - std::min(bytes_used, budget_.memory_bytes);
    if (rows <= left / kAssembledRowBytes) return {};
    return Fail(ErrorCode::kResourceExhausted,
                "trace " + id.ToHex() + " was left out: to judge its " + std::to_string(rows) +
                    " spans and log records together takes more memory than the query's " +
                    std::to_string(budget_.memory_bytes >> 20) + " MiB");
  }

 private:
  Budget budget_;
  Clock* clock_;
  uint64_t begin_ns_;
};

}  // namespace weft::query

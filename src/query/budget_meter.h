// SPDX-License-Identifier: Apache-2.0
//
// BudgetMeter: what one query call has used of its budget. Asked between row groups and traces, so
// that a query overruns by one of them at most.
//
// Thread rule: one thread at a time; `cancelled` may be set from anywhere.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "base/clock.h"
#include "query/query.h"

namespace weft::query {

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

 private:
  Budget budget_;
  Clock* clock_;
  uint64_t begin_ns_;
};

}  // namespace weft::query

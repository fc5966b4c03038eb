// SPDX-License-Identifier: Apache-2.0
//
// The memory budget of one process with its accounts, opened as the plan has them, and how it is
// shown: weft_memory_* at /metrics, "memory" of /status.
//
// Thread rule: made by the starting thread; the accounts are for any.
// Next: server/memory_plan.h, base/memory_budget.h.
#pragma once

#include "base/memory_budget.h"
#include "base/metrics.h"
#include "pipeline/memory.h"
#include "server/memory_plan.h"

namespace weft::server {

class MemoryAccounts {
 public:
  explicit MemoryAccounts(const MemoryPlan& plan);

  // Other limits from now on. What is held over them stays until it is given back. By one thread at
  // a time, which alone reads plan(), and makes components.
  void Apply(const MemoryPlan& plan);
  const MemoryPlan& plan() const { return plan_; }
  MemoryBudget& budget() { return budget_; }
  MemoryAccount* head() const { return head_; }
  // What components charge.
  const pipeline::Memory& shares() const { return shares_; }
  void Report(MetricsScrape* scrape) const;

 private:
  MemoryPlan plan_;
  MemoryBudget budget_;
  MemoryAccount* head_;
  pipeline::Memory shares_;
};

}  // namespace weft::server

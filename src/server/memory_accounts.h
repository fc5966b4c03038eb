// SPDX-License-Identifier: Apache-2.0
//
// The memory budget of one process with its accounts, opened as the plan has them, and how it is
// shown: weft_memory_* at /metrics, "memory" of /status.
//
// Thread rule: made by the starting thread; the accounts are for any.
// Next: server/memory_plan.h, base/memory_budget.h.
#pragma once

#include "api/query_memory.h"
#include "base/memory_budget.h"
#include "base/metrics.h"
#include "server/memory_plan.h"
#include "store/store.h"

namespace weft::server {

class MemoryAccounts {
 public:
  explicit MemoryAccounts(const MemoryPlan& plan);

  const MemoryPlan& plan() const { return plan_; }
  MemoryBudget& budget() { return budget_; }
  MemoryAccount* requests() const { return requests_; }
  MemoryAccount* head() const { return head_; }
  store::StoreMemory of_store();
  api::QueryMemory of_queries();
  void Report(MetricsScrape* scrape) const;

 private:
  const MemoryPlan plan_;
  MemoryBudget budget_;
  MemoryAccount *requests_, *head_, *flushes_, *merges_, *page_cache_, *trace_cache_, *queries_,
      *answers_;
};

}  // namespace weft::server

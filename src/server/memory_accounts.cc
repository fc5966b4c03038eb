// SPDX-License-Identifier: Apache-2.0
#include "server/memory_accounts.h"

namespace weft::server {

MemoryAccounts::MemoryAccounts(const MemoryPlan& plan)
    : plan_(plan),
      budget_(plan.limit),
      requests_(budget_.Open("requests", {.bytes_max = plan.requests})),
      head_(budget_.Open("head", {.bytes_max = plan.head, .reserve = plan.head})),
      flushes_(budget_.Open("flushes", {.reserve = plan.flushes})),
      merges_(budget_.Open("merges", {.bytes_max = plan.merges})),
      page_cache_(budget_.Open("page_cache", {.bytes_max = plan.page_cache})),
      trace_cache_(budget_.Open("trace_cache", {.bytes_max = plan.trace_cache})),
      // One question can always work.
      queries_(budget_.Open("queries", {.bytes_max = plan.queries, .reserve = plan.query})),
      answers_(budget_.Open("answers", {.bytes_max = plan.answers})) {}

store::StoreMemory MemoryAccounts::of_store() {
  return {.budget = &budget_, .page_cache = page_cache_, .flushes = flushes_, .merges = merges_};
}

api::QueryMemory MemoryAccounts::of_queries() {
  return {.budget = &budget_,
          .working = queries_,
          .answers = answers_,
          .uploads = requests_,
          .traces = trace_cache_};
}

void MemoryAccounts::Report(MetricsScrape* scrape) const {
  auto bytes = [](uint64_t value) { return static_cast<double>(value); };
  scrape->Gauge("weft_memory_limit_bytes", "What the process may hold (--memory-limit).", {},
                bytes(budget_.bytes_max()));
  scrape->Gauge("weft_memory_used_bytes", "What it holds: all accounts and the rest.", {},
                bytes(budget_.used()));
  scrape->Gauge("weft_memory_peak_bytes", "The most it held since it started.", {},
                bytes(budget_.peak()));
  for (const MemoryNode& node : budget_.nodes()) {
    const Labels labels = {{"account", node.name}};
    scrape->Gauge("weft_memory_account_bytes", "What is charged to an account.", labels,
                  bytes(node.used));
    scrape->Gauge("weft_memory_account_max_bytes", "The most that an account may hold.", labels,
                  bytes(node.bytes_max));
    scrape->Gauge("weft_memory_account_peak_bytes", "The most that an account held.", labels,
                  bytes(node.peak));
    scrape->Gauge("weft_memory_waiting", "Queries and merges that wait for memory.", labels,
                  bytes(node.waiting));
    scrape->Counter("weft_memory_refused_total", "What was refused for lack of memory.", labels,
                    bytes(node.refused));
  }
}

}  // namespace weft::server

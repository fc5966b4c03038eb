// SPDX-License-Identifier: Apache-2.0
#include "server/memory_accounts.h"

namespace weft::server {

MemoryAccounts::MemoryAccounts(const MemoryPlan& plan) : plan_(plan), budget_(plan.limit) {
  shares_.budget = &budget_;
  shares_.requests = budget_.Open("requests");
  head_ = budget_.Open("head");
  shares_.flushes = budget_.Open("flushes");
  shares_.merges = budget_.Open("merges");
  shares_.queues = budget_.Open("queues");
  shares_.page_cache = budget_.Open("page_cache");
  shares_.trace_cache = budget_.Open("trace_cache");
  shares_.queries = budget_.Open("queries");
  shares_.answers = budget_.Open("answers");
  Apply(plan);
}

void MemoryAccounts::Apply(const MemoryPlan& plan) {
  plan_ = plan;
  budget_.Resize(plan.limit,
                 {{shares_.requests, {.bytes_max = plan.requests}},
                  {head_, {.bytes_max = plan.head, .reserve = plan.head}},
                  {shares_.flushes, {.reserve = plan.flushes}},
                  {shares_.merges, {.bytes_max = plan.merges, .reserve = plan.merges_reserve}},
                  {shares_.queues, {.bytes_max = plan.queues}},
                  {shares_.page_cache, {.bytes_max = plan.page_cache}},
                  {shares_.trace_cache, {.bytes_max = plan.trace_cache}},
                  // One question can always work.
                  {shares_.queries, {.bytes_max = plan.queries, .reserve = plan.query}},
                  {shares_.answers, {.bytes_max = plan.answers}}});
  shares_.merge_values = plan.merge_values;
  shares_.query = plan.query;
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

// SPDX-License-Identifier: Apache-2.0
//
// How the memory limit is shared out: one budget, its accounts, and what each may hold at most. The
// parts are limits and reserves, not shares: what one does not use, another may, up to its own
// limit. The same configuration under a smaller limit has smaller limits, down to a least one.
//
// Thread rule: pure functions; made once, by the starting thread. Source: docs/config.md.
// Next: base/memory_budget.h, server/memory_watch.h.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/result.h"
#include "pipeline/component_row.h"

namespace weft::server {

struct MemoryPlan {
  uint64_t limit = 0;
  uint64_t requests = 0;  // being read, decoded and stored
  uint64_t head = 0;      // of all stores; kept for them alone
  uint64_t flushes = 0;   // kept for them alone
  uint64_t merges = 0;
  uint64_t merges_reserve = 0;  // kept for them alone: ingest stops where merges do
  uint64_t merge_values = 0;    // distinct ones that one merge may hold
  uint64_t queues = 0;          // of all exporters
  uint64_t page_cache = 0, trace_cache = 0;
  uint64_t query = 0;    // of one
  uint64_t queries = 0;  // of all that run
  uint64_t answers = 0;  // of all that their clients have not taken yet
};

// Of all that runs by this configuration, together; of queries the largest.
pipeline::MemoryNeed NeedOf(const config::Config& config, const pipeline::ComponentTable& table);
// `requests_max`: what requests under way may hold where there is plenty. kInvalidArgument: the
// limit is too small for what is configured; it says the least that works.
Result<MemoryPlan> PlanMemory(const pipeline::MemoryNeed& has, uint64_t requests_max,
                              uint64_t limit);

// The text of a file; nothing where it cannot be read.
using ReadText = std::function<std::optional<std::string>(const std::string& path)>;
std::optional<std::string> ReadRealText(const std::string& path);
// What this process may use: the least limit of its cgroup and those above, or the machine's
// memory.
uint64_t AvailableMemory(const ReadText& read);
// A quarter of it, at least 256 MiB, at most half of it.
uint64_t DefaultMemoryLimit(uint64_t available);

}  // namespace weft::server

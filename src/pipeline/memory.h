// SPDX-License-Identifier: Apache-2.0
//
// A component and the memory budget: what its settings ask for (MemoryNeed, from which the process
// makes its plan before anything runs), and the accounts it then charges (Memory).
//
// Thread rule: plain values; the accounts are for any thread. Everything is borrowed.
// Next: base/memory_budget.h, server/memory_plan.h.
#pragma once

#include <cstdint>

#include "base/memory_budget.h"

namespace weft::pipeline {

// In bytes, of one component.
struct MemoryNeed {
  uint64_t head = 0, flushes = 0;  // kept for a store alone
  uint64_t page_cache = 0;         // at most
  uint64_t workers = 0;            // that answer questions, each with up to `query`
  uint64_t query = 0;
};

// Null accounts: nothing is charged, as in tests.
struct Memory {
  MemoryBudget* budget = nullptr;
  MemoryAccount* requests = nullptr;  // being read, decoded and stored
  MemoryAccount* flushes = nullptr;
  MemoryAccount* merges = nullptr;
  MemoryAccount* page_cache = nullptr;
  MemoryAccount* queues = nullptr;  // what waits to be sent elsewhere
  MemoryAccount* trace_cache = nullptr;
  MemoryAccount* queries = nullptr;
  MemoryAccount* answers = nullptr;    // until their clients have taken them
  uint64_t merge_values = UINT64_MAX;  // distinct ones that one merge may hold
  uint64_t query = UINT64_MAX;         // of one question
};

}  // namespace weft::pipeline

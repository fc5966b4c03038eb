// SPDX-License-Identifier: Apache-2.0
//
// What questions and their answers are charged to: the accounts of the memory budget that the query
// server has. Each question that runs has `working`; `answers` are what is kept until the client
// has taken it: traces that are being sent, and bytes on their way; `uploads` are requests with
// data; `traces` are those shown last, which go first when memory is short.
//
// Thread rule: a plain value. Next: base/memory_budget.h, api/query_runner.h.
#pragma once

#include <cstdint>

#include "base/memory_budget.h"

namespace weft::api {

struct QueryMemory {
  MemoryBudget* budget = nullptr;  // borrowed, as the accounts are
  MemoryAccount* working = nullptr;
  MemoryAccount* answers = nullptr;
  MemoryAccount* uploads = nullptr;
  MemoryAccount* traces = nullptr;
};

}  // namespace weft::api

// SPDX-License-Identifier: Apache-2.0
//
// Which service calls which, counted from the spans themselves: a call is a span whose parent
// belongs to another service. Exact over duplicates and split traces; what was not read is said.
//
// Traces that lie whole in a block are counted from three columns, in one pass over their rows.
// Fragments of split traces, and everything in the head, are brought together first, as bare
// numbers.
// Thread rule: pure functions over an immutable snapshot; run them on a query thread.
// Next: query/query.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "query/query.h"

namespace weft::query {

struct ServiceCalls {
  std::string parent, child;
  uint64_t calls = 0;
  auto operator<=>(const ServiceCalls&) const = default;
};

struct Dependencies {
  std::vector<ServiceCalls> links;  // by parent, then child
  std::string partial;              // empty: exact; otherwise the reason
  bool damaged = false;             // the reason, or one of them, is that a block cannot be read
};

// Counts spans that start in [start_ns, end_ns); their parents may start anywhere.
Result<Dependencies> FindDependencies(const store::Snapshot& snapshot, uint64_t start_ns,
                                      uint64_t end_ns, const Budget& budget);

}  // namespace weft::query

// SPDX-License-Identifier: Apache-2.0
//
// The query language again, slow and obvious: every span of every trace against the tree of the
// expression, over plain SpanBatches. It shares no code with query/, so that the two can be held
// against each other on random data.
//
// Thread rule: pure functions. Source: docs/traceql.md.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/span_batch.h"
#include "traceql/tree.h"

namespace weft::testing {

struct ReferenceTrace {
  TraceId trace_id;
  uint64_t start_ns = 0, end_ns = 0;
  uint32_t spans = 0;
  std::vector<SpanId> matched;  // by start, then id
};

// All traces with a matching span that starts in [start_ns, end_ns), an end of 0 for no end, newest
// first. Exact duplicates count once.
std::vector<ReferenceTrace> ReferenceSearch(const std::vector<const SpanBatch*>& batches,
                                            const traceql::Query& query, uint64_t start_ns,
                                            uint64_t end_ns);

}  // namespace weft::testing

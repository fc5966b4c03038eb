// SPDX-License-Identifier: Apache-2.0
//
// The front door of the query engine: a checked question over one store snapshot. Every form of
// search (TraceQL text, Jaeger's parameters, the UI's form, the CLI) becomes a SearchRequest.
//
// A spanset `{...}` selects spans; `&&` and `||` join spansets, judged a whole trace at a time. The
// answer lists traces that hold at least one selected span, newest first (trace start, then trace
// id), exact, at most `limit`, with a cursor for the next page.
// Whole-trace intrinsics (trace:duration, rootName, nestedSet*, childCount ...) are judged on the
// whole trace: split traces and traces with rows in the head are assembled first.
// Results are exact or say that they are partial and why.
//
// Thread rule: pure functions over an immutable snapshot; run them on a query thread, never on a
// net thread. Next: query/search.cc, query/plan.h, query/tag_catalog.h, docs/traceql.md.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/memory_budget.h"
#include "base/result.h"
#include "model/span_batch.h"
#include "store/store.h"

namespace weft::query {

class SearchProfile;

// What a query may use. Exceeding one gives a partial answer that says so, never a crash.
struct Budget {
  uint64_t deadline_ns = 30ull * 1'000'000'000;  // from the call, monotonic
  uint64_t memory_bytes = 256ull << 20;
  const std::atomic<bool>* cancelled = nullptr;  // set by a disconnect: kCancelled
  Clock* clock = nullptr;                        // null: the system's
  SearchProfile* profile = nullptr;              // null: nothing is measured
  // Charged beforehand for what the answer will hold (api/query_runner.h); who holds it keeps this.
  std::shared_ptr<MemoryCharge> answer = nullptr;
};

struct SearchRequest {
  std::string traceql = "{}";
  uint64_t start_ns = 0;  // traces with a matching span that starts in [start, end); end 0: no end
  uint64_t end_ns = 0;
  uint32_t limit = 20;           // 1 to 10,000
  uint32_t spans_per_trace = 3;  // matched spans returned with each trace, 0 to 10,000
  std::string cursor;            // opaque, from the previous page
};

struct MatchedSpan {
  SpanId span_id;
  std::string name, service;
  uint64_t start_ns = 0, duration_ns = 0;
  bool error = false;
  // Attributes that the query names, as text for people.
  std::vector<std::pair<std::string, std::string>> attributes;
  std::vector<ValueType> attribute_types;  // of each of them, as it was sent
};

struct ServiceShare {
  std::string service;
  uint32_t spans = 0, errors = 0;
};

struct TraceSummary {
  TraceId trace_id;
  std::string root_service, root_name;  // of the root, or of the earliest span where it is missing
  bool root_missing = false;
  uint64_t start_ns = 0, duration_ns = 0;  // of the spans that have a time (0: none was given)
  uint64_t order_ns = 0;                   // earliest start of all: by it answers are ordered
  uint32_t spans = 0, errors = 0;
  uint32_t orphans = 0;                // spans that name a parent which is not there
  std::vector<ServiceShare> services;  // most spans first
  uint32_t matched = 0;                // all matching spans
  std::vector<MatchedSpan> matches;    // the first spans_per_trace by start
};

struct SearchStats {
  uint64_t spans_total = 0;  // in the snapshot
  uint64_t spans_inspected = 0;
  uint64_t segments = 0, segments_skipped = 0;
  uint64_t elapsed_ns = 0;
};

struct SearchResult {
  std::vector<TraceSummary> traces;
  std::string cursor;    // empty: the last page
  std::string partial;   // empty: exact; otherwise the reason
  bool damaged = false;  // the reason, or one of them, is that a block cannot be read
  SearchStats stats;
};

// What it holds, about.
uint64_t MemoryOf(const TraceSummary& trace);

Result<SearchResult> Search(const store::Snapshot& snapshot, const SearchRequest& request,
                            const Budget& budget);

struct ServiceCount {
  std::string service;
  uint64_t spans = 0;
};
// Names in alphabetical order, over the whole snapshot. `partial`, where asked for, says which
// blocks could not be read; empty: exact.
Result<std::vector<ServiceCount>> ListServices(const store::Snapshot& snapshot,
                                               const Budget& budget,
                                               std::string* partial = nullptr);
struct OperationName {
  std::string name;
  SpanKind kind = SpanKind::kUnspecified;
  auto operator<=>(const OperationName&) const = default;
};
// Distinct (name, kind) of a service's spans; empty service: of all. `partial` as above.
Result<std::vector<OperationName>> ListOperations(const store::Snapshot& snapshot,
                                                  std::string_view service, const Budget& budget,
                                                  std::string* partial = nullptr);
// Smallest and largest span start in the snapshot: where data is, for an empty search. Spans
// without a time (start 0) count only where there is no other. Nothing when the snapshot is empty.
std::optional<std::pair<uint64_t, uint64_t>> DataRange(const store::Snapshot& snapshot);

}  // namespace weft::query

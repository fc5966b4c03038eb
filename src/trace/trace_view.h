// SPDX-License-Identifier: Apache-2.0
//
// TraceView: everything that a view needs of one assembled trace, in two forms: with its clocks
// corrected, and as received. Made from a batch by the API's trace document and by `weft trace`.
//
// Thread rule: a view is immutable; making one is a pure function.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "trace/correction.h"
#include "trace/trace.h"

namespace weft::trace {

// Where the time went, for one form of the times. All by pre-order position.
struct TraceTimes {
  std::vector<uint64_t> self_ns, critical_ns;
  // Of the view's root; each piece in its span's own times, as received.
  std::vector<CriticalPiece> critical_path;
};

struct TraceView {
  const SpanBatch* batch = nullptr;  // borrowed
  std::vector<Node> nodes;           // one a span of the batch, same index
  Tree tree;
  // What is added to a span's times as received; by pre-order position, 0 where nothing moves.
  std::vector<int64_t> skew_ns;
  std::vector<ClockFinding> findings;
  TraceTimes times;                    // with the clocks corrected
  std::optional<TraceTimes> received;  // as received, where that differs
  std::vector<bool> error_origin;      // pre-order
  // Of the spans that have a time, or 0 where none has one.
  uint64_t start_ns = 0, end_ns = 0;  // as received
  uint64_t corrected_start_ns = 0, corrected_end_ns = 0;
  uint32_t root = 0;  // pre-order position of the trace's root (RootOf)
  bool root_missing = false;
  uint32_t services = 0, errors = 0, depth = 0;

  bool moved() const { return received.has_value(); }
};
TraceView BuildTraceView(const SpanBatch& batch, const ClockRule& rule = {});

// The same trace as received: `times` and the ends are those of the times as received and nothing
// is moved; the findings stay.
TraceView AsReceived(TraceView view);

// "api on host h2: 3 spans moved by +40 ms: 2 calls start before their caller": for any reader.
std::string DescribeFinding(const TraceView& view, const ClockFinding& finding);

}  // namespace weft::trace

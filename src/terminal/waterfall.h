// SPDX-License-Identifier: Apache-2.0
//
// A trace drawn for a terminal: a head with what matters, then one line a span, in depth-first
// order: service and name, indented; a bar on the trace's time line, heavy where the span is on the
// critical path; duration; marks for errors and log records. On demand only some of the spans, and
// below each its events and log records.
//
// Thread rule: pure functions. Next: trace/trace_view.h, terminal/terminal.h,
// terminal/row_filter.h.
#pragma once

#include <string>
#include <vector>

#include "model/span_batch.h"
#include "terminal/row_filter.h"
#include "terminal/terminal.h"
#include "trace/trace_view.h"

namespace weft::terminal {

struct WaterfallOptions {
  std::vector<RowState> rows;  // by pre-order position; empty: all are shown
  bool logs = false;           // events and log records below their spans
  bool as_received = false;    // says that the view's clocks are not corrected
};

// REQUIRES: the view's batch has a span.
std::string DrawWaterfall(const TraceId& id, const trace::TraceView& view,
                          const WaterfallOptions& options, const Terminal& terminal);

}  // namespace weft::terminal

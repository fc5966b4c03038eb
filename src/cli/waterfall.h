// SPDX-License-Identifier: Apache-2.0
//
// A trace drawn for a terminal: a head with what matters, then one line a span, in depth-first
// order: service and name, indented; a bar on the trace's time line, heavy where the span is on the
// critical path; duration; marks for errors and log records.
//
// Thread rule: pure functions. Next: trace/trace.h, cli/terminal.h.
#pragma once

#include <string>

#include "cli/terminal.h"
#include "model/span_batch.h"

namespace weft::cli {

// REQUIRES: the batch has a span.
std::string DrawWaterfall(const TraceId& id, const SpanBatch& batch, const Terminal& terminal);

}  // namespace weft::cli

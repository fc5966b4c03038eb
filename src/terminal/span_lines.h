// SPDX-License-Identifier: Apache-2.0
//
// What happened within a span, in lines for people: its events and log records, each with time,
// text and attributes, filled to the terminal's width behind an indent. Texts of several lines
// (stack traces) keep their lines.
//
// Thread rule: pure functions. Next: terminal/waterfall.h.
#pragma once

#include <string>

#include "model/span_batch.h"
#include "terminal/terminal.h"

namespace weft::terminal {

// When it happened, or, where nobody said, when it was seen.
uint64_t LogTimeNs(const LogRecord& log);

// "  12:30:00.123  ERROR  card refused  card.type=visa".
std::string LogLines(const SpanBatch& batch, const LogRecord& log, size_t indent,
                     const Terminal& terminal);
// "  12:30:00.123  exception  exception.type=Timeout ...".
std::string EventLines(const Event& event, size_t indent, const Terminal& terminal);

}  // namespace weft::terminal

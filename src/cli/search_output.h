// SPDX-License-Identifier: Apache-2.0
//
// The traces that a search found: as lines for people, fitted to the terminal, and as JSON in the
// API's shape (docs/api.md, GET /search).
//
// Thread rule: pure functions. Next: cli/query_command.cc.
#pragma once

#include <string>
#include <vector>

#include "cli/trace_source.h"
#include "terminal/service_colours.h"
#include "terminal/terminal.h"

namespace weft::cli {

// One trace without a line break, as in "traces".
std::string TraceJson(const query::TraceSummary& trace);
// What follows "traces" in the answer: `"cursor":...}`, of the last page, and what the first said
// about names that no data has.
std::string AnswerTailJson(const TraceSource::SearchAnswer& last,
                           const std::vector<query::UnknownName>& unknown);

// The names of the columns; empty where a trace takes several lines.
std::string TraceTableHead(const terminal::Terminal& terminal);
// With its line break. A pipe gets whole texts, a terminal what fits. `colours` are those of the
// table.
std::string TraceTableRow(const query::TraceSummary& trace, const terminal::Terminal& terminal,
                          terminal::ServiceColours* colours);

}  // namespace weft::cli

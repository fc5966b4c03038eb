// SPDX-License-Identifier: Apache-2.0
//
// The loops behind `weft query --follow` and `weft trace --follow`: look, print what is new, wait,
// until Ctrl-C. A server that goes away is waited for. At least kLookEveryNs lie between two looks,
// and four times as long as the last one took, so that a tail takes a fifth of a query thread at
// most.
//
// Thread rule: called once, by a command. Next: cli/live_tail.h.
#pragma once

#include "cli/trace_source.h"

namespace weft::cli {

// One line a trace, or a JSON object. An exit code; returns only on errors.
int FollowQuery(TraceSource* source, const query::SearchRequest& request, uint64_t since_ns,
                bool as_json);

// One line a span and a log record, or for each look one line of OTLP/JSON with what is new.
int FollowTrace(TraceSource* source, const TraceId& id, bool as_json);

}  // namespace weft::cli

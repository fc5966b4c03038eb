// SPDX-License-Identifier: Apache-2.0
//
// The native endpoints about tags: which keys occur, and with which values (docs/api.md).
//
// Thread rule: as api/native_api.h. Next: query/tag_catalog.h.
#pragma once

#include <string_view>

#include "api/parameters.h"
#include "api/query_runner.h"
#include "http/server.h"
#include "query/tag_catalog.h"

namespace weft::api {

// GET /tags and /tag-values. `runner` is borrowed; `options` goes to both.
void AddTagRoutes(QueryRunner* runner, const http::RouteOptions& options, http::Router* router);

// `start` and `end` in ns: [start, end), an end of 0 for no end; rejects a range that is none.
void ReadTimeRange(Parameters* parameters, uint64_t* start_ns, uint64_t* end_ns);
// With the text, line and column of a TraceQL error where `traceql` is wrong.
http::Response QuestionErrorResponse(const Error& error, std::string_view traceql);

}  // namespace weft::api

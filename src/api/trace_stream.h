// SPDX-License-Identifier: Apache-2.0
//
// The NDJSON answer of GET /trace/{id}: a header line, lines of up to 8192 spans as columns, an end
// line. Written piece by piece at the pace at which the client reads: a slow client holds neither a
// worker nor more than one line of memory beyond the trace itself.
//
// Thread rule: one worker at a time; between pieces nobody. Source: docs/api.md.
#pragma once

#include <memory>

#include "api/query_runner.h"
#include "api/trace_document.h"

namespace weft::api {

void StreamTrace(std::shared_ptr<const TraceDocument> document, QueryRunner* runner,
                 http::ExchangePtr exchange);

}  // namespace weft::api

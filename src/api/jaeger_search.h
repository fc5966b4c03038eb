// SPDX-License-Identifier: Apache-2.0
//
// What a client of Jaeger searches for, in either generation of the API: every condition holds for
// one and the same span. It becomes a TraceQL span query, so that there is one engine.
//
// An attribute is looked for in the span, its resource, scope, events and links, and compared as
// text whatever its type, as Jaeger's stores do. `error`, `span.kind`, `span.status`, `scope.name`
// and the otel.* names that Jaeger's JSON shows stand for what is no attribute here.
// Thread rule: pure functions. Next: api/jaeger_api.h, api/api_v3.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "query/query.h"

namespace weft::api {

struct JaegerSearch {
  static constexpr uint64_t kLimitDefault = 100, kLimitMax = 10'000;
  static constexpr size_t kAttributesMax = 64;
  static constexpr size_t kTextBytesMax = 4096;             // of a name, a key or a value
  static constexpr size_t kAttributeJsonBytesMax = 32'768;  // of all attributes as one JSON object

  std::string service, operation;  // empty: any
  std::vector<std::pair<std::string, std::string>> attributes;
  uint64_t start_ns = 0, end_ns = 0;                  // [start, end)
  uint64_t duration_min_ns = 0, duration_max_ns = 0;  // 0: no bound
  uint64_t limit = kLimitDefault;
};

// kInvalidArgument where one of the limits is passed; the message names it.
Result<query::SearchRequest> ToSearchRequest(const JaegerSearch& search);

// GET /api/traces. `now_ns` is the default end.
Result<query::SearchRequest> ReadJaegerSearch(std::string_view query_string, uint64_t now_ns);
// GET /api/v3/traces and /api/v3/trace-summaries.
Result<query::SearchRequest> ReadApiV3Search(std::string_view query_string);

// A trace id as Jaeger takes it: 1 to 32 hex digits, or 16 (8) bytes in base64.
Result<TraceId> ReadJaegerTraceId(std::string_view text);

}  // namespace weft::api

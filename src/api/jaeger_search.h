// SPDX-License-Identifier: Apache-2.0
//
// What a client of Jaeger searches for, in either generation of the API: every condition holds for
// one and the same span. It becomes a TraceQL span query, so that there is one engine.
//
// What an attribute means is traceql/tag_condition.h's business.
// Thread rule: pure functions. Next: traceql/tag_condition.h, api/jaeger_api.h, api/api_v3.h.
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
  using Attribute = std::pair<std::string, std::string>;
  std::vector<Attribute> attributes;
  // Of each of these one at least: readings of a text that says more than one thing.
  std::vector<std::vector<Attribute>> either;
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

// `key:value`. A key may have colons too, so that each of the first eight may be the one between
// them; one behind a backslash belongs to the key, and then the first without is the one. Nothing
// where there is none, or no key.
std::vector<JaegerSearch::Attribute> ReadJaegerTag(std::string_view text);

// A trace id as Jaeger takes it, 1 to 32 hex digits or 16 (8) bytes in base64, or another form of
// model/pasted_id.h.
Result<TraceId> ReadJaegerTraceId(std::string_view text);

}  // namespace weft::api

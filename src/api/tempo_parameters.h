// SPDX-License-Identifier: Apache-2.0
//
// What clients of Tempo ask for, read from their query strings: TraceQL or the older `tags` in
// logfmt, Unix seconds, limits. Every number has a range, and an error names it; every search
// becomes TraceQL, so that there is one engine.
//
// Thread rule: pure functions. Source: Tempo's HTTP API documentation; docs/tempo_api.md.
// Next: api/tempo_api.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "model/ids.h"
#include "query/query.h"
#include "query/tag_catalog.h"

namespace weft::api {

// GET /api/search.
Result<query::SearchRequest> ReadTempoSearch(std::string_view query_string);

struct TempoTags {
  std::string scope;  // "": all; "trace": none
  query::TagRequest request;
};
// GET /api/search/tags and /api/v2/search/tags; also, without a scope, of the tag values.
Result<TempoTags> ReadTempoTags(std::string_view query_string);

// The tag in the path of /api/v2/search/tag/{tag}/values: a field of TraceQL. The path is decoded;
// escapes that are still in it are undone, because Grafana escapes tags twice.
Result<query::TagName> ReadTempoTag(std::string_view path_part);
// The same of version 1, where a name stands for all that it may mean there: the attribute of that
// key wherever it lies, and what is no attribute, where one of the words or a field of TraceQL is
// called so. At least one; `tags` in a search asks for the same.
std::vector<query::TagName> ReadTempoTagV1(std::string_view path_part);
// Words that version 1 and `tags` know beside attribute keys: "root.service.name", ...
std::vector<std::string_view> TempoTagWords();

struct TempoTraceRequest {
  TraceId id;
  uint64_t start_ns = 0, end_ns = 0;  // 0, 0: wherever it lies
  std::string traceql;                // version 2: only matching spans; "": all
  bool keep_ancestors = true;
};
// GET /api/traces/{id} and /api/v2/traces/{id}.
Result<TempoTraceRequest> ReadTempoTrace(std::string_view id, bool version2,
                                         std::string_view query_string);

// As much of a filter as can be understood while somebody still types it: the whole where it is
// right, else those of its && conditions that are, else `{}`. Never an error.
std::string UsableFilter(std::string_view traceql);

// key=value pairs with spaces between them; values may stand in quotes, with \" and \\ inside. A
// backslash before anything else is one. A key alone is true.
Result<std::vector<std::pair<std::string, std::string>>> ReadLogfmt(std::string_view text);

}  // namespace weft::api

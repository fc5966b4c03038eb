// SPDX-License-Identifier: Apache-2.0
//
// Answers in the JSON of Tempo's HTTP API: what a protobuf library makes of its messages. Fields
// that hold their default are left out, 64-bit integers are texts, enums are names. Ids are hex in
// search answers and base64 in traces.
//
// Thread rule: pure functions. Source: Tempo's HTTP API documentation and recorded answers;
// docs/tempo_api.md. Next: api/tempo_api.h.
#pragma once

#include <string>
#include <string_view>

#include "http/http.h"
#include "query/query.h"
#include "query/tag_catalog.h"

namespace weft::api {

// `stored_bytes`: of all segments that were there to be read.
std::string TempoSearchJson(const query::SearchResult& result, uint64_t stored_bytes);

std::string TempoTagsJson(const query::TagNames& names, uint64_t stored_bytes);
// `scope` as it was asked for; without one the words of version 1 are added.
std::string TempoTagsV1Json(const query::TagNames& names, std::string_view scope,
                            uint64_t stored_bytes);
std::string TempoTagValuesJson(const query::TagValues& values, uint64_t stored_bytes);
std::string TempoTagValuesV1Json(const query::TagValues& values, uint64_t stored_bytes);

// GET /api/status/buildinfo.
std::string TempoBuildJson(std::string_view weft_version);

}  // namespace weft::api

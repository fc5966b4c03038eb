// SPDX-License-Identifier: Apache-2.0
//
// Spans as other systems write them, decoded into OpenTelemetry's terms: Jaeger's JSON (traces of
// the query API and UI, single spans as Elasticsearch and api_v2 hold them) and Zipkin's (v1, v2).
// docs/import_formats.md says what becomes what.
//
// A body is a JSON list. An item whose text is JSON but whose value is wrong loses that one span:
// it is counted in rejected_spans, with the first reason. Text that is no JSON fails the body.
//
// Thread rule: pure functions. Sources: Jaeger's internal/uimodel and api_v2 model, Zipkin's
// zipkin2-api.yaml and v1 thrift names, the Collector's translators.
// Next: codec/jaeger_json_encode.h, codec/zipkin_json_encode.h, codec/trace_file.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/span_batch.h"

namespace weft::codec {

// Where the items of a body stand in their file, for messages.
struct JsonPlace {
  uint64_t line = 1;      // of the first item
  uint64_t offset = 0;    // of the first item
  uint64_t first = 0;     // its index in the list that the file has
  std::string_view list;  // that list's name: "data"; empty for a list without one
  std::string_view text;  // the items as the file has them; empty: as the body has them
};

// What each item of a list of Jaeger's is: {"traceID", "spans", "processes"}, or one span.
enum class JaegerItem : uint8_t { kTrace, kSpan };
Result<SpanBatch> DecodeJaegerJson(JaegerItem item, std::string body, const JsonPlace& place = {});
// Each item is a span, or a list of spans.
Result<SpanBatch> DecodeZipkinJson(std::string body, const JsonPlace& place = {});

}  // namespace weft::codec

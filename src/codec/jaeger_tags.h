// SPDX-License-Identifier: Apache-2.0
//
// What Jaeger's tags and references say about a span itself: OpenTelemetry has fields for the kind,
// the status, the scope, the parent and the links that OpenTracing wrote as tags and references.
//
// Thread rule: pure functions. Source: OpenTelemetry's specification, "OpenTelemetry to Jaeger
// Transformation". Used by codec/jaeger_json_decode.cc; codec/jaeger_json_encode.cc is the other
// way.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "codec/batch_parts.h"
#include "model/span_batch.h"

namespace weft::codec {

struct JaegerReference {
  bool follows = false;  // FOLLOWS_FROM, else CHILD_OF
  bool has_trace = false;
  TraceId trace_id;  // the span's own unless has_trace
  SpanId span_id;
};

// Collected while the fields of one span come by, in any order.
struct JaegerSpanFacts {
  std::optional<bool> error;
  std::optional<StatusCode> status;
  std::string_view scope_name, scope_version, process_id;
  SpanId parent_span_id;  // the field of old documents
  uint64_t duration_ns = 0;
  std::vector<JaegerReference> references;
};

// True when the tag became part of the span or of the facts and is no attribute any more.
bool TakeJaegerTag(const KeyValue& tag, Span* span, JaegerSpanFacts* facts);
// Parent and links: the parent is the first CHILD_OF reference into the own trace, or the first
// FOLLOWS_FROM one where there is none; that one is a link as well, which keeps its type, and so is
// every other reference. A reference to trace 0 or span 0 is none.
void TakeJaegerReferences(const JaegerSpanFacts& facts, ItemStack<Link>* links, Arena* arena,
                          Span* span);

}  // namespace weft::codec

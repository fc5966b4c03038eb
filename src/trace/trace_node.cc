// SPDX-License-Identifier: Apache-2.0
#include "trace/trace.h"

namespace weft::trace {

bool SaysFailure(const KeyValue& attribute) {
  const Value& value = attribute.value;
  if (attribute.key == "error")
    return value.type == ValueType::kBool
               ? value.boolean
               : value.type == ValueType::kString && value.string() == "true";
  return attribute.key == "error.type" && value.type == ValueType::kString && value.count > 0;
}

Node NodeOf(const Span& span) {
  Node node{.span_id = span.span_id,
            .parent_span_id = span.parent_span_id,
            .start_ns = span.start_ns,
            .end_ns = EndOf(span.start_ns, span.end_ns),
            .kind = span.kind,
            .resource = span.resource,
            .error = span.status == StatusCode::kError};
  if (span.kind == SpanKind::kClient)
    for (const KeyValue& attribute : span.attributes) node.failed |= SaysFailure(attribute);
  node.follows = FollowsFromParent(span);
  return node;
}

}  // namespace weft::trace

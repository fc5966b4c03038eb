// SPDX-License-Identifier: Apache-2.0
#include "codec/jaeger_tags.h"

namespace weft::codec {
namespace {

// A link without the attribute is FOLLOWS_FROM; the one to the parent says so, since others may
// link to their parents.
constexpr KeyValue TypeAttribute(std::string_view type) {
  Value value{
      .type = ValueType::kString, .count = static_cast<uint32_t>(type.size()), .text = type.data()};
  return {kReferenceTypeKey, value};
}
constexpr KeyValue kChildOf[] = {TypeAttribute(kChildOfType)};
constexpr KeyValue kFollowsFrom[] = {TypeAttribute(kFollowsFromType)};

std::optional<SpanKind> KindOf(std::string_view text) {
  for (uint32_t i = 1; i <= 5; ++i)
    if (KindText(static_cast<SpanKind>(i)) == text) return static_cast<SpanKind>(i);
  return std::nullopt;
}

std::optional<bool> BoolOf(const Value& value) {
  if (value.type == ValueType::kBool) return value.boolean;
  if (value.type != ValueType::kString) return std::nullopt;
  if (value.string() == "true") return true;
  if (value.string() == "false") return false;
  return std::nullopt;
}

std::optional<StatusCode> StatusOf(std::string_view text) {
  if (text == "ERROR") return StatusCode::kError;
  if (text == "OK") return StatusCode::kOk;
  if (text == "UNSET") return StatusCode::kUnset;
  return std::nullopt;
}

bool IsNone(const JaegerReference& reference) {
  return reference.span_id.empty() || (reference.has_trace && reference.trace_id.empty());
}

const JaegerReference* FindParent(const JaegerSpanFacts& facts, const TraceId& trace) {
  for (bool follows : {false, true})
    for (const JaegerReference& reference : facts.references)
      if (reference.follows == follows && !IsNone(reference) &&
          (!reference.has_trace || reference.trace_id == trace))
        return &reference;
  return nullptr;
}

}  // namespace

bool TakeJaegerTag(const KeyValue& tag, Span* span, JaegerSpanFacts* facts) {
  std::string_view key = tag.key;
  if (key == "error") {
    std::optional<bool> error = BoolOf(tag.value);
    if (error) facts->error = error;
    return error.has_value();
  }
  if (tag.value.type != ValueType::kString) return false;
  std::string_view text = tag.value.string();
  if (key == "span.kind") {
    std::optional<SpanKind> kind = KindOf(text);
    if (kind) span->kind = *kind;
    return kind.has_value();
  }
  if (key == "otel.status_code") {
    std::optional<StatusCode> status = StatusOf(text);
    if (status) facts->status = status;
    return status.has_value();
  }
  auto take = [text](std::string_view* to) {
    *to = text;
    return true;
  };
  if (key == "otel.status_description") return take(&span->status_message);
  if (key == "w3c.tracestate") return take(&span->trace_state);
  if (key == "otel.scope.name" || key == "otel.library.name") return take(&facts->scope_name);
  if (key == "otel.scope.version" || key == "otel.library.version")
    return take(&facts->scope_version);
  return false;
}

void TakeJaegerReferences(const JaegerSpanFacts& facts, ItemStack<Link>* links, Arena* arena,
                          Span* span) {
  const JaegerReference* parent = FindParent(facts, span->trace_id);
  span->parent_span_id = parent != nullptr ? parent->span_id : facts.parent_span_id;
  const size_t mark = links->mark();
  for (const JaegerReference& reference : facts.references) {
    if (IsNone(reference) || (&reference == parent && !reference.follows)) continue;
    Link& link = links->Push();
    link.trace_id = reference.has_trace ? reference.trace_id : span->trace_id;
    link.span_id = reference.span_id;
    if (!reference.follows) link.attributes = kChildOf;
    if (&reference == parent) link.attributes = kFollowsFrom;
  }
  span->links = links->TakeSince(mark, arena);
}

}  // namespace weft::codec

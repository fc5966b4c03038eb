// SPDX-License-Identifier: Apache-2.0
//
// ProtoWriter writes from the end to the front, so everything here runs backwards: items from the
// last to the first, fields from the highest number to the lowest.
#include <bit>
#include <ranges>

#include "codec/otlp_encode.h"
#include "codec/otlp_fields.h"
#include "wire_core/protobuf_writer.h"

namespace weft::codec {
namespace {

class OtlpWriter : public wire::ProtoWriter {
 public:
  OtlpWriter(size_t bytes_expected, ProtoText text)
      : ProtoWriter(bytes_expected), sound_(text == ProtoText::kSound) {}
  void String(uint32_t number, std::string_view text) {
    sound_ ? Text(number, text) : Bytes(number, text);
  }

 private:
  const bool sound_;
};

void PutText(uint32_t number, std::string_view text, OtlpWriter* out) {
  if (!text.empty()) out->String(number, text);
}
void PutCount(uint32_t number, uint32_t count, OtlpWriter* out) {
  if (count != 0) out->Varint(number, count);
}
void PutEnum(uint32_t number, uint32_t value, OtlpWriter* out) {
  if (value != 0) out->Int32(number, value);
}
void PutFixed64(uint32_t number, uint64_t value, OtlpWriter* out) {
  if (value != 0) out->Fixed64(number, value);
}
void PutFixed32(uint32_t number, uint32_t value, OtlpWriter* out) {
  if (value != 0) out->Fixed32(number, value);
}
template <class AnyId>
void PutId(uint32_t number, const AnyId& id, OtlpWriter* out) {
  if (!id.empty()) out->Bytes(number, id.view());
}

void PutAttributes(uint32_t number, Attributes attributes, OtlpWriter* out);

// The content of an AnyValue. Its one field is written even when it is 0 or "": which of the types
// it has is part of the value.
void PutValue(const Value& value, OtlpWriter* out) {
  size_t mark = out->bytes();
  switch (value.type) {
    case ValueType::kEmpty:
      break;
    case ValueType::kString:
      out->String(any_value::kString, value.string());
      break;
    case ValueType::kBool:
      out->Varint(any_value::kBool, value.boolean);
      break;
    case ValueType::kInt:
      out->Varint(any_value::kInt, static_cast<uint64_t>(value.integer));
      break;
    case ValueType::kDouble:
      out->Fixed64(any_value::kDouble, std::bit_cast<uint64_t>(value.real));
      break;
    case ValueType::kArray:
      for (const Value& item : std::views::reverse(value.array())) {
        size_t item_mark = out->bytes();
        PutValue(item, out);
        out->CloseMessage(value_list::kValues, item_mark);
      }
      out->CloseMessage(any_value::kArray, mark);
      break;
    case ValueType::kMap:
      PutAttributes(value_list::kValues, value.map(), out);
      out->CloseMessage(any_value::kMap, mark);
      break;
    case ValueType::kBytes:
      out->Bytes(any_value::kBytes, value.string());
      break;
  }
}

void PutAttributes(uint32_t number, Attributes attributes, OtlpWriter* out) {
  for (const KeyValue& entry : std::views::reverse(attributes)) {
    size_t mark = out->bytes();
    if (entry.value.type != ValueType::kEmpty) {
      PutValue(entry.value, out);
      out->CloseMessage(key_value::kValue, mark);
    }
    PutText(key_value::kKey, entry.key, out);
    out->CloseMessage(number, mark);
  }
}

void PutResource(const Resource& resource, OtlpWriter* out) {
  size_t mark = out->bytes();
  out->PutRaw(resource.entity_refs);
  PutCount(resource::kDropped, resource.dropped_attributes, out);
  PutAttributes(resource::kAttributes, resource.attributes, out);
  if (out->bytes() != mark) out->CloseMessage(resource_items::kResource, mark);
}

void PutScope(const Scope& scope, OtlpWriter* out) {
  size_t mark = out->bytes();
  PutCount(scope::kDropped, scope.dropped_attributes, out);
  PutAttributes(scope::kAttributes, scope.attributes, out);
  PutText(scope::kVersion, scope.version, out);
  PutText(scope::kName, scope.name, out);
  if (out->bytes() != mark) out->CloseMessage(scope_items::kScope, mark);
}

void PutEvent(const Event& event, OtlpWriter* out) {
  PutCount(event::kDropped, event.dropped_attributes, out);
  PutAttributes(event::kAttributes, event.attributes, out);
  PutText(event::kName, event.name, out);
  PutFixed64(event::kTime, event.time_ns, out);
}

void PutLink(const Link& link, OtlpWriter* out) {
  PutFixed32(link::kFlags, link.flags, out);
  PutCount(link::kDropped, link.dropped_attributes, out);
  PutAttributes(link::kAttributes, link.attributes, out);
  PutText(link::kTraceState, link.trace_state, out);
  PutId(link::kSpanId, link.span_id, out);
  PutId(link::kTraceId, link.trace_id, out);
}

void PutItem(const Span& span, OtlpWriter* out) {
  PutFixed32(span::kFlags, span.flags, out);
  size_t mark = out->bytes();
  PutEnum(status::kCode, static_cast<uint32_t>(span.status), out);
  PutText(status::kMessage, span.status_message, out);
  if (out->bytes() != mark) out->CloseMessage(span::kStatus, mark);
  PutCount(span::kDroppedLinks, span.dropped_links, out);
  for (const Link& link : std::views::reverse(span.links)) {
    mark = out->bytes();
    PutLink(link, out);
    out->CloseMessage(span::kLinks, mark);
  }
  PutCount(span::kDroppedEvents, span.dropped_events, out);
  for (const Event& event : std::views::reverse(span.events)) {
    mark = out->bytes();
    PutEvent(event, out);
    out->CloseMessage(span::kEvents, mark);
  }
  PutCount(span::kDroppedAttributes, span.dropped_attributes, out);
  PutAttributes(span::kAttributes, span.attributes, out);
  PutFixed64(span::kEnd, span.end_ns, out);
  PutFixed64(span::kStart, span.start_ns, out);
  PutEnum(span::kKind, static_cast<uint32_t>(span.kind), out);
  PutText(span::kName, span.name, out);
  PutId(span::kParentSpanId, span.parent_span_id, out);
  PutText(span::kTraceState, span.trace_state, out);
  PutId(span::kSpanId, span.span_id, out);
  PutId(span::kTraceId, span.trace_id, out);
}

void PutItem(const LogRecord& log, OtlpWriter* out) {
  PutText(log_record::kEventName, log.event_name, out);
  PutFixed64(log_record::kObserved, log.observed_ns, out);
  PutId(log_record::kSpanId, log.span_id, out);
  PutId(log_record::kTraceId, log.trace_id, out);
  PutFixed32(log_record::kFlags, log.flags, out);
  PutCount(log_record::kDropped, log.dropped_attributes, out);
  PutAttributes(log_record::kAttributes, log.attributes, out);
  if (log.body.type != ValueType::kEmpty) {
    size_t mark = out->bytes();
    PutValue(log.body, out);
    out->CloseMessage(log_record::kBody, mark);
  }
  PutText(log_record::kSeverityText, log.severity_text, out);
  PutEnum(log_record::kSeverityNumber, log.severity_number, out);
  PutFixed64(log_record::kTime, log.time_ns, out);
}

// ResourceSpans / ResourceLogs around the runs of `items`.
template <class Item>
void PutRequest(const SpanBatch& batch, const std::vector<Item>& items, OtlpWriter* out) {
  size_t at = items.size();
  while (at > 0) {
    const uint32_t resource_index = items[at - 1].resource;
    const size_t resource_mark = out->bytes();
    PutText(resource_items::kSchemaUrl, batch.resources[resource_index].schema_url, out);
    while (at > 0 && items[at - 1].resource == resource_index) {
      const uint32_t scope_index = items[at - 1].scope;
      const size_t scope_mark = out->bytes();
      PutText(scope_items::kSchemaUrl, batch.scopes[scope_index].schema_url, out);
      for (;
           at > 0 && items[at - 1].resource == resource_index && items[at - 1].scope == scope_index;
           --at) {
        size_t item_mark = out->bytes();
        PutItem(items[at - 1], out);
        out->CloseMessage(scope_items::kItems, item_mark);
      }
      PutScope(batch.scopes[scope_index], out);
      out->CloseMessage(resource_items::kScopes, scope_mark);
    }
    PutResource(batch.resources[resource_index], out);
    out->CloseMessage(request::kResources, resource_mark);
  }
}

}  // namespace

void EncodeTracesProto(const SpanBatch& batch, ProtoText text, std::string* out) {
  OtlpWriter writer(batch.spans.size() * 512 + 256, text);
  PutRequest(batch, batch.spans, &writer);
  writer.AppendTo(out);
}

void EncodeLogsProto(const SpanBatch& batch, std::string* out) {
  OtlpWriter writer(batch.logs.size() * 512 + 256, ProtoText::kAsReceived);
  PutRequest(batch, batch.logs, &writer);
  writer.AppendTo(out);
}

void EncodeValueProto(const Value& value, std::string* out) {
  OtlpWriter writer(256, ProtoText::kAsReceived);
  PutValue(value, &writer);
  writer.AppendTo(out);
}

}  // namespace weft::codec

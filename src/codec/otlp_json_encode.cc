// SPDX-License-Identifier: Apache-2.0
//
// OTLP/JSON as the specification has it: lowerCamelCase names, ids in hex, enums as numbers, 64-bit
// integers as decimal strings, bytes in base64. And as protobuf libraries write the same messages:
// ids are bytes like others, enums have names.
#include <span>

#include "codec/otlp.h"
#include "codec/otlp_encode.h"
#include "codec/otlp_fields.h"
#include "wire/protobuf_reader.h"
#include "wire_core/json_writer.h"

namespace weft::codec {
namespace {

class JsonWriter : public wire::JsonWriter {
 public:
  JsonWriter(bool protojson, std::string* out) : wire::JsonWriter(out), protojson_(protojson) {}
  bool protojson() const { return protojson_; }

 private:
  bool protojson_;
};

constexpr std::string_view kKindNames[] = {"SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL",
                                           "SPAN_KIND_SERVER",      "SPAN_KIND_CLIENT",
                                           "SPAN_KIND_PRODUCER",    "SPAN_KIND_CONSUMER"};
constexpr std::string_view kStatusNames[] = {"STATUS_CODE_UNSET", "STATUS_CODE_OK",
                                             "STATUS_CODE_ERROR"};

void PutText(std::string_view key, std::string_view text, JsonWriter* out) {
  if (!text.empty()) out->Field(key, text);
}
void PutCount(std::string_view key, uint32_t count, JsonWriter* out) {
  if (count != 0) out->Field(key, count);
}
void PutEnum(std::string_view key, uint32_t value, JsonWriter* out) {
  if (value != 0) out->Field(key, static_cast<int32_t>(value));
}
// Numbers that have no name stay numbers.
void PutNamed(std::string_view key, uint32_t value, std::span<const std::string_view> names,
              JsonWriter* out) {
  if (out->protojson() && value != 0 && value < names.size()) {
    out->Field(key, names[value]);
  } else {
    PutEnum(key, value, out);
  }
}
void PutTime(std::string_view key, uint64_t time_ns, JsonWriter* out) {
  if (time_ns == 0) return;
  out->Key(key);
  out->UintText(time_ns);
}
template <class AnyId>
void PutId(std::string_view key, const AnyId& id, JsonWriter* out) {
  if (id.empty()) return;
  out->Key(key);
  if (out->protojson()) {
    out->Base64(id.view());
  } else {
    out->Hex(id.view());
  }
}

void PutKeyValues(std::string_view key, Attributes entries, JsonWriter* out);

void PutValue(const Value& value, JsonWriter* out) {
  out->BeginObject();
  switch (value.type) {
    case ValueType::kEmpty:
      break;
    case ValueType::kString:
      out->Field("stringValue", value.string());
      break;
    case ValueType::kBool:
      out->Field("boolValue", value.boolean);
      break;
    case ValueType::kInt:
      out->Key("intValue");
      out->IntText(value.integer);
      break;
    case ValueType::kDouble:
      out->Field("doubleValue", value.real);
      break;
    case ValueType::kArray:
      out->Key("arrayValue");
      out->BeginObject();
      out->Key("values");
      out->BeginArray();
      for (const Value& item : value.array()) PutValue(item, out);
      out->EndArray();
      out->EndObject();
      break;
    case ValueType::kMap:
      out->Key("kvlistValue");
      out->BeginObject();
      PutKeyValues("values", value.map(), out);
      out->EndObject();
      break;
    case ValueType::kBytes:
      out->Key("bytesValue");
      out->Base64(value.string());
      break;
  }
  out->EndObject();
}

void PutKeyValues(std::string_view key, Attributes entries, JsonWriter* out) {
  out->Key(key);
  out->BeginArray();
  for (const KeyValue& entry : entries) {
    out->BeginObject();
    out->Field("key", entry.key);
    out->Key("value");
    PutValue(entry.value, out);
    out->EndObject();
  }
  out->EndArray();
}

void PutAttributes(Attributes attributes, uint32_t dropped, JsonWriter* out) {
  if (!attributes.empty()) PutKeyValues("attributes", attributes, out);
  PutCount("droppedAttributesCount", dropped, out);
}

// Strings of one repeated field of an encoded message, as an array; nothing when there is none.
void PutEncodedStrings(std::string_view message, const OtlpField& field, JsonWriter* out) {
  bool open = false;
  wire::ProtoReader in(message);
  while (in.Next()) {
    if (in.tag() != wire::LengthTag(field.number)) continue;
    if (!open) {
      out->Key(field.json);
      out->BeginArray();
      open = true;
    }
    out->String(in.bytes());
  }
  if (open) out->EndArray();
}

// Resource::entity_refs holds them in protobuf; decoders have checked that it is sound.
void PutEntityRefs(std::string_view encoded, JsonWriter* out) {
  if (encoded.empty()) return;
  out->Key("entityRefs");
  out->BeginArray();
  wire::ProtoReader refs(encoded);
  while (refs.Next()) {
    if (refs.tag() != wire::LengthTag(resource::kEntityRefs)) continue;
    std::string_view schema_url, type;
    wire::ProtoReader in(refs.bytes());
    while (in.Next()) {
      if (in.tag() == wire::LengthTag(entity_ref::kSchemaUrl)) schema_url = in.bytes();
      if (in.tag() == wire::LengthTag(entity_ref::kType)) type = in.bytes();
    }
    out->BeginObject();
    PutText("schemaUrl", schema_url, out);
    PutText("type", type, out);
    PutEncodedStrings(refs.bytes(), entity_ref::kFields[2], out);
    PutEncodedStrings(refs.bytes(), entity_ref::kFields[3], out);
    out->EndObject();
  }
  out->EndArray();
}

void PutResource(const Resource& resource, JsonWriter* out) {
  out->Key("resource");
  out->BeginObject();
  PutAttributes(resource.attributes, resource.dropped_attributes, out);
  PutEntityRefs(resource.entity_refs, out);
  out->EndObject();
}

void PutScope(const Scope& scope, JsonWriter* out) {
  out->Key("scope");
  out->BeginObject();
  PutText("name", scope.name, out);
  PutText("version", scope.version, out);
  PutAttributes(scope.attributes, scope.dropped_attributes, out);
  out->EndObject();
}

void PutEvent(const Event& event, JsonWriter* out) {
  out->BeginObject();
  PutTime("timeUnixNano", event.time_ns, out);
  PutText("name", event.name, out);
  PutAttributes(event.attributes, event.dropped_attributes, out);
  out->EndObject();
}

void PutLink(const Link& link, JsonWriter* out) {
  out->BeginObject();
  PutId("traceId", link.trace_id, out);
  PutId("spanId", link.span_id, out);
  PutText("traceState", link.trace_state, out);
  PutAttributes(link.attributes, link.dropped_attributes, out);
  PutCount("flags", link.flags, out);
  out->EndObject();
}

void PutStatus(const Span& span, JsonWriter* out) {
  if (span.status == StatusCode::kUnset && span.status_message.empty()) return;
  out->Key("status");
  out->BeginObject();
  PutText("message", span.status_message, out);
  PutNamed("code", static_cast<uint32_t>(span.status), kStatusNames, out);
  out->EndObject();
}

void PutItem(const Span& span, JsonWriter* out) {
  out->BeginObject();
  PutId("traceId", span.trace_id, out);
  PutId("spanId", span.span_id, out);
  PutText("traceState", span.trace_state, out);
  PutId("parentSpanId", span.parent_span_id, out);
  PutCount("flags", span.flags, out);
  PutText("name", span.name, out);
  PutNamed("kind", static_cast<uint32_t>(span.kind), kKindNames, out);
  PutTime("startTimeUnixNano", span.start_ns, out);
  PutTime("endTimeUnixNano", span.end_ns, out);
  PutAttributes(span.attributes, span.dropped_attributes, out);
  if (!span.events.empty()) {
    out->Key("events");
    out->BeginArray();
    for (const Event& event : span.events) PutEvent(event, out);
    out->EndArray();
  }
  PutCount("droppedEventsCount", span.dropped_events, out);
  if (!span.links.empty()) {
    out->Key("links");
    out->BeginArray();
    for (const Link& link : span.links) PutLink(link, out);
    out->EndArray();
  }
  PutCount("droppedLinksCount", span.dropped_links, out);
  PutStatus(span, out);
  out->EndObject();
}

void PutItem(const LogRecord& log, JsonWriter* out) {
  out->BeginObject();
  PutTime("timeUnixNano", log.time_ns, out);
  PutTime("observedTimeUnixNano", log.observed_ns, out);
  PutEnum("severityNumber", log.severity_number, out);
  PutText("severityText", log.severity_text, out);
  if (log.body.type != ValueType::kEmpty) {
    out->Key("body");
    PutValue(log.body, out);
  }
  PutAttributes(log.attributes, log.dropped_attributes, out);
  PutCount("flags", log.flags, out);
  PutId("traceId", log.trace_id, out);
  PutId("spanId", log.span_id, out);
  PutText("eventName", log.event_name, out);
  out->EndObject();
}

template <class Item>
void PutRequest(const OtlpSignal& signal, std::string_view list_name, const SpanBatch& batch,
                const std::vector<Item>& items, JsonWriter* out) {
  out->BeginObject();
  out->Key(list_name);
  out->BeginArray();
  for (size_t at = 0; at < items.size();) {
    const uint32_t resource_index = items[at].resource;
    const Resource& resource = batch.resources[resource_index];
    out->BeginObject();
    PutResource(resource, out);
    out->Key(signal.resource_items[0].json);
    out->BeginArray();
    while (at < items.size() && items[at].resource == resource_index) {
      const uint32_t scope_index = items[at].scope;
      const Scope& scope = batch.scopes[scope_index];
      out->BeginObject();
      PutScope(scope, out);
      out->Key(signal.scope_items[0].json);
      out->BeginArray();
      for (; at < items.size() && items[at].resource == resource_index &&
             items[at].scope == scope_index;
           ++at) {
        PutItem(items[at], out);
      }
      out->EndArray();
      PutText("schemaUrl", scope.schema_url, out);
      out->EndObject();
    }
    out->EndArray();
    PutText("schemaUrl", resource.schema_url, out);
    out->EndObject();
  }
  out->EndArray();
  out->EndObject();
}

}  // namespace

void EncodeTracesJson(const SpanBatch& batch, std::string* out) {
  JsonWriter writer(false, out);
  PutRequest(kTraceSignal, kTraceSignal.request[0].json, batch, batch.spans, &writer);
}

void EncodeTracesProtojson(const SpanBatch& batch, std::string_view list_name, std::string* out) {
  JsonWriter writer(true, out);
  PutRequest(kTraceSignal, list_name, batch, batch.spans, &writer);
}

void EncodeLogsJson(const SpanBatch& batch, std::string* out) {
  JsonWriter writer(false, out);
  PutRequest(kLogSignal, kLogSignal.request[0].json, batch, batch.logs, &writer);
}

}  // namespace weft::codec

// SPDX-License-Identifier: Apache-2.0
#include "codec/otlp_json_writer.h"

#include "wire/protobuf_reader.h"

namespace weft::codec {
namespace {

// Strings of one repeated field of an encoded message, as an array; nothing when there is none.
void PutEncodedStrings(std::string_view message, const OtlpField& field, OtlpJsonWriter* out) {
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
void PutEntityRefs(std::string_view encoded, OtlpJsonWriter* out) {
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

}  // namespace

void PutValue(const Value& value, OtlpJsonWriter* out) {
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

void PutKeyValues(std::string_view key, Attributes entries, OtlpJsonWriter* out) {
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

void PutAttributes(Attributes attributes, uint32_t dropped, OtlpJsonWriter* out) {
  if (!attributes.empty()) PutKeyValues("attributes", attributes, out);
  PutCount("droppedAttributesCount", dropped, out);
}

void PutResource(const Resource& resource, OtlpJsonWriter* out) {
  out->Key("resource");
  out->BeginObject();
  PutAttributes(resource.attributes, resource.dropped_attributes, out);
  PutEntityRefs(resource.entity_refs, out);
  out->EndObject();
}

void PutScope(const Scope& scope, OtlpJsonWriter* out) {
  out->Key("scope");
  out->BeginObject();
  PutText("name", scope.name, out);
  PutText("version", scope.version, out);
  PutAttributes(scope.attributes, scope.dropped_attributes, out);
  out->EndObject();
}

}  // namespace weft::codec

// SPDX-License-Identifier: Apache-2.0
#include "codec/otlp_proto_writer.h"

#include <bit>

namespace weft::codec {

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

}  // namespace weft::codec

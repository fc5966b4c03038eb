// SPDX-License-Identifier: Apache-2.0
#include "codec/otlp.h"
#include "wire_core/json_writer.h"

namespace weft::codec {
namespace {

void Put(const Value& value, wire::JsonWriter* out) {
  switch (value.type) {
    case ValueType::kEmpty:
      out->Null();
      break;
    case ValueType::kString:
      out->String(value.string());
      break;
    case ValueType::kBool:
      out->Bool(value.boolean);
      break;
    case ValueType::kInt:
      out->Int(value.integer);
      break;
    case ValueType::kDouble:
      out->Double(value.real);
      break;
    case ValueType::kArray:
      out->BeginArray();
      for (const Value& item : value.array()) Put(item, out);
      out->EndArray();
      break;
    case ValueType::kMap:
      out->BeginObject();
      for (const KeyValue& entry : value.map()) {
        out->Key(entry.key);
        Put(entry.value, out);
      }
      out->EndObject();
      break;
    case ValueType::kBytes:
      out->Base64(value.string());
      break;
  }
}

}  // namespace

void AppendValueJson(const Value& value, std::string* out) {
  wire::JsonWriter writer(out);
  Put(value, &writer);
}

}  // namespace weft::codec

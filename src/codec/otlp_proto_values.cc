// SPDX-License-Identifier: Apache-2.0
//
// AnyValue and KeyValue of OTLP protobuf. The rest of OtlpProtoDecoder is in otlp_proto_decode.cc.
#include <bit>

#include "codec/otlp_proto_decode.h"

namespace weft::codec {

using wire::Fixed64Tag;
using wire::LengthTag;
using wire::ProtoError;
using wire::VarintTag;

bool OtlpProtoDecoder::AnyValue(std::string_view bytes, int depth, Value* value) {
  if (depth > wire::kValueDepthMax) [[unlikely]]
    return FailAt(bytes.data(), ProtoError::kTooDeep);
  Reader in(bytes);
  while (in.Next()) {
    switch (in.tag()) {
      case LengthTag(any_value::kString):
        *value = Value::String(in.bytes());
        break;
      case VarintTag(any_value::kBool):
        *value = Value::Bool(in.value() != 0);
        break;
      case VarintTag(any_value::kInt):
        *value = Value::Int(static_cast<int64_t>(in.value()));
        break;
      case Fixed64Tag(any_value::kDouble):
        *value = Value::Double(std::bit_cast<double>(in.value()));
        break;
      case LengthTag(any_value::kArray):
        if (!ArrayValue(in.bytes(), depth, value)) return Within("array_value");
        break;
      case LengthTag(any_value::kMap):
        if (!MapValue(in.bytes(), depth, value)) return Within("kvlist_value");
        break;
      case LengthTag(any_value::kBytes):
        *value = Value::Bytes(in.bytes());
        break;
      default:
        if (!Unhandled(in, any_value::kFields)) return false;
    }
  }
  return Finish(in, any_value::kFields);
}

bool OtlpProtoDecoder::ArrayValue(std::string_view bytes, int depth, Value* value) {
  size_t mark = scratch_.values.mark();
  Reader in(bytes);
  while (in.Next()) {
    if (in.tag() != LengthTag(value_list::kValues)) {
      if (!Unhandled(in, value_list::kFields)) return false;
      continue;
    }
    if (!budget_.Charge(sizeof(Value))) return FailAt(in.position(), ProtoError::kTooLarge);
    Value item;
    if (!AnyValue(in.bytes(), depth + 1, &item)) {
      return Within("values", static_cast<int64_t>(scratch_.values.mark() - mark));
    }
    scratch_.values.Push() = item;
  }
  *value = Value::Array(scratch_.values.TakeSince(mark, arena_));
  return Finish(in, value_list::kFields);
}

bool OtlpProtoDecoder::MapValue(std::string_view bytes, int depth, Value* value) {
  size_t mark = scratch_.attributes.mark();
  Reader in(bytes);
  while (in.Next()) {
    if (in.tag() != LengthTag(value_list::kValues)) {
      if (!Unhandled(in, value_list::kFields)) return false;
      continue;
    }
    if (!PushAttribute(in.bytes(), depth + 1)) {
      return Within("values", static_cast<int64_t>(scratch_.attributes.mark() - mark));
    }
  }
  *value = Value::Map(scratch_.attributes.TakeSince(mark, arena_));
  return Finish(in, value_list::kFields);
}

bool OtlpProtoDecoder::PushAttribute(std::string_view bytes, int depth) {
  if (!budget_.Charge(sizeof(KeyValue))) [[unlikely]] {
    return FailAt(bytes.data(), ProtoError::kTooLarge);
  }
  KeyValue entry;  // pushed when complete: a nested map uses the same stack meanwhile
  Reader in(bytes);
  while (in.Next()) {
    switch (in.tag()) {
      case LengthTag(key_value::kKey):
        entry.key = in.bytes();
        break;
      case LengthTag(key_value::kValue):
        if (!AnyValue(in.bytes(), depth, &entry.value)) return Within("value");
        break;
      default:
        if (!Unhandled(in, key_value::kFields)) return false;
    }
  }
  if (!Finish(in, key_value::kFields)) return false;
  scratch_.attributes.Push() = entry;
  return true;
}

bool OtlpProtoDecoder::TakeAttributes(size_t mark, const Reader& in, Attributes* into) {
  return MergeAttributes(mark, &scratch_, arena_, &budget_, into) ||
         FailAt(in.position(), ProtoError::kTooLarge);
}

}  // namespace weft::codec

// SPDX-License-Identifier: Apache-2.0
#include "segment/value_bytes.h"

#include <algorithm>
#include <bit>
#include <vector>

#include "base/check.h"
#include "column/byte_cursor.h"

namespace weft::segment {
namespace {

using column::ByteReader;
using column::ByteWriter;

constexpr uint64_t kSignBit = 1ull << 63;
// Nesting that fits any thread's stack; codecs accept far less.
constexpr uint32_t kDepthMax = 2000;

void AppendItems(const Value& value, std::string* out) {
  ByteWriter writer(out);
  writer.Varint(value.count);
  if (value.type == ValueType::kArray) {
    for (const Value& item : value.array()) AppendValueBytes(item, out);
    return;
  }
  for (const KeyValue& entry : value.map()) {
    writer.Text(entry.key);
    AppendValueBytes(entry.value, out);
  }
}

Value ReadTyped(ByteReader* reader, Arena* arena, uint32_t depth);

template <class T>
std::span<T> Keep(const std::vector<T>& items, Arena* arena) {
  std::span<T> kept = arena->NewArray<T>(items.size());
  std::ranges::copy(items, kept.begin());
  return kept;
}

// Items are collected as they are read, so that a hostile count allocates nothing.
Value ReadItems(ValueType type, ByteReader* reader, Arena* arena, uint32_t depth) {
  uint64_t count = reader->VarintUpTo(reader->left());
  if (depth >= kDepthMax) reader->Bytes(UINT64_MAX);
  if (type == ValueType::kArray) {
    std::vector<Value> items;
    for (uint64_t i = 0; i < count && reader->ok(); ++i)
      items.push_back(ReadTyped(reader, arena, depth + 1));
    return Value::Array(Keep(items, arena));
  }
  std::vector<KeyValue> entries;
  for (uint64_t i = 0; i < count && reader->ok(); ++i) {
    std::string_view key = reader->Text();
    entries.push_back({key, ReadTyped(reader, arena, depth + 1)});
  }
  return Value::Map(Keep(entries, arena));
}

Value ReadTyped(ByteReader* reader, Arena* arena, uint32_t depth) {
  if (!reader->ok()) return {};
  switch (static_cast<ValueType>(reader->Fixed<uint8_t>())) {
    case ValueType::kEmpty:
      return {};
    case ValueType::kString:
      return Value::String(reader->Text());
    case ValueType::kBytes:
      return Value::Bytes(reader->Text());
    case ValueType::kBool:
      return Value::Bool(reader->VarintUpTo(1) != 0);
    case ValueType::kInt:
      return Value::Int(column::UnZigZag(reader->Varint()));
    case ValueType::kDouble:
      return Value::Double(std::bit_cast<double>(reader->Fixed<uint64_t>()));
    case ValueType::kArray:
      return ReadItems(ValueType::kArray, reader, arena, depth);
    case ValueType::kMap:
      return ReadItems(ValueType::kMap, reader, arena, depth);
  }
  reader->Bytes(UINT64_MAX);
  return {};
}

}  // namespace

uint64_t NumberKey(const Value& value) {
  switch (value.type) {
    case ValueType::kEmpty:
      return 0;
    case ValueType::kBool:
      return value.boolean ? 1 : 0;
    case ValueType::kInt:
      return static_cast<uint64_t>(value.integer) ^ kSignBit;
    case ValueType::kDouble: {
      uint64_t bits = std::bit_cast<uint64_t>(value.real);
      return bits & kSignBit ? ~bits : bits | kSignBit;
    }
    default:
      WEFT_CHECK_MSG(false, "value has no number");
      return 0;
  }
}

Value ValueOfNumber(ValueType type, uint64_t key) {
  switch (type) {
    case ValueType::kBool:
      return Value::Bool(key != 0);
    case ValueType::kInt:
      return Value::Int(static_cast<int64_t>(key ^ kSignBit));
    case ValueType::kDouble:
      return Value::Double(std::bit_cast<double>(key & kSignBit ? key & ~kSignBit : ~key));
    default:
      return {};
  }
}

std::string_view BytesKey(const Value& value, std::string* scratch) {
  if (value.type == ValueType::kString || value.type == ValueType::kBytes) return value.string();
  scratch->clear();
  AppendItems(value, scratch);
  return *scratch;
}

Result<Value> ValueOfBytes(ValueType type, std::string_view bytes, Arena* arena) {
  if (type == ValueType::kString) return Value::String(bytes);
  if (type == ValueType::kBytes) return Value::Bytes(bytes);
  ByteReader reader(bytes);
  Value value = ReadItems(type, &reader, arena, 0);
  if (!reader.ok() || reader.left() != 0)
    return Fail(ErrorCode::kCorruption, "malformed nested value");
  return value;
}

void AppendValueBytes(const Value& value, std::string* out) {
  ByteWriter writer(out);
  writer.Fixed(static_cast<uint8_t>(value.type));
  switch (value.type) {
    case ValueType::kEmpty:
      break;
    case ValueType::kString:
    case ValueType::kBytes:
      writer.Text(value.string());
      break;
    case ValueType::kBool:
      writer.Varint(value.boolean ? 1 : 0);
      break;
    case ValueType::kInt:
      writer.Varint(column::ZigZag(value.integer));
      break;
    case ValueType::kDouble:
      writer.Fixed(std::bit_cast<uint64_t>(value.real));
      break;
    case ValueType::kArray:
    case ValueType::kMap:
      AppendItems(value, out);
      break;
  }
}

}  // namespace weft::segment

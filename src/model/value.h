// SPDX-License-Identifier: Apache-2.0
//
// Value is OpenTelemetry's AnyValue; KeyValue and Attributes are what hangs on spans, events,
// links, resources, scopes and log records. Order and repetition of keys are kept as received.
//
// Lifetime: values borrow. Strings, arrays and maps point into the arena or the received bytes of
// the SpanBatch that holds them (model/span_batch.h) and die with it.
// Thread rule: plain values.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace weft {

// Numbered for good: block files store these numbers.
enum class ValueType : uint8_t {
  kEmpty = 0,  // an AnyValue with no field set
  kString = 1,
  kBool = 2,
  kInt = 3,
  kDouble = 4,
  kArray = 5,
  kMap = 6,
  kBytes = 7,
};

struct KeyValue;

struct Value {
  ValueType type = ValueType::kEmpty;
  uint32_t count = 0;  // bytes of a string or bytes value, items of an array, entries of a map
  union {
    const char* text;
    bool boolean;
    int64_t integer = 0;
    double real;
    const Value* items;
    const KeyValue* entries;
  };

  static Value String(std::string_view s) { return Text(ValueType::kString, s); }
  static Value Bytes(std::string_view s) { return Text(ValueType::kBytes, s); }
  static Value Bool(bool b) {
    Value v;
    v.type = ValueType::kBool;
    v.boolean = b;
    return v;
  }
  static Value Int(int64_t i) {
    Value v;
    v.type = ValueType::kInt;
    v.integer = i;
    return v;
  }
  static Value Double(double d) {
    Value v;
    v.type = ValueType::kDouble;
    v.real = d;
    return v;
  }
  static Value Array(std::span<const Value> items) {
    Value v;
    v.type = ValueType::kArray;
    v.count = static_cast<uint32_t>(items.size());
    v.items = items.data();
    return v;
  }
  static Value Map(std::span<const KeyValue> entries);

  // REQUIRES: type is kString or kBytes.
  std::string_view string() const { return {text, count}; }
  // REQUIRES: type is kArray.
  std::span<const Value> array() const { return {items, count}; }
  // REQUIRES: type is kMap.
  std::span<const KeyValue> map() const;

 private:
  static Value Text(ValueType type, std::string_view s) {
    Value v;
    v.type = type;
    v.count = static_cast<uint32_t>(s.size());
    v.text = s.data();
    return v;
  }
};
static_assert(sizeof(Value) == 16);

struct KeyValue {
  std::string_view key;
  Value value;
};
static_assert(sizeof(KeyValue) == 32);

using Attributes = std::span<const KeyValue>;

inline Value Value::Map(std::span<const KeyValue> entries) {
  Value v;
  v.type = ValueType::kMap;
  v.count = static_cast<uint32_t>(entries.size());
  v.entries = entries.data();
  return v;
}
inline std::span<const KeyValue> Value::map() const { return {entries, count}; }

// Same type and content; doubles by bit pattern, so that NaN equals itself; maps in order.
bool operator==(const Value& a, const Value& b);
inline bool operator==(const KeyValue& a, const KeyValue& b) {
  return a.key == b.key && a.value == b.value;
}
// The first value under `key`, or null.
const Value* Find(Attributes attributes, std::string_view key);
// find(attributes, key) as text when it is a string, else `fallback`.
std::string_view FindString(Attributes attributes, std::string_view key,
                            std::string_view fallback = {});

}  // namespace weft

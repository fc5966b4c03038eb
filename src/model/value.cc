// SPDX-License-Identifier: Apache-2.0
#include "model/value.h"

#include <algorithm>
#include <bit>

namespace weft {

bool operator==(const Value& a, const Value& b) {
  if (a.type != b.type) return false;
  switch (a.type) {
    case ValueType::kEmpty:
      return true;
    case ValueType::kString:
    case ValueType::kBytes:
      return a.string() == b.string();
    case ValueType::kBool:
      return a.boolean == b.boolean;
    case ValueType::kInt:
      return a.integer == b.integer;
    case ValueType::kDouble:
      return std::bit_cast<uint64_t>(a.real) == std::bit_cast<uint64_t>(b.real);
    case ValueType::kArray:
      return std::ranges::equal(a.array(), b.array());
    case ValueType::kMap:
      return std::ranges::equal(a.map(), b.map());
  }
  return false;
}

const Value* Find(Attributes attributes, std::string_view key) {
  for (const KeyValue& entry : attributes)
    if (entry.key == key) return &entry.value;
  return nullptr;
}

std::string_view FindString(Attributes attributes, std::string_view key,
                            std::string_view fallback) {
  const Value* value = Find(attributes, key);
  return value != nullptr && value->type == ValueType::kString ? value->string() : fallback;
}

}  // namespace weft

// SPDX-License-Identifier: Apache-2.0
//
// StoredKey: how a value is kept in dictionaries. Every value type has either an ordered 64-bit
// number (empty, bool, int, double) or bytes (string and bytes as they are, arrays and maps in the
// encoding of docs/format_block.md, section "Values"). Equal values have equal keys and different
// values of one type have different keys, so dictionaries compare keys only. Numbers sort as their
// values do; doubles in IEEE total order, so that -0, NaN payloads and infinities are all kept.
//
// Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/arena.h"
#include "base/result.h"
#include "model/value.h"

namespace weft::segment {

inline bool IsNumber(ValueType type) {
  return type == ValueType::kEmpty || type == ValueType::kBool || type == ValueType::kInt ||
         type == ValueType::kDouble;
}

// REQUIRES: IsNumber(value.type).
uint64_t NumberKey(const Value& value);
// REQUIRES: IsNumber(type).
Value ValueOfNumber(ValueType type, uint64_t key);

// Bytes of a string, bytes, array or map value. Views the value itself or `scratch`.
std::string_view BytesKey(const Value& value, std::string* scratch);
// Strings view `bytes`; items of arrays and maps lie in `arena`. REQUIRES: !IsNumber(type).
Result<Value> ValueOfBytes(ValueType type, std::string_view bytes, Arena* arena);

// The value with its type in front: what arrays and maps hold, and the overflow column.
void AppendValueBytes(const Value& value, std::string* out);

}  // namespace weft::segment

// SPDX-License-Identifier: Apache-2.0
#include "segment/value_bytes.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

namespace weft::segment {
namespace {

TEST(ValueBytes, NumbersKeepTheirOrderAndComeBack) {
  std::vector<int64_t> ints = {INT64_MIN, -7, -1, 0, 1, 42, INT64_MAX};
  for (size_t i = 0; i < ints.size(); ++i) {
    uint64_t key = NumberKey(Value::Int(ints[i]));
    EXPECT_EQ(ValueOfNumber(ValueType::kInt, key).integer, ints[i]);
    if (i > 0) {
      EXPECT_LT(NumberKey(Value::Int(ints[i - 1])), key);
    }
  }
  double infinity = std::numeric_limits<double>::infinity();
  std::vector<double> reals = {-infinity, -2.5, -0.0, 0.0, 1e-300, 2.5, infinity};
  for (size_t i = 0; i < reals.size(); ++i) {
    uint64_t key = NumberKey(Value::Double(reals[i]));
    EXPECT_EQ(ValueOfNumber(ValueType::kDouble, key), Value::Double(reals[i]));
    if (i > 0) {
      EXPECT_LT(NumberKey(Value::Double(reals[i - 1])), key);
    }
  }
  Value nan = Value::Double(std::bit_cast<double>(0x7FF8000000001234));
  EXPECT_EQ(ValueOfNumber(ValueType::kDouble, NumberKey(nan)), nan);
}

TEST(ValueBytes, NestedValuesComeBackExactly) {
  std::vector<Value> inner = {Value::Int(-3), Value::Double(-0.0), Value::Bytes("\x00\xff"), {}};
  std::vector<KeyValue> entries = {{"a", Value::Array(inner)}, {"a", Value::Bool(true)}, {"", {}}};
  std::vector<Value> outer = {Value::Map(entries), Value::String("x"), Value::Map({})};
  Value value = Value::Array(outer);
  std::string scratch;
  std::string bytes(BytesKey(value, &scratch));
  Arena arena;
  auto back = ValueOfBytes(ValueType::kArray, bytes, &arena);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(*back, value);
}

TEST(ValueBytes, MalformedBytesAreReported) {
  Arena arena;
  EXPECT_EQ(ValueOfBytes(ValueType::kArray, "\x7f", &arena).error().code, ErrorCode::kCorruption);
  EXPECT_FALSE(ValueOfBytes(ValueType::kArray, std::string(3000, '\x05'), &arena).has_value());
  EXPECT_FALSE(ValueOfBytes(ValueType::kMap, std::string_view("\x01\x01k", 3), &arena));
  EXPECT_FALSE(ValueOfBytes(ValueType::kArray, std::string_view("\x01\x09", 2), &arena));
  EXPECT_FALSE(ValueOfBytes(ValueType::kArray, std::string_view("\x00z", 2), &arena));
}

}  // namespace
}  // namespace weft::segment

// SPDX-License-Identifier: Apache-2.0
//
// A comparison of a column of 64-bit numbers with one literal: the loop is chosen once, so that the
// compiler can make it a vector loop.
//
// Thread rule: pure functions. Next: query/segment_scan.cc.
#pragma once

#include <cstdint>
#include <span>

#include "query/scalar.h"
#include "traceql/tree.h"

namespace weft::query {

// out[i] = values[i] op literal, where the literal is a number; else `out` is left as it is.
inline void MarkNumbers(traceql::Operator op, const Scalar& literal,
                        std::span<const int64_t> values, std::span<uint8_t> out) {
  using traceql::Operator;
  auto loop = [&](auto test) {
    for (size_t i = 0; i < values.size(); ++i) out[i] = test(values[i]);
  };
  auto choose = [&](auto wanted) {
    using T = decltype(wanted);
    switch (op) {
      case Operator::kEqual:
        return loop([=](int64_t v) { return static_cast<T>(v) == wanted; });
      case Operator::kNotEqual:
        return loop([=](int64_t v) { return static_cast<T>(v) != wanted; });
      case Operator::kLess:
        return loop([=](int64_t v) { return static_cast<T>(v) < wanted; });
      case Operator::kLessEqual:
        return loop([=](int64_t v) { return static_cast<T>(v) <= wanted; });
      case Operator::kGreater:
        return loop([=](int64_t v) { return static_cast<T>(v) > wanted; });
      case Operator::kGreaterEqual:
        return loop([=](int64_t v) { return static_cast<T>(v) >= wanted; });
      default:
        return;
    }
  };
  if (literal.kind == Scalar::Kind::kFloat) return choose(literal.real);
  if (literal.kind == Scalar::Kind::kInt || literal.kind == Scalar::Kind::kDuration)
    return choose(literal.integer);
}

}  // namespace weft::query

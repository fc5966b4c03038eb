// SPDX-License-Identifier: Apache-2.0
//
// How tightly TraceQL's operators bind, for parser and printer. `&&` and `||` share one level and
// group from the left: `a || b && c` is `(a || b) && c`. Unary minus binds tightest; `!` binds
// looser than `* / %`, so `!.a * 2` is `!(.a * 2)`.
//
// Thread rule: pure functions. Next: traceql/parser.cc.
#pragma once

#include "traceql/tree.h"

namespace weft::traceql {

inline constexpr int kLogicalLevel = 1;
inline constexpr int kComparisonLevel = 2;
inline constexpr int kSumLevel = 3;
inline constexpr int kNotLevel = 4;
inline constexpr int kProductLevel = 5;
inline constexpr int kPowerLevel = 6;
inline constexpr int kNegateLevel = 7;
inline constexpr int kLeafLevel = 8;

inline int Precedence(Operator op) {
  if (op == Operator::kAnd || op == Operator::kOr) return kLogicalLevel;
  if (IsComparison(op)) return kComparisonLevel;
  switch (op) {
    case Operator::kAdd:
    case Operator::kSubtract:
      return kSumLevel;
    case Operator::kNot:
      return kNotLevel;
    case Operator::kPower:
      return kPowerLevel;
    case Operator::kNegate:
      return kNegateLevel;
    default:
      return kProductLevel;
  }
}

inline int Precedence(const Expression& e) {
  bool leaf = e.kind == Expression::Kind::kLiteral || e.kind == Expression::Kind::kField;
  return leaf ? kLeafLevel : Precedence(e.op);
}

}  // namespace weft::traceql

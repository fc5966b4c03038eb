// SPDX-License-Identifier: Apache-2.0
//
// Scalar: one TraceQL value during evaluation, and the comparison and arithmetic of the language.
// The rules in words are in docs/traceql.md; every engine path (dictionary verdicts, number
// columns, row evaluation) comes down to Compare().
//
// Lifetime: texts and items are borrowed from the dictionary, batch or plan they came from.
// Thread rule: plain values.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "model/value.h"
#include "traceql/tree.h"

namespace re2 {
class RE2;
}

namespace weft::query {

struct Scalar {
  enum class Kind : uint8_t {
    kNil,
    kBool,
    kInt,
    kFloat,
    kDuration,
    kString,
    kStatus,
    kKind,
    kArray,
    kOpaque,  // a map or bytes: present, but equal to nothing
  };
  Kind kind = Kind::kNil;
  int64_t integer = 0;  // kBool, kInt, kDuration, kStatus, kKind
  double real = 0;
  std::string_view text;
  std::span<const Value> items;

  static Scalar Of(Kind kind, int64_t integer) {
    Scalar s;
    s.kind = kind;
    s.integer = integer;
    return s;
  }
  static Scalar Bool(bool b) { return Of(Kind::kBool, b); }
  static Scalar Int(int64_t i) { return Of(Kind::kInt, i); }
  static Scalar Duration(int64_t ns) { return Of(Kind::kDuration, ns); }
  static Scalar Float(double d) {
    Scalar s;
    s.kind = Kind::kFloat;
    s.real = d;
    return s;
  }
  static Scalar String(std::string_view text) {
    Scalar s;
    s.kind = Kind::kString;
    s.text = text;
    return s;
  }
};

// Times beyond 292 years are hostile; they count as that long.
inline int64_t SignedNs(uint64_t ns) {
  return static_cast<int64_t>(ns > static_cast<uint64_t>(INT64_MAX) ? INT64_MAX : ns);
}

Scalar ToScalar(const Value& value);
Scalar ToScalar(const traceql::Literal& literal);  // borrows the literal's text

// `op` is a comparison. `pattern` is the compiled right side of =~ and !~, else null. Nil on any
// side is false, as is a mismatch of types, for the negative operators too.
bool Compare(traceql::Operator op, const Scalar& left, const Scalar& right,
             const re2::RE2* pattern);
// `op` is arithmetic. Nil where an operand is not a number, or an integer is divided by zero.
Scalar Calculate(traceql::Operator op, const Scalar& left, const Scalar& right);
Scalar Negate(const Scalar& operand);
// `a op b` is `b Mirror(op) a`. REQUIRES: op is a comparison, but not a regular expression's.
traceql::Operator Mirror(traceql::Operator op);

}  // namespace weft::query

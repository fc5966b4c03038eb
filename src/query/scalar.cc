// SPDX-License-Identifier: Apache-2.0
#include "query/scalar.h"

#include <re2/re2.h>

#include <cmath>
#include <compare>

namespace weft::query {
namespace {

using traceql::Operator;
using Kind = Scalar::Kind;

bool IsNumber(Kind kind) {
  return kind == Kind::kInt || kind == Kind::kFloat || kind == Kind::kDuration;
}
double ToDouble(const Scalar& s) {
  return s.kind == Kind::kFloat ? s.real : static_cast<double>(s.integer);
}

template <class T>
bool CompareOrdered(Operator op, const T& a, const T& b) {
  switch (op) {
    case Operator::kEqual:
      return a == b;
    case Operator::kNotEqual:
      return a != b;
    case Operator::kLess:
      return a < b;
    case Operator::kLessEqual:
      return a <= b;
    case Operator::kGreater:
      return a > b;
    case Operator::kGreaterEqual:
      return a >= b;
    default:
      return false;
  }
}

bool IsRegex(Operator op) { return op == Operator::kRegex || op == Operator::kNotRegex; }
bool IsNegative(Operator op) { return op == Operator::kNotEqual || op == Operator::kNotRegex; }
Operator Positive(Operator op) {
  if (op == Operator::kNotEqual) return Operator::kEqual;
  return op == Operator::kNotRegex ? Operator::kRegex : op;
}

// True if the two can be compared with this operator at all.
bool IsMatch(Operator op, const Scalar& a, const Scalar& b) {
  if (IsRegex(op)) return a.kind == Kind::kString && b.kind == Kind::kString;
  if (IsNumber(a.kind)) return IsNumber(b.kind);
  if (a.kind != b.kind) return false;
  bool equality = op == Operator::kEqual || op == Operator::kNotEqual;
  switch (a.kind) {
    case Kind::kString:
      return true;
    case Kind::kBool:
    case Kind::kStatus:
    case Kind::kKind:
      return equality;
    default:
      return false;
  }
}

bool CompareMatched(Operator op, const Scalar& a, const Scalar& b, const RE2* pattern) {
  if (IsRegex(op)) {
    bool hit = pattern != nullptr && RE2::FullMatch(a.text, *pattern);
    return hit == (op == Operator::kRegex);
  }
  if (a.kind == Kind::kString) return CompareOrdered(op, a.text, b.text);
  if (a.kind == Kind::kFloat || b.kind == Kind::kFloat)
    return CompareOrdered(op, ToDouble(a), ToDouble(b));
  return CompareOrdered(op, a.integer, b.integer);
}

// One side is an array: true if any item compares so; != and !~ are true if no item is equal. At
// least one item must be of a type that can be compared.
bool CompareItems(Operator op, std::span<const Value> items, const Scalar& other, bool items_left,
                  const RE2* pattern) {
  bool comparable = false, hit = false;
  for (const Value& value : items) {
    Scalar item = ToScalar(value);
    const Scalar& a = items_left ? item : other;
    const Scalar& b = items_left ? other : item;
    if (!IsMatch(op, a, b)) continue;
    comparable = true;
    hit |= CompareMatched(Positive(op), a, b, pattern);
  }
  return IsNegative(op) ? comparable && !hit : hit;
}

// Integers wrap around, as in the languages that made them.
int64_t Wrap(uint64_t bits) { return static_cast<int64_t>(bits); }

Scalar IntegerPower(int64_t base, int64_t exponent) {
  if (exponent < 0) {
    // The whole part of 1 / base^n, as integer division has it.
    if (base == 0) return {};
    if (base == 1) return Scalar::Int(1);
    if (base == -1) return Scalar::Int(exponent % 2 == 0 ? 1 : -1);
    return Scalar::Int(0);
  }
  uint64_t result = 1, factor = static_cast<uint64_t>(base);
  for (uint64_t n = static_cast<uint64_t>(exponent); n != 0; n >>= 1) {
    if (n & 1) result *= factor;
    factor *= factor;
  }
  return Scalar::Int(Wrap(result));
}

Scalar CalculateIntegers(Operator op, int64_t a, int64_t b) {
  uint64_t x = static_cast<uint64_t>(a), y = static_cast<uint64_t>(b);
  switch (op) {
    case Operator::kAdd:
      return Scalar::Int(Wrap(x + y));
    case Operator::kSubtract:
      return Scalar::Int(Wrap(x - y));
    case Operator::kMultiply:
      return Scalar::Int(Wrap(x * y));
    case Operator::kDivide:
      if (b == 0) return {};
      return Scalar::Int(b == -1 ? Wrap(0 - x) : a / b);
    case Operator::kModulo:
      if (b == 0) return {};
      return Scalar::Int(b == -1 ? 0 : a % b);
    default:
      return IntegerPower(a, b);
  }
}

}  // namespace

Scalar ToScalar(const Value& value) {
  switch (value.type) {
    case ValueType::kEmpty:
      return {};
    case ValueType::kString:
      return Scalar::String(value.string());
    case ValueType::kBool:
      return Scalar::Bool(value.boolean);
    case ValueType::kInt:
      return Scalar::Int(value.integer);
    case ValueType::kDouble:
      return Scalar::Float(value.real);
    case ValueType::kArray: {
      Scalar s;
      s.kind = Kind::kArray;
      s.items = value.array();
      return s;
    }
    case ValueType::kMap:
    case ValueType::kBytes:
      return Scalar::Of(Kind::kOpaque, 0);
  }
  return {};
}

Scalar ToScalar(const traceql::Literal& literal) {
  using traceql::Type;
  switch (literal.type) {
    case Type::kBool:
      return Scalar::Bool(literal.integer != 0);
    case Type::kInt:
      return Scalar::Int(literal.integer);
    case Type::kFloat:
      return Scalar::Float(literal.real);
    case Type::kDuration:
      return Scalar::Duration(literal.integer);
    case Type::kString:
      return Scalar::String(literal.text);
    case Type::kStatus:
      return Scalar::Of(Kind::kStatus, literal.integer);
    case Type::kKind:
      return Scalar::Of(Kind::kKind, literal.integer);
    case Type::kNil:
    case Type::kAny:
      break;
  }
  return {};
}

bool Compare(Operator op, const Scalar& left, const Scalar& right, const RE2* pattern) {
  if (left.kind == Kind::kArray || right.kind == Kind::kArray) {
    if (left.kind == right.kind) return false;
    bool items_left = left.kind == Kind::kArray;
    return CompareItems(op, items_left ? left.items : right.items, items_left ? right : left,
                        items_left, pattern);
  }
  return IsMatch(op, left, right) && CompareMatched(op, left, right, pattern);
}

Scalar Calculate(Operator op, const Scalar& left, const Scalar& right) {
  if (!IsNumber(left.kind) || !IsNumber(right.kind)) return {};
  if (left.kind == Kind::kInt && right.kind == Kind::kInt)
    return CalculateIntegers(op, left.integer, right.integer);
  double a = ToDouble(left), b = ToDouble(right);
  switch (op) {
    case Operator::kAdd:
      return Scalar::Float(a + b);
    case Operator::kSubtract:
      return Scalar::Float(a - b);
    case Operator::kMultiply:
      return Scalar::Float(a * b);
    case Operator::kDivide:
      return b == 0 ? Scalar{} : Scalar::Float(a / b);
    case Operator::kModulo:
      return b == 0 ? Scalar{} : Scalar::Float(std::fmod(a, b));
    default:
      return Scalar::Float(std::pow(a, b));
  }
}

Scalar Negate(const Scalar& operand) {
  Scalar out = operand;
  if (!IsNumber(operand.kind)) return {};
  out.integer = Wrap(0 - static_cast<uint64_t>(operand.integer));
  out.real = -operand.real;
  return out;
}

Operator Mirror(Operator op) {
  switch (op) {
    case Operator::kLess:
      return Operator::kGreater;
    case Operator::kLessEqual:
      return Operator::kGreaterEqual;
    case Operator::kGreater:
      return Operator::kLess;
    case Operator::kGreaterEqual:
      return Operator::kLessEqual;
    default:
      return op;
  }
}

}  // namespace weft::query

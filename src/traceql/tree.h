// SPDX-License-Identifier: Apache-2.0
//
// The syntax tree of one TraceQL query, checked for types. The parser makes it; query/ plans from
// it. Trees are immutable and shared.
//
// A query is a tree of spansets `{...}` joined by && and ||, and judges a whole trace. What stands
// between the braces is one boolean expression over the fields of a span (or over the whole trace
// that the span belongs to).
//
// Thread rule: immutable after Parse(). Next: traceql/traceql.h, docs/traceql.md.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace weft::traceql {

// kAny: an attribute, whose type only the data knows.
enum class Type : uint8_t {
  kNil,
  kBool,
  kInt,
  kFloat,
  kDuration,
  kString,
  kStatus,
  kKind,
  kAny,
};
std::string_view TypeName(Type type);
inline bool IsNumeric(Type type) {
  return type == Type::kInt || type == Type::kFloat || type == Type::kDuration;
}

enum class Scope : uint8_t {
  kAny,  // `.x`: the span's attribute, else the resource's
  kSpan,
  kResource,
  kEvent,
  kLink,
  kInstrumentation,
};

enum class Intrinsic : uint8_t {
  kNone,  // the field is an attribute
  kDuration,
  kName,
  kStatus,
  kStatusMessage,
  kKind,
  kSpanId,
  kParentId,
  kChildCount,
  kTraceDuration,
  kRootName,
  kRootService,
  kTraceId,
  kNestedSetLeft,
  kNestedSetRight,
  kNestedSetParent,
  kEventName,
  kEventTimeSinceStart,
  kLinkTraceId,
  kLinkSpanId,
  kScopeName,
  kScopeVersion,
  kTraceState,
};

struct Field {
  Intrinsic intrinsic = Intrinsic::kNone;
  Scope scope = Scope::kAny;  // of an attribute
  std::string key;            // of an attribute
  bool operator==(const Field&) const = default;
};
// True where the field's value depends on other spans of the trace.
bool IsWholeTrace(Intrinsic intrinsic);
Type IntrinsicType(Intrinsic intrinsic);
// Event and link fields have one value for each event or link of the span.
bool IsEventField(const Field& field);
bool IsLinkField(const Field& field);
// Ids of spans and traces: texts of hex digits, of one length.
bool IsSpanIdField(const Field& field);
bool IsTraceIdField(const Field& field);

struct Literal {
  Type type = Type::kNil;
  int64_t integer = 0;  // of kBool (0, 1), kInt, kDuration (ns), kStatus, kKind (OTLP's numbers)
  double real = 0;      // of kFloat
  std::string text;     // of kString
};

enum class Operator : uint8_t {
  kNone,
  kAnd,
  kOr,
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kRegex,
  kNotRegex,
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kModulo,
  kPower,
  kNot,     // unary
  kNegate,  // unary
};
std::string_view OperatorText(Operator op);
inline bool IsComparison(Operator op) {
  return op >= Operator::kEqual && op <= Operator::kNotRegex;
}
inline bool IsArithmetic(Operator op) { return op >= Operator::kAdd && op <= Operator::kPower; }

// Where in the text: line and column count from 1, columns in code points.
struct Position {
  uint32_t offset = 0;
  uint32_t line = 1;
  uint32_t column = 1;
};

struct Expression;
using ExpressionPtr = std::shared_ptr<const Expression>;

struct Expression {
  enum class Kind : uint8_t { kLiteral, kField, kUnary, kBinary };
  Kind kind = Kind::kLiteral;
  Type type = Type::kNil;  // of the result
  Position position;       // of the literal, field or operator
  uint32_t height = 1;     // longest way down to a leaf, in nodes
  Operator op = Operator::kNone;
  Literal literal;
  Field field;
  ExpressionPtr left;  // the operand of a unary operator
  ExpressionPtr right;
};

struct Spanset;
using SpansetPtr = std::shared_ptr<const Spanset>;

// The spans of one trace that a part of the query selects. `a && b` selects the spans of both where
// the trace has spans of each, else none; `a || b` those of either.
struct Spanset {
  enum class Kind : uint8_t { kFilter, kAnd, kOr };
  Kind kind = Kind::kFilter;
  Position position;     // of the brace or operator
  uint32_t height = 1;   // longest way down to a filter, in nodes
  ExpressionPtr filter;  // of kFilter: what stands between the braces; null for `{}`: every span
  SpansetPtr left, right;
};

struct Query {
  SpansetPtr spanset;  // never null in what Parse() gives
};

}  // namespace weft::traceql

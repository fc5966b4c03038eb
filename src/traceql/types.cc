// SPDX-License-Identifier: Apache-2.0
#include "traceql/types.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include "traceql/traceql.h"

namespace weft::traceql {
namespace {

TypeVerdict Wrong(std::string error, std::string hint = "") {
  return {Type::kAny, std::move(error), std::move(hint)};
}

bool IsLiteral(const Expression& e, Type type) {
  return e.kind == Expression::Kind::kLiteral && e.literal.type == type;
}

bool MayEqual(Type a, Type b) {
  return a == b || a == Type::kAny || b == Type::kAny || (IsNumeric(a) && IsNumeric(b));
}

TypeVerdict CheckNil(Operator op, const Expression& other) {
  if (op != Operator::kEqual && op != Operator::kNotEqual)
    return Wrong(fmt::format("nil cannot stand beside {}", OperatorText(op)),
                 "nil knows only = (absent) and != (present)");
  if (other.kind != Expression::Kind::kField) return {Type::kBool, "", ""};
  if (other.field.intrinsic != Intrinsic::kNone)
    return Wrong(
        fmt::format("{} always has a value, it cannot be compared with nil", ToString(other)));
  // Its presence is no news, but Grafana asks for it.
  if (op == Operator::kEqual && other.field.scope == Scope::kResource &&
      other.field.key == "service.name")
    return Wrong("resource.service.name always has a value, it cannot be nil");
  return {Type::kBool, "", ""};
}

TypeVerdict CheckRegex(const Expression& left, const Expression& right) {
  if (!IsLiteral(right, Type::kString))
    return Wrong("a regular expression is a literal string", "as in name =~ \"GET .*\"");
  if (left.type != Type::kString && left.type != Type::kAny)
    return Wrong(fmt::format("a regular expression cannot match a {}", TypeName(left.type)));
  RE2::Options options;
  options.set_log_errors(false);
  RE2 pattern(right.literal.text, options);
  if (pattern.error_code() == RE2::ErrorPatternTooLarge)
    return Wrong("this regular expression is too large",
                 fmt::format("its program may take {} MiB; a{{1000}} inside another repetition is "
                             "what makes it large",
                             options.max_mem() >> 20));
  if (!pattern.ok())
    return Wrong("bad regular expression: " + pattern.error(), "the syntax is RE2's");
  return {Type::kBool, "", ""};
}

TypeVerdict CheckComparison(Operator op, Type left, Type right) {
  if (!MayEqual(left, right)) {
    std::string hint;
    if ((left == Type::kStatus || left == Type::kKind) && right == Type::kString)
      hint = fmt::format("{} names stand without quotes", TypeName(left));
    if (left == Type::kDuration && right == Type::kString) hint = "durations stand without quotes";
    return Wrong(fmt::format("cannot compare a {} with a {}", TypeName(left), TypeName(right)),
                 hint);
  }
  if (op == Operator::kEqual || op == Operator::kNotEqual) return {Type::kBool, "", ""};
  for (Type type : {left, right})
    if (!IsNumeric(type) && type != Type::kString && type != Type::kAny)
      return Wrong(
          fmt::format("{} has no order: {} is not for it", TypeName(type), OperatorText(op)),
          "only = and != are");
  return {Type::kBool, "", ""};
}

TypeVerdict CheckArithmetic(Operator op, const Expression& left, const Expression& right) {
  for (Type type : {left.type, right.type})
    if (!IsNumeric(type) && type != Type::kAny)
      return Wrong(
          fmt::format("{} needs numbers or durations, not a {}", OperatorText(op), TypeName(type)));
  if ((op == Operator::kDivide || op == Operator::kModulo) && IsLiteral(right, Type::kInt) &&
      right.literal.integer == 0)
    return Wrong("division by zero");
  if (left.type == Type::kAny || right.type == Type::kAny) return {Type::kAny, "", ""};
  bool whole = left.type == Type::kInt && right.type == Type::kInt;
  return {whole ? Type::kInt : Type::kFloat, "", ""};
}

}  // namespace

TypeVerdict CheckUnary(Operator op, const Expression& operand) {
  Type type = operand.type;
  if (op == Operator::kNot) {
    if (type != Type::kBool && type != Type::kAny)
      return Wrong(fmt::format("! needs true or false, not a {}", TypeName(type)));
    return {Type::kBool, "", ""};
  }
  if (!IsNumeric(type) && type != Type::kAny)
    return Wrong(fmt::format("- needs a number or duration, not a {}", TypeName(type)));
  return {type, "", ""};
}

TypeVerdict CheckBinary(Operator op, const Expression& left, const Expression& right) {
  if (left.type == Type::kNil || right.type == Type::kNil)
    return CheckNil(op, left.type == Type::kNil ? right : left);
  if (op == Operator::kAnd || op == Operator::kOr) {
    for (Type type : {left.type, right.type})
      if (type != Type::kBool && type != Type::kAny)
        return Wrong(fmt::format("{} needs true or false on both sides, not a {}", OperatorText(op),
                                 TypeName(type)));
    return {Type::kBool, "", ""};
  }
  if (op == Operator::kRegex || op == Operator::kNotRegex) return CheckRegex(left, right);
  if (IsComparison(op)) return CheckComparison(op, left.type, right.type);
  return CheckArithmetic(op, left, right);
}

TypeVerdict CheckFilter(const Expression& filter) {
  if (filter.type == Type::kBool || filter.type == Type::kAny) return {Type::kBool, "", ""};
  return Wrong(fmt::format("the condition is a {}, not true or false", TypeName(filter.type)),
               "compare it with something");
}

}  // namespace weft::traceql

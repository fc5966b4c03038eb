// SPDX-License-Identifier: Apache-2.0
#include "traceql/types.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include "traceql/literals.h"
#include "traceql/name_hints.h"
#include "traceql/traceql.h"
#include "traceql/vocabulary.h"

namespace weft::traceql {
namespace {

TypeVerdict Wrong(std::string error, std::string hint = "") {
  return {Type::kAny, std::move(error), std::move(hint)};
}

// "an int", "a string".
std::string OneOf(Type type) {
  bool vowel = type == Type::kInt || type == Type::kAny;
  return fmt::format("{} {}", vowel ? "an" : "a", TypeName(type));
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
  if (other.field.intrinsic != Intrinsic::kNone && op == Operator::kEqual) {
    bool of_some = IsEventField(other.field) || IsLinkField(other.field);
    return Wrong(fmt::format("{} always has a value, it cannot be nil", ToString(other)),
                 of_some ? fmt::format("!({} != nil) finds the spans that have none of these",
                                       ToString(other))
                         : "");
  }
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
    return Wrong(fmt::format("a regular expression cannot match {}", OneOf(left.type)));
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

// For a literal status or kind where a condition stands: `{ error }`, `{ error = true }`.
std::string BareEnumHint(const Expression& e, bool negated = false) {
  if (!IsLiteral(e, Type::kStatus) && !IsLiteral(e, Type::kKind)) return {};
  return fmt::format("write {} {} {}", TypeName(e.type), negated ? "!=" : "=",
                     LiteralText(e.literal));
}

std::string EnumComparisonHint(Operator op, const Expression& left, const Expression& right) {
  bool off = IsLiteral(right, Type::kBool) && right.literal.integer == 0;
  if (std::string bare = BareEnumHint(left, off != (op == Operator::kNotEqual)); !bare.empty())
    return bare;
  if (right.type == Type::kString)
    return fmt::format("{} names stand without quotes", TypeName(left.type));
  if (IsLiteral(right, Type::kInt))
    for (const EnumWord& word : EnumWords())
      if (word.type == left.type && word.number == right.literal.integer)
        return fmt::format("write {} {} {}", TypeName(left.type),
                           op == Operator::kNotEqual ? "!=" : "=", word.word);
  std::string hint = EnumHint(left.type);
  if (left.type == Type::kStatus && IsLiteral(right, Type::kInt))
    hint += "; the status of HTTP is an attribute: .http.status_code >= 500";
  return hint;
}

std::string MismatchHint(Operator op, const Expression& left, const Expression& right) {
  if (left.type == Type::kStatus || left.type == Type::kKind)
    return EnumComparisonHint(op, left, right);
  if (left.type == Type::kDuration && right.type == Type::kString)
    return "durations stand without quotes";
  if (left.type == Type::kString && right.kind == Expression::Kind::kLiteral)
    return "strings stand in quotes";
  return {};
}

TypeVerdict CheckComparison(Operator op, const Expression& left_side,
                            const Expression& right_side) {
  Type left = left_side.type, right = right_side.type;
  if (!MayEqual(left, right))
    return Wrong(fmt::format("cannot compare {} with {}", OneOf(left), OneOf(right)),
                 MismatchHint(op, left_side, right_side));
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
          fmt::format("{} needs numbers or durations, not {}", OperatorText(op), OneOf(type)));
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
      return Wrong(fmt::format("! needs true or false, not {}", OneOf(type)),
                   BareEnumHint(operand, true));
    return {Type::kBool, "", ""};
  }
  if (!IsNumeric(type) && type != Type::kAny)
    return Wrong(fmt::format("- needs a number or duration, not {}", OneOf(type)));
  return {type, "", ""};
}

TypeVerdict CheckBinary(Operator op, const Expression& left, const Expression& right) {
  if (left.type == Type::kNil || right.type == Type::kNil)
    return CheckNil(op, left.type == Type::kNil ? right : left);
  if (op == Operator::kAnd || op == Operator::kOr) {
    for (const Expression* side : {&left, &right})
      if (side->type != Type::kBool && side->type != Type::kAny)
        return Wrong(fmt::format("{} needs true or false on both sides, not {}", OperatorText(op),
                                 OneOf(side->type)),
                     BareEnumHint(*side));
    return {Type::kBool, "", ""};
  }
  if (op == Operator::kRegex || op == Operator::kNotRegex) return CheckRegex(left, right);
  if (IsComparison(op)) return CheckComparison(op, left, right);
  return CheckArithmetic(op, left, right);
}

TypeVerdict CheckFilter(const Expression& filter) {
  if (filter.type == Type::kBool || filter.type == Type::kAny) return {Type::kBool, "", ""};
  std::string hint = BareEnumHint(filter);
  return Wrong(fmt::format("the condition is {}, not true or false", OneOf(filter.type)),
               hint.empty() ? "compare it with something" : hint);
}

}  // namespace weft::traceql

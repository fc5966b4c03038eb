// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "traceql/literals.h"
#include "traceql/precedence.h"
#include "traceql/traceql.h"
#include "traceql/vocabulary.h"

namespace weft::traceql {
namespace {

bool IsPlainName(std::string_view key) {
  return !key.empty() && std::ranges::all_of(key, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-' || c == '/' || c == ':' || c == '@' || c == '$';
  });
}

void Print(const Expression& e, std::string* out);

// In parentheses where it would otherwise be read as part of something else.
void PrintOperand(const Expression& e, bool parentheses, std::string* out) {
  if (parentheses) *out += '(';
  Print(e, out);
  if (parentheses) *out += ')';
}

void Print(const Expression& e, std::string* out) {
  switch (e.kind) {
    case Expression::Kind::kLiteral:
      *out += LiteralText(e.literal);
      break;
    case Expression::Kind::kField:
      *out += FieldText(e.field);
      break;
    case Expression::Kind::kUnary: {
      *out += OperatorText(e.op);
      // The parser folds the sign into number literals, so `-` never stands before one but minInt.
      PrintOperand(*e.left, Precedence(*e.left) < Precedence(e), out);
      break;
    }
    case Expression::Kind::kBinary: {
      int own = Precedence(e);
      bool right_first = e.op == Operator::kPower;
      PrintOperand(*e.left, Precedence(*e.left) < own + (right_first ? 1 : 0), out);
      *out += ' ';
      *out += OperatorText(e.op);
      *out += ' ';
      PrintOperand(*e.right, Precedence(*e.right) < own + (right_first ? 0 : 1), out);
      break;
    }
  }
}

// `&&` and `||` share one level and group from the left.
void Print(const Spanset& spanset, std::string* out) {
  if (spanset.kind == Spanset::Kind::kFilter) {
    *out += spanset.filter == nullptr ? "{ }" : "{ " + ToString(*spanset.filter) + " }";
    return;
  }
  Print(*spanset.left, out);
  *out += spanset.kind == Spanset::Kind::kAnd ? " && " : " || ";
  bool parentheses = spanset.right->kind != Spanset::Kind::kFilter;
  if (parentheses) *out += '(';
  Print(*spanset.right, out);
  if (parentheses) *out += ')';
}

}  // namespace

std::string KeyText(std::string_view key) {
  bool digit_first = !key.empty() && key[0] >= '0' && key[0] <= '9';
  if (IsPlainName(key) && !digit_first) return std::string(key);
  std::string out = "\"";
  for (char c : key) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string FieldText(const Field& field) {
  for (const IntrinsicWord& word : IntrinsicWords())
    if (word.intrinsic == field.intrinsic)
      return std::string(word.scoped.empty() ? word.unscoped : word.scoped);
  std::string out;
  for (const ScopeWord& word : ScopeWords())
    if (word.scope == field.scope) out = word.word;
  return out + '.' + KeyText(field.key);
}

std::string ToString(const Expression& expression) {
  std::string out;
  Print(expression, &out);
  return out;
}

std::string ToString(const Query& query) {
  std::string out;
  Print(*query.spanset, &out);
  return out;
}

}  // namespace weft::traceql

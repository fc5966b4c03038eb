// SPDX-License-Identifier: Apache-2.0
#include "query/row_program.h"

#include <re2/re2.h>

#include <algorithm>

namespace weft::query {

using traceql::Expression;
using traceql::Operator;

std::shared_ptr<const RE2> CompilePattern(std::string_view pattern) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_dot_nl(true);
  return std::make_shared<const RE2>(pattern, options);
}

RowProgram::RowProgram(traceql::ExpressionPtr expression) : expression_(std::move(expression)) {
  root_ = Add(*expression_);
}

uint32_t RowProgram::SlotOf(const traceql::Field& field) {
  auto found = std::ranges::find(slots_, field);
  if (found == slots_.end()) found = slots_.insert(found, field);
  return static_cast<uint32_t>(found - slots_.begin());
}

uint32_t RowProgram::Add(const Expression& e) {
  Node node{.kind = e.kind, .op = e.op};
  switch (e.kind) {
    case Expression::Kind::kLiteral:
      node.literal = ToScalar(e.literal);
      break;
    case Expression::Kind::kField:
      node.slot = SlotOf(e.field);
      node.of_event = traceql::IsEventField(e.field);
      node.of_link = traceql::IsLinkField(e.field);
      break;
    case Expression::Kind::kBinary:
      node.right = Add(*e.right);
      if (e.op == Operator::kRegex || e.op == Operator::kNotRegex)
        node.pattern = CompilePattern(e.right->literal.text);
      [[fallthrough]];
    case Expression::Kind::kUnary:
      node.left = Add(*e.left);
      if (e.kind == Expression::Kind::kUnary) node.right = node.left;
      for (uint32_t child : {node.left, node.right}) {
        node.of_event |= nodes_[child].of_event && !nodes_[child].is_condition;
        node.of_link |= nodes_[child].of_link && !nodes_[child].is_condition;
      }
      node.is_condition = !traceql::IsArithmetic(e.op) && e.op != Operator::kNegate;
      break;
  }
  nodes_.push_back(std::move(node));
  return static_cast<uint32_t>(nodes_.size() - 1);
}

template <class Test>
bool RowProgram::Any(bool of_event, bool of_link, FieldSource* source, const Test& test) const {
  if (of_event) {
    for (uint32_t i = 0; i < source->event_count(); ++i) {
      source->BindEvent(i);
      if (Any(false, of_link, source, test)) return true;
    }
    return false;
  }
  if (of_link) {
    for (uint32_t i = 0; i < source->link_count(); ++i) {
      source->BindLink(i);
      if (test()) return true;
    }
    return false;
  }
  return test();
}

bool RowProgram::Truth(uint32_t index, FieldSource* source) const {
  const Node& node = nodes_[index];
  if (node.is_condition) return Condition(node, source);
  // A bare value: only a boolean can be true.
  return Any(node.of_event, node.of_link, source, [&] {
    return Compare(Operator::kEqual, ValueOf(index, source), Scalar::Bool(true), nullptr);
  });
}

bool RowProgram::Condition(const Node& node, FieldSource* source) const {
  switch (node.op) {
    case Operator::kAnd:
      return Truth(node.left, source) && Truth(node.right, source);
    case Operator::kOr:
      return Truth(node.left, source) || Truth(node.right, source);
    case Operator::kNot:
      if (nodes_[node.left].is_condition) return !Truth(node.left, source);
      return Any(node.of_event, node.of_link, source, [&] {
        return Compare(Operator::kEqual, ValueOf(node.left, source), Scalar::Bool(false), nullptr);
      });
    default:
      break;
  }
  auto is_nil = [&](uint32_t i) {
    return nodes_[i].kind == Expression::Kind::kLiteral &&
           nodes_[i].literal.kind == Scalar::Kind::kNil;
  };
  bool left_nil = is_nil(node.left), right_nil = is_nil(node.right);
  if (left_nil && right_nil) return false;
  if (left_nil || right_nil) {
    bool present = IsPresent(left_nil ? node.right : node.left, source);
    return present == (node.op == Operator::kNotEqual);
  }
  return Any(node.of_event, node.of_link, source, [&] {
    return Compare(node.op, ValueOf(node.left, source), ValueOf(node.right, source),
                   node.pattern.get());
  });
}

bool RowProgram::IsPresent(uint32_t index, FieldSource* source) const {
  const Node& node = nodes_[index];
  if (node.is_condition) return true;
  return Any(node.of_event, node.of_link, source,
             [&] { return ValueOf(index, source).kind != Scalar::Kind::kNil; });
}

Scalar RowProgram::ValueOf(uint32_t index, FieldSource* source) const {
  const Node& node = nodes_[index];
  if (node.is_condition) return Scalar::Bool(Condition(node, source));
  switch (node.kind) {
    case Expression::Kind::kLiteral:
      return node.literal;
    case Expression::Kind::kField:
      return source->Get(node.slot);
    case Expression::Kind::kUnary:
      return Negate(ValueOf(node.left, source));
    case Expression::Kind::kBinary:
      break;
  }
  return Calculate(node.op, ValueOf(node.left, source), ValueOf(node.right, source));
}

}  // namespace weft::query

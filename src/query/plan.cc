// SPDX-License-Identifier: Apache-2.0
#include "query/plan.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <unordered_map>

#include "traceql/traceql.h"

namespace weft::query {
namespace {

using traceql::Expression;
using traceql::Intrinsic;
using traceql::Operator;
using NodeKind = PlanNode::Kind;

// What a condition needs besides the columns of the span itself.
struct Needs {
  bool children_of_span = false;  // events or links
  bool whole_trace = false;
};
void CollectNeeds(const Expression& e, Needs* needs) {
  if (e.kind == Expression::Kind::kField) {
    needs->children_of_span |= traceql::IsEventField(e.field) || traceql::IsLinkField(e.field);
    needs->whole_trace |= traceql::IsWholeTrace(e.field.intrinsic);
  }
  if (e.left != nullptr) CollectNeeds(*e.left, needs);
  if (e.right != nullptr) CollectNeeds(*e.right, needs);
}

bool IsNilLiteral(const Expression& e) {
  return e.kind == Expression::Kind::kLiteral && e.literal.type == traceql::Type::kNil;
}
// Gives true or false by itself; anything else is a value that may happen to be a boolean.
bool IsCondition(const Expression& e) {
  return e.kind == Expression::Kind::kBinary ? !traceql::IsArithmetic(e.op)
                                             : e.op == Operator::kNot;
}

bool IsNumberOrLess(const Leaf& leaf) {
  return leaf.literal.kind == Scalar::Kind::kInt || leaf.literal.kind == Scalar::Kind::kFloat ||
         leaf.literal.kind == Scalar::Kind::kDuration;
}

// The operator that can answer `leaf.field op literal`.
Leaf::Kind KindOf(const Leaf& leaf) {
  const traceql::Field& field = leaf.field;
  bool equality = leaf.op == Operator::kEqual || leaf.op == Operator::kNotEqual;
  switch (field.intrinsic) {
    case Intrinsic::kNone:
      if (field.scope == traceql::Scope::kEvent) return Leaf::Kind::kEventColumn;
      if (field.scope == traceql::Scope::kLink) return Leaf::Kind::kLinkColumn;
      return Leaf::Kind::kColumn;
    case Intrinsic::kName:
    case Intrinsic::kStatus:
    case Intrinsic::kStatusMessage:
    case Intrinsic::kKind:
    case Intrinsic::kScopeName:
    case Intrinsic::kScopeVersion:
      return Leaf::Kind::kColumn;
    case Intrinsic::kDuration:
      return Leaf::Kind::kDuration;
    case Intrinsic::kSpanId:
      return equality ? Leaf::Kind::kSpanId : Leaf::Kind::kRow;
    case Intrinsic::kParentId:
      return equality ? Leaf::Kind::kParentId : Leaf::Kind::kRow;
    case Intrinsic::kTraceId:
      return leaf.op == Operator::kEqual ? Leaf::Kind::kTraceId : Leaf::Kind::kRow;
    case Intrinsic::kEventName:
      return Leaf::Kind::kEventColumn;
    case Intrinsic::kEventTimeSinceStart:
      return Leaf::Kind::kEventTime;
    case Intrinsic::kTraceDuration:
      return Leaf::Kind::kTraceDuration;
    case Intrinsic::kChildCount:
      return Leaf::Kind::kChildCount;
    case Intrinsic::kNestedSetLeft:
      return Leaf::Kind::kNestedLeft;
    case Intrinsic::kNestedSetParent:
      return IsNumberOrLess(leaf) ? Leaf::Kind::kNestedParent : Leaf::Kind::kUnknown;
    case Intrinsic::kRootName:
    case Intrinsic::kRootService:
      return Leaf::Kind::kRootText;
    default:
      return Leaf::Kind::kUnknown;
  }
}

// Cheap and selective ones first: a group is left as soon as nothing can match.
int CostOf(const PlanNode& node, const std::vector<Leaf>& leaves) {
  if (node.kind == NodeKind::kLeaf) {
    const Leaf& leaf = leaves[node.leaf];
    switch (leaf.kind) {
      case Leaf::Kind::kTraceId:
        return 0;
      case Leaf::Kind::kColumn:
        return leaf.op == Operator::kEqual && !node.negated ? 1 : 3;
      case Leaf::Kind::kDuration:
      case Leaf::Kind::kSpanId:
      case Leaf::Kind::kParentId:
        return 2;
      case Leaf::Kind::kEventColumn:
      case Leaf::Kind::kEventTime:
      case Leaf::Kind::kLinkColumn:
      case Leaf::Kind::kHasEvent:
      case Leaf::Kind::kHasLink:
        return 4;
      case Leaf::Kind::kRow:
        return 6;
      default:
        return 5;
    }
  }
  int cost = 0;
  for (const PlanNode& child : node.children) cost = std::max(cost, CostOf(child, leaves));
  return cost;
}

class PlanMaker {
 public:
  explicit PlanMaker(Plan* plan) : plan_(plan) {}

  PlanNode Build(const traceql::ExpressionPtr& e, bool negated) {
    if (e->kind == Expression::Kind::kUnary && e->op == Operator::kNot) {
      if (IsCondition(*e->left)) return Build(e->left, !negated);
      return Truth(e->left, false, negated);
    }
    if (!IsCondition(*e)) return Truth(e, true, negated);
    if (e->op == Operator::kAnd || e->op == Operator::kOr) return Join(e, negated);
    return Comparison(e, negated);
  }

 private:
  static PlanNode Constant(bool value) {
    return PlanNode{.kind = value ? NodeKind::kTrue : NodeKind::kFalse};
  }

  // By De Morgan `!(a && b)` is `!a || !b`.
  PlanNode Join(const traceql::ExpressionPtr& e, bool negated) {
    PlanNode node;
    node.kind = (e->op == Operator::kAnd) != negated ? NodeKind::kAnd : NodeKind::kOr;
    for (const traceql::ExpressionPtr& side : {e->left, e->right}) {
      PlanNode child = Build(side, negated);
      if (child.kind == node.kind) {
        std::ranges::move(child.children, std::back_inserter(node.children));
      } else {
        node.children.push_back(std::move(child));
      }
    }
    std::ranges::stable_sort(node.children, {},
                             [&](const PlanNode& child) { return CostOf(child, plan_->leaves); });
    return node;
  }

  // A value where true or false is asked: it must be the boolean `wanted`.
  PlanNode Truth(const traceql::ExpressionPtr& e, bool wanted, bool negated) {
    if (e->kind == Expression::Kind::kLiteral)
      return Constant((e->literal.type == traceql::Type::kBool &&
                       (e->literal.integer != 0) == wanted) != negated);
    if (e->kind != Expression::Kind::kField) return Constant(negated);  // arithmetic
    Leaf leaf;
    leaf.field = e->field;
    leaf.op = Operator::kEqual;
    leaf.literal = Scalar::Bool(wanted);
    leaf.kind = KindOf(leaf);
    return AddLeaf(std::move(leaf), negated);
  }

  PlanNode Comparison(const traceql::ExpressionPtr& e, bool negated) {
    const Expression *left = e->left.get(), *right = e->right.get();
    if (left->kind == Expression::Kind::kLiteral && right->kind == Expression::Kind::kLiteral)
      return Constants(*e, negated);
    Leaf leaf;
    leaf.op = e->op;
    if (left->kind == Expression::Kind::kLiteral) {
      std::swap(left, right);
      leaf.op = Mirror(leaf.op);
    }
    if (left->kind != Expression::Kind::kField || right->kind != Expression::Kind::kLiteral)
      return RowByRow(e, negated);
    leaf.field = left->field;
    if (IsNilLiteral(*right)) {
      negated ^= leaf.op == Operator::kEqual;
      leaf.op = Operator::kNone;
      if (leaf.field.intrinsic != Intrinsic::kNone) return Presence(std::move(leaf), negated);
    } else {
      leaf.literal = ToScalar(right->literal);
      if (leaf.op == Operator::kRegex || leaf.op == Operator::kNotRegex)
        leaf.pattern = CompilePattern(right->literal.text);
    }
    leaf.kind = KindOf(leaf);
    if (leaf.kind == Leaf::Kind::kRow) return RowByRow(e, negated);
    return AddLeaf(std::move(leaf), negated);
  }

  // Every span has every intrinsic, but those of events and links only where it has one.
  PlanNode Presence(Leaf leaf, bool negated) {
    bool of_event = traceql::IsEventField(leaf.field), of_link = traceql::IsLinkField(leaf.field);
    if (!of_event && !of_link) return Constant(!negated);
    leaf.kind = of_event ? Leaf::Kind::kHasEvent : Leaf::Kind::kHasLink;
    return AddLeaf(std::move(leaf), negated);
  }

  static PlanNode Constants(const Expression& e, bool negated) {
    bool nil_left = IsNilLiteral(*e.left), nil_right = IsNilLiteral(*e.right);
    bool value;
    if (nil_left || nil_right) {
      value = nil_left != nil_right && e.op == Operator::kNotEqual;
    } else {
      std::shared_ptr<const re2::RE2> pattern;
      if (e.op == Operator::kRegex || e.op == Operator::kNotRegex)
        pattern = CompilePattern(e.right->literal.text);
      value = Compare(e.op, ToScalar(e.left->literal), ToScalar(e.right->literal), pattern.get());
    }
    return Constant(value != negated);
  }

  PlanNode RowByRow(const traceql::ExpressionPtr& e, bool negated) {
    Needs needs;
    CollectNeeds(*e, &needs);
    Leaf leaf;
    bool in_columns = !needs.children_of_span && !needs.whole_trace;
    leaf.kind = in_columns ? Leaf::Kind::kRow : Leaf::Kind::kUnknown;
    if (in_columns) leaf.program = std::make_shared<RowProgram>(e);
    return AddLeaf(std::move(leaf), negated);
  }

  PlanNode AddLeaf(Leaf leaf, bool negated) {
    PlanNode node{.kind = NodeKind::kLeaf, .negated = negated};
    node.leaf = static_cast<uint32_t>(plan_->leaves.size());
    plan_->leaves.push_back(std::move(leaf));
    return node;
  }

  Plan* plan_;
};

// The spansets of a query, each distinct one once, and the tree over them.
class SpansetPlanner {
 public:
  explicit SpansetPlanner(Plan* plan) : plan_(plan) {}

  SpansetNode Build(const traceql::Spanset& spanset) {
    SpansetNode node;
    if (spanset.kind == traceql::Spanset::Kind::kFilter) {
      node.filter = FilterOf(spanset.filter);
      return node;
    }
    bool both = spanset.kind == traceql::Spanset::Kind::kAnd;
    node.kind = both ? SpansetNode::Kind::kAnd : SpansetNode::Kind::kOr;
    for (const traceql::SpansetPtr& side : {spanset.left, spanset.right}) {
      SpansetNode child = Build(*side);
      if (child.kind == node.kind) {
        std::ranges::move(child.children, std::back_inserter(node.children));
      } else {
        node.children.push_back(std::move(child));
      }
    }
    return node;
  }

 private:
  uint32_t FilterOf(const traceql::ExpressionPtr& condition) {
    std::string text = condition == nullptr ? "" : traceql::ToString(*condition);
    auto [entry, is_new] =
        by_text_.try_emplace(std::move(text), static_cast<uint32_t>(plan_->filters.size()));
    if (!is_new) return entry->second;
    SpanFilter& filter = plan_->filters.emplace_back();
    if (condition == nullptr) return entry->second;
    filter.condition = condition;
    filter.program = std::make_shared<RowProgram>(condition);
    filter.root = PlanMaker(plan_).Build(condition, false);
    for (const traceql::Field& field : filter.program->slots())
      if (field.intrinsic == Intrinsic::kNone && named_.emplace(field.scope, field.key).second)
        plan_->attributes.push_back(field);
    return entry->second;
  }

  Plan* plan_;
  std::unordered_map<std::string, uint32_t> by_text_;
  std::set<std::pair<traceql::Scope, std::string>> named_;
};

}  // namespace

Plan MakePlan(const traceql::Query& query) {
  Plan plan;
  plan.root = SpansetPlanner(&plan).Build(*query.spanset);
  return plan;
}

}  // namespace weft::query

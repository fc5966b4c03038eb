// SPDX-License-Identifier: Apache-2.0
#include "testing/reference_query.h"

#include <re2/re2.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <tuple>
#include <variant>

#include "model/span_twins.h"
#include "testing/wild_batch.h"

namespace weft::testing {
namespace {

using traceql::Expression;
using traceql::Intrinsic;
using traceql::Operator;

// One value. `tag` tells what `number` and `text` mean.
struct Item {
  enum class Tag { kNil, kBool, kInt, kFloat, kDuration, kString, kStatus, kKind, kArray, kOther };
  Tag tag = Tag::kNil;
  int64_t number = 0;
  double real = 0;
  std::string text;
  std::vector<Item> items;
};
using Tag = Item::Tag;

Item Number(Tag tag, int64_t number) { return Item{.tag = tag, .number = number}; }
Item Text(std::string_view text) { return Item{.tag = Tag::kString, .text = std::string(text)}; }

Item FromValue(const Value& value) {
  switch (value.type) {
    case ValueType::kEmpty:
      return {};
    case ValueType::kString:
      return Text(value.string());
    case ValueType::kBool:
      return Number(Tag::kBool, value.boolean);
    case ValueType::kInt:
      return Number(Tag::kInt, value.integer);
    case ValueType::kDouble:
      return Item{.tag = Tag::kFloat, .real = value.real};
    case ValueType::kArray: {
      Item array{.tag = Tag::kArray};
      for (const Value& item : value.array()) array.items.push_back(FromValue(item));
      return array;
    }
    default:
      return Item{.tag = Tag::kOther};
  }
}

struct WholeTrace {
  std::vector<std::pair<const SpanBatch*, const Span*>> spans;
  std::vector<int64_t> nested_left, nested_right, nested_parent, children;  // by span
  std::map<SpanId, std::vector<size_t>> by_id;  // in the order of `spans`
  std::set<size_t> copies;                      // spans for which another one with their id stands
  uint64_t start_ns = UINT64_MAX, end_ns = 0;
  // Of the spans that have a time; 0 where none has.
  uint64_t shown_start_ns = 0, shown_end_ns = 0;
  const Span* root = nullptr;
  const SpanBatch* root_batch = nullptr;
};

// Spans are in the order of their starts and ids.
constexpr size_t kNobody = SIZE_MAX;

// The first span with this id, of this kind where one is asked for, that is not `self` and for
// which no other stands.
size_t FindSpan(const WholeTrace& trace, const SpanId& id, size_t self,
                std::optional<SpanKind> kind = std::nullopt) {
  auto same = trace.by_id.find(id);
  if (same == trace.by_id.end()) return kNobody;
  for (size_t i : same->second) {
    if (i != self && (!kind || trace.spans[i].second->kind == *kind) && !trace.copies.contains(i))
      return i;
  }
  return kNobody;
}

// Of spans with one id the first whose times have nanoseconds stands for all, else the first; and
// beside it the other half of its call, if there is one.
void FindCopies(WholeTrace* trace) {
  auto is_coarse = [&](size_t i) {
    const Span& span = *trace->spans[i].second;
    return span.start_ns % 1000 == 0 && span.end_ns % 1000 == 0;
  };
  for (size_t i = 0; i < trace->spans.size(); ++i)
    trace->by_id[trace->spans[i].second->span_id].push_back(i);
  for (const auto& [id, same] : trace->by_id) {
    std::vector<size_t> all = same;
    std::ranges::stable_sort(all, {}, is_coarse);
    size_t half = kNobody;
    for (size_t i : std::span(all).subspan(1)) {
      if (half == kNobody &&
          AreTwoHalves(trace->spans[all[0]].second->kind, trace->spans[i].second->kind))
        half = i;
      else
        trace->copies.insert(i);
    }
  }
}

// The parent by the rules of trace/trace.h, cycles not yet cut. Where a client and a server share
// an id, the server's parent is the client, and children belong to the server. A copy without a
// parent hangs under the span that stands for it.
size_t ParentOf(const WholeTrace& trace, size_t i) {
  const Span& span = *trace.spans[i].second;
  if (span.kind == SpanKind::kServer) {
    const size_t client = FindSpan(trace, span.span_id, i, SpanKind::kClient);
    if (client != kNobody) return client;
  }
  size_t parent = kNobody;
  if (!span.parent_span_id.empty()) {
    const size_t server = FindSpan(trace, span.parent_span_id, i, SpanKind::kServer);
    const size_t client = FindSpan(trace, span.parent_span_id, i, SpanKind::kClient);
    parent =
        server != kNobody && client != kNobody ? server : FindSpan(trace, span.parent_span_id, i);
  }
  if (parent == kNobody && trace.copies.contains(i)) return FindSpan(trace, span.span_id, i);
  return parent;
}

// A walk up from `start` that comes back to a span it has met has found a cycle.
void CutCycle(size_t start, std::vector<size_t>* parents) {
  std::vector<size_t> path;
  for (size_t at = start; at != kNobody; at = (*parents)[at]) {
    auto met = std::ranges::find(path, at);
    if (met != path.end()) {
      (*parents)[*std::min_element(met, path.end())] = kNobody;
      return;
    }
    path.push_back(at);
  }
}

// Numbers openings and closings by walking the tree.
void NumberTree(WholeTrace* trace) {
  const size_t count = trace->spans.size();
  FindCopies(trace);
  std::vector<size_t> parents(count);
  for (size_t i = 0; i < count; ++i) parents[i] = ParentOf(*trace, i);
  for (size_t i = 0; i < count; ++i) CutCycle(i, &parents);
  for (auto* numbers :
       {&trace->nested_left, &trace->nested_right, &trace->nested_parent, &trace->children})
    numbers->resize(count);
  std::map<size_t, std::vector<size_t>> below;
  for (size_t i = 0; i < count; ++i) below[parents[i]].push_back(i);
  int64_t next = 1;
  std::function<void(size_t)> number_below = [&](size_t parent) {
    auto found = below.find(parent);
    if (found == below.end()) return;
    for (size_t i : found->second) {
      trace->nested_left[i] = next++;
      number_below(i);
      trace->nested_right[i] = next++;
      if (parent != kNobody) ++trace->children[parent];
    }
  };
  number_below(kNobody);
  for (size_t i = 0; i < count; ++i) {
    const Span& span = *trace->spans[i].second;
    const bool is_top = parents[i] == kNobody, is_root = is_top && span.parent_span_id.empty();
    trace->nested_parent[i] = !is_top ? trace->nested_left[parents[i]] : is_root ? -1 : 0;
    trace->start_ns = std::min(trace->start_ns, span.start_ns);
    trace->end_ns = std::max({trace->end_ns, span.start_ns, span.end_ns});
    if (span.start_ns != 0) {
      if (trace->shown_start_ns == 0 || span.start_ns < trace->shown_start_ns)
        trace->shown_start_ns = span.start_ns;
      trace->shown_end_ns = std::max({trace->shown_end_ns, span.start_ns, span.end_ns});
    }
    if (is_root && trace->root == nullptr)
      std::tie(trace->root_batch, trace->root) = trace->spans[i];
  }
  // Without a root the earliest span that has no parent here stands for it.
  for (size_t i = 0; i < count && trace->root == nullptr; ++i)
    if (parents[i] == kNobody) std::tie(trace->root_batch, trace->root) = trace->spans[i];
}

int64_t Clamp(uint64_t ns) {
  return ns > static_cast<uint64_t>(INT64_MAX) ? INT64_MAX : static_cast<int64_t>(ns);
}

// One span, and the event and link that are at hand.
class Judge {
 public:
  Judge(const WholeTrace& trace, size_t index)
      : trace_(trace),
        index_(index),
        batch_(*trace.spans[index].first),
        span_(*trace.spans[index].second) {}

  bool IsTrue(const Expression& e) {
    if (e.op == Operator::kAnd) return IsTrue(*e.left) && IsTrue(*e.right);
    if (e.op == Operator::kOr) return IsTrue(*e.left) || IsTrue(*e.right);
    if (e.op == Operator::kNot && IsJudgement(*e.left)) return !IsTrue(*e.left);
    if (e.op == Operator::kNot)
      return ForAny(*e.left, [&] { return IsBool(Evaluate(*e.left), false); });
    if (!traceql::IsComparison(e.op)) return ForAny(e, [&] { return IsBool(Evaluate(e), true); });
    bool nil_left = IsNil(*e.left), nil_right = IsNil(*e.right);
    if (nil_left && nil_right) return false;
    if (nil_left || nil_right) {
      const Expression& other = nil_left ? *e.right : *e.left;
      bool present =
          IsJudgement(other) || ForAny(other, [&] { return Evaluate(other).tag != Tag::kNil; });
      return present == (e.op == Operator::kNotEqual);
    }
    return ForAny(e, [&] { return Holds(e.op, Evaluate(*e.left), Evaluate(*e.right)); });
  }

 private:
  static bool IsNil(const Expression& e) {
    return e.kind == Expression::Kind::kLiteral && e.literal.type == traceql::Type::kNil;
  }
  static bool IsJudgement(const Expression& e) {
    return traceql::IsComparison(e.op) || e.op == Operator::kAnd || e.op == Operator::kOr ||
           e.op == Operator::kNot;
  }
  // A bare value stands for `value = true`, and so its items do.
  static bool IsBool(const Item& item, bool wanted) {
    if (item.tag == Tag::kArray)
      return std::ranges::any_of(item.items, [&](const Item& one) {
        return one.tag == Tag::kBool && (one.number != 0) == wanted;
      });
    return item.tag == Tag::kBool && (item.number != 0) == wanted;
  }
  // Fields whose values this condition compares itself, not through an inner condition.
  static bool Mentions(const Expression& e, bool (*which)(const traceql::Field&)) {
    if (e.kind == Expression::Kind::kField) return which(e.field);
    for (const auto& side : {e.left, e.right})
      if (side != nullptr && !IsJudgement(*side) && Mentions(*side, which)) return true;
    return false;
  }

  bool ForAny(const Expression& e, const std::function<bool()>& test) {
    bool events = Mentions(e, traceql::IsEventField), links = Mentions(e, traceql::IsLinkField);
    bool found = false;
    for (size_t i = 0; i < (events ? span_.events.size() : 1); ++i)
      for (size_t j = 0; j < (links ? span_.links.size() : 1); ++j) {
        if (events) event_ = &span_.events[i];
        if (links) link_ = &span_.links[j];
        found = found || test();
      }
    return found;
  }

  static Item Lookup(Attributes attributes, std::string_view key) {
    for (const KeyValue& entry : attributes)
      if (entry.key == key) return FromValue(entry.value);
    return {};
  }

  Item Attribute(const traceql::Field& field) const {
    const Resource& resource = batch_.resources[span_.resource];
    switch (field.scope) {
      case traceql::Scope::kSpan:
        return Lookup(span_.attributes, field.key);
      case traceql::Scope::kResource:
        return Lookup(resource.attributes, field.key);
      case traceql::Scope::kEvent:
        return Lookup(event_->attributes, field.key);
      case traceql::Scope::kLink:
        return Lookup(link_->attributes, field.key);
      case traceql::Scope::kInstrumentation:
        return Lookup(batch_.scopes[span_.scope].attributes, field.key);
      case traceql::Scope::kAny:
        break;
    }
    Item own = Lookup(span_.attributes, field.key);
    return own.tag == Tag::kNil ? Lookup(resource.attributes, field.key) : own;
  }

  Item FieldValue(const traceql::Field& field) const {
    switch (field.intrinsic) {
      case Intrinsic::kNone:
        return Attribute(field);
      case Intrinsic::kDuration:
        return Number(Tag::kDuration,
                      span_.end_ns > span_.start_ns ? Clamp(span_.end_ns - span_.start_ns) : 0);
      case Intrinsic::kName:
        return Text(span_.name);
      case Intrinsic::kStatus:
        return Number(Tag::kStatus, static_cast<int64_t>(span_.status));
      case Intrinsic::kStatusMessage:
        return Text(span_.status_message);
      case Intrinsic::kKind:
        return Number(Tag::kKind, static_cast<int64_t>(span_.kind));
      case Intrinsic::kSpanId:
        return Text(span_.span_id.ToHex());
      case Intrinsic::kParentId:
        return Text(span_.parent_span_id.empty() ? "" : span_.parent_span_id.ToHex());
      case Intrinsic::kTraceId:
        return Text(span_.trace_id.ToHex());
      case Intrinsic::kChildCount:
        return Number(Tag::kInt, trace_.children[index_]);
      case Intrinsic::kTraceDuration:
        return Number(Tag::kDuration, Clamp(trace_.end_ns - trace_.start_ns));
      case Intrinsic::kRootName:
        return Text(trace_.root->name);
      case Intrinsic::kRootService:
        return Text(ServiceName(trace_.root_batch->resources[trace_.root->resource]));
      case Intrinsic::kNestedSetLeft:
        return Number(Tag::kInt, trace_.nested_left[index_]);
      case Intrinsic::kNestedSetRight:
        return Number(Tag::kInt, trace_.nested_right[index_]);
      case Intrinsic::kNestedSetParent:
        return Number(Tag::kInt, trace_.nested_parent[index_]);
      case Intrinsic::kEventName:
        return Text(event_->name);
      case Intrinsic::kEventTimeSinceStart:
        return Number(Tag::kDuration, static_cast<int64_t>(event_->time_ns - span_.start_ns));
      case Intrinsic::kLinkTraceId:
        return Text(link_->trace_id.ToHex());
      case Intrinsic::kLinkSpanId:
        return Text(link_->span_id.ToHex());
      case Intrinsic::kScopeName:
        return Text(batch_.scopes[span_.scope].name);
      case Intrinsic::kScopeVersion:
        return Text(batch_.scopes[span_.scope].version);
      case Intrinsic::kTraceState:
        return Text(span_.trace_state);
    }
    return {};
  }

  static Item FromLiteral(const traceql::Literal& literal) {
    switch (literal.type) {
      case traceql::Type::kBool:
        return Number(Tag::kBool, literal.integer);
      case traceql::Type::kInt:
        return Number(Tag::kInt, literal.integer);
      case traceql::Type::kFloat:
        return Item{.tag = Tag::kFloat, .real = literal.real};
      case traceql::Type::kDuration:
        return Number(Tag::kDuration, literal.integer);
      case traceql::Type::kString:
        return Text(literal.text);
      case traceql::Type::kStatus:
        return Number(Tag::kStatus, literal.integer);
      case traceql::Type::kKind:
        return Number(Tag::kKind, literal.integer);
      default:
        return {};
    }
  }

  Item Evaluate(const Expression& e) {
    if (e.kind == Expression::Kind::kLiteral) return FromLiteral(e.literal);
    if (e.kind == Expression::Kind::kField) return FieldValue(e.field);
    if (IsJudgement(e)) return Number(Tag::kBool, IsTrue(e));
    Item left = Evaluate(*e.left);
    if (e.op == Operator::kNegate) return Minus(left);
    return Arithmetic(e.op, left, Evaluate(*e.right));
  }

  static bool IsNumeric(const Item& item) {
    return item.tag == Tag::kInt || item.tag == Tag::kFloat || item.tag == Tag::kDuration;
  }
  static double Real(const Item& item) {
    return item.tag == Tag::kFloat ? item.real : static_cast<double>(item.number);
  }
  static int64_t Low64(__int128 number) {
    return static_cast<int64_t>(static_cast<uint64_t>(number));
  }

  static Item Minus(Item item) {
    if (!IsNumeric(item)) return {};
    item.number = Low64(-__int128{item.number});
    item.real = -item.real;
    return item;
  }

  static Item Arithmetic(Operator op, const Item& a, const Item& b) {
    if (!IsNumeric(a) || !IsNumeric(b)) return {};
    if (a.tag == Tag::kInt && b.tag == Tag::kInt) {
      __int128 x = a.number, y = b.number;
      switch (op) {
        case Operator::kAdd:
          return Number(Tag::kInt, Low64(x + y));
        case Operator::kSubtract:
          return Number(Tag::kInt, Low64(x - y));
        case Operator::kMultiply:
          return Number(Tag::kInt, Low64(x * y));
        case Operator::kDivide:
          return y == 0 ? Item{} : Number(Tag::kInt, Low64(x / y));
        case Operator::kModulo:
          return y == 0 ? Item{} : Number(Tag::kInt, Low64(x % y));
        default:
          return WholePower(a.number, b.number);
      }
    }
    double x = Real(a), y = Real(b), result = 0;
    if ((op == Operator::kDivide || op == Operator::kModulo) && y == 0) return {};
    if (op == Operator::kAdd) result = x + y;
    if (op == Operator::kSubtract) result = x - y;
    if (op == Operator::kMultiply) result = x * y;
    if (op == Operator::kDivide) result = x / y;
    if (op == Operator::kModulo) result = std::fmod(x, y);
    if (op == Operator::kPower) result = std::pow(x, y);
    return Item{.tag = Tag::kFloat, .real = result};
  }

  // Modulo 2^64, by repeated multiplication; the exponents that matter are small, the others are
  // reduced by noting that powers of an even base vanish and those of an odd base repeat.
  static Item WholePower(int64_t base, int64_t exponent) {
    if (exponent < 0) {
      if (base == 0) return {};
      if (base == 1 || base == -1)
        return Number(Tag::kInt, base == 1 || exponent % 2 == 0 ? 1 : -1);
      return Number(Tag::kInt, 0);
    }
    uint64_t steps = static_cast<uint64_t>(exponent);
    uint64_t b = static_cast<uint64_t>(base);
    std::vector<uint64_t> squares;
    for (int bit = 0; bit < 64; ++bit)
      squares.push_back(bit == 0 ? b : squares[bit - 1] * squares[bit - 1]);
    uint64_t result = 1;
    for (int bit = 0; bit < 64; ++bit)
      if (steps >> bit & 1) result *= squares[bit];
    return Number(Tag::kInt, static_cast<int64_t>(result));
  }

  // -1, 0, 1, or nothing where the two have no order or equality.
  static std::optional<std::partial_ordering> Order(const Item& a, const Item& b) {
    if (IsNumeric(a) && IsNumeric(b)) {
      if (a.tag == Tag::kFloat || b.tag == Tag::kFloat) return Real(a) <=> Real(b);
      return a.number <=> b.number;
    }
    if (a.tag != b.tag) return std::nullopt;
    if (a.tag == Tag::kString) return a.text <=> b.text;
    if (a.tag == Tag::kBool || a.tag == Tag::kStatus || a.tag == Tag::kKind)
      return a.number == b.number ? std::partial_ordering::equivalent
                                  : std::partial_ordering::unordered;
    return std::nullopt;
  }

  // Nothing on a mismatch of types.
  static std::optional<bool> HoldsForOne(Operator op, const Item& a, const Item& b) {
    if (op == Operator::kRegex || op == Operator::kNotRegex) {
      if (a.tag != Tag::kString || b.tag != Tag::kString) return std::nullopt;
      RE2::Options options;
      options.set_dot_nl(true);
      bool hit = RE2::FullMatch(a.text, RE2(b.text, options));
      return hit == (op == Operator::kRegex);
    }
    auto order = Order(a, b);
    if (!order) return std::nullopt;
    bool only_equality = a.tag == Tag::kBool || a.tag == Tag::kStatus || a.tag == Tag::kKind;
    switch (op) {
      case Operator::kEqual:
        return *order == 0;
      case Operator::kNotEqual:
        return *order != 0;
      case Operator::kLess:
        return only_equality ? std::nullopt : std::optional(*order < 0);
      case Operator::kLessEqual:
        return only_equality ? std::nullopt : std::optional(*order <= 0);
      case Operator::kGreater:
        return only_equality ? std::nullopt : std::optional(*order > 0);
      default:
        return only_equality ? std::nullopt : std::optional(*order >= 0);
    }
  }

  static bool Holds(Operator op, const Item& a, const Item& b) {
    if (a.tag == Tag::kArray && b.tag == Tag::kArray) return false;
    if (a.tag != Tag::kArray && b.tag != Tag::kArray) return HoldsForOne(op, a, b).value_or(false);
    bool none = op == Operator::kNotEqual || op == Operator::kNotRegex;
    bool any_comparable = false, any = false, all = true;
    for (const Item& item : a.tag == Tag::kArray ? a.items : b.items) {
      auto one = a.tag == Tag::kArray ? HoldsForOne(op, item, b) : HoldsForOne(op, a, item);
      if (!one) continue;
      any_comparable = true;
      any |= *one;
      all &= *one;
    }
    return any_comparable && (none ? all : any);
  }

  const WholeTrace& trace_;
  size_t index_;
  const SpanBatch& batch_;
  const Span& span_;
  const Event* event_ = nullptr;
  const Link* link_ = nullptr;
};

// The spans that the spanset expression selects, as indices: both sides where both have any.
std::set<size_t> SelectSpans(const WholeTrace& trace, const traceql::Spanset& spanset) {
  std::set<size_t> out;
  if (spanset.kind == traceql::Spanset::Kind::kFilter) {
    for (size_t i = 0; i < trace.spans.size(); ++i)
      if (spanset.filter == nullptr || Judge(trace, i).IsTrue(*spanset.filter)) out.insert(i);
    return out;
  }
  out = SelectSpans(trace, *spanset.left);
  std::set<size_t> right = SelectSpans(trace, *spanset.right);
  if (spanset.kind == traceql::Spanset::Kind::kAnd && (out.empty() || right.empty())) return {};
  out.merge(right);
  return out;
}

}  // namespace

std::vector<ReferenceTrace> ReferenceSearch(const std::vector<const SpanBatch*>& batches,
                                            const traceql::Query& query, uint64_t start_ns,
                                            uint64_t end_ns) {
  std::map<TraceId, WholeTrace> traces;
  std::set<std::string> seen;
  for (const SpanBatch* batch : batches)
    for (const Span& span : batch->spans)
      if (seen.insert(DescribeSpan(*batch, span)).second)
        traces[span.trace_id].spans.emplace_back(batch, &span);
  std::vector<ReferenceTrace> out;
  for (auto& [id, trace] : traces) {
    std::ranges::stable_sort(trace.spans, [](const auto& a, const auto& b) {
      auto key = [](const Span& span) {
        return std::tuple(span.start_ns, span.span_id, span.end_ns, span.parent_span_id, span.kind,
                          span.status == StatusCode::kError);
      };
      return key(*a.second) < key(*b.second);
    });
    NumberTree(&trace);
    ReferenceTrace result{id,
                          trace.shown_start_ns,
                          trace.shown_end_ns,
                          static_cast<uint32_t>(trace.spans.size()),
                          {}};
    for (size_t i : SelectSpans(trace, *query.spanset)) {
      const Span& span = *trace.spans[i].second;
      if (span.start_ns >= start_ns && (end_ns == 0 || span.start_ns < end_ns))
        result.matched.push_back(span.span_id);
    }
    if (!result.matched.empty()) out.push_back(std::move(result));
  }
  // A span without a time makes its trace the oldest.
  std::ranges::sort(out, [&](const ReferenceTrace& a, const ReferenceTrace& b) {
    return std::tie(traces[a.trace_id].start_ns, a.trace_id) >
           std::tie(traces[b.trace_id].start_ns, b.trace_id);
  });
  return out;
}

}  // namespace weft::testing

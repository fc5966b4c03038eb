// SPDX-License-Identifier: Apache-2.0
#include "query/segment_scan.h"

#include <algorithm>
#include <cstring>

#include "query/number_match.h"

namespace weft::query {
namespace {

using segment::AttributeScope;
using segment::FixedColumn;
using segment::kAbsent;
using traceql::Intrinsic;
using traceql::Operator;

bool AnySet(const std::vector<uint8_t>& rows) {
  return std::memchr(rows.data(), 1, rows.size()) != nullptr;
}

bool IsWholeTraceLeaf(Leaf::Kind kind) {
  return kind == Leaf::Kind::kTraceDuration || kind == Leaf::Kind::kChildCount ||
         kind == Leaf::Kind::kNestedLeft || kind == Leaf::Kind::kNestedParent ||
         kind == Leaf::Kind::kRootText;
}

// The number of 8 id bytes read as little-endian, from exactly 16 lower-case hex digits.
std::optional<uint64_t> IdNumber(std::string_view hex) {
  auto id = SpanId::FromHex(hex);
  if (!id || id->ToHex() != hex) return std::nullopt;
  uint64_t number;
  std::memcpy(&number, id->bytes.data(), sizeof number);
  return number;
}

// One group's values of a plan's row-by-row leaf.
class RowSource : public FieldSource {
 public:
  explicit RowSource(std::vector<std::vector<Scalar>> values) : values_(std::move(values)) {}
  void Move(uint32_t row) { row_ = row; }
  Scalar Get(uint32_t slot) override { return values_[slot][row_]; }
  uint32_t event_count() const override { return 0; }
  uint32_t link_count() const override { return 0; }
  void BindEvent(uint32_t) override {}
  void BindLink(uint32_t) override {}

 private:
  std::vector<std::vector<Scalar>> values_;
  uint32_t row_ = 0;
};

}  // namespace

bool SegmentScan::MayMatchAny(uint32_t group) const {
  for (uint32_t filter = 0; filter < plan_.filters.size(); ++filter)
    if (MayMatch(filter, group)) return true;
  return false;
}

bool SegmentScan::MayHold(uint32_t first_group, uint32_t last_group) const {
  return Holds(plan_.root, [&](uint32_t filter) {
    for (uint32_t group = first_group; group <= last_group; ++group)
      if (MayMatch(filter, group)) return true;
    return false;
  });
}

bool SegmentScan::MayMatch(const PlanNode& node, uint32_t group) const {
  switch (node.kind) {
    case PlanNode::Kind::kTrue:
      return true;
    case PlanNode::Kind::kFalse:
      return false;
    case PlanNode::Kind::kAnd:
      return std::ranges::all_of(node.children,
                                 [&](const PlanNode& child) { return MayMatch(child, group); });
    case PlanNode::Kind::kOr:
      return std::ranges::any_of(node.children,
                                 [&](const PlanNode& child) { return MayMatch(child, group); });
    case PlanNode::Kind::kLeaf:
      break;
  }
  const PreparedLeaf& leaf = leaves_[node.leaf];
  if (node.negated || !leaf.ready) return true;
  if (leaf.nothing) return false;
  if (leaf.by_rows) return leaf.groups[group];
  if (plan_.leaves[node.leaf].kind != Leaf::Kind::kColumn) return true;
  return leaf.absent_holds || AnyMayMatch(leaf.own, group) || AnyMayMatch(leaf.fallback, group);
}

void SegmentScan::Open(uint32_t group) {
  if (open_ == group) return;
  columns_.Open(group);
  rows_.assign(plan_.filters.size(), {});
  uncertain_.assign(columns_.rows(), 0);
  open_ = group;
}

Result<const std::vector<uint8_t>*> SegmentScan::Rows(uint32_t filter) {
  std::vector<uint8_t>& rows = rows_[filter];
  if (!rows.empty()) return &rows;
  std::vector<uint8_t> found(columns_.rows());
  if (MayMatch(filter, columns_.group())) {
    WEFT_TRY(Evaluate(plan_.filters[filter].root, &found));
  }
  rows = std::move(found);
  return &rows;
}

// Where the group may not hold what a trace needs: of traces that do not lie whole in it some spans
// may lie in a neighbouring group, or in another segment.
Result<bool> SegmentScan::FindPromising(std::vector<uint8_t>* promising) {
  WEFT_ASSIGN(const GroupColumns::Traces* traces, columns_.traces());
  promising->assign(traces->entries.size(), 0);
  bool any = false;
  for (uint32_t t = 0; t < promising->size(); ++t) {
    const segment::TraceEntry& entry = traces->entries[t];
    bool may = columns_.IsSplit(t);
    if (!may && entry.rows > 0) {
      uint64_t end = uint64_t{entry.first_row} + entry.rows;
      const segment::RowGroups& groups = segment_.spans().groups();
      uint32_t first = groups.group_of(entry.first_row), last = groups.group_of(end - 1);
      may = first != last && MayHold(first, std::min(last, segment_.spans().group_count() - 1));
    }
    (*promising)[t] = may;
    any |= may;
  }
  return any;
}

Result<bool> SegmentScan::HoldsInRows(uint32_t first, uint32_t rows) {
  Status status;
  bool holds = Holds(plan_.root, [&](uint32_t filter) {
    auto found = Rows(filter);
    if (!found) status = weft::Fail(std::move(found).error());
    return !status || std::memchr((*found)->data() + first, 1, rows) != nullptr;
  });
  WEFT_TRY(status);
  return holds;
}

Status SegmentScan::Scan(uint32_t group, std::span<const uint32_t> triggers,
                         std::vector<Candidate>* out) {
  Open(group);
  bool joined = plan_.filters.size() > 1;
  std::vector<uint8_t> promising;  // empty: all traces
  if (joined && !MayHold(group, group)) {
    WEFT_ASSIGN(bool any, FindPromising(&promising));
    if (!any) return {};
  }
  std::vector<uint8_t> matches(columns_.rows());
  for (uint32_t filter : triggers) {
    WEFT_ASSIGN(const std::vector<uint8_t>* rows, Rows(filter));
    for (size_t i = 0; i < matches.size(); ++i) matches[i] |= (*rows)[i];
  }
  WEFT_TRY(KeepWindow(&matches));
  if (!AnySet(matches)) return {};
  WEFT_ASSIGN(const GroupColumns::Traces* traces, columns_.traces());
  for (uint32_t i = 0; i < matches.size(); ++i) {
    if (!matches[i]) continue;
    uint32_t at = traces->of_row[i];
    uint32_t ordinal = traces->ordinals[at];
    if (seen_[ordinal] || (!promising.empty() && !promising[at])) continue;
    seen_[ordinal] = true;
    const segment::TraceEntry& entry = traces->entries[at];
    bool split = columns_.IsSplit(at);
    uint32_t first = entry.first_row - columns_.first_row();
    if (joined && !split && LiesInGroup(entry)) {
      WEFT_ASSIGN(bool holds, HoldsInRows(first, entry.rows));
      if (!holds) continue;
    }
    out->push_back({entry.id, entry.start_ns, split, entry.first_row, entry.rows});
  }
  return {};
}

Status SegmentScan::Answer(uint32_t group, std::vector<uint8_t>* answers, TraceSet* undecided) {
  Open(group);
  answers->assign(columns_.rows(), 0);
  if (plan_.filters.size() > 1) return AnswerJoined(answers, undecided);
  WEFT_ASSIGN(const std::vector<uint8_t>* rows, Rows(0));
  *answers = *rows;
  WEFT_TRY(KeepWindow(answers));
  if (!AnySet(uncertain_) || !AnySet(*answers)) return {};
  WEFT_ASSIGN(const GroupColumns::Traces* traces, columns_.traces());
  for (size_t i = 0; i < answers->size(); ++i) {
    if (!(*answers)[i] || !uncertain_[i]) continue;
    (*answers)[i] = 0;
    undecided->insert(traces->entries[traces->of_row[i]].id);
  }
  return {};
}

Status SegmentScan::AnswerJoined(std::vector<uint8_t>* answers, TraceSet* undecided) {
  std::vector<uint8_t> any(answers->size());
  for (uint32_t filter = 0; filter < plan_.filters.size(); ++filter) {
    WEFT_ASSIGN(const std::vector<uint8_t>* rows, Rows(filter));
    for (size_t i = 0; i < any.size(); ++i) any[i] |= (*rows)[i];
  }
  WEFT_TRY(KeepWindow(&any));
  if (!AnySet(any)) return {};
  WEFT_ASSIGN(const GroupColumns::Traces* traces, columns_.traces());
  std::vector<uint8_t> done(traces->entries.size());
  for (size_t i = 0; i < any.size(); ++i) {
    uint32_t at = traces->of_row[i];
    if (!any[i] || done[at]) continue;
    done[at] = 1;
    const segment::TraceEntry& entry = traces->entries[at];
    uint32_t first = entry.first_row - columns_.first_row();
    if (columns_.IsSplit(at) || !LiesInGroup(entry) ||
        std::memchr(uncertain_.data() + first, 1, entry.rows) != nullptr) {
      undecided->insert(entry.id);
    } else {
      AnswerWholeTrace(first, entry.rows, answers);
    }
  }
  return KeepWindow(answers);
}

void SegmentScan::AnswerWholeTrace(uint32_t first, uint32_t rows, std::vector<uint8_t>* answers) {
  std::vector<uint32_t> selected;
  auto has = [&](uint32_t filter) {
    return std::memchr(rows_[filter].data() + first, 1, rows) != nullptr;
  };
  Select(plan_.root, has, &selected);
  for (uint32_t filter : selected)
    for (uint32_t i = first; i < first + rows; ++i) (*answers)[i] |= rows_[filter][i];
}

bool SegmentScan::LiesInGroup(const segment::TraceEntry& entry) const {
  return entry.first_row >= columns_.first_row() &&
         uint64_t{entry.first_row} - columns_.first_row() + entry.rows <= columns_.rows();
}

Result<bool> SegmentScan::IsNewerThan(uint32_t group, uint64_t start_ns) {
  // Traces of a chunk may always start earlier elsewhere.
  if (!segment_.has_derived() || segment_.spans().TimeRange(group).first <= start_ns) return false;
  Open(group);
  WEFT_ASSIGN(const GroupColumns::Traces* traces, columns_.traces());
  for (uint32_t t = 0; t < traces->entries.size(); ++t)
    if (traces->entries[t].start_ns <= start_ns || columns_.IsSplit(t)) return false;
  return true;
}

Status SegmentScan::KeepWindow(std::vector<uint8_t>* rows) {
  auto [first, last] = segment_.spans().TimeRange(columns_.group());
  if (plan_.InWindow(first) && plan_.InWindow(last)) return {};
  WEFT_ASSIGN(std::span<const uint64_t> starts, columns_.Numbers(FixedColumn::kStart));
  for (uint32_t i = 0; i < rows->size(); ++i) (*rows)[i] &= plan_.InWindow(starts[i]);
  return {};
}

Status SegmentScan::Evaluate(const PlanNode& node, std::vector<uint8_t>* out) {
  switch (node.kind) {
    case PlanNode::Kind::kTrue:
      std::ranges::fill(*out, 1);
      return {};
    case PlanNode::Kind::kFalse:
      std::ranges::fill(*out, 0);
      return {};
    case PlanNode::Kind::kLeaf:
      return EvaluateLeaf(node, out);
    case PlanNode::Kind::kAnd:
    case PlanNode::Kind::kOr:
      break;
  }
  bool all = node.kind == PlanNode::Kind::kAnd;
  std::ranges::fill(*out, all);
  std::vector<uint8_t> child_rows(out->size());
  for (const PlanNode& child : node.children) {
    // The value index may say at once that no row of this group can match.
    if (!MayMatch(child, columns_.group())) {
      if (!all) continue;
      std::ranges::fill(*out, 0);
      return {};
    }
    WEFT_TRY(Evaluate(child, &child_rows));
    for (size_t i = 0; i < out->size(); ++i)
      (*out)[i] = all ? (*out)[i] & child_rows[i] : (*out)[i] | child_rows[i];
    if (all && !AnySet(*out)) return {};
  }
  return {};
}

Status SegmentScan::EvaluateLeaf(const PlanNode& node, std::vector<uint8_t>* out) {
  const Leaf& leaf = plan_.leaves[node.leaf];
  const PreparedLeaf& prepared = leaves_[node.leaf];
  std::vector<uint8_t> maybe;
  std::ranges::fill(*out, 0);
  switch (leaf.kind) {
    case Leaf::Kind::kColumn:
      WEFT_TRY(EvaluateColumn(prepared, out));
      break;
    case Leaf::Kind::kDuration: {
      WEFT_ASSIGN(std::span<const int64_t> durations, columns_.Durations());
      MarkNumbers(leaf.op, leaf.literal, durations, *out);
      break;
    }
    case Leaf::Kind::kSpanId:
    case Leaf::Kind::kParentId:
      WEFT_TRY(EvaluateIds(leaf, out));
      break;
    case Leaf::Kind::kTraceId:
    case Leaf::Kind::kEventColumn:
    case Leaf::Kind::kEventTime:
    case Leaf::Kind::kLinkColumn:
    case Leaf::Kind::kHasEvent:
    case Leaf::Kind::kHasLink:
      if (prepared.nothing) break;
      for (uint32_t i = 0; i < out->size(); ++i)
        (*out)[i] = prepared.rows[columns_.first_row() + i];
      break;
    case Leaf::Kind::kRow:
      WEFT_TRY(EvaluateRows(leaf, out));
      break;
    case Leaf::Kind::kUnknown:
      std::ranges::fill(*out, 1);
      std::ranges::fill(uncertain_, 1);
      return {};
    default:
      if (IsWholeTraceLeaf(leaf.kind)) WEFT_TRY(EvaluateWhole(leaf, out, &maybe));
      break;
  }
  if (node.negated)
    for (uint8_t& row : *out) row ^= 1;
  for (size_t i = 0; i < maybe.size(); ++i) {
    (*out)[i] |= maybe[i];
    uncertain_[i] |= maybe[i];
  }
  return {};
}

Status SegmentScan::EvaluateColumn(const PreparedLeaf& leaf, std::vector<uint8_t>* out) {
  bool own_matters = !AllNothing(leaf.own);
  bool fallback_matters = !AllNothing(leaf.fallback);
  std::vector<uint8_t> present;
  if (fallback_matters || leaf.absent_holds) present.resize(out->size());
  for (const ColumnVerdict& verdict : leaf.own) {
    if (!present.empty() || (own_matters && verdict.MayMatch(columns_.group()))) {
      WEFT_ASSIGN(std::span<const uint32_t> ids, columns_.Ids(verdict.column()));
      verdict.Mark(ids, *out);
      for (size_t i = 0; i < present.size(); ++i) present[i] |= ids[i] != kAbsent;
    }
  }
  if (leaf.absent_holds)
    for (size_t i = 0; i < present.size(); ++i) (*out)[i] |= present[i] ^ 1;
  if (!fallback_matters) return {};
  std::vector<uint8_t> hits(out->size());
  for (const ColumnVerdict& verdict : leaf.fallback) {
    if (!verdict.MayMatch(columns_.group())) continue;
    WEFT_ASSIGN(std::span<const uint32_t> ids, columns_.Ids(verdict.column()));
    verdict.Mark(ids, hits);
  }
  for (size_t i = 0; i < out->size(); ++i) (*out)[i] |= hits[i] & (present[i] ^ 1);
  return {};
}

Status SegmentScan::EvaluateIds(const Leaf& leaf, std::vector<uint8_t>* out) {
  bool parent = leaf.kind == Leaf::Kind::kParentId;
  bool root = parent && leaf.literal.text.empty();
  std::optional<uint64_t> wanted = root ? 0 : IdNumber(leaf.literal.text);
  bool not_equal = leaf.op == Operator::kNotEqual;
  // A parent of zero has no text but the empty one.
  if (!wanted || (parent && !root && *wanted == 0)) {
    std::ranges::fill(*out, not_equal);
    return {};
  }
  WEFT_ASSIGN(std::span<const uint64_t> ids,
              columns_.Numbers(parent ? FixedColumn::kParentSpanId : FixedColumn::kSpanId));
  for (size_t i = 0; i < ids.size(); ++i) (*out)[i] = (ids[i] == *wanted) != not_equal;
  return {};
}

Status SegmentScan::EvaluateRows(const Leaf& leaf, std::vector<uint8_t>* out) {
  std::vector<std::vector<Scalar>> values;
  for (const traceql::Field& field : leaf.program->slots()) {
    WEFT_ASSIGN(std::vector<Scalar> column, columns_.Values(field));
    values.push_back(std::move(column));
  }
  RowSource source(std::move(values));
  for (uint32_t i = 0; i < out->size(); ++i) {
    source.Move(i);
    (*out)[i] = leaf.program->Matches(&source);
  }
  return {};
}

Status SegmentScan::EvaluateWhole(const Leaf& leaf, std::vector<uint8_t>* out,
                                  std::vector<uint8_t>* maybe) {
  maybe->assign(out->size(), 1);
  if (!segment_.has_derived()) return {};
  WEFT_ASSIGN(const GroupColumns::Traces* traces, columns_.traces());
  for (size_t i = 0; i < maybe->size(); ++i) (*maybe)[i] = columns_.IsSplit(traces->of_row[i]);
  std::vector<int64_t> numbers(out->size());
  switch (leaf.kind) {
    case Leaf::Kind::kTraceDuration:
      WEFT_TRY(TraceDurations(*traces, &numbers, maybe));
      break;
    case Leaf::Kind::kChildCount: {
      WEFT_ASSIGN(std::span<const uint64_t> counts, columns_.Numbers(FixedColumn::kChildCount));
      std::ranges::copy(counts, numbers.begin());
      break;
    }
    case Leaf::Kind::kNestedLeft: {
      // Before a span at pre-order position p and depth d, p spans have opened and p - d closed.
      WEFT_ASSIGN(std::span<const uint64_t> depths, columns_.Numbers(FixedColumn::kDepth));
      for (size_t i = 0; i < numbers.size(); ++i) {
        int64_t position = static_cast<int64_t>(columns_.first_row() + i) -
                           traces->entries[traces->of_row[i]].first_row;
        numbers[i] = 2 * position - static_cast<int64_t>(depths[i]) + 1;
      }
      break;
    }
    case Leaf::Kind::kNestedParent:
      return EvaluateNestedParent(leaf, out, maybe);
    default:
      return EvaluateRoot(leaf, *traces, out, maybe);
  }
  MarkNumbers(leaf.op, leaf.literal, numbers, *out);
  return {};
}

// A trace ends with its last end or, where ends lie before starts, its last start. The entry knows
// the first; the second is known only where all rows of the trace are at hand.
Status SegmentScan::TraceDurations(const GroupColumns::Traces& traces,
                                   std::vector<int64_t>* numbers, std::vector<uint8_t>* maybe) {
  WEFT_ASSIGN(std::span<const uint64_t> starts, columns_.Numbers(FixedColumn::kStart));
  std::vector<uint64_t> ends;
  for (const segment::TraceEntry& entry : traces.entries) ends.push_back(entry.end_ns);
  for (size_t i = 0; i < starts.size(); ++i)
    ends[traces.of_row[i]] = std::max(ends[traces.of_row[i]], starts[i]);
  for (size_t i = 0; i < starts.size(); ++i) {
    const segment::TraceEntry& entry = traces.entries[traces.of_row[i]];
    (*numbers)[i] = SignedNs(ends[traces.of_row[i]] - entry.start_ns);
    (*maybe)[i] |= entry.first_row < columns_.first_row() ||
                   entry.first_row - columns_.first_row() + entry.rows > columns_.rows();
  }
  return {};
}

// -1 for a root, 0 for an orphan, and at least 1 for every other span: that is often enough to
// know.
Status SegmentScan::EvaluateNestedParent(const Leaf& leaf, std::vector<uint8_t>* out,
                                         std::vector<uint8_t>* maybe) {
  WEFT_ASSIGN(std::span<const uint64_t> depths, columns_.Numbers(FixedColumn::kDepth));
  WEFT_ASSIGN(std::span<const uint64_t> parents, columns_.Numbers(FixedColumn::kParentSpanId));
  auto holds = [&](int64_t parent) {
    return Compare(leaf.op, Scalar::Int(parent), leaf.literal, nullptr);
  };
  // The truth of a comparison changes only at the literal: where it lies below 1, all from 1 agree.
  double limit = leaf.literal.kind == Scalar::Kind::kFloat
                     ? leaf.literal.real
                     : static_cast<double>(leaf.literal.integer);
  bool root = holds(-1), orphan = holds(0), other = holds(1), other_known = limit < 1;
  for (size_t i = 0; i < out->size(); ++i) {
    if (depths[i] == 0) {
      (*out)[i] = parents[i] == 0 ? root : orphan;
    } else {
      (*out)[i] = other;
      (*maybe)[i] |= !other_known;
    }
  }
  return {};
}

// Root and siblings lie in start order, so a first row without parent is the trace's root. A trace
// whose first row lies in another group, or is an orphan, is left to assembly.
Status SegmentScan::EvaluateRoot(const Leaf& leaf, const GroupColumns::Traces& traces,
                                 std::vector<uint8_t>* out, std::vector<uint8_t>* maybe) {
  const PreparedLeaf& prepared = leaves_[static_cast<size_t>(&leaf - plan_.leaves.data())];
  WEFT_ASSIGN(std::span<const uint64_t> parents, columns_.Numbers(FixedColumn::kParentSpanId));
  std::vector<uint8_t> hits(out->size());
  for (const ColumnVerdict& verdict : prepared.own) {
    if (!verdict.MayMatch(columns_.group())) continue;
    WEFT_ASSIGN(std::span<const uint32_t> ids, columns_.Ids(verdict.column()));
    verdict.Mark(ids, hits);
  }
  for (size_t i = 0; i < out->size(); ++i) {
    segment::Row first = traces.entries[traces.of_row[i]].first_row;
    bool here = first >= columns_.first_row() && first - columns_.first_row() < columns_.rows();
    uint32_t root = first - columns_.first_row();
    if (here && parents[root] == 0) {
      (*out)[i] = hits[root];
    } else {
      (*maybe)[i] = 1;
    }
  }
  return {};
}

}  // namespace weft::query

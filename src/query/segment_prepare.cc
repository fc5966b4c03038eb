// SPDX-License-Identifier: Apache-2.0
//
// The part of SegmentScan that runs once a segment: leaves judged on dictionaries, and conditions
// on events and links turned into rows.
#include <algorithm>
#include <cstring>

#include "query/segment_scan.h"

namespace weft::query {
namespace {

using segment::AttributeScope;
using segment::FixedColumn;
using segment::kAbsent;
using traceql::Intrinsic;
using traceql::Operator;

Result<std::vector<ColumnVerdict>> JudgeColumns(const segment::Table& table, AttributeScope scope,
                                                std::string_view key, const Leaf& leaf) {
  std::vector<ColumnVerdict> out;
  for (segment::ColumnRef column : table.FindColumns(scope, key)) {
    if (column.type == ValueType::kEmpty) continue;  // as good as absent
    WEFT_ASSIGN(ColumnVerdict verdict, ColumnVerdict::Make(table, column, leaf));
    out.push_back(std::move(verdict));
  }
  return out;
}

bool AnySet(const std::vector<uint8_t>& rows) {
  return std::memchr(rows.data(), 1, rows.size()) != nullptr;
}

}  // namespace

Status SegmentScan::Prepare() {
  leaves_.resize(plan_.leaves.size());
  seen_.resize(segment_.trace_count());
  bytes_ = seen_.size() / 8 + segment_.spans().groups().rows() * 64;
  bytes_ += segment_.spans().groups().rows() * plan_.filters.size();
  for (size_t i = 0; i < leaves_.size(); ++i) {
    if (!IsLookUp(plan_.leaves[i])) continue;
    WEFT_TRY(PrepareLeaf(plan_.leaves[i], &leaves_[i]));
    CountBytes(leaves_[i]);
  }
  return {};
}

Status SegmentScan::PrepareRows() {
  if (all_ready_) return {};
  for (size_t i = 0; i < leaves_.size(); ++i) {
    if (leaves_[i].ready) continue;
    WEFT_TRY(PrepareLeaf(plan_.leaves[i], &leaves_[i]));
    CountBytes(leaves_[i]);
  }
  all_ready_ = true;
  return {};
}

void SegmentScan::CountBytes(const PreparedLeaf& leaf) {
  for (const ColumnVerdict& verdict : leaf.own) bytes_ += verdict.bytes();
  for (const ColumnVerdict& verdict : leaf.fallback) bytes_ += verdict.bytes();
  bytes_ += leaf.rows.size() / 8;
}

// Costs a page or two: not a walk over all values of a column or all events.
bool SegmentScan::IsLookUp(const Leaf& leaf) {
  if (leaf.kind == Leaf::Kind::kTraceId) return true;
  bool equality = leaf.op == Operator::kEqual || leaf.op == Operator::kNotEqual;
  return leaf.kind == Leaf::Kind::kColumn && (equality || leaf.op == Operator::kNone);
}

Status SegmentScan::PrepareLeaf(const Leaf& leaf, PreparedLeaf* out) {
  out->ready = true;
  switch (leaf.kind) {
    case Leaf::Kind::kColumn:
      return PrepareColumn(leaf, out);
    case Leaf::Kind::kTraceId:
      return PrepareTraceId(leaf, out);
    case Leaf::Kind::kEventColumn:
      return PrepareChildren(leaf, segment::TableId::kEvents, out);
    case Leaf::Kind::kLinkColumn:
      return PrepareChildren(leaf, segment::TableId::kLinks, out);
    case Leaf::Kind::kEventTime:
      return PrepareEventTime(leaf, out);
    case Leaf::Kind::kHasEvent:
      return PrepareAnyChild(segment::TableId::kEvents, out);
    case Leaf::Kind::kHasLink:
      return PrepareAnyChild(segment::TableId::kLinks, out);
    case Leaf::Kind::kRootText: {
      std::string_view column =
          leaf.field.intrinsic == Intrinsic::kRootName ? "name" : "serviceName";
      WEFT_ASSIGN(out->own,
                  JudgeColumns(segment_.spans(), AttributeScope::kIntrinsic, column, leaf));
      return {};
    }
    default:
      return {};
  }
}

Status SegmentScan::PrepareColumn(const Leaf& leaf, PreparedLeaf* out) {
  const segment::Table& spans = segment_.spans();
  if (leaf.field.intrinsic != Intrinsic::kNone) {
    WEFT_ASSIGN(out->own, JudgeColumns(spans, AttributeScope::kIntrinsic,
                                       IntrinsicColumn(leaf.field.intrinsic), leaf));
    out->absent_holds = IsEmptyWhenAbsent(leaf.field.intrinsic) &&
                        Compare(leaf.op, Scalar::String(""), leaf.literal, leaf.pattern.get());
  } else {
    WEFT_ASSIGN(out->own, JudgeColumns(spans, ColumnScope(leaf.field.scope), leaf.field.key, leaf));
    if (leaf.field.scope == traceql::Scope::kAny) {
      WEFT_ASSIGN(out->fallback,
                  JudgeColumns(spans, AttributeScope::kResource, leaf.field.key, leaf));
    }
  }
  out->nothing = !out->absent_holds && AllNothing(out->own) && AllNothing(out->fallback);
  return {};
}

void SegmentScan::MarkRow(uint64_t row, PreparedLeaf* out) const {
  if (row >= out->rows.size()) return;  // a log's or link's kAbsent
  out->rows[row] = true;
  out->groups[segment_.spans().groups().group_of(row)] = true;
}

Status SegmentScan::PrepareTraceId(const Leaf& leaf, PreparedLeaf* out) {
  out->by_rows = true;
  auto id = TraceId::FromHex(leaf.literal.text);
  out->nothing = true;
  if (!id || id->ToHex() != leaf.literal.text) return {};
  WEFT_ASSIGN(segment::Segment::TraceRows found, segment_.FindTrace(*id));
  if (found.spans.empty()) return {};
  out->nothing = false;
  out->rows.resize(segment_.spans().row_count());
  out->groups.resize(segment_.spans().group_count());
  for (segment::Row row : found.spans) MarkRow(row, out);
  return {};
}

Status SegmentScan::PrepareChildren(const Leaf& leaf, segment::TableId table_id,
                                    PreparedLeaf* out) {
  const segment::Table& table = segment_.table(table_id);
  out->by_rows = true;
  bool is_name = leaf.field.intrinsic == Intrinsic::kEventName;
  WEFT_ASSIGN(
      std::vector<ColumnVerdict> verdicts,
      JudgeColumns(table, is_name ? AttributeScope::kIntrinsic : ColumnScope(leaf.field.scope),
                   is_name ? "name" : std::string_view(leaf.field.key), leaf));
  out->nothing = AllNothing(verdicts);
  if (out->nothing) return {};
  out->rows.resize(segment_.spans().row_count());
  out->groups.resize(segment_.spans().group_count());
  std::vector<uint32_t> ids;
  std::vector<uint64_t> parents;
  std::vector<uint8_t> hits;
  for (uint32_t group = 0; group < table.group_count(); ++group) {
    if (!AnyMayMatch(verdicts, group)) continue;
    uint32_t rows = table.rows_in_group(group);
    hits.assign(rows, 0);
    ids.resize(rows);
    for (const ColumnVerdict& verdict : verdicts) {
      if (!verdict.MayMatch(group)) continue;
      WEFT_TRY(table.ReadIds(verdict.column(), group, ids));
      verdict.Mark(ids, hits);
    }
    if (!AnySet(hits)) continue;
    parents.resize(rows);
    WEFT_TRY(table.ReadNumbers(FixedColumn::kParentRow, group, parents));
    for (uint32_t i = 0; i < rows; ++i)
      if (hits[i]) MarkRow(parents[i], out);
  }
  return {};
}

Status SegmentScan::PrepareAnyChild(segment::TableId table_id, PreparedLeaf* out) {
  const segment::Table& table = segment_.table(table_id);
  out->by_rows = true;
  out->nothing = table.row_count() == 0;
  if (out->nothing) return {};
  out->rows.resize(segment_.spans().row_count());
  out->groups.resize(segment_.spans().group_count());
  std::vector<uint64_t> parents;
  for (uint32_t group = 0; group < table.group_count(); ++group) {
    parents.resize(table.rows_in_group(group));
    WEFT_TRY(table.ReadNumbers(FixedColumn::kParentRow, group, parents));
    for (uint64_t parent : parents) MarkRow(parent, out);
  }
  return {};
}

Status SegmentScan::PrepareEventTime(const Leaf& leaf, PreparedLeaf* out) {
  const segment::Table& table = segment_.table(segment::TableId::kEvents);
  out->by_rows = true;
  out->nothing = table.row_count() == 0;
  if (out->nothing) return {};
  out->rows.resize(segment_.spans().row_count());
  out->groups.resize(segment_.spans().group_count());
  std::vector<uint64_t> parents, times, starts;
  uint32_t starts_group = kAbsent;
  for (uint32_t group = 0; group < table.group_count(); ++group) {
    uint32_t rows = table.rows_in_group(group);
    parents.resize(rows);
    times.resize(rows);
    WEFT_TRY(table.ReadNumbers(FixedColumn::kParentRow, group, parents));
    WEFT_TRY(table.ReadNumbers(FixedColumn::kTime, group, times));
    for (uint32_t i = 0; i < rows; ++i) {
      if (parents[i] >= segment_.spans().row_count()) continue;
      uint32_t parent_group = segment_.spans().groups().group_of(parents[i]);
      if (parent_group != starts_group) {
        starts.resize(segment_.spans().rows_in_group(parent_group));
        WEFT_TRY(segment_.spans().ReadNumbers(FixedColumn::kStart, parent_group, starts));
        starts_group = parent_group;
      }
      int64_t since =
          static_cast<int64_t>(times[i] - starts[segment_.spans().groups().place_of(parents[i])]);
      if (Compare(leaf.op, Scalar::Duration(since), leaf.literal, nullptr))
        MarkRow(parents[i], out);
    }
  }
  return {};
}

}  // namespace weft::query

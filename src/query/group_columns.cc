// SPDX-License-Identifier: Apache-2.0
#include "query/group_columns.h"

#include <algorithm>
#include <limits>

#include "query/column_verdict.h"

namespace weft::query {
namespace {

using segment::AttributeScope;
using segment::FixedColumn;
using traceql::Intrinsic;

// Beyond this the texts seen so far are forgotten between groups.
constexpr size_t kValueBytesMax = 16u << 20;

std::string_view HexOf(uint64_t little_endian, Arena* arena) {
  SpanId id;
  std::memcpy(id.bytes.data(), &little_endian, sizeof little_endian);
  return arena->Copy(id.ToHex());
}

}  // namespace

std::string_view IntrinsicColumn(Intrinsic intrinsic) {
  switch (intrinsic) {
    case Intrinsic::kName:
      return "name";
    case Intrinsic::kStatus:
      return "status";
    case Intrinsic::kStatusMessage:
      return "statusMessage";
    case Intrinsic::kKind:
      return "kind";
    case Intrinsic::kScopeName:
      return "scopeName";
    case Intrinsic::kScopeVersion:
      return "scopeVersion";
    case Intrinsic::kTraceState:
      return "traceState";
    case Intrinsic::kEventName:
      return "name";
    default:
      return {};
  }
}

bool IsEmptyWhenAbsent(Intrinsic intrinsic) {
  return intrinsic == Intrinsic::kStatusMessage || intrinsic == Intrinsic::kScopeName ||
         intrinsic == Intrinsic::kScopeVersion || intrinsic == Intrinsic::kTraceState;
}

AttributeScope ColumnScope(traceql::Scope scope) {
  switch (scope) {
    case traceql::Scope::kResource:
      return AttributeScope::kResource;
    case traceql::Scope::kEvent:
      return AttributeScope::kEvent;
    case traceql::Scope::kLink:
      return AttributeScope::kLink;
    case traceql::Scope::kInstrumentation:
      return AttributeScope::kInstrumentation;
    case traceql::Scope::kAny:
    case traceql::Scope::kSpan:
      break;
  }
  return AttributeScope::kSpan;
}

void GroupColumns::Open(uint32_t group) {
  group_ = group;
  rows_ = segment_.spans().rows_in_group(group);
  last_columns_.swap(used_columns_);
  last_numbers_.swap(used_numbers_);
  used_columns_.clear();
  used_numbers_.clear();
  if (AnyLast()) Prefetch(last_columns_, last_numbers_);
  has_numbers_.fill(false);
  ids_.clear();
  has_durations_ = false;
  has_traces_ = false;
  if (arena_.reserved_bytes() > kValueBytesMax) arena_.Reset();
}

Result<std::span<const uint64_t>> GroupColumns::Numbers(FixedColumn column) {
  size_t index = static_cast<size_t>(column);
  std::vector<uint64_t>& out = numbers_[index];
  if (!has_numbers_[index]) {
    out.resize(rows_);
    WEFT_TRY(segment_.spans().ReadNumbers(column, group_, out));
    has_numbers_[index] = true;
    used_numbers_.push_back(column);
  }
  return std::span<const uint64_t>(out);
}

Result<std::span<const uint32_t>> GroupColumns::Ids(segment::ColumnRef column) {
  auto [entry, is_new] = ids_.try_emplace(column.index);
  if (is_new) {
    entry->second.resize(rows_);
    Status status = segment_.spans().ReadIds(column, group_, entry->second);
    if (!status) {
      ids_.erase(entry);
      return weft::Fail(std::move(status).error());
    }
    used_columns_.push_back(column);
  }
  return std::span<const uint32_t>(entry->second);
}

Result<std::span<const int64_t>> GroupColumns::Durations() {
  if (!has_durations_) {
    WEFT_ASSIGN(std::span<const uint64_t> start, Numbers(FixedColumn::kStart));
    WEFT_ASSIGN(std::span<const uint64_t> end, Numbers(FixedColumn::kEnd));
    durations_.resize(rows_);
    for (uint32_t i = 0; i < rows_; ++i)
      durations_[i] = end[i] > start[i] ? SignedNs(end[i] - start[i]) : 0;
    has_durations_ = true;
  }
  return std::span<const int64_t>(durations_);
}

Result<const GroupColumns::Traces*> GroupColumns::traces() {
  if (has_traces_) return &traces_;
  WEFT_TRY(segment_.has_derived() ? ReadBlockTraces() : ReadChunkTraces());
  split_.assign(traces_.entries.size(), Split::kUnknown);
  has_traces_ = true;
  return &traces_;
}

bool GroupColumns::IsSplit(uint32_t index) {
  Split& split = split_[index];
  if (split == Split::kUnknown)
    split = snapshot_.MayBeSplit(traces_.entries[index].id) ? Split::kYes : Split::kNo;
  return split == Split::kYes;
}

Status GroupColumns::ReadBlockTraces() {
  WEFT_ASSIGN(segment::Segment::GroupTraces found, segment_.ReadGroupTraces(group_));
  traces_.ordinals = std::move(found.ordinals);
  traces_.entries = std::move(found.entries);
  traces_.of_row.resize(rows_);
  uint64_t row = 0;
  for (uint32_t at = 0; at < traces_.entries.size(); ++at) {
    const segment::TraceEntry& entry = traces_.entries[at];
    uint64_t end = uint64_t{entry.first_row} + entry.rows - first_row();
    for (; row < end && row < rows_; ++row) traces_.of_row[row] = at;
  }
  if (row < rows_) return Fail(ErrorCode::kCorruption, "rows without a trace");
  return {};
}

Status GroupColumns::ReadChunkTraces() {
  WEFT_ASSIGN(std::span<const uint64_t> trace_of, Numbers(FixedColumn::kTrace));
  Traces& t = traces_;
  t.ordinals.clear();
  const uint32_t trace_count = segment_.trace_count();
  for (uint64_t ordinal : trace_of) {
    if (ordinal >= trace_count)
      return Fail(ErrorCode::kCorruption, "a row names a trace that its segment lacks");
    uint32_t narrow = static_cast<uint32_t>(ordinal);
    if (t.ordinals.empty() || t.ordinals.back() != narrow) t.ordinals.push_back(narrow);
  }
  std::ranges::sort(t.ordinals);
  auto repeated = std::ranges::unique(t.ordinals);
  t.ordinals.erase(repeated.begin(), repeated.end());
  t.entries.resize(t.ordinals.size());
  for (size_t i = 0; i < t.entries.size(); ++i)
    WEFT_TRY(segment_.ReadTraces(t.ordinals[i], std::span(&t.entries[i], 1)));
  t.of_row.resize(rows_);
  uint32_t at = 0;
  for (uint32_t row = 0; row < rows_; ++row) {
    uint32_t ordinal = static_cast<uint32_t>(trace_of[row]);
    if (t.ordinals[at] != ordinal)
      at =
          static_cast<uint32_t>(std::ranges::lower_bound(t.ordinals, ordinal) - t.ordinals.begin());
    t.of_row[row] = at;
  }
  return {};
}

// Fills what is still nil. Every distinct value of the group is read once, in the dictionary's
// order: rows are brought into that order first.
Status GroupColumns::AppendValues(const traceql::Field& field, AttributeScope scope,
                                  std::string_view key, std::vector<Scalar>* out) {
  std::vector<uint64_t> order;  // id << 32 | row
  std::vector<uint32_t> distinct;
  for (segment::ColumnRef column : segment_.spans().FindColumns(scope, key)) {
    if (column.type == ValueType::kEmpty) continue;
    WEFT_ASSIGN(std::span<const uint32_t> ids, Ids(column));
    order.clear();
    for (uint32_t i = 0; i < rows_; ++i)
      if (ids[i] != segment::kAbsent && (*out)[i].kind == Scalar::Kind::kNil)
        order.push_back(uint64_t{ids[i]} << 32 | i);
    std::ranges::sort(order);
    distinct.clear();
    for (uint64_t entry : order)
      if (distinct.empty() || distinct.back() != entry >> 32)
        distinct.push_back(static_cast<uint32_t>(entry >> 32));
    WEFT_ASSIGN(auto dictionary, segment_.spans().OpenDictionary(column));
    auto next = order.begin();
    WEFT_TRY(dictionary->GetEach(distinct, &arena_, [&](size_t i, const Value& value) {
      Scalar scalar = FieldScalar(field, value);
      for (; next != order.end() && *next >> 32 == distinct[i]; ++next)
        (*out)[static_cast<uint32_t>(*next)] = scalar;
    }));
  }
  return {};
}

Result<std::vector<Scalar>> GroupColumns::Values(const traceql::Field& field) {
  std::vector<Scalar> out(rows_);
  switch (field.intrinsic) {
    case Intrinsic::kNone:
      WEFT_TRY(AppendValues(field, ColumnScope(field.scope), field.key, &out));
      if (field.scope == traceql::Scope::kAny)
        WEFT_TRY(AppendValues(field, AttributeScope::kResource, field.key, &out));
      break;
    case Intrinsic::kDuration: {
      WEFT_ASSIGN(std::span<const int64_t> durations, Durations());
      for (uint32_t i = 0; i < rows_; ++i) out[i] = Scalar::Duration(durations[i]);
      break;
    }
    case Intrinsic::kSpanId:
    case Intrinsic::kParentId: {
      bool parent = field.intrinsic == Intrinsic::kParentId;
      WEFT_ASSIGN(std::span<const uint64_t> ids,
                  Numbers(parent ? FixedColumn::kParentSpanId : FixedColumn::kSpanId));
      for (uint32_t i = 0; i < rows_; ++i)
        out[i] = Scalar::String(parent && ids[i] == 0 ? "" : HexOf(ids[i], &arena_));
      break;
    }
    case Intrinsic::kTraceId: {
      WEFT_ASSIGN(const Traces* found, traces());
      std::vector<std::string_view> texts;
      for (const segment::TraceEntry& entry : found->entries)
        texts.push_back(arena_.Copy(entry.id.ToHex()));
      for (uint32_t i = 0; i < rows_; ++i) out[i] = Scalar::String(texts[found->of_row[i]]);
      break;
    }
    default:
      WEFT_TRY(
          AppendValues(field, AttributeScope::kIntrinsic, IntrinsicColumn(field.intrinsic), &out));
      if (IsEmptyWhenAbsent(field.intrinsic))
        for (Scalar& value : out)
          if (value.kind == Scalar::Kind::kNil) value = Scalar::String("");
      break;
  }
  return out;
}

}  // namespace weft::query

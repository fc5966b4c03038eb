// SPDX-License-Identifier: Apache-2.0
#include "query/group_columns.h"

#include <algorithm>
#include <limits>

#include "query/column_verdict.h"

namespace weft::query {
namespace {

using block::AttributeScope;
using block::FixedColumn;
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
    case Intrinsic::kEventName:
      return "name";
    default:
      return {};
  }
}

bool IsEmptyWhenAbsent(Intrinsic intrinsic) {
  return intrinsic == Intrinsic::kStatusMessage || intrinsic == Intrinsic::kScopeName ||
         intrinsic == Intrinsic::kScopeVersion;
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
  has_numbers_.fill(false);
  ids_.clear();
  has_durations_ = false;
  has_traces_ = false;
  if (arena_.reserved_bytes() + values_.size() * sizeof(Scalar) > kValueBytesMax) {
    values_.clear();
    arena_.Reset();
  }
}

Result<std::span<const uint64_t>> GroupColumns::Numbers(FixedColumn column) {
  size_t index = static_cast<size_t>(column);
  std::vector<uint64_t>& out = numbers_[index];
  if (!has_numbers_[index]) {
    out.resize(rows_);
    WEFT_TRY(segment_.spans().ReadNumbers(column, group_, out));
    has_numbers_[index] = true;
  }
  return std::span<const uint64_t>(out);
}

Result<std::span<const uint32_t>> GroupColumns::Ids(block::ColumnRef column) {
  auto [entry, is_new] = ids_.try_emplace(column.index);
  if (is_new) {
    entry->second.resize(rows_);
    Status status = segment_.spans().ReadIds(column, group_, entry->second);
    if (!status) {
      ids_.erase(entry);
      return weft::Fail(std::move(status).error());
    }
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
  WEFT_ASSIGN(std::span<const uint64_t> trace_of, Numbers(FixedColumn::kTrace));
  Traces& t = traces_;
  t.ordinals.clear();
  t.any_split = false;
  for (uint64_t ordinal : trace_of) {
    if (ordinal >= segment_.trace_count())
      return weft::Fail(ErrorCode::kCorruption, "a row names a trace that its segment lacks");
    uint32_t narrow = static_cast<uint32_t>(ordinal);
    if (t.ordinals.empty() || t.ordinals.back() != narrow) t.ordinals.push_back(narrow);
  }
  std::ranges::sort(t.ordinals);
  auto repeated = std::ranges::unique(t.ordinals);
  t.ordinals.erase(repeated.begin(), repeated.end());
  size_t count = t.ordinals.size();
  t.entries.resize(count);
  t.split.resize(count);
  bool contiguous = count > 0 && t.ordinals.back() - t.ordinals.front() + 1 == count;
  if (contiguous) {
    WEFT_TRY(segment_.ReadTraces(t.ordinals.front(), t.entries));
  } else {
    for (size_t i = 0; i < count; ++i)
      WEFT_TRY(segment_.ReadTraces(t.ordinals[i], std::span(&t.entries[i], 1)));
  }
  for (size_t i = 0; i < count; ++i) {
    t.split[i] = snapshot_.MayBeSplit(t.entries[i].id);
    t.any_split |= t.split[i] != 0;
  }
  t.of_row.resize(rows_);
  uint32_t at = 0;
  for (uint32_t row = 0; row < rows_; ++row) {
    uint32_t ordinal = static_cast<uint32_t>(trace_of[row]);
    if (t.ordinals[at] != ordinal)
      at =
          static_cast<uint32_t>(std::ranges::lower_bound(t.ordinals, ordinal) - t.ordinals.begin());
    t.of_row[row] = at;
  }
  has_traces_ = true;
  return &traces_;
}

Result<Scalar> GroupColumns::DictionaryValue(const traceql::Field& field, block::ColumnRef column,
                                             uint32_t id) {
  auto [entry, is_new] = values_.try_emplace(uint64_t{column.index} << 32 | id);
  if (is_new) {
    WEFT_ASSIGN(auto dictionary, segment_.spans().OpenDictionary(column));
    WEFT_ASSIGN(Value value, dictionary->Get(id, &arena_));
    entry->second = FieldScalar(field, value);
  }
  return entry->second;
}

// Fills what is still nil.
Status GroupColumns::AppendValues(const traceql::Field& field, AttributeScope scope,
                                  std::string_view key, std::vector<Scalar>* out) {
  for (block::ColumnRef column : segment_.spans().FindColumns(scope, key)) {
    if (column.type == ValueType::kEmpty) continue;
    WEFT_ASSIGN(std::span<const uint32_t> ids, Ids(column));
    for (uint32_t i = 0; i < rows_; ++i) {
      if (ids[i] == block::kAbsent || (*out)[i].kind != Scalar::Kind::kNil) continue;
      WEFT_ASSIGN((*out)[i], DictionaryValue(field, column, ids[i]));
    }
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
      for (const block::TraceEntry& entry : found->entries)
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

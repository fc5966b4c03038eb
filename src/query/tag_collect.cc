// SPDX-License-Identifier: Apache-2.0
#include "query/tag_collect.h"

#include <algorithm>
#include <tuple>

#include "query/group_columns.h"
#include "query/value_text.h"
#include "traceql/vocabulary.h"

namespace weft::query {
namespace {

using segment::AttributeScope;
using segment::ColumnRef;
using segment::kAbsent;
using segment::TableId;
using traceql::Intrinsic;

// What a set entry costs beside its text.
constexpr uint64_t kEntryBytes = 96;
// How many dictionary entries are read between two looks at the budget.
constexpr uint32_t kValuesPerCheck = 4096;

std::string_view EnumWordOf(traceql::Type type, int64_t number) {
  for (const traceql::EnumWord& word : traceql::EnumWords())
    if (word.type == type && word.number == number) return word.word;
  return {};
}

// Log records of these spans.
template <class Take>
void ForEachLog(const SpanBatch& batch, const std::vector<uint32_t>& spans, const Take& take) {
  if (batch.logs.empty()) return;
  std::set<SpanId> ids;
  for (uint32_t span : spans) ids.insert(batch.spans[span].span_id);
  for (const LogRecord& log : batch.logs)
    if (ids.contains(log.span_id)) take(log);
}

// Calls `take` with every attribute list of this scope that belongs to the spans.
template <class Take>
void ForEachList(const SpanBatch& batch, const std::vector<uint32_t>& spans, AttributeScope scope,
                 const Take& take) {
  if (scope == AttributeScope::kLog)
    return ForEachLog(batch, spans, [&](const LogRecord& log) { take(log.attributes); });
  for (uint32_t index : spans) {
    const Span& span = batch.spans[index];
    if (scope == AttributeScope::kSpan) take(span.attributes);
    if (scope == AttributeScope::kResource) take(batch.resources[span.resource].attributes);
    if (scope == AttributeScope::kInstrumentation) take(batch.scopes[span.scope].attributes);
    if (scope == AttributeScope::kEvent)
      for (const Event& event : span.events) take(event.attributes);
    if (scope == AttributeScope::kLink)
      for (const Link& link : span.links) take(link.attributes);
  }
}

// Whether a row that counts has a value of this type in this column.
Result<bool> Occurs(const segment::Table& table, TableId table_id, const segment::ColumnName& name,
                    const TagRows& rows, const BudgetMeter& meter, uint64_t bytes) {
  std::vector<ColumnRef> columns = table.FindColumns(name.scope, name.key);
  auto found = std::ranges::find(columns, name.type, &ColumnRef::type);
  if (found == columns.end()) return false;
  std::vector<uint8_t> selected;
  std::vector<uint32_t> ids;
  for (uint32_t group = 0; group < table.group_count(); ++group) {
    WEFT_ASSIGN(bool any, rows.Select(table_id, group, &selected));
    if (!any) continue;
    WEFT_TRY(meter.Check(bytes));
    ids.resize(selected.size());
    WEFT_TRY(table.ReadIds(*found, group, ids));
    for (size_t i = 0; i < ids.size(); ++i)
      if (selected[i] && ids[i] != kAbsent) return true;
  }
  return false;
}

}  // namespace

// ---------------------------------------------------------------- names

void NameCollector::Add(size_t scope, std::string_view key) {
  auto& names = names_[scope];
  if (names.size() >= limit_ && key > *names.rbegin()) {
    truncated_ = true;
    return;
  }
  if (!names.emplace(key).second) return;
  bytes_ += kEntryBytes + key.size();
  while (names.size() > limit_ || (bytes_ > kTagBytesMax && names.size() > 1)) {
    bytes_ -= kEntryBytes + names.rbegin()->size();
    names.erase(std::prev(names.end()));
    truncated_ = true;
  }
}

Status NameCollector::TakeSegment(const segment::Segment& segment, const TagRows& rows,
                                  const BudgetMeter& meter) {
  for (size_t s = 0; s < kTagScopes.size(); ++s) {
    const TagScope& scope = kTagScopes[s];
    if (!wanted_.empty() && wanted_ != scope.name) continue;
    const segment::Table& table = segment.table(scope.table);
    WEFT_TRY(meter.Check(bytes_));
    for (const segment::ColumnName& column : table.columns()) {
      if (column.scope != scope.scope || column.type == ValueType::kEmpty ||
          names_[s].contains(column.key))
        continue;
      if (!rows.every()) {
        WEFT_ASSIGN(bool occurs, Occurs(table, scope.table, column, rows, meter, bytes_));
        if (!occurs) continue;
      }
      Add(s, column.key);
    }
  }
  return {};
}

void NameCollector::TakeSpans(const SpanBatch& batch, const std::vector<uint32_t>& spans) {
  for (size_t s = 0; s < kTagScopes.size(); ++s) {
    if (!wanted_.empty() && wanted_ != kTagScopes[s].name) continue;
    ForEachList(batch, spans, kTagScopes[s].scope, [&](Attributes attributes) {
      for (const KeyValue& entry : attributes)
        if (entry.value.type != ValueType::kEmpty) Add(s, entry.key);
    });
  }
}

std::vector<TagName> NameCollector::Finish() {
  std::vector<TagName> out;
  for (size_t s = 0; s < kTagScopes.size(); ++s)
    for (const std::string& key : names_[s]) out.push_back({std::string(kTagScopes[s].name), key});
  return out;
}

// ---------------------------------------------------------------- values

bool operator<(const TagValue& a, const TagValue& b) {
  auto is_text = [](const TagValue& value) {
    return value.type != ValueType::kInt && value.type != ValueType::kDouble;
  };
  return std::tuple(is_text(a), a.number, std::string_view(a.text), a.type, a.keyword) <
         std::tuple(is_text(b), b.number, std::string_view(b.text), b.type, b.keyword);
}

ValueCollector ValueCollector::OfAttribute(const TagName& tag, uint32_t limit) {
  ValueCollector out(limit);
  for (const TagScope& scope : kTagScopes) {
    bool own = tag.scope.empty() ? scope.scope == AttributeScope::kSpan ||
                                       scope.scope == AttributeScope::kResource
               : tag.scope == kAnyPlace ? scope.scope != AttributeScope::kLog
                                        : scope.name == tag.scope;
    if (own) out.places_.push_back({scope.table, scope.scope, tag.key});
  }
  return out;
}

ValueCollector ValueCollector::OfIntrinsic(Intrinsic intrinsic, uint32_t limit) {
  ValueCollector out(limit);
  out.intrinsic_ = intrinsic;
  TableId table = intrinsic == Intrinsic::kEventName ? TableId::kEvents : TableId::kSpans;
  std::string_view column = intrinsic == Intrinsic::kEventName     ? "name"
                            : intrinsic == Intrinsic::kRootName    ? "name"
                            : intrinsic == Intrinsic::kRootService ? "serviceName"
                                                                   : IntrinsicColumn(intrinsic);
  if (!column.empty())
    out.places_.push_back({table, AttributeScope::kIntrinsic, std::string(column)});
  return out;
}

void ValueCollector::Add(const Value& value) {
  if (value.type == ValueType::kEmpty) return;
  if (value.type == ValueType::kArray) {
    for (const Value& item : value.array()) {
      // An array in an array is equal to nothing.
      if (item.type != ValueType::kArray) Add(item);
    }
    return;
  }
  TagValue out{.type = value.type};
  if (value.type == ValueType::kInt) out.number = static_cast<double>(value.integer);
  // A number that is none has no place in the order.
  if (value.type == ValueType::kDouble && value.real == value.real) out.number = value.real;
  traceql::Type words = traceql::IntrinsicType(intrinsic_);
  if (words == traceql::Type::kStatus || words == traceql::Type::kKind) {
    out.text = EnumWordOf(words, value.integer);
    out.keyword = !out.text.empty();
  }
  if (out.keyword) out.type = ValueType::kString, out.number = 0;
  if (!out.keyword) out.text = ValueText(value);
  if (values_.size() >= limit_ && *values_.rbegin() < out) {
    truncated_ = true;
    return;
  }
  uint64_t size = kEntryBytes + out.text.size();
  if (!values_.insert(std::move(out)).second) return;
  bytes_ += size;
  while (values_.size() > limit_ || (bytes_ > kTagBytesMax && values_.size() > 1)) {
    bytes_ -= kEntryBytes + values_.rbegin()->text.size();
    values_.erase(std::prev(values_.end()));
    truncated_ = true;
  }
}

Status ValueCollector::TakeSegment(const segment::Segment& segment, const TagRows& rows,
                                   const BudgetMeter& meter) {
  for (const Place& place : places_) {
    const segment::Table& table = segment.table(place.table);
    for (ColumnRef column : table.FindColumns(place.scope, place.key))
      WEFT_TRY(TakeColumn(table, place.table, column, rows, meter));
  }
  return {};
}

Status ValueCollector::TakeColumn(const segment::Table& table, TableId table_id, ColumnRef column,
                                  const TagRows& rows, const BudgetMeter& meter) {
  WEFT_ASSIGN(auto dictionary, table.OpenDictionary(column));
  std::vector<bool> used;
  if (!rows.every()) {
    used.resize(dictionary->count());
    std::vector<uint8_t> selected;
    std::vector<uint32_t> ids;
    for (uint32_t group = 0; group < table.group_count(); ++group) {
      WEFT_ASSIGN(bool any, rows.Select(table_id, group, &selected));
      if (!any) continue;
      WEFT_TRY(meter.Check(bytes_ + used.size() / 8));
      ids.resize(selected.size());
      WEFT_TRY(table.ReadIds(column, group, ids));
      for (size_t i = 0; i < ids.size(); ++i)
        if (selected[i] && ids[i] < used.size()) used[ids[i]] = true;
    }
  }
  Status budget = meter.Check(bytes_);
  WEFT_TRY(dictionary->ForEach([&](uint32_t id, const Value& value) {
    if (id % kValuesPerCheck == 0 && budget) budget = meter.Check(bytes_);
    if (budget && (rows.every() || (id < used.size() && used[id]))) Add(value);
  }));
  return budget;
}

void ValueCollector::TakeSpans(const SpanBatch& batch, const std::vector<uint32_t>& spans) {
  for (const Place& place : places_) {
    if (place.scope == AttributeScope::kIntrinsic) {
      for (uint32_t span : spans) AddIntrinsic(batch, batch.spans[span]);
      continue;
    }
    ForEachList(batch, spans, place.scope, [&](Attributes attributes) {
      if (const Value* value = Find(attributes, place.key)) Add(*value);
    });
  }
}

void ValueCollector::AddIntrinsic(const SpanBatch& batch, const Span& span) {
  auto add_text = [this](std::string_view text) {
    if (!text.empty()) Add(Value::String(text));
  };
  switch (intrinsic_) {
    case Intrinsic::kName:
    case Intrinsic::kRootName:
      return Add(Value::String(span.name));
    case Intrinsic::kRootService:
      return Add(Value::String(ServiceName(batch.resources[span.resource])));
    case Intrinsic::kStatus:
      return Add(Value::Int(static_cast<int64_t>(span.status)));
    case Intrinsic::kKind:
      return Add(Value::Int(static_cast<int64_t>(span.kind)));
    case Intrinsic::kStatusMessage:
      return add_text(span.status_message);
    case Intrinsic::kScopeName:
      return add_text(batch.scopes[span.scope].name);
    case Intrinsic::kScopeVersion:
      return add_text(batch.scopes[span.scope].version);
    case Intrinsic::kTraceState:
      return add_text(span.trace_state);
    case Intrinsic::kEventName:
      for (const Event& event : span.events) Add(Value::String(event.name));
      return;
    default:
      return;
  }
}

std::vector<TagValue> ValueCollector::Finish() { return {values_.begin(), values_.end()}; }

}  // namespace weft::query

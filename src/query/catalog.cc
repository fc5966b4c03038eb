// SPDX-License-Identifier: Apache-2.0
//
// What is in the store: services, operations, the time range. Names come from dictionaries; rows
// are read only to count and to pair names.
#include <algorithm>
#include <map>
#include <set>
#include <unordered_set>

#include "query/budget_meter.h"
#include "query/partial_answer.h"
#include "query/query.h"

namespace weft::query {
namespace {

using segment::AttributeScope;
using segment::ColumnRef;
using segment::kAbsent;

// The single column of a text intrinsic that no span lacks, or nothing in an empty table.
std::optional<ColumnRef> IntrinsicRef(const segment::Table& table, std::string_view name) {
  std::vector<ColumnRef> columns = table.FindColumns(AttributeScope::kIntrinsic, name);
  if (columns.empty()) return std::nullopt;
  return columns[0];
}

// Success where a page is damaged: the others are read first, then it is told.
Status KeepDamage(const Status& status, Status* damage) {
  if (status || !IsDamage(status.error())) return status;
  if (*damage) *damage = status;
  return {};
}

Status CountServices(const segment::Table& spans, const BudgetMeter& meter,
                     std::map<std::string, uint64_t>* counts) {
  auto column = IntrinsicRef(spans, "serviceName");
  if (!column) return {};
  WEFT_ASSIGN(auto dictionary, spans.OpenDictionary(*column));
  std::vector<uint64_t> by_id(dictionary->count());
  std::vector<uint32_t> ids;
  Status damage;
  for (uint32_t g = 0; g < spans.group_count(); ++g) {
    WEFT_TRY(meter.Check(0));
    ids.resize(spans.rows_in_group(g));
    Status read = spans.ReadIds(*column, g, ids);
    WEFT_TRY(KeepDamage(read, &damage));
    for (uint32_t id : ids)
      if (read && id < by_id.size()) ++by_id[id];
  }
  WEFT_TRY(dictionary->ForEach([&](uint32_t id, const Value& value) {
    if (id < by_id.size() && by_id[id] > 0 && value.type == ValueType::kString)
      (*counts)[std::string(value.string())] += by_id[id];
  }));
  return damage;
}

// Groups of rows that have the service, and its id in the segment; nothing where it is not here.
struct ServiceRows {
  uint32_t id = kAbsent;
  std::vector<bool> groups;  // empty: all
};
Result<std::optional<ServiceRows>> FindService(const segment::Table& spans, ColumnRef column,
                                               std::string_view service) {
  ServiceRows rows;
  if (service.empty()) return rows;
  WEFT_ASSIGN(auto dictionary, spans.OpenDictionary(column));
  WEFT_ASSIGN(rows.id, dictionary->Find(Value::String(service)));
  if (rows.id == kAbsent) return std::nullopt;
  WEFT_ASSIGN(rows.groups, spans.GroupsWith(column, rows.id));
  return rows;
}

Status CollectOperations(const segment::Table& spans, std::string_view service,
                         const BudgetMeter& meter, std::set<OperationName>* out) {
  auto service_column = IntrinsicRef(spans, "serviceName");
  auto name_column = IntrinsicRef(spans, "name");
  auto kind_column = IntrinsicRef(spans, "kind");
  if (!service_column || !name_column || !kind_column) return {};
  WEFT_ASSIGN(std::optional<ServiceRows> wanted, FindService(spans, *service_column, service));
  if (!wanted) return {};
  std::unordered_set<uint64_t> pairs;  // name id << 32 | kind id
  std::vector<uint32_t> services, names, kinds;
  Status damage;
  for (uint32_t g = 0; g < spans.group_count(); ++g) {
    if (!wanted->groups.empty() && !wanted->groups[g]) continue;
    WEFT_TRY(meter.Check(pairs.size() * 3 * sizeof(uint64_t)));
    for (auto* ids : {&services, &names, &kinds}) ids->resize(spans.rows_in_group(g));
    auto read = [&]() -> Status {
      WEFT_TRY(spans.ReadIds(*service_column, g, services));
      WEFT_TRY(spans.ReadIds(*name_column, g, names));
      return spans.ReadIds(*kind_column, g, kinds);
    };
    const Status status = read();
    WEFT_TRY(KeepDamage(status, &damage));
    if (!status) continue;
    uint64_t last = UINT64_MAX;
    for (size_t i = 0; i < names.size(); ++i) {
      uint64_t pair = uint64_t{names[i]} << 32 | kinds[i];
      if (pair == last || (wanted->id != kAbsent && services[i] != wanted->id)) continue;
      last = pair;
      pairs.insert(pair);
    }
  }
  WEFT_ASSIGN(auto name_values, spans.OpenDictionary(*name_column));
  WEFT_ASSIGN(auto kind_values, spans.OpenDictionary(*kind_column));
  for (uint64_t pair : pairs) {
    Arena arena(256);
    WEFT_ASSIGN(Value name, name_values->Get(static_cast<uint32_t>(pair >> 32), &arena));
    WEFT_ASSIGN(Value kind, kind_values->Get(static_cast<uint32_t>(pair), &arena));
    if (name.type != ValueType::kString) continue;
    out->insert({std::string(name.string()), static_cast<SpanKind>(kind.integer)});
  }
  return damage;
}

// Runs `take` over every segment that can be read.
template <typename Take>
Status ForEachReadable(const store::Snapshot& snapshot, std::string* partial, Take take) {
  std::string why;
  bool damaged = false;
  NoteUnreadable(snapshot, &why, &damaged);
  for (const auto& segment : snapshot.segments())
    WEFT_TRY(ExcuseDamage(take(segment->spans()), &why, &damaged));
  if (partial != nullptr) *partial = std::move(why);
  return {};
}

}  // namespace

Result<std::vector<ServiceCount>> ListServices(const store::Snapshot& snapshot,
                                               const Budget& budget, std::string* partial) {
  BudgetMeter meter(budget);
  std::map<std::string, uint64_t> counts;
  WEFT_TRY(ForEachReadable(snapshot, partial, [&](const segment::Table& spans) {
    return CountServices(spans, meter, &counts);
  }));
  std::vector<ServiceCount> out;
  for (auto& [service, spans] : counts) out.push_back({service, spans});
  return out;
}

Result<std::vector<OperationName>> ListOperations(const store::Snapshot& snapshot,
                                                  std::string_view service, const Budget& budget,
                                                  std::string* partial) {
  BudgetMeter meter(budget);
  std::set<OperationName> names;
  WEFT_TRY(ForEachReadable(snapshot, partial, [&](const segment::Table& spans) {
    return CollectOperations(spans, service, meter, &names);
  }));
  return std::vector<OperationName>(names.begin(), names.end());
}

namespace {

// The smallest start of the segment's spans that is a time; only groups with spans that have none
// are read. Nothing where no span has one; a group that cannot be read is left out.
std::optional<uint64_t> FirstTime(const segment::Segment& segment) {
  const segment::Table& spans = segment.spans();
  std::optional<uint64_t> first;
  std::vector<uint64_t> starts;
  for (uint32_t group = 0; group < spans.group_count(); ++group) {
    const auto [earliest, latest] = spans.TimeRange(group);
    if (latest == 0 || (first && earliest >= *first)) continue;
    if (earliest != 0) {
      first = earliest;
      continue;
    }
    starts.resize(spans.rows_in_group(group));
    if (!spans.ReadNumbers(segment::FixedColumn::kStart, group, starts)) continue;
    for (uint64_t start : starts)
      if (start != 0 && (!first || start < *first)) first = start;
  }
  return first;
}

}  // namespace

std::optional<std::pair<uint64_t, uint64_t>> DataRange(const store::Snapshot& snapshot) {
  std::optional<std::pair<uint64_t, uint64_t>> out;
  bool any = false;
  for (const auto& segment : snapshot.segments()) {
    if (segment->spans().row_count() == 0) continue;
    any = true;
    auto [first, last] = segment->time_range();
    if (first == 0) {
      const std::optional<uint64_t> time = FirstTime(*segment);
      if (!time) continue;
      first = *time;
    }
    if (!out) out = {first, last};
    out->first = std::min(out->first, first);
    out->second = std::max(out->second, last);
  }
  if (!out && any) out = {0, 0};
  return out;
}

}  // namespace weft::query

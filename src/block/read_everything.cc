// SPDX-License-Identifier: Apache-2.0
#include "block/read_everything.h"

#include <algorithm>
#include <set>

namespace weft::block {

using segment::Segment;
using segment::TableId;

namespace {

// What a small damaged file may claim to have; more of the same is not more coverage.
constexpr uint32_t kGroupsMax = 4;
constexpr uint32_t kValuesMax = 64;
constexpr uint32_t kTracesMax = 64;

class Reading {
 public:
  explicit Reading(const Segment& segment) : segment_(segment) {}

  Status Run() {
    for (TableId id : {TableId::kSpans, TableId::kEvents, TableId::kLinks, TableId::kLogs})
      ReadTable(segment_.table(id));
    ReadTraces();
    ReadRows();
    return status_;
  }

 private:
  void Note(const auto& result) {
    if (!result && status_.has_value()) status_ = Fail(result.error());
  }
  void ReadTable(const segment::Table& table) {
    const uint32_t groups = std::min(kGroupsMax, table.group_count());
    std::set<std::pair<segment::AttributeScope, std::string_view>> keys;
    for (const segment::ColumnName& name : table.columns()) keys.insert({name.scope, name.key});
    for (const auto& [scope, key] : keys)
      for (segment::ColumnRef column : table.FindColumns(scope, key))
        ReadColumn(table, column, groups);
    for (uint8_t column = 0; column < 24; ++column) {
      for (uint32_t group = 0; group < groups; ++group) {
        std::vector<uint64_t> numbers(table.rows_in_group(group));
        Status status = table.ReadNumbers(segment::FixedColumn{column}, group, numbers);
        if (!status && status.error().code != ErrorCode::kInvalidArgument) Note(status);
      }
    }
  }
  void ReadColumn(const segment::Table& table, segment::ColumnRef column, uint32_t groups) {
    for (uint32_t group = 0; group < groups; ++group) {
      std::vector<uint32_t> ids(table.rows_in_group(group));
      Note(table.ReadIds(column, group, ids));
    }
    auto dictionary = table.OpenDictionary(column);
    if (!dictionary) return Note(dictionary);
    Note((*dictionary)->ForEach([](uint32_t, const Value&) {}));
    for (uint32_t id = 0; id < std::min(kValuesMax, (*dictionary)->count()); ++id) {
      Arena arena;
      auto value = (*dictionary)->Get(id, &arena);
      Note(value);
      if (value) Note((*dictionary)->Find(*value));
      Note(table.GroupsWith(column, id));
    }
  }
  void ReadTraces() {
    std::vector<segment::TraceEntry> traces(std::min(kTracesMax, segment_.trace_count()));
    Note(segment_.ReadTraces(0, traces));
    for (const segment::TraceEntry& trace : traces) Note(segment_.FindTrace(trace.id));
  }
  void ReadRows() {
    std::vector<segment::Row> rows;
    for (segment::Row row = 0;
         row < std::min(2 * segment::RowGroups::kRowsMax, segment_.spans().row_count()); ++row)
      rows.push_back(row);
    SpanBatch spans;
    Note(segment_.ReadSpans(rows, &spans));
    const uint32_t logs = segment_.table(TableId::kLogs).row_count();
    if (rows.size() > logs) rows.resize(logs);
    SpanBatch records;
    Note(segment_.ReadLogs(rows, &records));
  }

  const Segment& segment_;
  Status status_;
};

}  // namespace

Status ReadEverything(const Segment& segment) { return Reading(segment).Run(); }

}  // namespace weft::block

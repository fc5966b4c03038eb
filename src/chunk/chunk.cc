// SPDX-License-Identifier: Apache-2.0
#include "chunk/chunk.h"

#include <algorithm>

#include "base/check.h"
#include "chunk/chunk_columns.h"
#include "chunk/chunk_rows.h"
#include "segment/composed_table.h"
#include "segment/materialize.h"

namespace weft::chunk {

using segment::ColumnSource;
using segment::FixedColumn;
using segment::Row;
using segment::StoredTable;
using segment::TableId;

namespace {

class ChunkTable : public segment::ComposedTable {
 public:
  ChunkTable(const ChunkRows* rows, TableId id, const ColumnSource* own,
             const ColumnSource* resources, const ColumnSource* scopes)
      : segment::ComposedTable(own, resources, scopes), rows_(rows), id_(id) {
    for (uint32_t group = 0; group < group_count(); ++group) AddTimeRange(group);
  }

  Status ReadNumbers(FixedColumn column, uint32_t group, std::span<uint64_t> out) const override {
    if (group >= group_count() || out.size() != rows_in_group(group))
      return Fail(ErrorCode::kInvalidArgument, "no such row group");
    switch (id_) {
      case TableId::kSpans:
        return SpanNumbersOf(column, groups().first_row(group), out);
      case TableId::kEvents:
        return EventNumbersOf(column, groups().first_row(group), out);
      case TableId::kLinks:
        return LinkNumbersOf(column, groups().first_row(group), out);
      case TableId::kLogs:
        return LogNumbersOf(column, groups().first_row(group), out);
    }
    return Unknown();
  }
  std::pair<uint64_t, uint64_t> TimeRange(uint32_t group) const override {
    return group < times_.size() ? times_[group] : std::pair<uint64_t, uint64_t>{};
  }

 private:
  static Status Unknown() {
    return Fail(ErrorCode::kInvalidArgument, "this table has no such number");
  }
  template <class Get>
  static Status Fill(std::span<uint64_t> out, Get get) {
    for (size_t i = 0; i < out.size(); ++i) out[i] = get(i);
    return {};
  }
  static uint64_t IdNumber(const SpanId& id) {
    uint64_t number;
    std::memcpy(&number, id.bytes.data(), sizeof number);
    return number;
  }
  Status SpanNumbersOf(FixedColumn column, Row first, std::span<uint64_t> out) const {
    switch (column) {
      case FixedColumn::kStart:
        return Fill(out, [&](size_t i) { return rows_->start_ns[first + i]; });
      case FixedColumn::kEnd:
        return Fill(out, [&](size_t i) { return rows_->end_ns[first + i]; });
      case FixedColumn::kSpanId:
        return Fill(out, [&](size_t i) { return IdNumber(rows_->span_id[first + i]); });
      case FixedColumn::kParentSpanId:
        return Fill(out, [&](size_t i) { return IdNumber(rows_->parent_span_id[first + i]); });
      case FixedColumn::kTrace:
        return Fill(out, [&](size_t i) { return rows_->span_trace[first + i]; });
      default:
        return Unknown();
    }
  }
  Status EventNumbersOf(FixedColumn column, Row first, std::span<uint64_t> out) const {
    switch (column) {
      case FixedColumn::kParentRow:
        return Fill(out, [&](size_t i) { return rows_->event_span[first + i]; });
      case FixedColumn::kTime:
        return Fill(out, [&](size_t i) { return rows_->event_ns[first + i]; });
      default:
        return Unknown();
    }
  }
  Status LinkNumbersOf(FixedColumn column, Row first, std::span<uint64_t> out) const {
    switch (column) {
      case FixedColumn::kParentRow:
        return Fill(out, [&](size_t i) { return rows_->link_span[first + i]; });
      case FixedColumn::kLinkedSpanId:
        return Fill(out, [&](size_t i) { return IdNumber(rows_->links[first + i].span_id); });
      default:
        return Unknown();
    }
  }
  Status LogNumbersOf(FixedColumn column, Row first, std::span<uint64_t> out) const {
    switch (column) {
      case FixedColumn::kParentRow:
        return Fill(out, [&](size_t i) { return rows_->log_span[first + i]; });
      case FixedColumn::kTime:
        return Fill(out, [&](size_t i) { return rows_->logs[first + i].time_ns; });
      case FixedColumn::kObservedTime:
        return Fill(out, [&](size_t i) { return rows_->logs[first + i].observed_ns; });
      case FixedColumn::kSpanId:
        return Fill(out, [&](size_t i) { return IdNumber(rows_->logs[first + i].span_id); });
      case FixedColumn::kTrace:
        return Fill(out, [&](size_t i) { return rows_->logs[first + i].trace; });
      default:
        return Unknown();
    }
  }
  // Links have no time of their own: theirs is their spans' start.
  void AddTimeRange(uint32_t group) {
    uint64_t low = UINT64_MAX, high = 0;
    for (Row row = groups().first_row(group), i = 0; i < rows_in_group(group); ++i, ++row) {
      uint64_t time = id_ == TableId::kSpans    ? rows_->start_ns[row]
                      : id_ == TableId::kEvents ? rows_->event_ns[row]
                      : id_ == TableId::kLogs   ? rows_->logs[row].time_ns
                                                : rows_->start_ns[rows_->link_span[row]];
      low = std::min(low, time);
      high = std::max(high, time);
    }
    times_.push_back({low, high});
  }

  const ChunkRows* rows_;
  TableId id_;
  std::vector<std::pair<uint64_t, uint64_t>> times_;
};

}  // namespace

struct Chunk::Impl {
  ChunkRows rows;
  bool sealed = false;
  std::vector<std::unique_ptr<ChunkColumns>> columns;  // by StoredTable; made by Seal()
  std::vector<std::unique_ptr<ChunkTable>> tables;     // by TableId
};

Chunk::Chunk() : impl_(std::make_unique<Impl>()) {}
Chunk::~Chunk() = default;

void Chunk::Append(const SpanBatch& batch) {
  WEFT_CHECK(!impl_->sealed);
  impl_->rows.Append(batch);
}

ChunkMark Chunk::mark() const { return impl_->rows.mark(); }

void Chunk::Truncate(const ChunkMark& mark) {
  WEFT_CHECK(!impl_->sealed);
  impl_->rows.Truncate(mark);
}

Status Chunk::AppendChunk(const Chunk& other) {
  WEFT_CHECK(!impl_->sealed && other.impl_->sealed);
  if (!impl_->rows.of(StoredTable::kSpans).rows.HasRoom(other.impl_->rows.bytes()))
    return Fail(ErrorCode::kResourceExhausted, "chunks are too big to be one");
  impl_->rows.AppendRowsOf(other.impl_->rows);
  return {};
}

void Chunk::Seal() {
  if (impl_->sealed) return;
  impl_->sealed = true;
  impl_->rows.Seal();
  auto& columns = impl_->columns;
  for (uint32_t t = 0; t < segment::kStoredTables; ++t)
    columns.push_back(std::make_unique<ChunkColumns>(&impl_->rows.of(StoredTable{uint8_t(t)})));
  for (TableId id : {TableId::kSpans, TableId::kEvents, TableId::kLinks, TableId::kLogs}) {
    bool composed = id == TableId::kSpans || id == TableId::kLogs;
    impl_->tables.push_back(std::make_unique<ChunkTable>(
        &impl_->rows, id, columns[static_cast<size_t>(id)].get(),
        composed ? columns[static_cast<size_t>(StoredTable::kResources)].get() : nullptr,
        composed ? columns[static_cast<size_t>(StoredTable::kScopes)].get() : nullptr));
  }
}

uint32_t Chunk::span_count() const { return static_cast<uint32_t>(impl_->rows.span_id.size()); }
uint32_t Chunk::log_count() const { return static_cast<uint32_t>(impl_->rows.logs.size()); }

const segment::Table& Chunk::table(TableId id) const {
  WEFT_CHECK(impl_->sealed);
  return *impl_->tables[static_cast<size_t>(id)];
}

uint32_t Chunk::trace_count() const { return static_cast<uint32_t>(impl_->rows.traces.size()); }

Status Chunk::ReadTraces(uint32_t first, std::span<segment::TraceEntry> out) const {
  if (first > trace_count() || out.size() > trace_count() - first)
    return Fail(ErrorCode::kInvalidArgument, "no such trace");
  for (size_t i = 0; i < out.size(); ++i) {
    const ChunkRows::Trace& trace = impl_->rows.traces[first + i];
    bool bare = trace.spans == 0;
    out[i] = {.id = trace.id,
              .rows = trace.spans,
              .start_ns = bare ? trace.log_start_ns : trace.start_ns,
              .end_ns = bare ? trace.log_end_ns : trace.end_ns};
  }
  return {};
}

Result<segment::Segment::TraceRows> Chunk::FindTrace(const TraceId& id) const {
  WEFT_CHECK(impl_->sealed);
  TraceRows rows;
  uint32_t trace = impl_->rows.FindTrace(id);
  if (trace == segment::kAbsent) return rows;
  std::ranges::copy(impl_->rows.span_rows(trace), std::back_inserter(rows.spans));
  std::ranges::copy(impl_->rows.log_rows(trace), std::back_inserter(rows.logs));
  return rows;
}

Status Chunk::ReadSpans(std::span<const Row> rows, SpanBatch* out) const {
  return segment::MaterializeSpans(impl_->rows, rows, out);
}
Status Chunk::ReadLogs(std::span<const Row> rows, SpanBatch* out) const {
  return segment::MaterializeLogs(impl_->rows, rows, out);
}

std::pair<uint64_t, uint64_t> Chunk::time_range() const {
  const ChunkRows& rows = impl_->rows;
  if (span_count() > 0) return {rows.start_min_ns, rows.start_max_ns};
  if (log_count() > 0) return {rows.log_min_ns, rows.log_max_ns};
  return {};
}

std::pair<uint64_t, uint64_t> Chunk::received_range() const {
  const ChunkRows& rows = impl_->rows;
  if (rows.received_min_ns > rows.received_max_ns) return {};
  return {rows.received_min_ns, rows.received_max_ns};
}

uint64_t Chunk::distinct_values() const { return segment::DistinctValues(impl_->rows); }

uint64_t Chunk::bytes() const {
  uint64_t total = sizeof(Impl) + impl_->rows.bytes();
  for (const auto& columns : impl_->columns) total += columns->bytes();
  return total;
}

const segment::StoredRows& Chunk::stored_rows() const { return impl_->rows; }

}  // namespace weft::chunk

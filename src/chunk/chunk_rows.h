// SPDX-License-Identifier: Apache-2.0
//
// ChunkRows: the rows of a chunk and their appending: six stored tables, the numbers that are not
// interned (ids, times), and the traces seen.
//
// Thread rule: as Chunk (chunk/chunk.h). Next: chunk/row_builder.h.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "chunk/row_builder.h"
#include "model/span_batch.h"
#include "segment/stored_rows.h"

namespace weft::chunk {

class ChunkRows : public segment::StoredRows {
 public:
  // Times of a trace that has no spans here are its log records' times.
  struct Trace {
    TraceId id;
    uint32_t spans = 0, logs = 0;
    uint64_t start_ns = UINT64_MAX, end_ns = 0;
    uint64_t log_start_ns = UINT64_MAX, log_end_ns = 0;
  };

  ChunkRows();
  void Append(const SpanBatch& batch);
  void AppendRowsOf(const ChunkRows& other);
  ChunkMark mark() const;
  // Drops the rows and values that came after the mark. REQUIRES: it is this one's.
  void Truncate(const ChunkMark& mark);
  // Puts the rows of each trace together. Nothing is appended afterwards.
  void Seal();

  std::unique_ptr<segment::RowCursor> NewCursor(bool sequential) const override;
  uint32_t stored_row_count(segment::StoredTable table) const override {
    return of(table).rows.row_count();
  }
  uint32_t stored_column_count(segment::StoredTable table) const override {
    return of(table).interner.column_count();
  }
  segment::ColumnName stored_column(segment::StoredTable table, uint32_t index) const override {
    return of(table).interner.column(index);
  }
  Result<Value> ReadValue(segment::StoredTable table, uint32_t column, uint32_t id,
                          Arena* arena) const override {
    return of(table).interner.Get(column, id, arena);
  }

  uint32_t value_count(segment::StoredTable table, uint32_t column) const override {
    return of(table).interner.value_count(column);
  }
  std::unique_ptr<segment::ValueCursor> SortedValues(segment::StoredTable table,
                                                     uint32_t column) const override;
  std::vector<uint64_t> ColumnUse(segment::StoredTable table) const override;

  const StoredRowsInMemory& of(segment::StoredTable table) const {
    return tables_[static_cast<size_t>(table)];
  }
  // Ordinal of the trace, or kAbsent.
  uint32_t FindTrace(const TraceId& id) const;
  std::span<const segment::Row> span_rows(uint32_t trace) const {
    return {span_rows_.data() + span_rows_first_[trace], traces[trace].spans};
  }
  std::span<const segment::Row> log_rows(uint32_t trace) const {
    return {log_rows_.data() + log_rows_first_[trace], traces[trace].logs};
  }
  uint64_t bytes() const;

  std::vector<Trace> traces;
  // One a span.
  std::vector<uint32_t> span_trace;
  std::vector<SpanId> span_id, parent_span_id;
  std::vector<uint64_t> start_ns, end_ns;
  std::vector<segment::Row> first_event, first_link;  // one more than spans: the end of the last
  // One an event, a link, a log record.
  std::vector<segment::Row> event_span, link_span;
  std::vector<uint64_t> event_ns;
  std::vector<segment::LinkNumbers> links;
  std::vector<segment::LogNumbers> logs;
  std::vector<segment::Row> log_span;  // made by Seal(): row of the span, or kAbsent

  uint64_t start_min_ns = UINT64_MAX, start_max_ns = 0;
  uint64_t log_min_ns = UINT64_MAX, log_max_ns = 0;
  uint64_t received_min_ns = UINT64_MAX, received_max_ns = 0;

 private:
  // Rows of another source's table in this one's numbers.
  struct Remap;

  StoredRowsInMemory& at(segment::StoredTable table) { return tables_[static_cast<size_t>(table)]; }
  uint32_t InternTrace(const TraceId& id);
  uint32_t AddResource(const Resource& resource);
  uint32_t AddScope(const Scope& scope);
  void AddSpanNumbers(uint32_t trace, const segment::SpanNumbers& numbers);
  void AddLogNumbers(uint32_t trace, segment::LogNumbers numbers);
  void AddSpan(const Span& span, uint32_t resource, uint32_t scope);
  void AddLog(const LogRecord& log, uint32_t resource, uint32_t scope);
  void AppendMapped(const ChunkRows& other, Remap* remap);
  void FindSpansOfLogs();
  bool ComesBefore(segment::Row a, segment::Row b) const;  // of spans of one trace and id
  void CountSpan(uint32_t trace, uint64_t start, uint64_t end);
  void CountLog(const segment::LogNumbers& log);
  void CountTraces();

  StoredRowsInMemory tables_[segment::kStoredTables];
  RowBuilder spans_, events_, links_, logs_, resources_, scopes_;
  segment::HashIndex resource_index_, scope_index_, trace_index_;
  std::vector<uint32_t> batch_resources_, batch_scopes_;  // index in the batch -> row
  std::vector<uint32_t> span_rows_first_, log_rows_first_;
  std::vector<segment::Row> span_rows_, log_rows_;
};

}  // namespace weft::chunk

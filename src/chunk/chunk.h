// SPDX-License-Identifier: Apache-2.0
//
// Chunk: a piece of the head. Spans and log records are appended in arrival order; every text and
// attribute value is interned in per-column dictionaries, so that a row costs a few dozen bytes and
// a flush to a block (block/block_writer.h) maps integers instead of comparing strings.
//
// A row names its layout (the ordered list of columns it has) and stores one dictionary id for each
// slot of the layout, row-major in one flat array.
//
// Life: made by the store, Append()ed to by whoever has it, Seal()ed, then read as a Segment by any
// number of threads, flushed, dropped.
// Thread rule: before Seal() one thread at a time, and ReadSpans() and ReadLogs() alone of what
// reads; after Seal() immutable.
#pragma once

// The room. From a batch to rows, and from rows to what a query reads:
//
//     Append(SpanBatch)
//          |
//     ChunkRows     six tables of rows, ids and times, traces seen      (chunk_rows.h)
//          | a row
//     RowBuilder    its fields, in order                                (row_builder.h)
//          | a value                 | the row's layout and ids
//     Interner      value -> id      segment::RowSet
//          |
//     mark(), Truncate(mark)         back to how far it was             (chunk_mark.h)
//     Seal() -> ChunkColumns         from here on a Segment             (chunk_columns.h)
//
// store/open_chunks.h says who appends when; block/block_writer.h makes a block of chunks.

#include <memory>

#include "chunk/chunk_mark.h"
#include "segment/segment.h"

namespace weft::chunk {

class Chunk : public segment::Segment {
 public:
  Chunk();
  ~Chunk() override;

  // Copies all spans and logs of the batch. REQUIRES: not sealed.
  void Append(const SpanBatch& batch);
  // How far it is filled, and back to there. REQUIRES: not sealed; `mark` is this chunk's.
  ChunkMark mark() const;
  void Truncate(const ChunkMark& mark);
  void Seal();
  // Appends the rows of a sealed chunk, to merge small ones. REQUIRES: this is not sealed.
  Status AppendChunk(const Chunk& other);

  uint32_t span_count() const;
  uint32_t log_count() const;

  const segment::Table& table(segment::TableId id) const override;
  bool has_derived() const override { return false; }
  uint32_t trace_count() const override;
  Status ReadTraces(uint32_t first, std::span<segment::TraceEntry> out) const override;
  Result<TraceRows> FindTrace(const TraceId& id) const override;
  Status ReadSpans(std::span<const segment::Row> rows, SpanBatch* out) const override;
  Status ReadLogs(std::span<const segment::Row> rows, SpanBatch* out) const override;
  std::pair<uint64_t, uint64_t> time_range() const override;
  std::pair<uint64_t, uint64_t> received_range() const override;
  const segment::StoredRows& stored_rows() const override;
  uint64_t distinct_values() const override;
  uint64_t bytes() const override;  // exact enough for the memory budget: arenas and arrays

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weft::chunk

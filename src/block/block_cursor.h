// SPDX-License-Identifier: Apache-2.0
//
// BlockCursor: whole rows of a block. Decodes the part of a row group that is asked for back into
// row-major form; when rows are read about in order it decodes whole groups and keeps a few.
//
// Thread rule: one thread at a time; lives no longer than the block.
#pragma once

#include <array>
#include <list>
#include <memory>
#include <vector>

#include "block/block_columns.h"
#include "block/block_numbers.h"
#include "block/row_set.h"
#include "block/stored_rows.h"

namespace weft::block {

// Rows [first, first + rows.row_count()) of a group, or those at `places` alone.
struct DecodedRows {
  uint32_t group = 0;
  uint32_t first = 0;
  uint64_t layout_base = 0;
  std::vector<uint32_t> places = {};
  RowSet rows;
};

class BlockCursor : public RowCursor {
 public:
  BlockCursor(const BlockFile* file, std::span<const std::unique_ptr<BlockColumns>> columns,
              bool sequential)
      : file_(file), columns_(columns), sequential_(sequential) {}

  Status ReadRows(StoredTable table, std::span<const Row> rows, std::span<RowView> out) override;
  Status ReadSpanNumbers(std::span<const Row> rows, std::span<SpanNumbers> out) override;
  Status ReadEventTimes(std::span<const Row> rows, std::span<uint64_t> out) override;
  Status ReadLinkNumbers(std::span<const Row> rows, std::span<LinkNumbers> out) override;
  Status ReadLogNumbers(std::span<const Row> rows, std::span<LogNumbers> out) override;
  Result<TraceId> ReadTraceId(uint32_t ordinal) override;
  Result<Segment::TraceRows> ReadTraceRows(uint32_t ordinal) override;

 private:
  // Numbers of one group; which ones depends on the table.
  struct DecodedNumbers {
    uint32_t group = 0;
    std::vector<uint64_t> traces, ids, parents, starts, ends, observed;
    std::vector<Row> first_events, first_links;  // one more than rows
    std::vector<TraceId> linked_traces;
  };
  template <class T>
  using Kept = std::list<std::shared_ptr<T>>;

  Result<std::shared_ptr<DecodedRows>> Rows(StoredTable table, uint32_t group, uint32_t first,
                                            uint32_t end);
  Result<std::shared_ptr<DecodedRows>> Decode(StoredTable table, uint32_t group, uint32_t first,
                                              uint32_t end);
  // Rows in no order, of many groups: each group is decoded once, and what is wanted of it is kept.
  Status ReadScattered(StoredTable table, std::span<const Row> rows, std::span<RowView> out);
  Result<std::shared_ptr<DecodedNumbers>> Numbers(StoredTable table, uint32_t group);
  Status DecodeSpanNumbers(uint32_t group, DecodedNumbers* numbers);
  Status DecodeLinkNumbers(uint32_t group, DecodedNumbers* numbers);
  Status DecodeLogNumbers(uint32_t group, DecodedNumbers* numbers);
  Status LoadTracePage(uint32_t page);

  const BlockFile* file_;
  std::span<const std::unique_ptr<BlockColumns>> columns_;
  bool sequential_;
  uint64_t next_layout_base_ = 0;
  std::array<Kept<DecodedRows>, kStoredTables> rows_;
  std::array<std::vector<std::shared_ptr<DecodedRows>>, kStoredTables> in_use_;
  std::array<Kept<DecodedNumbers>, kStoredTables> numbers_;
  uint32_t trace_page_ = kAbsent;
  TraceNumbers trace_numbers_;
  std::vector<TraceId> trace_ids_;
};

}  // namespace weft::block

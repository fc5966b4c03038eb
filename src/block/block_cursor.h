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
#include "segment/row_set.h"
#include "segment/stored_rows.h"

namespace weft::block {

// Rows [first, first + rows.row_count()) of a group, or those at `places` alone.
struct DecodedRows {
  uint32_t group = 0;
  uint32_t first = 0;
  uint64_t layout_base = 0;
  std::vector<uint32_t> places = {};
  segment::RowSet rows;
};

class BlockCursor : public segment::RowCursor {
 public:
  BlockCursor(const BlockFile* file, std::span<const std::unique_ptr<BlockColumns>> columns,
              bool sequential)
      : file_(file), columns_(columns), sequential_(sequential) {}

  Status ReadRows(segment::StoredTable table, std::span<const segment::Row> rows,
                  std::span<segment::RowView> out) override;
  Status ReadSpanNumbers(std::span<const segment::Row> rows,
                         std::span<segment::SpanNumbers> out) override;
  Status ReadEventTimes(std::span<const segment::Row> rows, std::span<uint64_t> out) override;
  Status ReadLinkNumbers(std::span<const segment::Row> rows,
                         std::span<segment::LinkNumbers> out) override;
  Status ReadLogNumbers(std::span<const segment::Row> rows,
                        std::span<segment::LogNumbers> out) override;
  Result<TraceId> ReadTraceId(uint32_t ordinal) override;
  Result<segment::Segment::TraceRows> ReadTraceRows(uint32_t ordinal) override;

 private:
  // Numbers of one group; which ones depends on the table.
  struct DecodedNumbers {
    uint32_t group = 0;
    std::vector<uint64_t> traces, ids, parents, starts, ends, observed;
    std::vector<segment::Row> first_events, first_links;  // one more than rows
    std::vector<TraceId> linked_traces;
  };
  template <class T>
  using Kept = std::list<std::shared_ptr<T>>;

  Result<std::shared_ptr<DecodedRows>> Rows(segment::StoredTable table, uint32_t group,
                                            uint32_t first, uint32_t end);
  Result<std::shared_ptr<DecodedRows>> Decode(segment::StoredTable table, uint32_t group,
                                              uint32_t first, uint32_t end);
  // Rows in no order, of many groups: each group is decoded once, and what is wanted of it is kept.
  Status ReadScattered(segment::StoredTable table, std::span<const segment::Row> rows,
                       std::span<segment::RowView> out);
  Result<std::shared_ptr<DecodedNumbers>> Numbers(segment::StoredTable table, uint32_t group);
  Status DecodeSpanNumbers(uint32_t group, DecodedNumbers* numbers);
  Status DecodeLinkNumbers(uint32_t group, DecodedNumbers* numbers);
  Status DecodeLogNumbers(uint32_t group, DecodedNumbers* numbers);
  Status LoadTracePage(uint32_t page);

  const BlockFile* file_;
  std::span<const std::unique_ptr<BlockColumns>> columns_;
  bool sequential_;
  uint64_t next_layout_base_ = 0;
  std::array<Kept<DecodedRows>, segment::kStoredTables> rows_;
  std::array<std::vector<std::shared_ptr<DecodedRows>>, segment::kStoredTables> in_use_;
  std::array<Kept<DecodedNumbers>, segment::kStoredTables> numbers_;
  uint32_t trace_page_ = segment::kAbsent;
  TraceNumbers trace_numbers_;
  std::vector<TraceId> trace_ids_;
};

}  // namespace weft::block

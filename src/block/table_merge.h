// SPDX-License-Identifier: Apache-2.0
//
// TableMerge: the columns of one stored table of the block being written. Brings the columns of all
// sources together by name, merges their sorted dictionaries into one (written as it is merged),
// and keeps for every source what its dictionary ids become, so that a row is mapped by array
// look-ups.
//
// When there are more columns than a block keeps apart, the rarest share the overflow column, whose
// values carry their key and type.
//
// Thread rule: one thread at a time. Next: block/group_writer.h.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "block/column_writer.h"
#include "segment/stored_rows.h"

namespace weft::block {

class TableMerge {
 public:
  // Merges and writes all dictionaries. `columns_max` counts the overflow column too.
  Status Build(segment::StoredTable table, std::span<const segment::StoredRows* const> sources,
               uint32_t columns_max, FileWriter* file, column::PageSealer* sealer);
  // What rows of a referred table (by source) become. REQUIRES: column is a reference.
  void SetReferences(uint32_t column, uint32_t row_count,
                     const std::vector<std::vector<uint32_t>>& rows);

  // Maps one row of a source. Views live until the next call.
  struct MappedRow {
    std::span<const segment::Slot> slots;
    std::span<const uint32_t> ids;
  };
  Result<MappedRow> Map(uint32_t source, const segment::RowView& row);

  segment::StoredTable table() const { return table_; }
  // Of a slot of the result: the same in whatever order columns appeared first.
  uint32_t Rank(segment::Slot slot) const {
    return segment::Slot::Of(ranks_[slot.column()], slot.repeated()).packed;
  }
  std::vector<ColumnWriter>& columns() { return columns_; }
  uint32_t overflow_column() const { return overflow_; }
  // Entries of section kOverflow, and how many.
  const std::string& overflow_keys() const { return overflow_keys_; }
  uint32_t overflow_key_count() const { return overflow_key_count_; }

 private:
  struct SourceColumn {
    uint32_t column = segment::kAbsent;  // of the result
    std::vector<uint32_t> ids;           // source id -> result id
  };
  struct Member {
    uint32_t source = 0, column = 0;
  };
  struct Merged {
    segment::ColumnName name;
    uint64_t use = 0;
    std::vector<Member> members;
  };
  std::vector<Merged> CollectColumns(std::span<const segment::StoredRows* const> sources);
  void RankColumns(std::span<const Merged> kept);
  Status MergeColumn(const Merged& merged, std::span<const segment::StoredRows* const> sources,
                     FileWriter* file, column::PageSealer* sealer);
  Status MergeOverflow(std::span<const Merged> rare,
                       std::span<const segment::StoredRows* const> sources, FileWriter* file,
                       column::PageSealer* sealer);

  segment::StoredTable table_ = segment::StoredTable::kSpans;
  std::vector<ColumnWriter> columns_;
  std::vector<uint32_t> ranks_;  // by column: its place by name; the overflow column's is the last
  std::vector<std::vector<SourceColumn>> sources_;
  uint32_t overflow_ = segment::kAbsent;
  std::string overflow_keys_;
  uint32_t overflow_key_count_ = 0;
  std::vector<segment::Slot> slots_;
  std::vector<uint32_t> ids_;
};

// A value of the overflow column: key, type, value; equal keys and types lie together in its order.
void AppendOverflowPrefix(std::string_view key, ValueType type, std::string* out);

}  // namespace weft::block

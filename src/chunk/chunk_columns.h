// SPDX-License-Identifier: Apache-2.0
//
// ChunkColumns: one stored table of a sealed chunk, column by column. Rows are row-major, so
// reading a column looks up, for each row's layout, the slot that holds the column.
//
// Thread rule: as Segment. Made by: Chunk::Seal().
#pragma once

#include <vector>

#include "chunk/row_builder.h"
#include "segment/composed_table.h"

namespace weft::chunk {

class ChunkColumns : public segment::ColumnSource {
 public:
  explicit ChunkColumns(const StoredRowsInMemory* table);

  uint32_t row_count() const override { return table_->rows.row_count(); }
  uint32_t column_count() const override { return table_->interner.column_count(); }
  segment::ColumnName column(uint32_t index) const override {
    return table_->interner.column(index);
  }
  uint32_t FindColumn(segment::AttributeScope scope, std::string_view key,
                      ValueType type) const override;
  Result<std::shared_ptr<const segment::Dictionary>> OpenDictionary(uint32_t column) const override;
  Status ReadIds(uint32_t column, uint32_t group, std::span<uint32_t> out) const override;
  // Groups that have the column at all: a chunk keeps no index of values.
  Result<std::vector<bool>> GroupsWith(uint32_t column, uint32_t id) const override;
  uint64_t bytes() const;

 private:
  struct Posting {
    uint32_t layout = 0, slot = 0;
  };
  std::span<const Posting> postings(uint32_t column) const {
    return {postings_.data() + postings_first_[column],
            postings_first_[column + 1] - postings_first_[column]};
  }

  const StoredRowsInMemory* table_;
  // Layouts that have the column, the slot of its first value in each.
  std::vector<Posting> postings_;
  std::vector<uint32_t> postings_first_;  // by column, and the end
};

}  // namespace weft::chunk

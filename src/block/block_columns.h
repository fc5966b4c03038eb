// SPDX-License-Identifier: Apache-2.0
//
// BlockColumns: one stored table of a block, column by column. Keys that share the overflow column
// appear as columns of their own, after the real ones.
//
// Thread rule: as Segment. Next: block/column_page.h.
#pragma once

#include <map>
#include <tuple>
#include <vector>

#include "block/block_file.h"
#include "segment/composed_table.h"

namespace weft::block {

class BlockColumns : public segment::ColumnSource {
 public:
  BlockColumns(const BlockFile* file, segment::StoredTable table);

  uint32_t row_count() const override { return meta_.rows; }
  uint32_t column_count() const override {
    return static_cast<uint32_t>(meta_.columns.size() + meta_.overflow.size());
  }
  segment::ColumnName column(uint32_t index) const override;
  uint32_t FindColumn(segment::AttributeScope scope, std::string_view key,
                      ValueType type) const override;
  Result<std::shared_ptr<const segment::Dictionary>> OpenDictionary(uint32_t column) const override;
  Status ReadIds(uint32_t column, uint32_t group, std::span<uint32_t> out) const override;
  Result<std::vector<bool>> GroupsWith(uint32_t column, uint32_t id) const override;
  // Key of the column's pages in row groups.
  uint32_t PageKey(uint32_t column) const;

  const TableMeta& meta() const { return meta_; }
  uint32_t value_count(uint32_t column) const;
  Result<Value> Get(uint32_t column, uint32_t id, Arena* arena) const;
  // REQUIRES: the ids do not descend.
  Status GetEach(uint32_t column, std::span<const uint32_t> ids, Arena* arena,
                 const segment::Dictionary::VisitValue& visit) const;
  std::unique_ptr<segment::ValueCursor> SortedValues(uint32_t column) const;
  // About how many rows have it.
  uint64_t use(uint32_t column) const;

 private:
  bool IsOverflow(uint32_t column) const { return column >= meta_.columns.size(); }
  const OverflowKey& overflow(uint32_t column) const {
    return meta_.overflow[column - meta_.columns.size()];
  }

  const BlockFile* file_;
  const TableMeta& meta_;
  std::map<std::tuple<segment::AttributeScope, std::string_view, ValueType>, uint32_t> index_;
};

}  // namespace weft::block

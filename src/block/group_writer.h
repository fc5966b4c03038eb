// SPDX-License-Identifier: Apache-2.0
//
// GroupWriter: collects the rows of one stored table and writes a row group whenever it is full.
// In a group, rows with the same layout and the same leading values share a shape. Where all rows
// of a shape have one value in a slot, the value is kept once, with the shape; the other slots are
// streams of dictionary ids, one page a column. docs/format_block.md, section "Row groups".
//
// Thread rule: one thread at a time.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "block/file_writer.h"
#include "block/table_merge.h"
#include "column/page.h"
#include "segment/row_set.h"

namespace weft::block {

class GroupWriter {
 public:
  // `rows_max`: an upper bound of the rows to come, for the resolution of the value index.
  GroupWriter(TableMerge* merge, uint64_t rows_max, segment::RowGroups groups, FileWriter* file,
              column::PageSealer* sealer);

  // Adds numbers in front of the columns' pages when a group is written: called with the group's
  // row count; gives its pages to WritePage() in ascending key order.
  void OnGroup(std::function<void()> write_numbers) { write_numbers_ = std::move(write_numbers); }
  void WritePage(uint32_t key, std::string_view sealed);
  void WriteNumbers(uint32_t key, std::span<const uint64_t> numbers) {
    WritePage(key, sealer_->SealNumbers({}, numbers));
  }

  void Add(std::span<const segment::Slot> slots, std::span<const uint32_t> ids, uint64_t time_ns);
  // True when the next Add() begins a new group and the last one must be written first.
  bool full() const { return rows_.row_count() == groups_.rows(); }
  uint32_t rows_in_group() const { return rows_.row_count(); }
  // Row number of the next row.
  segment::Row row_count() const { return row_count_; }
  segment::Row first_row() const { return row_count_ - rows_.row_count(); }
  // Writes the group. `extra` is stored with its place: numbers that a reader needs before any
  // page.
  void WriteGroup(std::initializer_list<uint64_t> extra);
  void FinishIndexes();
  // The table's part of section kGroups.
  void AppendMeta(std::string* out) const;
  column::PageSealer* sealer() { return sealer_; }

 private:
  struct Shape {
    uint32_t layout = 0;
    uint32_t rows = 0;
    segment::Row first = 0;      // its first row in the group
    uint32_t first_varying = 0;  // its slots' flags in varying_
  };
  bool AssignShapes(size_t identity_first, size_t identity_end, size_t shapes_max);
  void FindShapes();
  void FindVaryingSlots();
  void WriteShapePages();
  void CollectColumns();
  void WriteColumnPages(uint32_t part);

  TableMerge* merge_;
  FileWriter* file_;
  column::PageSealer* sealer_;
  std::function<void()> write_numbers_;
  segment::RowGroups groups_;
  uint32_t groups_per_part_;
  segment::RowSet rows_;
  segment::Row row_count_ = 0;
  uint64_t time_min_ = UINT64_MAX, time_max_ = 0;

  std::vector<Shape> shapes_;
  std::vector<uint64_t> row_shapes_;
  segment::HashIndex shape_index_;
  std::vector<bool> varying_;  // slot by slot, shape by shape

  // One column's page in the making.
  struct ColumnPage {
    std::string head;
    uint64_t entries = 0;
    uint32_t last_shape = 0;
    uint64_t rows = 0;
    std::vector<uint32_t> constants;
    std::vector<uint64_t> ids;
    bool used = false;
  };
  std::vector<ColumnPage> pages_;  // by column
  std::vector<uint32_t> used_;     // columns with a page in this group

  std::string group_pages_;  // key and size of each page of the group
  uint32_t group_page_count_ = 0;
  uint32_t last_key_ = 0;
  std::string meta_;
  uint32_t group_count_ = 0;
};

}  // namespace weft::block

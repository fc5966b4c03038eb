// SPDX-License-Identifier: Apache-2.0
#include "block/group_decoder.h"

#include <algorithm>
#include <unordered_map>

#include "block/block_format.h"
#include "block/block_numbers.h"
#include "block/column_page.h"
#include "column/byte_cursor.h"

namespace weft::block {

using segment::kAbsent;
using segment::RowSet;
using segment::Slot;
using segment::StoredTable;

namespace {

class GroupDecoder {
 public:
  GroupDecoder(const BlockFile& file, StoredTable table, uint32_t group)
      : file_(file), meta_(file.table(table)), group_(group) {}

  // First this, for all rows between which the wanted ones lie.
  Status Begin(uint32_t first, uint32_t end);
  // Then these, for each row from `first` on.
  Status AddRow(uint32_t row, RowSet* out);
  void SkipRow(uint32_t row);

 private:
  // Where the id of a slot comes from.
  struct Source {
    uint32_t constant = kAbsent;  // or the next of the column's stream
    uint32_t column = 0;          // index into columns_
  };
  struct Shape {
    std::vector<Slot> slots;
    std::vector<Source> sources;
    bool used = false;          // by a row that is asked for
    bool overflow = false;      // its columns differ from row to row
    uint32_t layout = kAbsent;  // in the result
    uint32_t rows_before = 0;   // rows of this shape before the first one asked for
  };
  struct Column {
    ColumnPage page;
    size_t next = 0;  // in its stream
  };

  Status ReadShapes();
  Status FindUsed(uint32_t first, uint32_t end);
  Result<uint32_t> LoadColumn(uint32_t column);
  Status BindShape(uint32_t shape);
  void SkipRowsBefore();
  void ResolveOverflow(std::vector<Slot>* slots, std::vector<uint32_t>* ids) const;

  const BlockFile& file_;
  const TableMeta& meta_;
  uint32_t group_;
  std::vector<Shape> shapes_;
  std::vector<uint32_t> row_shapes_;
  std::vector<Column> columns_;
  std::unordered_map<uint32_t, uint32_t> column_index_;  // column -> columns_
  std::vector<uint32_t> ids_;
  std::vector<Slot> slots_;
};

Status GroupDecoder::ReadShapes() {
  WEFT_ASSIGN(BlockFile::Page page, file_.ReadGroupPage(meta_, group_, format::page_key::kShapes));
  if (!page) return file_.Corrupt("row group lacks its shapes");
  column::ByteReader reader(*page);
  const uint64_t count = reader.VarintUpTo(row_shapes_.size());
  for (uint64_t s = 0; s < count && reader.ok(); ++s) {
    Shape& shape = shapes_.emplace_back();
    for (uint64_t left = reader.VarintUpTo(reader.left()); left > 0 && reader.ok(); --left) {
      const Slot slot{static_cast<uint32_t>(reader.VarintUpTo(UINT32_MAX))};
      if (slot.column() >= meta_.columns.size()) return file_.Corrupt("slot of an unknown column");
      shape.slots.push_back(slot);
      shape.overflow = shape.overflow || slot.column() == meta_.overflow_column;
    }
  }
  if (!reader.ok()) return file_.Corrupt("malformed shapes");
  return {};
}

Status GroupDecoder::FindUsed(uint32_t first, uint32_t end) {
  for (uint32_t row = 0; row < end; ++row) {
    if (row_shapes_[row] >= shapes_.size()) return file_.Corrupt("row of an unknown shape");
    Shape& shape = shapes_[row_shapes_[row]];
    if (row < first) {
      ++shape.rows_before;
    } else {
      shape.used = true;
    }
  }
  return {};
}

Result<uint32_t> GroupDecoder::LoadColumn(uint32_t column) {
  auto [at, added] = column_index_.try_emplace(column, columns_.size());
  if (!added) return at->second;
  WEFT_ASSIGN(BlockFile::Page payload,
              file_.ReadGroupPage(meta_, group_, format::page_key::kColumnPage + column));
  if (!payload) return file_.Corrupt("row group lacks a column");
  Column loaded;
  WEFT_ASSIGN(loaded.page, ColumnPage::Decode(*payload, meta_.columns[column].values,
                                              static_cast<uint32_t>(row_shapes_.size())));
  columns_.push_back(std::move(loaded));
  return at->second;
}

// The k-th slot of a column in a shape is the k-th entry of the shape in the column's page.
Status GroupDecoder::BindShape(uint32_t index) {
  Shape& shape = shapes_[index];
  std::unordered_map<uint32_t, size_t> seen;
  for (Slot slot : shape.slots) {
    WEFT_ASSIGN(uint32_t column, LoadColumn(slot.column()));
    const std::vector<ColumnPage::Entry>& entries = columns_[column].page.entries;
    auto [at, added] = seen.try_emplace(column, 0);
    if (added)
      at->second = static_cast<size_t>(
          std::ranges::lower_bound(entries, index, {}, &ColumnPage::Entry::shape) -
          entries.begin());
    const size_t entry = at->second++;
    if (entry >= entries.size() || entries[entry].shape != index)
      return file_.Corrupt("shape and column contradict each other");
    shape.sources.push_back({entries[entry].id, column});
  }
  return {};
}

// Streams hold the ids of earlier rows too, of shapes used or not.
void GroupDecoder::SkipRowsBefore() {
  for (Column& column : columns_)
    for (const ColumnPage::Entry& entry : column.page.entries)
      if (entry.id == kAbsent && entry.shape < shapes_.size())
        column.next += shapes_[entry.shape].rows_before;
}

// Overflow slots become slots of the columns that BlockColumns numbers after the real ones.
void GroupDecoder::ResolveOverflow(std::vector<Slot>* slots, std::vector<uint32_t>* ids) const {
  for (size_t i = 0; i < slots->size(); ++i) {
    if ((*slots)[i].column() != meta_.overflow_column) continue;
    auto after = std::ranges::upper_bound(meta_.overflow, (*ids)[i], {}, &OverflowKey::first_id);
    const size_t key = static_cast<size_t>(after - meta_.overflow.begin()) - 1;
    (*ids)[i] -= meta_.overflow[key].first_id;
    (*slots)[i] =
        Slot::Of(static_cast<uint32_t>(meta_.columns.size() + key), (*slots)[i].repeated());
  }
}

Status GroupDecoder::AddRow(uint32_t row, RowSet* out) {
  Shape& shape = shapes_[row_shapes_[row]];
  ids_.resize(shape.sources.size());
  for (size_t i = 0; i < ids_.size(); ++i) {
    const Source& source = shape.sources[i];
    ids_[i] = source.constant;
    if (source.constant != kAbsent) continue;
    Column& column = columns_[source.column];
    if (column.next >= column.page.stream.size()) return file_.Corrupt("column page is too short");
    ids_[i] = column.page.stream[column.next++];
  }
  if (shape.overflow) {
    slots_ = shape.slots;
    ResolveOverflow(&slots_, &ids_);
    out->Add(out->InternLayout(slots_), ids_);
    return {};
  }
  if (shape.layout == kAbsent) shape.layout = out->InternLayout(shape.slots);
  out->Add(shape.layout, ids_);
  return {};
}

void GroupDecoder::SkipRow(uint32_t row) {
  for (const Source& source : shapes_[row_shapes_[row]].sources)
    if (source.constant == kAbsent) ++columns_[source.column].next;
}

Status GroupDecoder::Begin(uint32_t first, uint32_t end) {
  row_shapes_.resize(meta_.rows_in_group(group_));
  WEFT_TRY(ReadRowShapes(file_, meta_, group_, row_shapes_));
  WEFT_TRY(ReadShapes());
  WEFT_TRY(FindUsed(first, end));
  for (uint32_t s = 0; s < shapes_.size(); ++s)
    if (shapes_[s].used) WEFT_TRY(BindShape(s));
  SkipRowsBefore();
  return {};
}

}  // namespace

Status DecodeGroupRows(const BlockFile& file, StoredTable table, uint32_t group, uint32_t first,
                       uint32_t end, RowSet* out) {
  GroupDecoder decoder(file, table, group);
  WEFT_TRY(decoder.Begin(first, end));
  for (uint32_t row = first; row < end; ++row) WEFT_TRY(decoder.AddRow(row, out));
  return {};
}

Status DecodeGroupRows(const BlockFile& file, StoredTable table, uint32_t group,
                       std::span<const uint32_t> places, RowSet* out) {
  GroupDecoder decoder(file, table, group);
  uint32_t row = places.front();
  WEFT_TRY(decoder.Begin(row, places.back() + 1));
  for (const uint32_t place : places) {
    for (; row < place; ++row) decoder.SkipRow(row);
    WEFT_TRY(decoder.AddRow(row++, out));
  }
  return {};
}

}  // namespace weft::block

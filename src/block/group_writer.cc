// SPDX-License-Identifier: Apache-2.0
#include "block/group_writer.h"

#include <algorithm>

#include "block/block_format.h"
#include "column/byte_cursor.h"
#include "column/numbers.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace weft::block {

using segment::Row;
using segment::Slot;
using segment::StoredTable;

namespace {

// More shapes than this in one group would cost more than the values that they make constant.
constexpr size_t kShapesMax = 512;
// A shape's constant costs a few bytes; with fewer rows the ids themselves are cheaper.
constexpr uint32_t kConstantRowsMin = 3;

// Leading slots that all rows of a table have, as candidates for what a shape has in common: from
// the most that can be shared to the least.
std::span<const std::pair<size_t, size_t>> Identities(StoredTable table) {
  static constexpr std::pair<size_t, size_t> kSpans[] = {{0, 5}, {1, 5}, {2, 5}, {3, 5}};
  static constexpr std::pair<size_t, size_t> kEvents[] = {{0, 1}};
  static constexpr std::pair<size_t, size_t> kLogs[] = {{0, 3}, {1, 3}, {2, 3}};
  switch (table) {
    case StoredTable::kSpans:
      return kSpans;
    case StoredTable::kEvents:
      return kEvents;
    case StoredTable::kLogs:
      return kLogs;
    default:
      return {};
  }
}

}  // namespace

GroupWriter::GroupWriter(TableMerge* merge, uint64_t rows_max, segment::RowGroups groups,
                         FileWriter* file, column::PageSealer* sealer)
    : merge_(merge),
      file_(file),
      sealer_(sealer),
      groups_(groups),
      groups_per_part_(format::GroupsPerPart(groups.count(rows_max))),
      pages_(merge->columns().size()) {}

void GroupWriter::Add(std::span<const Slot> slots, std::span<const uint32_t> ids,
                      uint64_t time_ns) {
  rows_.Add(rows_.InternLayout(slots), ids);
  time_min_ = std::min(time_min_, time_ns);
  time_max_ = std::max(time_max_, time_ns);
  ++row_count_;
}

void GroupWriter::WritePage(uint32_t key, std::string_view sealed) {
  column::ByteWriter writer(&group_pages_);
  writer.Varint(key - last_key_);
  writer.Varint(sealed.size());
  last_key_ = key;
  ++group_page_count_;
  file_->Append(sealed);
}

// Rows with one layout and equal ids in slots [identity_first, identity_end) form a shape.
bool GroupWriter::AssignShapes(size_t identity_first, size_t identity_end, size_t shapes_max) {
  shapes_.clear();
  shape_index_.Clear();
  row_shapes_.resize(rows_.row_count());
  for (Row row = 0; row < rows_.row_count(); ++row) {
    const uint32_t layout = rows_.layout_of(row);
    const std::span<const uint32_t> ids = rows_.ids(row);
    const size_t end = std::min(identity_end, ids.size());
    const std::span<const uint32_t> identity =
        identity_first < end ? ids.subspan(identity_first, end - identity_first)
                             : std::span<const uint32_t>();
    const uint64_t hash = XXH3_64bits_withSeed(identity.data(), identity.size_bytes(), layout);
    uint32_t shape = shape_index_.Find(hash, [&](uint32_t index) {
      return shapes_[index].layout == layout &&
             std::equal(identity.begin(), identity.end(),
                        rows_.ids(shapes_[index].first).begin() +
                            static_cast<ptrdiff_t>(identity.empty() ? 0 : identity_first));
    });
    if (shape == segment::HashIndex::kNone) {
      if (shapes_.size() == shapes_max) return false;
      shape = static_cast<uint32_t>(shapes_.size());
      shapes_.push_back({.layout = layout, .first = row});
      shape_index_.Add(hash, shape);
    }
    ++shapes_[shape].rows;
    row_shapes_[row] = shape;
  }
  return true;
}

void GroupWriter::FindShapes() {
  for (auto [first, end] : Identities(merge_->table()))
    if (AssignShapes(first, end, kShapesMax)) return;
  AssignShapes(0, 0, groups_.rows());
}

void GroupWriter::FindVaryingSlots() {
  uint32_t slots = 0;
  for (Shape& shape : shapes_) {
    shape.first_varying = slots;
    slots += static_cast<uint32_t>(rows_.layout(shape.layout).size());
  }
  varying_.assign(slots, false);
  for (Row row = 0; row < rows_.row_count(); ++row) {
    const Shape& shape = shapes_[row_shapes_[row]];
    const std::span<const uint32_t> ids = rows_.ids(row), first = rows_.ids(shape.first);
    for (size_t i = 0; i < ids.size(); ++i)
      if (ids[i] != first[i]) varying_[shape.first_varying + i] = true;
  }
  for (const Shape& shape : shapes_) {
    if (shape.rows >= kConstantRowsMin) continue;
    for (size_t i = 0; i < rows_.layout(shape.layout).size(); ++i)
      varying_[shape.first_varying + i] = true;
  }
}

void GroupWriter::WriteShapePages() {
  std::string payload;
  column::ByteWriter writer(&payload);
  writer.Varint(shapes_.size());
  for (const Shape& shape : shapes_) {
    std::span<const Slot> slots = rows_.layout(shape.layout);
    writer.Varint(slots.size());
    for (Slot slot : slots) writer.Varint(slot.packed);
  }
  WritePage(format::page_key::kShapes, sealer_->Seal(payload));
  WriteNumbers(format::page_key::kRowShapes, row_shapes_);
}

// For each column an entry for every slot of every shape that is it: the shape (as difference to
// the entry before), and either the constant's id + 1 or 0 for "in the stream", doubled, plus 1
// where the slot repeats a key. Then the ids of the stream in row order.
void GroupWriter::CollectColumns() {
  for (uint32_t s = 0; s < shapes_.size(); ++s) {
    const Shape& shape = shapes_[s];
    const std::span<const Slot> slots = rows_.layout(shape.layout);
    const std::span<const uint32_t> ids = rows_.ids(shape.first);
    for (size_t i = 0; i < slots.size(); ++i) {
      ColumnPage& page = pages_[slots[i].column()];
      if (!page.used) used_.push_back(slots[i].column());
      page.used = true;
      const bool varying = varying_[shape.first_varying + i];
      column::ByteWriter writer(&page.head);
      writer.Varint(s - page.last_shape);
      writer.Varint((varying ? 0 : uint64_t{ids[i]} + 1) << 1 | (slots[i].repeated() ? 1 : 0));
      page.last_shape = s;
      page.rows += shape.rows;
      ++page.entries;
      if (!varying) page.constants.push_back(ids[i]);
    }
  }
  for (Row row = 0; row < rows_.row_count(); ++row) {
    const Shape& shape = shapes_[row_shapes_[row]];
    const std::span<const Slot> slots = rows_.layout(shape.layout);
    const std::span<const uint32_t> ids = rows_.ids(row);
    for (size_t i = 0; i < slots.size(); ++i)
      if (varying_[shape.first_varying + i]) pages_[slots[i].column()].ids.push_back(ids[i]);
  }
}

void GroupWriter::WriteColumnPages(uint32_t part) {
  std::ranges::sort(used_);
  std::string head;
  for (uint32_t column : used_) {
    ColumnPage& page = pages_[column];
    head.clear();
    column::ByteWriter writer(&head);
    writer.Varint(page.entries);
    writer.Bytes(page.head);
    writer.Varint(page.ids.size());
    WritePage(format::page_key::kColumnPage + column, sealer_->SealNumbers(head, page.ids));
    ColumnWriter& of_column = merge_->columns()[column];
    of_column.AddRows(page.rows);
    for (uint32_t id : page.constants) of_column.Occurs(id, part);
    for (uint64_t id : page.ids) of_column.Occurs(static_cast<uint32_t>(id), part);
    page.head.clear();
    page.constants.clear();
    page.ids.clear();
    page.entries = page.rows = page.last_shape = 0;
    page.used = false;
  }
  used_.clear();
}

void GroupWriter::WriteGroup(std::initializer_list<uint64_t> extra) {
  if (rows_.row_count() == 0) return;
  const uint64_t offset = file_->offset();
  FindShapes();
  FindVaryingSlots();
  WriteShapePages();
  if (write_numbers_) write_numbers_();
  CollectColumns();
  WriteColumnPages(group_count_ / groups_per_part_);
  column::ByteWriter writer(&meta_);
  writer.Varint(offset);
  writer.Varint(time_min_);
  writer.Varint(time_max_ - time_min_);
  for (uint64_t number : extra) writer.Varint(number);
  writer.Varint(group_page_count_);
  writer.Bytes(group_pages_);
  ++group_count_;
  group_pages_.clear();
  group_page_count_ = last_key_ = 0;
  rows_.Clear();
  time_min_ = UINT64_MAX;
  time_max_ = 0;
}

void GroupWriter::FinishIndexes() {
  const uint32_t parts = (group_count_ + groups_per_part_ - 1) / groups_per_part_;
  for (ColumnWriter& column : merge_->columns()) column.FinishIndex(parts, file_, sealer_);
}

void GroupWriter::AppendMeta(std::string* out) const {
  column::ByteWriter writer(out);
  writer.Varint(row_count_);
  writer.Varint(groups_per_part_);
  writer.Varint(group_count_);
  writer.Bytes(meta_);
}

}  // namespace weft::block

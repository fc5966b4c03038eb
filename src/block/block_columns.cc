// SPDX-License-Identifier: Apache-2.0
#include "block/block_columns.h"

#include <algorithm>

#include "block/block_dictionary.h"
#include "block/block_format.h"
#include "block/block_numbers.h"
#include "block/column_page.h"
#include "column/value_index.h"

namespace weft::block {

using segment::kAbsent;

BlockColumns::BlockColumns(const BlockFile* file, segment::StoredTable table)
    : segment::ColumnSource(file->table(table).row_groups), file_(file), meta_(file->table(table)) {
  for (uint32_t c = 0; c < column_count(); ++c) {
    const segment::ColumnName name = column(c);
    index_.try_emplace({name.scope, name.key, name.type}, c);
  }
}

segment::ColumnName BlockColumns::column(uint32_t index) const {
  if (IsOverflow(index)) {
    const OverflowKey& key = overflow(index);
    return {key.scope, key.key, key.type};
  }
  const ColumnMeta& column = meta_.columns[index];
  return {column.scope, column.key, column.type};
}

uint32_t BlockColumns::FindColumn(segment::AttributeScope scope, std::string_view key,
                                  ValueType type) const {
  if (scope == segment::kInternal) return kAbsent;
  auto at = index_.find({scope, key, type});
  return at == index_.end() || value_count(at->second) == 0 ? kAbsent : at->second;
}

uint32_t BlockColumns::value_count(uint32_t column) const {
  if (IsOverflow(column)) return overflow(column).end_id - overflow(column).first_id;
  return meta_.columns[column].pages.empty() ? 0 : meta_.columns[column].values;
}

uint64_t BlockColumns::use(uint32_t column) const {
  return IsOverflow(column) ? value_count(column) : meta_.columns[column].rows;
}

Result<std::shared_ptr<const segment::Dictionary>> BlockColumns::OpenDictionary(
    uint32_t column) const {
  if (IsOverflow(column))
    return std::make_shared<BlockDictionary>(file_, &meta_.columns[meta_.overflow_column],
                                             overflow(column));
  return std::make_shared<BlockDictionary>(file_, &meta_.columns[column]);
}

Result<Value> BlockColumns::Get(uint32_t column, uint32_t id, Arena* arena) const {
  Value out;
  WEFT_TRY(GetEach(column, {&id, 1}, arena, [&](size_t, const Value& value) { out = value; }));
  return out;
}

Status BlockColumns::GetEach(uint32_t column, std::span<const uint32_t> ids, Arena* arena,
                             const segment::Dictionary::VisitValue& visit) const {
  if (IsOverflow(column))
    return BlockDictionary(file_, &meta_.columns[meta_.overflow_column], overflow(column))
        .GetEach(ids, arena, visit);
  return BlockDictionary(file_, &meta_.columns[column]).GetEach(ids, arena, visit);
}

std::unique_ptr<segment::ValueCursor> BlockColumns::SortedValues(uint32_t column) const {
  if (IsOverflow(column))
    return NewValueCursor(std::make_shared<BlockDictionary>(
        file_, &meta_.columns[meta_.overflow_column], overflow(column)));
  return NewValueCursor(std::make_shared<BlockDictionary>(file_, &meta_.columns[column]));
}

uint32_t BlockColumns::PageKey(uint32_t column) const {
  return format::page_key::kColumnPage + (IsOverflow(column) ? meta_.overflow_column : column);
}

Status BlockColumns::ReadIds(uint32_t column, uint32_t group, std::span<uint32_t> out) const {
  const uint32_t stored = IsOverflow(column) ? meta_.overflow_column : column;
  WEFT_ASSIGN(BlockFile::Page payload, file_->ReadGroupPage(meta_, group, PageKey(column)));
  if (!payload) {
    std::ranges::fill(out, kAbsent);
    return {};
  }
  WEFT_ASSIGN(ColumnPage page, ColumnPage::Decode(*payload, meta_.columns[stored].values,
                                                  static_cast<uint32_t>(out.size())));
  std::vector<uint32_t> shapes(out.size());
  WEFT_TRY(ReadRowShapes(*file_, meta_, group, shapes));
  if (!IsOverflow(column)) return page.Expand(shapes, out);
  const OverflowKey& key = overflow(column);
  std::ranges::fill(out, kAbsent);
  return page.ForEach(shapes, [&](uint32_t row, uint32_t id, bool repeated) {
    if (!repeated && id >= key.first_id && id < key.end_id) out[row] = id - key.first_id;
  });
}

Result<std::vector<bool>> BlockColumns::GroupsWith(uint32_t column, uint32_t id) const {
  const uint32_t groups = group_count();
  std::vector<bool> with(groups);
  if (IsOverflow(column)) {
    if (id >= value_count(column)) return with;
    id += overflow(column).first_id;
    column = meta_.overflow_column;
  }
  const ColumnMeta& meta = meta_.columns[column];
  if (id >= meta.values) return with;
  uint64_t parts = ~0ull;
  const uint32_t index_page = id / column::kIndexIdsPerPage;
  if (index_page < meta.index.size() && meta.index[index_page].bytes > 0) {
    WEFT_ASSIGN(BlockFile::Page payload, file_->ReadPage(meta.index[index_page], "value index"));
    const uint32_t first = index_page * column::kIndexIdsPerPage;
    WEFT_ASSIGN(parts,
                column::FindInValueIndex(
                    *payload, std::min(column::kIndexIdsPerPage, meta.values - first), id - first));
  }
  for (uint32_t group = 0; group < groups; ++group) {
    const uint32_t part = group / meta_.groups_per_part;
    if (part < column::kIndexParts && (parts >> part & 1) == 0) continue;
    const std::vector<GroupPage>& pages = meta_.groups[group].pages;
    with[group] = std::ranges::binary_search(pages, format::page_key::kColumnPage + column, {},
                                             &GroupPage::key);
  }
  return with;
}

}  // namespace weft::block

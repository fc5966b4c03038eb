// SPDX-License-Identifier: Apache-2.0
#include "chunk/row_builder.h"

#include <algorithm>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace weft::chunk {

using segment::Slot;

StoredRowsInMemory::StoredRowsInMemory(segment::StoredTable stored_table) : id(stored_table) {
  for (const segment::IntrinsicColumn& column : segment::IntrinsicColumns(id))
    interner.InternColumn(column.scope, column.key, column.type);
}

void RowBuilder::Begin() {
  slots_.clear();
  ids_.clear();
  if (++row_number_ == 0) {
    std::ranges::fill(key_rows_, 0);
    row_number_ = 1;
  }
}

void RowBuilder::Number(uint32_t column, uint64_t number) {
  Push(Slot::Of(column), table_->interner.InternNumber(
                             column, segment::NumberKey(Value::Int(static_cast<int64_t>(number)))));
}

void RowBuilder::Text(uint32_t column, std::string_view text) {
  Push(Slot::Of(column), table_->interner.InternBytes(column, text));
}

void RowBuilder::All(Attributes attributes) {
  Interner& interner = table_->interner;
  for (const KeyValue& entry : attributes) {
    uint32_t key = interner.InternKey(scope_, entry.key);
    uint32_t column = interner.ColumnOf(key, entry.value.type);
    if (key >= key_rows_.size()) key_rows_.resize(interner.key_count());
    bool repeated = key_rows_[key] == row_number_;
    key_rows_[key] = row_number_;
    Push(Slot::Of(column, repeated), interner.Intern(column, entry.value));
  }
}

void RowBuilder::Commit() { table_->rows.Add(table_->rows.InternLayout(slots_), ids_); }

uint32_t RowBuilder::CommitDistinct(segment::HashIndex* index) {
  segment::RowSet& rows = table_->rows;
  uint32_t layout = rows.InternLayout(slots_);
  uint64_t hash = XXH3_64bits_withSeed(ids_.data(), ids_.size() * sizeof(uint32_t), layout);
  uint32_t known = index->Find(hash, [&](uint32_t row) {
    return rows.layout_of(row) == layout && std::ranges::equal(rows.ids(row), ids_);
  });
  if (known != segment::HashIndex::kNone) return known;
  rows.Add(layout, ids_);
  uint32_t row = rows.row_count() - 1;
  index->Add(hash, row);
  return row;
}

}  // namespace weft::chunk

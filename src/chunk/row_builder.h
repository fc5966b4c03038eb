// SPDX-License-Identifier: Apache-2.0
//
// RowBuilder: one row of a stored table from its fields: interns the values, keeps the order of the
// attributes and marks the slots of repeated keys.
//
// Thread rule: one thread at a time. Next: chunk/chunk.cc.
#pragma once

#include <string_view>
#include <vector>

#include "chunk/interner.h"
#include "segment/stored_rows.h"

namespace weft::chunk {

// The rows of one stored table in memory, with their dictionaries.
struct StoredRowsInMemory {
  explicit StoredRowsInMemory(segment::StoredTable id);
  segment::StoredTable id;
  segment::RowSet rows;
  Interner interner;
  uint64_t bytes() const { return rows.bytes() + interner.bytes(); }
  StoredRowsMark mark() const { return {rows.row_count(), rows.layout_count(), interner.mark()}; }
  void Truncate(const StoredRowsMark& mark) {
    rows.Truncate(mark.rows, mark.layouts);
    interner.Truncate(mark.values);
  }
};

class RowBuilder {
 public:
  explicit RowBuilder(StoredRowsInMemory* table)
      : table_(table), scope_(segment::AttributeScopeOf(table->id)) {}

  void Begin();
  // A field that is always there. `column` is one of the intrinsic columns.
  void Reference(uint32_t column, uint32_t row) { Push(segment::Slot::Of(column), row); }
  void Number(uint32_t column, uint64_t number);
  void Text(uint32_t column, std::string_view text);
  // A field that is left out where it has its default.
  void NumberUnlessZero(uint32_t column, uint64_t number) {
    if (number != 0) Number(column, number);
  }
  void TextUnlessEmpty(uint32_t column, std::string_view text) {
    if (!text.empty()) Text(column, text);
  }
  void Any(uint32_t column, const Value& value) {
    Push(segment::Slot::Of(column), table_->interner.Intern(column, value));
  }
  void All(Attributes attributes);
  // A slot whose column and id are this table's already.
  void Mapped(segment::Slot slot, uint32_t id) { Push(slot, id); }
  // Adds the row.
  void Commit();
  // Adds the row unless an equal one is there; returns its number.
  uint32_t CommitDistinct(segment::HashIndex* index);

 private:
  void Push(segment::Slot slot, uint32_t id) {
    slots_.push_back(slot);
    ids_.push_back(id);
  }

  StoredRowsInMemory* table_;
  segment::AttributeScope scope_;
  std::vector<segment::Slot> slots_;
  std::vector<uint32_t> ids_;
  std::vector<uint32_t> key_rows_;  // key -> number of the last row that has it, to see repeats
  uint32_t row_number_ = 0;         // from 1: 0 means never seen
};

}  // namespace weft::chunk

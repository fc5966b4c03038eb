// SPDX-License-Identifier: Apache-2.0
//
// Interner: the columns of one table in memory and their dictionaries. A column is (scope, key,
// value type); an id is the rank of first arrival of a distinct value in its column. One hash table
// serves the values of all columns, so that 100,000 columns of one value cost little.
//
// Thread rule: const methods from any thread while nobody writes. Views live as long as it does.
// Next: segment/value_bytes.h (keys), chunk/chunk.h.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "chunk/chunk_mark.h"
#include "segment/row_set.h"
#include "segment/segment.h"
#include "segment/value_bytes.h"

namespace weft::chunk {

class Interner {
 public:
  // Either `number` or `bytes`, by the column's type.
  struct Entry {
    union {
      uint64_t number;
      const char* data;
    };
    uint32_t bytes = 0;
    uint32_t column = 0;
    std::string_view view() const { return {data, bytes}; }
  };

  uint32_t column_count() const { return static_cast<uint32_t>(columns_.size()); }
  segment::ColumnName column(uint32_t index) const;
  uint32_t value_count(uint32_t column) const {
    return static_cast<uint32_t>(columns_[column].entries.size());
  }
  const Entry& entry(uint32_t column, uint32_t id) const {
    return entries_[columns_[column].entries[id]];
  }
  Result<Value> Get(uint32_t column, uint32_t id, Arena* arena) const;

  // Number of the key in its scope, new if need be: the same for all types.
  uint32_t InternKey(segment::AttributeScope scope, std::string_view key);
  uint32_t ColumnOf(uint32_t key, ValueType type) {
    uint32_t column = keys_[key].columns[static_cast<size_t>(type)];
    return column != segment::kAbsent ? column : AddColumn(key, type);
  }
  uint32_t InternColumn(segment::AttributeScope scope, std::string_view key, ValueType type) {
    return ColumnOf(InternKey(scope, key), type);
  }
  // kAbsent when there is none.
  uint32_t FindColumn(segment::AttributeScope scope, std::string_view key, ValueType type) const;
  uint32_t key_count() const { return static_cast<uint32_t>(keys_.size()); }

  uint32_t InternNumber(uint32_t column, uint64_t number);
  uint32_t InternBytes(uint32_t column, std::string_view bytes);
  // REQUIRES: value.type is the column's.
  uint32_t Intern(uint32_t column, const Value& value);
  uint32_t Find(uint32_t column, const Value& value) const;

  // How much is in it. What comes later can be dropped again; the bytes of its texts stay.
  ValuesMark mark() const {
    return {key_count(), column_count(), static_cast<uint32_t>(entries_.size())};
  }
  void Truncate(const ValuesMark& mark);

  uint64_t bytes() const;

 private:
  struct Key {
    std::string_view text;
    segment::AttributeScope scope;
    uint32_t columns[8];  // by value type, or kAbsent
  };
  struct Column {
    uint32_t key = 0;
    ValueType type = ValueType::kEmpty;
    std::vector<uint32_t> entries;  // id -> entries_
  };
  uint32_t AddColumn(uint32_t key, ValueType type);
  uint32_t FindKey(segment::AttributeScope scope, std::string_view key, uint64_t hash) const;
  uint32_t Add(uint64_t hash, const Entry& entry);
  std::string_view Keep(std::string_view bytes) {
    return (first_.reserved_bytes() < kFirstBytes ? first_ : arena_).Copy(bytes);
  }

  // Small blocks to begin with: every snapshot of a busy head leaves a chunk of a few rows.
  static constexpr size_t kFirstBytes = 16 * 1024;
  Arena first_{4 * 1024};
  Arena arena_{64 * 1024};
  std::vector<Key> keys_;
  segment::HashIndex key_index_;
  std::vector<Column> columns_;
  std::vector<Entry> entries_;
  std::vector<uint32_t> entry_ids_;  // entry -> id in its column
  segment::HashIndex entry_index_;
  uint64_t column_bytes_ = 0;  // of Column::entries
  std::string scratch_;
};

}  // namespace weft::chunk

// SPDX-License-Identifier: Apache-2.0
#include "chunk/interner.h"

#include <algorithm>
#include <random>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace weft::chunk {

using segment::AttributeScope;
using segment::HashIndex;
using segment::IsNumber;
using segment::kAbsent;

namespace {

// A peer chooses keys and values; a seed it cannot know keeps it from choosing their collisions.
// Ids depend on arrival only, so results do not depend on the seed.
const uint64_t kSeed = [] {
  std::random_device device;
  return static_cast<uint64_t>(device()) << 32 | device();
}();

uint64_t HashBytes(uint64_t salt, std::string_view bytes) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), kSeed ^ (salt * 0x9E3779B97F4A7C15u));
}
uint64_t HashNumber(uint64_t salt, uint64_t number) {
  uint64_t hash = (number ^ kSeed) * 0xBF58476D1CE4E5B9u + salt * 0x9E3779B97F4A7C15u;
  hash = (hash ^ (hash >> 32)) * 0x94D049BB133111EBu;
  return hash ^ (hash >> 29);
}

}  // namespace

segment::ColumnName Interner::column(uint32_t index) const {
  const Column& column = columns_[index];
  return {keys_[column.key].scope, keys_[column.key].text, column.type};
}

Result<Value> Interner::Get(uint32_t column, uint32_t id, Arena* arena) const {
  if (id >= value_count(column)) return Fail(ErrorCode::kInvalidArgument, "no such dictionary id");
  ValueType type = columns_[column].type;
  const Entry& found = entry(column, id);
  if (IsNumber(type)) return segment::ValueOfNumber(type, found.number);
  return segment::ValueOfBytes(type, arena->Copy(found.view()), arena);
}

uint32_t Interner::FindKey(AttributeScope scope, std::string_view key, uint64_t hash) const {
  return key_index_.Find(hash, [&](uint32_t index) {
    return keys_[index].text == key && keys_[index].scope == scope;
  });
}

uint32_t Interner::InternKey(AttributeScope scope, std::string_view key) {
  uint64_t hash = HashBytes(static_cast<uint64_t>(scope), key);
  uint32_t known = FindKey(scope, key, hash);
  if (known != HashIndex::kNone) return known;
  uint32_t index = key_count();
  Key& added = keys_.emplace_back(Key{Keep(key), scope, {}});
  std::ranges::fill(added.columns, kAbsent);
  key_index_.Add(hash, index);
  return index;
}

uint32_t Interner::AddColumn(uint32_t key, ValueType type) {
  uint32_t index = column_count();
  keys_[key].columns[static_cast<size_t>(type)] = index;
  columns_.push_back({key, type, {}});
  return index;
}

uint32_t Interner::FindColumn(AttributeScope scope, std::string_view key, ValueType type) const {
  uint32_t index = FindKey(scope, key, HashBytes(static_cast<uint64_t>(scope), key));
  return index == HashIndex::kNone ? kAbsent : keys_[index].columns[static_cast<size_t>(type)];
}

uint32_t Interner::Add(uint64_t hash, const Entry& entry) {
  std::vector<uint32_t>& ids = columns_[entry.column].entries;
  uint32_t id = static_cast<uint32_t>(ids.size());
  uint32_t index = static_cast<uint32_t>(entries_.size());
  column_bytes_ -= ids.capacity() * sizeof(uint32_t);
  ids.push_back(index);
  column_bytes_ += ids.capacity() * sizeof(uint32_t);
  entries_.push_back(entry);
  entry_ids_.push_back(id);
  entry_index_.Add(hash, index);
  return id;
}

uint32_t Interner::InternNumber(uint32_t column, uint64_t number) {
  uint64_t hash = HashNumber(column, number);
  uint32_t known = entry_index_.Find(hash, [&](uint32_t index) {
    const Entry& at = entries_[index];
    return at.column == column && at.number == number;
  });
  if (known != HashIndex::kNone) return entry_ids_[known];
  Entry entry;
  entry.number = number;
  entry.column = column;
  return Add(hash, entry);
}

uint32_t Interner::InternBytes(uint32_t column, std::string_view bytes) {
  uint64_t hash = HashBytes(column, bytes);
  uint32_t known = entry_index_.Find(hash, [&](uint32_t index) {
    const Entry& at = entries_[index];
    return at.column == column && at.view() == bytes;
  });
  if (known != HashIndex::kNone) return entry_ids_[known];
  std::string_view kept = Keep(bytes);
  Entry entry;
  entry.data = kept.data();
  entry.bytes = static_cast<uint32_t>(kept.size());
  entry.column = column;
  return Add(hash, entry);
}

uint32_t Interner::Intern(uint32_t column, const Value& value) {
  if (IsNumber(value.type)) return InternNumber(column, segment::NumberKey(value));
  return InternBytes(column, segment::BytesKey(value, &scratch_));
}

uint32_t Interner::Find(uint32_t column, const Value& value) const {
  uint32_t known;
  if (columns_[column].type != value.type) return kAbsent;
  if (IsNumber(value.type)) {
    uint64_t number = segment::NumberKey(value);
    known = entry_index_.Find(HashNumber(column, number), [&](uint32_t index) {
      return entries_[index].column == column && entries_[index].number == number;
    });
  } else {
    std::string scratch;
    std::string_view bytes = segment::BytesKey(value, &scratch);
    known = entry_index_.Find(HashBytes(column, bytes), [&](uint32_t index) {
      return entries_[index].column == column && entries_[index].view() == bytes;
    });
  }
  return known == HashIndex::kNone ? kAbsent : entry_ids_[known];
}

void Interner::Truncate(const ValuesMark& mark) {
  // The last entry is the last one of its column.
  for (size_t i = entries_.size(); i-- > mark.entries;)
    columns_[entries_[i].column].entries.pop_back();
  entries_.erase(entries_.begin() + mark.entries, entries_.end());
  entry_ids_.resize(mark.entries);
  entry_index_.KeepBelow(mark.entries);
  for (size_t i = mark.columns; i < columns_.size(); ++i) {
    const Column& column = columns_[i];
    keys_[column.key].columns[static_cast<size_t>(column.type)] = kAbsent;
    column_bytes_ -= column.entries.capacity() * sizeof(uint32_t);
  }
  columns_.erase(columns_.begin() + mark.columns, columns_.end());
  keys_.erase(keys_.begin() + mark.keys, keys_.end());
  key_index_.KeepBelow(mark.keys);
}

uint64_t Interner::bytes() const {
  return first_.reserved_bytes() + arena_.reserved_bytes() + keys_.capacity() * sizeof(Key) +
         key_index_.bytes() + columns_.capacity() * sizeof(Column) + column_bytes_ +
         entries_.capacity() * sizeof(Entry) + entry_ids_.capacity() * sizeof(uint32_t) +
         entry_index_.bytes();
}

}  // namespace weft::chunk

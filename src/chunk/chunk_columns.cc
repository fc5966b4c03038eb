// SPDX-License-Identifier: Apache-2.0
#include "chunk/chunk_columns.h"

#include <algorithm>

namespace weft::chunk {

using segment::kAbsent;

namespace {

class ChunkDictionary : public segment::Dictionary {
 public:
  ChunkDictionary(const Interner* interner, uint32_t column)
      : interner_(interner), column_(column) {}

  uint32_t count() const override { return interner_->value_count(column_); }
  Status ForEach(const std::function<void(uint32_t, const Value&)>& visit) const override {
    Arena arena;
    ValueType type = interner_->column(column_).type;
    for (uint32_t id = 0; id < count(); ++id) {
      const Interner::Entry& entry = interner_->entry(column_, id);
      if (segment::IsNumber(type)) {
        visit(id, segment::ValueOfNumber(type, entry.number));
      } else {
        WEFT_ASSIGN(Value value, segment::ValueOfBytes(type, entry.view(), &arena));
        visit(id, value);
        if (arena.reserved_bytes() > kScratchBytes) arena.Reset();
      }
    }
    return {};
  }
  Result<uint32_t> Find(const Value& value) const override {
    return interner_->Find(column_, value);
  }
  Status GetEach(std::span<const uint32_t> ids, Arena* arena,
                 const VisitValue& visit) const override {
    for (size_t i = 0; i < ids.size(); ++i) {
      WEFT_ASSIGN(Value value, Get(ids[i], arena));
      visit(i, value);
    }
    return {};
  }
  Result<Value> Get(uint32_t id, Arena* arena) const override {
    return interner_->Get(column_, id, arena);
  }

 private:
  static constexpr size_t kScratchBytes = 1 << 20;
  const Interner* interner_;
  uint32_t column_;
};

}  // namespace

ChunkColumns::ChunkColumns(const StoredRowsInMemory* table) : table_(table) {
  const segment::RowSet& rows = table->rows;
  std::vector<uint32_t> count(column_count() + 1);
  auto for_each = [&](auto visit) {
    for (uint32_t layout = 0; layout < rows.layout_count(); ++layout) {
      std::span<const segment::Slot> slots = rows.layout(layout);
      for (uint32_t s = 0; s < slots.size(); ++s)
        if (!slots[s].repeated()) visit(slots[s].column(), Posting{layout, s});
    }
  };
  for_each([&](uint32_t column, Posting) { ++count[column + 1]; });
  for (uint32_t c = 0; c < column_count(); ++c) count[c + 1] += count[c];
  postings_first_ = count;
  postings_.resize(count.back());
  for_each([&](uint32_t column, Posting posting) { postings_[count[column]++] = posting; });
}

uint32_t ChunkColumns::FindColumn(segment::AttributeScope scope, std::string_view key,
                                  ValueType type) const {
  if (scope == segment::kInternal) return kAbsent;
  uint32_t column = table_->interner.FindColumn(scope, key, type);
  // Intrinsic columns exist from the start; one without rows is as good as absent.
  return column == kAbsent || postings(column).empty() ? kAbsent : column;
}

Result<std::shared_ptr<const segment::Dictionary>> ChunkColumns::OpenDictionary(
    uint32_t column) const {
  return std::make_shared<ChunkDictionary>(&table_->interner, column);
}

Status ChunkColumns::ReadIds(uint32_t column, uint32_t group, std::span<uint32_t> out) const {
  const segment::RowSet& rows = table_->rows;
  std::vector<uint32_t> slot_of(rows.layout_count(), kAbsent);
  for (const Posting& posting : postings(column)) slot_of[posting.layout] = posting.slot;
  segment::Row first = groups().first_row(group);
  for (uint32_t i = 0; i < out.size(); ++i) {
    uint32_t slot = slot_of[rows.layout_of(first + i)];
    out[i] = slot == kAbsent ? kAbsent : rows.ids(first + i)[slot];
  }
  return {};
}

Result<std::vector<bool>> ChunkColumns::GroupsWith(uint32_t column, uint32_t) const {
  return std::vector<bool>(group_count(), !postings(column).empty());
}

uint64_t ChunkColumns::bytes() const {
  return sizeof(*this) + postings_.capacity() * sizeof(Posting) +
         postings_first_.capacity() * sizeof(uint32_t);
}

}  // namespace weft::chunk

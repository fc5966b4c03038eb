// SPDX-License-Identifier: Apache-2.0
#include "segment/row_set.h"

#include <algorithm>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace weft::segment {

void HashIndex::Place(const Cell& cell) {
  size_t i = cell.home & mask_;
  while (cells_[i].index != kNone) i = (i + 1) & mask_;
  cells_[i] = cell;
}

void HashIndex::Grow() {
  std::vector<Cell> old = std::move(cells_);
  cells_.assign(std::max<size_t>(16, old.size() * 2), Cell{});
  mask_ = cells_.size() - 1;
  for (const Cell& cell : old)
    if (cell.index != kNone) Place(cell);
}

// At most three quarters full. Placement uses the low 32 bits, which reach every cell because a
// table of 2^32 cells would hold more rows than a Row can count.
void HashIndex::Add(uint64_t hash, uint32_t index) {
  if ((count_ + 1) * 4 > cells_.size() * 3) Grow();
  Place({index, Tag(hash), static_cast<uint32_t>(hash)});
  ++count_;
}

void HashIndex::Clear() {
  std::ranges::fill(cells_, Cell{});
  count_ = 0;
}

void HashIndex::KeepBelow(uint32_t end) {
  if (count_ <= end) return;
  std::vector<Cell> old(cells_.size());
  old.swap(cells_);
  for (const Cell& cell : old)
    if (cell.index < end) Place(cell);
  count_ = end;
}

uint32_t RowSet::Find(Row row, uint32_t column) const {
  RowView found = view(row);
  for (size_t i = 0; i < found.slots.size(); ++i)
    if (found.slots[i] == Slot::Of(column)) return found.ids[i];
  return kAbsent;
}

uint32_t RowSet::InternLayout(std::span<const Slot> slots) {
  uint64_t hash = XXH3_64bits(slots.data(), slots.size_bytes());
  uint32_t known = layout_index_.Find(
      hash, [&](uint32_t index) { return std::ranges::equal(layout(index), slots); });
  if (known != HashIndex::kNone) return known;
  uint32_t index = layout_count();
  layouts_.push_back({static_cast<uint32_t>(slots_.size()), static_cast<uint32_t>(slots.size())});
  slots_.insert(slots_.end(), slots.begin(), slots.end());
  layout_index_.Add(hash, index);
  return index;
}

void RowSet::Clear() {
  layouts_.clear();
  slots_.clear();
  layout_index_.Clear();
  rows_.clear();
  ids_.clear();
}

void RowSet::Truncate(uint32_t rows, uint32_t layouts) {
  if (rows < rows_.size()) {
    ids_.resize(rows_[rows].first);
    rows_.resize(rows);
  }
  if (layouts < layouts_.size()) {
    slots_.resize(layouts_[layouts].first);
    layouts_.resize(layouts);
    layout_index_.KeepBelow(layouts);
  }
}

uint64_t RowSet::bytes() const {
  return layouts_.capacity() * sizeof(Layout) + slots_.capacity() * sizeof(Slot) +
         layout_index_.bytes() + rows_.capacity() * sizeof(RowPlace) +
         ids_.capacity() * sizeof(uint32_t);
}

}  // namespace weft::segment

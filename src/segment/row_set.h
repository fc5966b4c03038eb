// SPDX-License-Identifier: Apache-2.0
//
// RowSet: rows of one table, row-major. A row names its layout (the ordered list of columns it has)
// and stores one dictionary id for each slot of the layout. Chunks are made of it, a decoded row
// group of a block becomes one, and the writer collects the rows of the next row group in one.
//
// Thread rule: const methods from any thread while nobody writes.
// Next: chunk/interner.h (what the ids mean), segment/stored_rows.h.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "segment/segment.h"

namespace weft::segment {

// A column of the table; `repeated` where an earlier slot of the row has the same key, so that
// columns show the first value only.
struct Slot {
  uint32_t packed = 0;

  static Slot Of(uint32_t column, bool repeated = false) { return {column << 1 | repeated}; }
  uint32_t column() const { return packed >> 1; }
  bool repeated() const { return packed & 1; }
  bool operator==(const Slot&) const = default;
};

// One row, borrowed. `layout` is unique for a slot list within its source for as long as the source
// says; it lets a reader keep work per layout.
struct RowView {
  uint64_t layout = 0;
  std::span<const Slot> slots;
  const uint32_t* ids = nullptr;
};

// Open addressing from hash to index; the owner compares. Never shrinks.
class HashIndex {
 public:
  static constexpr uint32_t kNone = 0xFFFFFFFF;

  // The index for which `same(index)` holds, or kNone.
  template <class Same>
  uint32_t Find(uint64_t hash, Same same) const {
    if (cells_.empty()) return kNone;
    uint32_t tag = Tag(hash);
    for (size_t i = hash & mask_;; i = (i + 1) & mask_) {
      const Cell& cell = cells_[i];
      if (cell.index == kNone) return kNone;
      if (cell.tag == tag && same(cell.index)) return cell.index;
    }
  }
  // REQUIRES: not in it.
  void Add(uint64_t hash, uint32_t index);
  void Clear();
  // Drops all from this index on. REQUIRES: the indexes are 0, 1, 2, ... in the order of Add().
  void KeepBelow(uint32_t end);
  uint64_t bytes() const { return cells_.capacity() * sizeof(Cell); }

 private:
  struct Cell {
    uint32_t index = kNone;
    uint32_t tag = 0;   // high half of the hash, never looked at for placement
    uint32_t home = 0;  // low half, to rehash without the key
  };
  static uint32_t Tag(uint64_t hash) { return static_cast<uint32_t>(hash >> 32); }
  void Place(const Cell& cell);
  void Grow();

  std::vector<Cell> cells_;
  size_t mask_ = 0;
  size_t count_ = 0;
};

class RowSet {
 public:
  uint32_t row_count() const { return static_cast<uint32_t>(rows_.size()); }
  uint32_t layout_count() const { return static_cast<uint32_t>(layouts_.size()); }
  std::span<const Slot> layout(uint32_t index) const {
    return {slots_.data() + layouts_[index].first, layouts_[index].count};
  }
  uint32_t layout_of(Row row) const { return rows_[row].layout; }
  std::span<const uint32_t> ids(Row row) const {
    return {ids_.data() + rows_[row].first, layouts_[rows_[row].layout].count};
  }
  RowView view(Row row) const {
    const uint32_t layout_index = rows_[row].layout;
    return {layout_index, layout(layout_index), ids_.data() + rows_[row].first};
  }
  // The id in the first slot of this column, or kAbsent. Linear in the slots.
  uint32_t Find(Row row, uint32_t column) const;

  uint32_t InternLayout(std::span<const Slot> slots);
  // REQUIRES: one id for each slot of the layout.
  void Add(uint32_t layout, std::span<const uint32_t> ids) {
    rows_.push_back({static_cast<uint32_t>(ids_.size()), layout});
    ids_.insert(ids_.end(), ids.begin(), ids.end());
  }
  void Clear();
  // Goes back to the first rows and layouts. REQUIRES: these rows have these layouts.
  void Truncate(uint32_t rows, uint32_t layouts);
  uint64_t bytes() const;
  // True while a further row of `slots` slots can be addressed.
  bool HasRoom(size_t slots) const { return ids_.size() + slots < 0xFFFFFFFFu; }

 private:
  struct Layout {
    uint32_t first = 0, count = 0;  // into slots_
  };
  struct RowPlace {
    uint32_t first = 0;  // into ids_
    uint32_t layout = 0;
  };
  std::vector<Layout> layouts_;
  std::vector<Slot> slots_;
  HashIndex layout_index_;
  std::vector<RowPlace> rows_;
  std::vector<uint32_t> ids_;
};

}  // namespace weft::segment

// SPDX-License-Identifier: Apache-2.0
//
// ColumnPage: one column in one row group, decoded: which shapes have it, with which constants, and
// the stream of ids of the slots that vary. docs/format_block.md, section "Column pages".
//
// Thread rule: plain values. Next: block/block_columns.cc, block/block_cursor.cc.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "segment/segment.h"

namespace weft::block {

struct ColumnPage {
  // One slot of one shape. Slots of one shape lie side by side, in the order of the layout.
  struct Entry {
    uint32_t shape = 0;
    uint32_t id = segment::kAbsent;  // the constant, or kAbsent: from the stream
    bool repeated = false;
  };
  std::vector<Entry> entries;  // ascending by shape
  std::vector<uint32_t> stream;

  // `values`: size of the dictionary, which every id must be below. `rows`: of the group.
  static Result<ColumnPage> Decode(std::string_view payload, uint32_t values, uint32_t rows);

  // Calls `visit(row, id, repeated)` for every value, rows ascending.
  template <class Visit>
  Status ForEach(std::span<const uint32_t> row_shapes, Visit visit) const;
  // out[i] = id of the first value of row i, or kAbsent.
  Status Expand(std::span<const uint32_t> row_shapes, std::span<uint32_t> out) const;

 private:
  // First entry of each shape up to `shapes`, and the end.
  std::vector<uint32_t> FirstEntries(std::span<const uint32_t> row_shapes) const;
};

template <class Visit>
Status ColumnPage::ForEach(std::span<const uint32_t> row_shapes, Visit visit) const {
  const std::vector<uint32_t> first = FirstEntries(row_shapes);
  size_t next = 0;
  for (uint32_t row = 0; row < row_shapes.size(); ++row) {
    for (uint32_t e = first[row_shapes[row]]; e < first[row_shapes[row] + 1]; ++e) {
      uint32_t id = entries[e].id;
      if (id == segment::kAbsent) {
        if (next == stream.size()) return Fail(ErrorCode::kCorruption, "column page is too short");
        id = stream[next++];
      }
      visit(row, id, entries[e].repeated);
    }
  }
  return {};
}

}  // namespace weft::block

// SPDX-License-Identifier: Apache-2.0
#include "block/column_page.h"

#include <algorithm>

#include "column/byte_cursor.h"
#include "column/numbers.h"

namespace weft::block {

using segment::kAbsent;

namespace {

std::unexpected<Error> Malformed() { return Fail(ErrorCode::kCorruption, "malformed column page"); }

// A row's slots of one column are at most this many: slots of a row times rows fit a stream.
constexpr uint64_t kStreamMax = uint64_t{1} << 31;

}  // namespace

Result<ColumnPage> ColumnPage::Decode(std::string_view payload, uint32_t values, uint32_t rows) {
  ColumnPage page;
  column::ByteReader reader(payload);
  const uint64_t count = reader.VarintUpTo(reader.left());
  page.entries.reserve(count);
  uint64_t shape = 0;
  for (uint64_t i = 0; i < count && reader.ok(); ++i) {
    shape += reader.VarintUpTo(rows);
    const uint64_t what = reader.Varint();
    Entry entry{static_cast<uint32_t>(shape), kAbsent, (what & 1) != 0};
    if (what >> 1 > 0) {
      if ((what >> 1) - 1 >= values) return Malformed();
      entry.id = static_cast<uint32_t>((what >> 1) - 1);
    }
    if (shape >= rows) return Malformed();
    page.entries.push_back(entry);
  }
  const uint64_t streamed = reader.VarintUpTo(std::min(kStreamMax, count * rows));
  if (!reader.ok()) return Malformed();
  page.stream.resize(streamed);
  WEFT_TRY(column::DecodeNumbers(&reader, page.stream));
  if (std::ranges::any_of(page.stream, [&](uint32_t id) { return id >= values; }))
    return Malformed();
  return page;
}

std::vector<uint32_t> ColumnPage::FirstEntries(std::span<const uint32_t> row_shapes) const {
  uint32_t shapes = entries.empty() ? 0 : entries.back().shape + 1;
  for (uint32_t shape : row_shapes) shapes = std::max(shapes, shape + 1);
  std::vector<uint32_t> first(shapes + 1);
  for (const Entry& entry : entries) ++first[entry.shape + 1];
  for (uint32_t s = 0; s < shapes; ++s) first[s + 1] += first[s];
  return first;
}

Status ColumnPage::Expand(std::span<const uint32_t> row_shapes, std::span<uint32_t> out) const {
  // As a rule a shape has the column once at most: then one look-up a row does it.
  constexpr uint32_t kStream = kAbsent - 1;
  uint32_t shapes = entries.empty() ? 0 : entries.back().shape + 1;
  for (uint32_t shape : row_shapes) shapes = std::max(shapes, shape + 1);
  std::vector<uint32_t> id_of(shapes, kAbsent);
  bool simple = true;
  for (size_t e = 0; e < entries.size(); ++e) {
    const Entry& entry = entries[e];
    simple = simple && !entry.repeated && (e == 0 || entries[e - 1].shape != entry.shape);
    id_of[entry.shape] = entry.id == kAbsent ? kStream : entry.id;
  }
  if (!simple) {
    std::ranges::fill(out, kAbsent);
    return ForEach(row_shapes, [&](uint32_t row, uint32_t id, bool repeated) {
      if (!repeated) out[row] = id;
    });
  }
  size_t next = 0;
  for (size_t row = 0; row < out.size(); ++row) {
    uint32_t id = id_of[row_shapes[row]];
    if (id == kStream) {
      if (next == stream.size()) return Malformed();
      id = stream[next++];
    }
    out[row] = id;
  }
  return {};
}

}  // namespace weft::block

// SPDX-License-Identifier: Apache-2.0
#include "column/value_index.h"

#include <bit>
#include <numeric>
#include <vector>

#include "column/byte_cursor.h"
#include "column/numbers.h"

namespace weft::column {

void EncodeValueIndex(std::span<const uint64_t> parts, uint32_t part_count, std::string* out) {
  // Over a quarter of the parts a list costs more than the scan that it saves.
  const int listed_max = part_count <= 4 ? 1 : static_cast<int>(part_count / 4);
  std::vector<uint64_t> counts, lists;
  for (uint64_t bits : parts) {
    const int count = std::popcount(bits);
    counts.push_back(count <= listed_max ? static_cast<uint64_t>(count) : 0);
    for (uint64_t left = counts.back() > 0 ? bits : 0; left != 0; left &= left - 1)
      lists.push_back(static_cast<uint64_t>(std::countr_zero(left)));
  }
  if (lists.empty()) return;
  EncodeNumbers(counts, out);
  EncodeNumbers(lists, out);
}

Result<uint64_t> FindInValueIndex(std::string_view payload, uint32_t count, uint32_t index) {
  if (index >= count || count > kIndexIdsPerPage)
    return Fail(ErrorCode::kCorruption, "value index page is too short");
  ByteReader reader(payload);
  std::vector<uint32_t> counts(count);
  WEFT_TRY(DecodeNumbers(&reader, counts));
  if (counts[index] == 0) return ~0ull;
  const uint64_t first = std::accumulate(counts.begin(), counts.begin() + index, uint64_t{0});
  const uint64_t total = std::accumulate(counts.begin() + index, counts.end(), first);
  if (total > uint64_t{count} * kIndexParts)
    return Fail(ErrorCode::kCorruption, "malformed value index");
  std::vector<uint32_t> lists(total);
  WEFT_TRY(DecodeNumbers(&reader, lists));
  uint64_t bits = 0;
  for (uint64_t i = first; i < first + counts[index]; ++i) {
    if (lists[i] >= kIndexParts) return Fail(ErrorCode::kCorruption, "malformed value index");
    bits |= 1ull << lists[i];
  }
  return bits;
}

}  // namespace weft::column

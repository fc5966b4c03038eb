// SPDX-License-Identifier: Apache-2.0
//
// Value index: for each dictionary id the parts of the table in which it occurs, at most 64 parts
// of equally many row groups. An id is stored with its parts while they are few, else as
// "anywhere"; the answer is a superset. docs/format_block.md, section "Value index".
//
// Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace weft::column {

inline constexpr uint32_t kIndexParts = 64;
// Ids in one index page.
inline constexpr uint32_t kIndexIdsPerPage = 4096;

// `parts[i]`: bit p set where id i occurs in part p. `part_count` is how many parts there are.
// Appends the payload of one page; nothing when every id is "anywhere".
void EncodeValueIndex(std::span<const uint64_t> parts, uint32_t part_count, std::string* out);
// The parts of id `index` of the page's `count`; all ones for "anywhere".
Result<uint64_t> FindInValueIndex(std::string_view payload, uint32_t count, uint32_t index);

}  // namespace weft::column

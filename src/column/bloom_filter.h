// SPDX-License-Identifier: Apache-2.0
//
// A blocked Bloom filter: 512-bit blocks, 6 bits a key in one block, about 11 bits a key, about one
// false hit in a hundred. Answers "certainly not here" with one cache miss.
// Algorithm: Putze, Sanders, Singler, "Cache-, Hash- and Space-Efficient Bloom Filters" (2007).
//
// Thread rule: pure functions over bytes; the bytes are part of the file format.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace weft::column {

// The filter of these 64-bit hashes.
std::string BuildBloomFilter(std::span<const uint64_t> hashes);
// An empty or odd-sized filter contains everything.
bool BloomFilterMayContain(std::string_view filter, uint64_t hash);

}  // namespace weft::column

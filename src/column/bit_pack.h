// SPDX-License-Identifier: Apache-2.0
//
// Bit packing: `count` numbers of `width` bits each, number i at bits [i * width, (i + 1) * width)
// of a little-endian bit string. The kernels of every page encoding.
//
// Thread rule: pure functions. Next: column/numbers.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace weft::column {

inline size_t PackedBytes(size_t count, uint32_t width) { return (count * width + 7) / 8; }

// Appends PackedBytes(numbers.size(), width) bytes. Bits over `width` are cut off. Width is 0
// to 64.
void PackBits(std::span<const uint64_t> numbers, uint32_t width, std::string* out);
// REQUIRES: `packed` has PackedBytes(out.size(), width) bytes; width <= 64.
void UnpackBits(const char* packed, uint32_t width, std::span<uint64_t> out);
void UnpackBits(const char* packed, uint32_t width, std::span<uint32_t> out);

}  // namespace weft::column

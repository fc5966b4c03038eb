// SPDX-License-Identifier: Apache-2.0
#include "column/bit_pack.h"

#include <algorithm>
#include <cstring>

namespace weft::column {
namespace {

uint64_t Mask(uint32_t width) { return width >= 64 ? ~0ull : (1ull << width) - 1; }

uint64_t Load(const char* from, size_t bytes) {
  uint64_t word = 0;
  std::memcpy(&word, from, bytes);
  return word;
}

// Number i starts in byte (i * width) / 8, at bit s = (i * width) % 8 <= 7. One unaligned load of 8
// bytes covers s + width bits while width <= 57; a wider number needs the ninth byte too. Loads
// must not pass the end of the input, so the last numbers, of which the 9 bytes would, load what is
// there.
template <class T>
void Unpack(const char* packed, uint32_t width, std::span<T> out) {
  if (width == 0) {
    std::ranges::fill(out, T{0});
    return;
  }
  const size_t bytes = PackedBytes(out.size(), width);
  const uint64_t mask = Mask(width);
  const size_t safe = bytes < 9 ? 0 : std::min(out.size(), ((bytes - 9) * 8) / width);
  size_t i = 0;
  if (width <= 57) {
    for (; i < safe; ++i) {
      uint64_t word;
      std::memcpy(&word, packed + ((i * width) >> 3), 8);
      out[i] = static_cast<T>((word >> ((i * width) & 7)) & mask);
    }
  }
  for (; i < out.size(); ++i) {
    const size_t byte = (i * width) >> 3, shift = (i * width) & 7;
    uint64_t number = Load(packed + byte, std::min<size_t>(8, bytes - byte)) >> shift;
    if (shift + width > 64) number |= Load(packed + byte + 8, 1) << (64 - shift);
    out[i] = static_cast<T>(number & mask);
  }
}

}  // namespace

void PackBits(std::span<const uint64_t> numbers, uint32_t width, std::string* out) {
  if (width == 0) return;
  const size_t start = out->size();
  out->resize(start + PackedBytes(numbers.size(), width));
  char* next = out->data() + start;
  const uint64_t mask = Mask(width);
  uint64_t pending = 0;  // bits not written yet, `filled` < 64 of them
  uint32_t filled = 0;
  for (uint64_t number : numbers) {
    number &= mask;
    pending |= number << filled;
    filled += width;
    if (filled < 64) continue;
    std::memcpy(next, &pending, 8);
    next += 8;
    filled -= 64;
    // Of this number, width - filled bits are written: at most 64, so shifting must be split.
    const uint32_t written = width - filled;
    pending = written == 64 ? 0 : number >> written;
  }
  std::memcpy(next, &pending, (filled + 7) / 8);
}

void UnpackBits(const char* packed, uint32_t width, std::span<uint64_t> out) {
  Unpack(packed, width, out);
}
void UnpackBits(const char* packed, uint32_t width, std::span<uint32_t> out) {
  Unpack(packed, width, out);
}

}  // namespace weft::column

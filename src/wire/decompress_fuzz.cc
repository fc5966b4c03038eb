// SPDX-License-Identifier: Apache-2.0
//
// Compressed bytes from anyone. Strategy: the first byte picks the format, the second whether the
// rest is compressed bytes or text to be compressed first.
// Invariants: no crash; output within the limit and within the bomb ratio; text comes back as it
// was.
#include "base/check.h"
#include "wire/compression.h"
#include "wire/limits.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weft::wire;
  if (size < 2) return 0;
  constexpr uint64_t kBytesMax = 4 << 20;
  auto kind = static_cast<Compression>(data[0] % 6);
  std::string_view rest(reinterpret_cast<const char*>(data) + 2, size - 2);
  if (data[1] % 8 == 0) {
    auto text = Decompress(kind, Compress(kind, rest, data[1] / 8), kBytesMax);
    WEFT_CHECK(text.has_value());
    WEFT_CHECK(*text == rest);
    return 0;
  }
  auto text = Decompress(kind, rest, kBytesMax);
  if (!text) return 0;
  WEFT_CHECK(text->size() <= kBytesMax);
  WEFT_CHECK(text->size() <= kRatioFreeBytes + kRatioMax * rest.size());
  return 0;
}

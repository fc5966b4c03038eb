// SPDX-License-Identifier: Apache-2.0
//
// Strategy: the first byte chooses the decoder, the second how many numbers it is asked for, the
// rest are its bytes. Invariant: a value or an error; nothing outside the bytes is read.
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "column/numbers.h"
#include "column/page.h"
#include "column/text_page.h"
#include "column/value_index.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weft::column;
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const uint32_t count = 1 + data[1] * 5u;
  ByteReader reader(bytes);
  switch (data[0] % 5) {
    case 0: {
      std::vector<uint64_t> out(count);
      (void)DecodeNumbers(&reader, std::span(out));
      break;
    }
    case 1: {
      std::vector<uint32_t> out(count);
      (void)DecodeNumbers(&reader, std::span(out));
      break;
    }
    case 2:
      (void)OpenPage(bytes, false);
      break;
    case 3:
      if (auto page = TextPage::Open(bytes)) {
        (void)page->ForEach([](uint32_t, std::string_view) {});
        (void)page->Find("find");
        if (page->count() > 0) (void)page->Get(data[1] % page->count());
      }
      break;
    default:
      (void)FindInValueIndex(bytes, count, data[1]);
  }
  return 0;
}

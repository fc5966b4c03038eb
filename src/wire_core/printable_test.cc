// SPDX-License-Identifier: Apache-2.0
#include "wire_core/printable.h"

#include <gtest/gtest.h>

namespace weft {
namespace {

std::string Utf8(char32_t code) {
  std::string out;
  if (code < 0x80) return {static_cast<char>(code)};
  if (code < 0x800) {
    out += static_cast<char>(0xC0 | code >> 6);
  } else {
    out += static_cast<char>(0xE0 | code >> 12);
    out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
  }
  return out += static_cast<char>(0x80 | (code & 0x3F));
}

TEST(PrintableTest, EveryControlOfUnicodeAndWhatHasNoWidthIsFound) {
  auto between = [](char32_t code, char32_t first, char32_t last) {
    return code >= first && code <= last;
  };
  for (char32_t code = 0; code < 0x3000; ++code) {
    bool control = code < 0x20 || between(code, 0x7F, 0x9F) || code == 0x61C ||
                   between(code, 0x200E, 0x200F) || between(code, 0x2028, 0x202E) ||
                   between(code, 0x2066, 0x206F) || code == 0xAD || code == 0x200B ||
                   between(code, 0x2060, 0x2064);
    std::string text = "a" + Utf8(code) + "b";
    EXPECT_EQ(ReplaceUnprintable(text), control ? "a?b" : text) << static_cast<uint32_t>(code);
  }
}

TEST(PrintableTest, BytesThatAreNoTextAreReplacedOneByOne) {
  for (int byte = 0x80; byte < 0x100; ++byte)
    EXPECT_EQ(ReplaceUnprintable("a" + std::string(1, static_cast<char>(byte)) + "b"), "a?b");
  EXPECT_EQ(ReplaceUnprintable("\xC0\x9B"), "??");       // an overlong escape
  EXPECT_EQ(ReplaceUnprintable("\xED\xA0\x80"), "???");  // half of a surrogate pair
  EXPECT_EQ(ReplaceUnprintable("x\xE2\x80"), "x??");     // cut in the middle
  EXPECT_EQ(ReplaceUnprintable("caf\u00e9 \u4e2d \U0001f600 \u05d0"),
            "caf\u00e9 \u4e2d \U0001f600 \u05d0");
}

TEST(PrintableTest, LinesStay) {
  EXPECT_EQ(ReplaceUnprintableInLines("a\n\tb\r\x1b[2J"), "a\n b??[2J");
}

TEST(PrintableTest, EscapesTellWhatItWas) {
  EXPECT_EQ(EscapeUnprintable("a\x1b[2J\x7f\n"), "a\\x1b[2J\\x7f\\x0a");
  EXPECT_EQ(EscapeUnprintable("\u009b\x9b\u202e\u061c\u2069"), "\\u009b\\x9b\\u202e\\u061c\\u2069");
}

}  // namespace
}  // namespace weft

// SPDX-License-Identifier: Apache-2.0
#include "wire_core/utf8.h"

#include <gtest/gtest.h>

namespace weft::wire {
namespace {

TEST(Utf8, KnowsTheEdges) {
  for (std::string_view good :
       {"", "a", "\x7f", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
        "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF", "12345678\xC3\xA9"}) {
    EXPECT_TRUE(IsUtf8(good));
  }
  for (std::string_view bad :
       {"\x80", "\xC1\xBF", "\xC2", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xE1\x80", "\xF0\x8F\xBF\xBF",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "1234567\xC3", "12345678\xFF"}) {
    EXPECT_FALSE(IsUtf8(bad));
  }
}

}  // namespace
}  // namespace weft::wire

// SPDX-License-Identifier: Apache-2.0
#include "wire_core/base64.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace weft {
namespace {

TEST(Base64, RoundTripsAndReadsBothAlphabets) {
  std::mt19937 random(1);
  for (size_t bytes = 0; bytes < 40; ++bytes) {
    std::string raw(bytes, '\0'), text;
    for (char& c : raw) c = static_cast<char>(random());
    AppendBase64(raw, &text);
    EXPECT_EQ(text.size(), (bytes + 2) / 3 * 4);
    for (std::string variant : {text, text.substr(0, text.find('='))}) {
      for (char& c : variant) c = c == '+' ? '-' : c == '/' ? '_' : c;
      std::vector<char> to(Base64BytesMax(variant));
      auto count = DecodeBase64(variant, to.data());
      ASSERT_TRUE(count) << variant;
      EXPECT_EQ(std::string(to.data(), *count), raw);
    }
  }
  EXPECT_EQ(DecodeBase64("AAQAAP__"), std::string("\0\4\0\0\xff\xff", 6));
  std::vector<char> to(64);
  for (std::string_view bad : {"A", "A=", "AB=", "A===", "AB==C", "A*==", "=", "====", "AAAAA"}) {
    EXPECT_FALSE(DecodeBase64(bad, to.data())) << bad;
  }
}

}  // namespace
}  // namespace weft

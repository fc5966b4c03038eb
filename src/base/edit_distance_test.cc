// SPDX-License-Identifier: Apache-2.0
#include "base/edit_distance.h"

#include <gtest/gtest.h>

namespace weft {
namespace {

TEST(EditDistance, CountsLettersThatWereChangedAddedOrLeftOut) {
  EXPECT_EQ(EditDistance("", ""), 0u);
  EXPECT_EQ(EditDistance("", "abc"), 3u);
  EXPECT_EQ(EditDistance("abc", ""), 3u);
  EXPECT_EQ(EditDistance("Status", "sTATUS"), 0u);
  EXPECT_EQ(EditDistance("eror", "error"), 1u);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3u);
  EXPECT_EQ(EditDistance("\xff\xfe", "\xff"), 1u);
}

}  // namespace
}  // namespace weft

// SPDX-License-Identifier: Apache-2.0
//
// The table of names: how wide its columns are on a screen and in a pipe.
#include "cli/name_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::cli {

using terminal::Terminal;

namespace {

using ::testing::HasSubstr;

TEST(NameList, AVeryLongNamePadsNoOtherRowOfAPipe) {
  const std::string long_name(100'000, 'n');
  NameList list({"operation", "kind"}, {});
  for (int i = 0; i < 1000; ++i) list.Add("GET /" + std::to_string(i), "server", "");
  list.Add(long_name, "client", "");
  Terminal pipe;
  pipe.is_tty = false;
  std::string table = list.Table(pipe);
  EXPECT_THAT(table, HasSubstr("\n" + long_name + "  client\n"));
  EXPECT_THAT(table, HasSubstr("\nGET /7" + std::string(54, ' ') + "  server\n"));
  EXPECT_LT(table.size(), 100'000u + 1001 * 80);
  EXPECT_EQ(table.find(" \n"), table.npos);
}

TEST(NameList, AScreenCutsNamesAndShortOnesNeedNoRoom) {
  NameList list({"service", "spans"}, {});
  list.Add("shop", "7", "");
  Terminal pipe;
  pipe.is_tty = false;
  EXPECT_EQ(list.Table(pipe), "service  spans\nshop         7\n");
  list.Add(std::string(100, 'n'), "12", "");
  Terminal screen;
  screen.is_tty = true;
  screen.width = 40;
  screen.utf8 = false;
  EXPECT_THAT(list.Table(screen), HasSubstr("\n" + std::string(32, 'n') + "~     12\n"));
}

}  // namespace
}  // namespace weft::cli

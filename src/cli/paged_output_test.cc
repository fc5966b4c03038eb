// SPDX-License-Identifier: Apache-2.0
#include "cli/paged_output.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace weft::cli {
namespace {

class PagedOutputTest : public testing::Test {
 protected:
  PagedOutputTest() { setenv("PAGER", ("cat > " + paged_).c_str(), 1); }
  ~PagedOutputTest() override {
    unsetenv("PAGER");
    std::filesystem::remove(paged_);
  }
  // What the pager was given.
  std::string Paged() const {
    std::ifstream file(paged_);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  const std::string paged_ = testing::TempDir() + "weft_paged_" + std::to_string(getpid());
  const Terminal terminal_{.is_tty = true, .width = 80, .height = 4};
};

TEST_F(PagedOutputTest, WhatThePagerShowedIsNotPrintedAgain) {
  const std::string text = "1\n2\n3\n4\n5\n";
  testing::internal::CaptureStdout();
  {
    PagedOutput output(terminal_, true);
    EXPECT_TRUE(output.Write(text));
    EXPECT_TRUE(output.Write("6\n"));
    output.Finish();
    output.Finish();
  }
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(Paged(), text + "6\n");
}

TEST_F(PagedOutputTest, WhatFitsTheScreenIsPrintedOnce) {
  testing::internal::CaptureStdout();
  {
    PagedOutput output(terminal_, true);
    EXPECT_TRUE(output.Write("1\n2\n"));
    output.Finish();
  }
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "1\n2\n");
  EXPECT_FALSE(std::filesystem::exists(paged_));
}

}  // namespace
}  // namespace weft::cli

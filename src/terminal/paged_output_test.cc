// SPDX-License-Identifier: Apache-2.0
#include "terminal/paged_output.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace weft::terminal {
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
    EXPECT_TRUE(output.Finish());
    EXPECT_TRUE(output.Finish());
  }
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(Paged(), text + "6\n");
}

TEST_F(PagedOutputTest, WhatFitsTheScreenIsPrintedOnce) {
  testing::internal::CaptureStdout();
  {
    PagedOutput output(terminal_, true);
    EXPECT_TRUE(output.Write("1\n2\n"));
    EXPECT_TRUE(output.Finish());
  }
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "1\n2\n");
  EXPECT_FALSE(std::filesystem::exists(paged_));
}

// Standard output goes there while it lives.
class OutputTo {
 public:
  explicit OutputTo(int descriptor) : saved_((std::fflush(stdout), dup(STDOUT_FILENO))) {
    dup2(descriptor, STDOUT_FILENO);
    close(descriptor);
  }
  ~OutputTo() {
    dup2(saved_, STDOUT_FILENO);
    close(saved_);
  }

 private:
  const int saved_;
};

TEST_F(PagedOutputTest, WhatCannotBeWrittenIsAnError) {
  const std::string little = "1\n2\n", much(1 << 20, 'x');
  for (const std::string& text : {little, much}) {
    OutputTo full(open("/dev/full", O_WRONLY));
    PagedOutput output({}, true);
    output.Write(text);
    const Status written = output.Finish();
    ASSERT_FALSE(written) << text.size();
    EXPECT_EQ(written.error().message, "cannot write the output: No space left on device");
    EXPECT_TRUE(FlushOutput()) << "said once";
  }
}

TEST_F(PagedOutputTest, AReaderThatHasGoneIsNoError) {
  signal(SIGPIPE, SIG_IGN);
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  close(ends[0]);
  OutputTo closed(ends[1]);
  PagedOutput output({}, true);
  EXPECT_FALSE(output.Write(std::string(1 << 20, 'x')));
  EXPECT_TRUE(output.Finish());
  EXPECT_TRUE(FlushOutput());
}

}  // namespace
}  // namespace weft::terminal

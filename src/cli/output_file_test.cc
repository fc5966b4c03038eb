// SPDX-License-Identifier: Apache-2.0
#include "cli/output_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace weft::cli {
namespace {

namespace fs = std::filesystem;

class OutputFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char path[] = "/tmp/weft-output-XXXXXX";
    ASSERT_NE(::mkdtemp(path), nullptr);
    folder_ = path;
  }
  void TearDown() override { fs::remove_all(folder_); }
  static std::string Contents(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  fs::path folder_;
};

TEST_F(OutputFileTest, TheOldFileStaysUntilTheNewOneIsWhole) {
  const fs::path path = folder_ / "out";
  std::ofstream(path) << "old";
  {
    auto file = OutputFile::Create(path);
    ASSERT_TRUE(file);
    ASSERT_TRUE((*file)->Write("given up"));
  }
  EXPECT_EQ(Contents(path), "old");
  auto file = OutputFile::Create(path);
  ASSERT_TRUE(file);
  ASSERT_TRUE((*file)->Write("new"));
  EXPECT_EQ(Contents(path), "old");
  ASSERT_TRUE((*file)->Finish());
  EXPECT_EQ(Contents(path), "new");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1) << "nothing else is left";
}

TEST_F(OutputFileTest, ALinkStaysALink) {
  std::ofstream(folder_ / "target") << "old";
  fs::create_symlink("target", folder_ / "link");
  auto file = OutputFile::Create(folder_ / "link");
  ASSERT_TRUE(file);
  ASSERT_TRUE((*file)->Write("new"));
  ASSERT_TRUE((*file)->Finish());
  EXPECT_TRUE(fs::is_symlink(folder_ / "link"));
  EXPECT_EQ(Contents(folder_ / "target"), "new");
}

TEST_F(OutputFileTest, APipeIsWrittenAsItIs) {
  const fs::path path = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const int reader = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  ASSERT_GE(reader, 0);
  auto file = OutputFile::Create(path);
  ASSERT_TRUE(file);
  ASSERT_TRUE((*file)->Write("spans"));
  ASSERT_TRUE((*file)->Finish());
  char got[16];
  EXPECT_EQ(std::string(got, static_cast<size_t>(::read(reader, got, sizeof got))), "spans");
  ::close(reader);
  EXPECT_TRUE(fs::is_fifo(path));
}

TEST_F(OutputFileTest, ADirectoryIsNamedInTheError) {
  auto file = OutputFile::Create(folder_);
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().message, "cannot write " + folder_.string() + ": it is a directory");
}

}  // namespace
}  // namespace weft::cli

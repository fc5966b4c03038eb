// SPDX-License-Identifier: Apache-2.0
#include "cli/output_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "cli/import_journal.h"

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

TEST_F(OutputFileTest, WhatOthersPutBesideItIsLeftAlone) {
  std::ofstream(folder_ / "victim") << "precious";
  for (const char* guess : {"out.part", "out.new", "out.tmp", ".out.part", "out~"})
    fs::create_symlink("victim", folder_ / guess);
  auto first = OutputFile::Create(folder_ / "out");
  ASSERT_TRUE(first);
  // Nobody can tell the name of the next one from this one's.
  std::set<std::string> drafts;
  auto second = OutputFile::Create(folder_ / "out");
  ASSERT_TRUE(second);
  for (const auto& entry : fs::directory_iterator(folder_))
    if (entry.is_regular_file() && !entry.is_symlink()) drafts.insert(entry.path().filename());
  EXPECT_EQ(drafts.size(), 3u) << "two drafts and the victim";
  ASSERT_TRUE((*first)->Write("new"));
  ASSERT_TRUE((*first)->Finish());
  EXPECT_EQ(Contents(folder_ / "victim"), "precious");
  EXPECT_EQ(Contents(folder_ / "out"), "new");
  EXPECT_FALSE(fs::is_symlink(folder_ / "out"));
}

TEST_F(OutputFileTest, ALinkOfAnotherUserInASharedFolderIsRefused) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can make another user's link";
  std::ofstream(folder_ / "victim") << "precious";
  const fs::path shared = folder_ / "shared";
  fs::create_directory(shared);
  ASSERT_EQ(::chmod(shared.c_str(), 01777), 0);
  const fs::path link = shared / "out.json", pipe = shared / "pipe.json";
  fs::create_symlink(folder_ / "victim", link);
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0666), 0);
  for (const fs::path& planted : {link, pipe}) {
    ASSERT_EQ(::lchown(planted.c_str(), 65534, 65534), 0);
    auto file = OutputFile::Create(planted);
    ASSERT_FALSE(file);
    EXPECT_NE(file.error().message.find("another user"), std::string::npos);
  }
  EXPECT_EQ(Contents(folder_ / "victim"), "precious");
  // One's own is followed there too.
  ASSERT_EQ(::lchown(link.c_str(), 0, 0), 0);
  EXPECT_TRUE(OutputFile::Create(link));
}

TEST_F(OutputFileTest, TheLongestNameHasADraftToo) {
  const fs::path path = folder_ / std::string(255, 'n');
  auto file = OutputFile::Create(path);
  ASSERT_TRUE(file) << file.error().message;
  ASSERT_TRUE((*file)->Write("new"));
  ASSERT_TRUE((*file)->Finish());
  EXPECT_EQ(Contents(path), "new");
}

TEST_F(OutputFileTest, AJournalIsWrittenTheSameWay) {
  const fs::path path = folder_ / "state.json";
  std::ofstream(folder_ / "victim") << "precious";
  fs::create_symlink("victim", folder_ / "state.json.new");
  auto journal = ImportJournal::Open(path, "here");
  ASSERT_TRUE(journal);
  ASSERT_TRUE(journal->Save({}, true));
  ASSERT_TRUE(journal->Save({}, true));
  EXPECT_EQ(Contents(folder_ / "victim"), "precious");
  EXPECT_TRUE(ImportJournal::Open(path, "here"));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 3) << "no draft is left";
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

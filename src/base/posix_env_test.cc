// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

#include "base/env.h"

namespace weft {
namespace {

class PosixEnvTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char path[] = "/tmp/weft-posix-env-XXXXXX";
    ASSERT_NE(::mkdtemp(path), nullptr);
    dir_ = path;
  }
  void TearDown() override { Remove(dir_); }
  void Remove(const std::string& dir) {
    auto entries = env_->List(dir);
    for (const DirEntry& entry : entries.value_or(std::vector<DirEntry>())) {
      const std::string path = dir + "/" + entry.name;
      if (entry.is_directory) {
        Remove(path);
      } else {
        ASSERT_TRUE(env_->Remove(path));
      }
    }
    ASSERT_TRUE(env_->RemoveDir(dir));
  }
  std::string ReadAll(const std::string& path) {
    auto file = env_->OpenRead(path);
    EXPECT_TRUE(file) << file.error().message;
    std::string bytes((*file)->bytes(), '\0');
    EXPECT_TRUE((*file)->ReadAt(0, bytes));
    return bytes;
  }

  Env* env_ = PosixEnv();
  std::string dir_;
};

TEST_F(PosixEnvTest, WritesAtOffsetsSyncsAndReadsBack) {
  auto file = env_->Create(dir_ + "/a");
  ASSERT_TRUE(file);
  ASSERT_TRUE((*file)->Preallocate(8192));
  ASSERT_TRUE((*file)->WriteAt(5, "world"));
  ASSERT_TRUE((*file)->WriteAt(0, "hello"));
  ASSERT_TRUE((*file)->DataSync());
  EXPECT_EQ(ReadAll(dir_ + "/a"), "helloworld" + std::string(8182, '\0'));
  auto again = env_->OpenWrite(dir_ + "/a");
  ASSERT_TRUE(again);
  ASSERT_TRUE((*again)->Truncate(10));
  EXPECT_EQ(ReadAll(dir_ + "/a"), "helloworld");
}

TEST_F(PosixEnvTest, ReadBeyondTheEndIsCorruptionAndNamesThePlace) {
  auto file = env_->Create(dir_ + "/a");
  ASSERT_TRUE((*file)->WriteAt(0, "12345"));
  auto reader = env_->OpenRead(dir_ + "/a");
  char out[8];
  Status status = (*reader)->ReadAt(3, out);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kCorruption);
  EXPECT_NE(status.error().message.find("ends at 5"), std::string::npos);
}

TEST_F(PosixEnvTest, ErrorsHaveCodes) {
  EXPECT_EQ(env_->OpenRead(dir_ + "/none").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(env_->OpenRead(dir_).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(env_->Create(dir_ + "/none/a").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(env_->Remove(dir_ + "/none").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(env_->List(dir_ + "/none").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(env_->SyncDir(dir_ + "/none").error().code, ErrorCode::kNotFound);
  auto full = env_->Create("/dev/full");
  ASSERT_TRUE(full);
  EXPECT_EQ((*full)->WriteAt(0, "x").error().code, ErrorCode::kNoSpace);
}

TEST_F(PosixEnvTest, DirectoriesAndRename) {
  ASSERT_TRUE(env_->MakeDirs(dir_ + "/x/y/z"));
  ASSERT_TRUE(env_->MakeDirs(dir_ + "/x/y/z"));
  ASSERT_TRUE(env_->Create(dir_ + "/x/y/file"));
  ASSERT_TRUE(env_->Rename(dir_ + "/x/y/file", dir_ + "/x/y/renamed"));
  ASSERT_TRUE(env_->SyncDir(dir_ + "/x/y"));
  auto entries = env_->List(dir_ + "/x/y");
  ASSERT_TRUE(entries);
  ASSERT_EQ(entries->size(), 2u);
  EXPECT_EQ((*entries)[0].name, "renamed");
  EXPECT_FALSE((*entries)[0].is_directory);
  EXPECT_EQ((*entries)[1].name, "z");
  EXPECT_TRUE((*entries)[1].is_directory);
  EXPECT_FALSE(env_->RemoveDir(dir_ + "/x/y"));
  EXPECT_TRUE(env_->Exists(dir_ + "/x"));
  EXPECT_FALSE(env_->MakeDirs(dir_ + "/x/y/renamed/below"));
}

TEST_F(PosixEnvTest, LockNamesTheHolderAndEndsWithIt) {
  const std::string path = dir_ + "/LOCK";
  {
    auto held = env_->Lock(path);
    ASSERT_TRUE(held);
    auto second = env_->Lock(path);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
    EXPECT_NE(second.error().message.find("process " + std::to_string(::getpid())),
              std::string::npos);
  }
  EXPECT_TRUE(env_->Lock(path));
}

TEST_F(PosixEnvTest, FreeBytesOfARealFileSystem) {
  auto free = env_->FreeBytes(dir_);
  ASSERT_TRUE(free);
  EXPECT_GT(*free, 0u);
  EXPECT_FALSE(env_->FreeBytes(dir_ + "/none"));
}

}  // namespace
}  // namespace weft

// SPDX-License-Identifier: Apache-2.0
#include "testing/sim_env.h"

#include <gtest/gtest.h>

#include "testing/manual_clock.h"

namespace weft::testing {
namespace {

// A directory, one file with synced and unsynced bytes, its name synced.
std::unique_ptr<WritableFile> MakeFile(SimEnv* env, const std::string& path) {
  EXPECT_TRUE(env->MakeDirs("/d"));
  EXPECT_TRUE(env->SyncDir("/"));
  auto file = env->Create(path);
  EXPECT_TRUE((*file)->WriteAt(0, "synced"));
  EXPECT_TRUE((*file)->DataSync());
  EXPECT_TRUE(env->SyncDir("/d"));
  return std::move(*file);
}

TEST(SimEnvTest, UnsyncedBytesAreLostAndSyncedStay) {
  SimEnv env;
  auto file = MakeFile(&env, "/d/a");
  ASSERT_TRUE(file->WriteAt(6, " unsynced"));
  EXPECT_EQ(env.Contents("/d/a"), "synced unsynced");
  EXPECT_EQ(env.Crash(CrashKind::kDropUnsynced, 1)->Contents("/d/a"), "synced");
  EXPECT_EQ(env.Crash(CrashKind::kKeepAll, 1)->Contents("/d/a"), "synced unsynced");
  EXPECT_EQ(env.Crash(CrashKind::kNamesOnly, 1)->Contents("/d/a"), "synced");
}

TEST(SimEnvTest, NamesNeedADirectorySync) {
  SimEnv env;
  MakeFile(&env, "/d/a");
  auto b = env.Create("/d/b");
  ASSERT_TRUE((*b)->WriteAt(0, "b"));
  ASSERT_TRUE((*b)->DataSync());
  EXPECT_FALSE(env.Crash(CrashKind::kDropUnsynced, 1)->Exists("/d/b"));
  ASSERT_TRUE(env.Rename("/d/b", "/d/a"));
  EXPECT_EQ(env.Crash(CrashKind::kDropUnsynced, 1)->Contents("/d/a"), "synced");
  EXPECT_EQ(env.Crash(CrashKind::kKeepAll, 1)->Contents("/d/a"), "b");
  ASSERT_TRUE(env.SyncDir("/d"));
  EXPECT_EQ(env.Crash(CrashKind::kDropUnsynced, 1)->Contents("/d/a"), "b");
  ASSERT_TRUE(env.Remove("/d/a"));
  EXPECT_TRUE(env.Crash(CrashKind::kDropUnsynced, 1)->Exists("/d/a"));
  EXPECT_FALSE(env.Crash(CrashKind::kKeepAll, 1)->Exists("/d/a"));
}

TEST(SimEnvTest, ARenameCanOvertakeItsData) {
  SimEnv env;
  MakeFile(&env, "/d/a");
  auto b = env.Create("/d/b");
  ASSERT_TRUE((*b)->WriteAt(0, "new content"));
  ASSERT_TRUE(env.Rename("/d/b", "/d/a"));
  EXPECT_EQ(env.Crash(CrashKind::kNamesOnly, 1)->Contents("/d/a"), "");
}

TEST(SimEnvTest, AFileDiesWithTheNameOfItsDirectory) {
  SimEnv env;
  ASSERT_TRUE(env.MakeDirs("/d"));
  auto file = env.Create("/d/a");
  ASSERT_TRUE((*file)->DataSync());
  ASSERT_TRUE(env.SyncDir("/d"));
  EXPECT_FALSE(env.Crash(CrashKind::kDropUnsynced, 1)->Exists("/d/a"));
}

TEST(SimEnvTest, WritesTearAtSectors) {
  SimEnv env;
  auto file = MakeFile(&env, "/d/a");
  ASSERT_TRUE(file->WriteAt(0, std::string(64 * 512, 'x')));
  int torn = 0;
  for (uint64_t seed = 0; seed < 10; ++seed) {
    const std::string bytes = env.Crash(CrashKind::kTorn512, seed)->Contents("/d/a");
    for (size_t at = 512; at + 512 <= bytes.size(); at += 512) {
      const std::string sector = bytes.substr(at, 512);
      EXPECT_TRUE(sector == std::string(512, 'x') || sector == std::string(512, '\0'));
      torn += sector[0] == '\0';
    }
    EXPECT_EQ(bytes, env.Crash(CrashKind::kTorn512, seed)->Contents("/d/a"));
  }
  EXPECT_GT(torn, 50);
}

TEST(SimEnvTest, LyingSyncsKeepNothing) {
  SimEnv env;
  env.set_data_sync_lies(true);
  MakeFile(&env, "/d/a");
  EXPECT_EQ(env.Crash(CrashKind::kDropUnsynced, 1)->Contents("/d/a"), "");
  SimEnv other;
  other.set_sync_dir_lies(true);
  MakeFile(&other, "/d/a");
  EXPECT_FALSE(other.Crash(CrashKind::kDropUnsynced, 1)->Exists("/d/a"));
}

TEST(SimEnvTest, TheNthCallFails) {
  SimEnv env;
  auto file = MakeFile(&env, "/d/a");
  env.FailCalls(DiskOp::kDataSync, 2, ErrorCode::kIo);
  EXPECT_TRUE(file->DataSync());
  EXPECT_FALSE(file->DataSync());
  EXPECT_TRUE(file->DataSync());
  env.FailCalls(DiskOp::kWrite, 1, ErrorCode::kNoSpace, 2);
  EXPECT_EQ(file->WriteAt(0, "x").error().code, ErrorCode::kNoSpace);
  EXPECT_FALSE(file->WriteAt(0, "x"));
  EXPECT_TRUE(file->WriteAt(0, "x"));
}

TEST(SimEnvTest, AFullDiskRefusesAndRecovers) {
  SimEnv env;
  auto file = MakeFile(&env, "/d/a");
  env.set_capacity_bytes(100);
  EXPECT_EQ(file->Preallocate(101).error().code, ErrorCode::kNoSpace);
  EXPECT_TRUE(file->Preallocate(100));
  EXPECT_EQ(*env.FreeBytes("/d"), 0u);
  EXPECT_TRUE(file->Truncate(10));
  EXPECT_EQ(*env.FreeBytes("/d"), 90u);
}

TEST(SimEnvTest, LockIsExclusiveAndNotInherited) {
  SimEnv env;
  auto held = env.Lock("/LOCK");
  ASSERT_TRUE(held);
  EXPECT_EQ(env.Lock("/LOCK").error().code, ErrorCode::kUnavailable);
  EXPECT_TRUE(env.Crash(CrashKind::kKeepAll, 1)->Lock("/LOCK"));
  held->reset();
  EXPECT_TRUE(env.Lock("/LOCK"));
}

TEST(SimEnvTest, HookRunsAfterEveryChange) {
  SimEnv env;
  int changes = 0;
  env.set_after_change([&] { ++changes; });
  auto file = MakeFile(&env, "/d/a");
  EXPECT_EQ(changes, 6);  // directory, sync of /, create, write, data sync, sync of /d
}

TEST(ManualClockTest, WallTimeJumpsApartFromMonotonicTime) {
  ManualClock clock(1000);
  const uint64_t before = clock.MonotonicNs();
  clock.Advance(5);
  EXPECT_EQ(clock.NowNs(), 1005u);
  clock.JumpTo(7);
  EXPECT_EQ(clock.NowNs(), 7u);
  EXPECT_EQ(clock.MonotonicNs(), before + 5);
}

}  // namespace
}  // namespace weft::testing

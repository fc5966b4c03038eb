// SPDX-License-Identifier: Apache-2.0
#include "store/manifest.h"

#include <gtest/gtest.h>

#include "store/manifest_format.h"
#include "testing/sim_env.h"

namespace weft::store {
namespace {

using testing::CrashKind;
using testing::DiskOp;
using testing::SimEnv;

ManifestEdit EditOf(uint64_t n) {
  ManifestEdit edit;
  BlockMeta block;
  block.tenant = n % 3 == 0 ? "other" : "default";
  block.name = {n, n * 10, n * 10 + 9};
  block.level = static_cast<uint32_t>(n % 4);
  block.bytes = 1000 + n;
  block.spans = 7;
  block.logs = 8;
  block.traces = 9;
  block.start_min_ns = 1;
  block.start_max_ns = 2;
  block.received_min_ns = 3;
  block.received_max_ns = 4;
  block.file_checksum = 0xABCDEF0123456789u;
  edit.added.push_back(block);
  if (n > 3) edit.removed.push_back(n - 3);
  if (n > 4) edit.gone.push_back(n - 4);
  edit.flushed_through.emplace_back(block.tenant, n * 10 + 9);
  for (uint8_t i = 0; i < 20; ++i) {
    TraceId id;
    id.bytes = {1, i, static_cast<uint8_t>(n)};
    edit.split.push_back({block.tenant, id});
    if (i % 2 == 0) edit.whole.push_back({block.tenant, id});
  }
  edit.wal_freed_through = n;
  edit.logged_through = n * 11;
  return edit;
}

ManifestState Fresh() {
  ManifestState state;
  state.uuid = {1, 2, 3};
  return state;
}

bool Same(const ManifestState& a, const ManifestState& b) {
  return a.uuid == b.uuid && a.blocks == b.blocks && a.obsolete == b.obsolete &&
         a.flushed_through == b.flushed_through && a.split == b.split &&
         a.wal_freed_through == b.wal_freed_through && a.logged_through == b.logged_through &&
         a.next_block == b.next_block;
}

TEST(FileNamesTest, TenantsCannotEscapeTheirDirectory) {
  EXPECT_EQ(TenantDirectory(""), "default");
  EXPECT_EQ(TenantDirectory("team-a_1.x"), "team-a_1.x");
  EXPECT_EQ(TenantDirectory("../../etc"), "%2E.%2F..%2Fetc");
  EXPECT_EQ(TenantDirectory("wal"), "%77al");
  EXPECT_EQ(TenantDirectory("CURRENT"), "%43URRENT");
  EXPECT_EQ(TenantDirectory("MANIFEST-1"), "%4DANIFEST-1");
  for (const std::string tenant : {"a", "..", "wal", "x/y", "100%", "\xFF\x01", "LOCK"}) {
    EXPECT_EQ(TenantOfDirectory(TenantDirectory(tenant)), tenant);
  }
  EXPECT_EQ(TenantOfDirectory("wal"), std::nullopt);
  EXPECT_EQ(TenantOfDirectory("a%2"), std::nullopt);
  EXPECT_EQ(TenantOfDirectory("%61"), std::nullopt);
}

TEST(FileNamesTest, BlockAndManifestNames) {
  EXPECT_EQ(BlockFileName({7, 12, 90}), "0000000007-12-90.block");
  const auto name = ParseBlockFileName("0000000007-12-90.block");
  ASSERT_TRUE(name);
  EXPECT_EQ(name->number, 7u);
  EXPECT_EQ(name->first_sequence, 12u);
  EXPECT_EQ(name->last_sequence, 90u);
  for (const char* bad : {"7-12-90.block.tmp", "7-90-12.block", "0-1-2.block", "7-1.block", "x"}) {
    EXPECT_FALSE(ParseBlockFileName(bad)) << bad;
  }
  EXPECT_EQ(ParseManifestFileName(ManifestFileName(3)), 3u);
  EXPECT_FALSE(ParseManifestFileName("MANIFEST-"));
}

TEST(ManifestTest, AStateIsReadBackWhole) {
  SimEnv env;
  ASSERT_TRUE(env.MakeDirs("/m"));
  ASSERT_TRUE(env.SyncDir("/"));
  auto manifest = Manifest::Create(&env, "/m", Fresh(), 1);
  ASSERT_TRUE(manifest);
  for (uint64_t n = 1; n <= 12; ++n) ASSERT_TRUE((*manifest)->Commit(EditOf(n)));
  auto loaded = Manifest::Load(&env, "/m");
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->damage, "");
  EXPECT_FALSE(loaded->torn);
  EXPECT_TRUE(Same(loaded->state, (*manifest)->state()));
  EXPECT_EQ(loaded->state.blocks.size(), 3u);
  EXPECT_EQ(loaded->state.next_block, 13u);

  // As the first edit of the next file.
  auto next = Manifest::Create(&env, "/m", loaded->state, 2);
  ASSERT_TRUE(next);
  ASSERT_TRUE((*next)->RetireOlder({}));
  EXPECT_FALSE(env.Exists("/m/" + ManifestFileName(1)));
  auto again = Manifest::Load(&env, "/m");
  ASSERT_TRUE(again);
  EXPECT_TRUE(Same(again->state, loaded->state));
}

TEST(ManifestTest, NoManifestIsAnEmptyState) {
  SimEnv env;
  ASSERT_TRUE(env.MakeDirs("/m"));
  ASSERT_TRUE(env.SyncDir("/"));
  auto loaded = Manifest::Load(&env, "/m");
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->number, 0u);
  EXPECT_EQ(loaded->damage, "");
}

TEST(ManifestTest, EveryPowerLossShowsAPrefixWithAllThatWasCommitted) {
  SimEnv env;
  ASSERT_TRUE(env.MakeDirs("/m"));
  ASSERT_TRUE(env.SyncDir("/"));
  std::vector<ManifestState> history;  // after each commit
  size_t committed = 0;
  int states = 0;
  env.set_after_change([&] {
    for (int i = 0; i < 3 && committed > 0; ++i) {
      const int kind = states % testing::kCrashKinds;
      const auto disk = env.Crash(static_cast<CrashKind>(kind), static_cast<uint64_t>(++states));
      auto loaded = Manifest::Load(disk.get(), "/m");
      ASSERT_TRUE(loaded);
      ASSERT_EQ(loaded->damage, "") << "kind " << kind;
      const bool before = Same(loaded->state, history[committed - 1]);
      const bool after = committed < history.size() && Same(loaded->state, history[committed]);
      ASSERT_TRUE(before || after) << "kind " << kind << " after commit " << committed;
    }
  });
  auto manifest = Manifest::Create(&env, "/m", Fresh(), 1);
  ASSERT_TRUE(manifest);
  history.push_back((*manifest)->state());
  committed = 1;
  for (uint64_t n = 1; n <= 160; ++n) {
    const ManifestEdit edit = EditOf(n);
    history.push_back(history.back());
    history.back().Apply(edit);
    ASSERT_TRUE((*manifest)->Commit(edit));
    committed = history.size();
  }
  EXPECT_GT((*manifest)->number(), 1u) << "the workload must rewrite the file";
  EXPECT_GT(states, 900);
}

TEST(ManifestTest, AFlippedBitIsDamageOrATornTailAndNeverAnotherState) {
  SimEnv env;
  ASSERT_TRUE(env.MakeDirs("/m"));
  ASSERT_TRUE(env.SyncDir("/"));
  auto manifest = Manifest::Create(&env, "/m", Fresh(), 1);
  std::vector<ManifestState> history = {(*manifest)->state()};
  for (uint64_t n = 1; n <= 5; ++n) {
    ASSERT_TRUE((*manifest)->Commit(EditOf(n)));
    history.push_back((*manifest)->state());
  }
  const std::string bytes = env.Contents("/m/" + ManifestFileName(1));
  for (size_t bit = 0; bit < bytes.size() * 8; bit += 5) {
    std::string damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    const ManifestFile file = Manifest::Parse(damaged);
    const bool undamaged = Same(file.state, history.back());  // padding
    const bool prefix = file.torn && Same(file.state, history[history.size() - 2]);
    EXPECT_TRUE(undamaged || prefix || !file.damage.empty()) << "bit " << bit;
  }
}

TEST(ManifestTest, LosingCurrentFindsTheNewestFile) {
  SimEnv env;
  ASSERT_TRUE(env.MakeDirs("/m"));
  ASSERT_TRUE(env.SyncDir("/"));
  auto manifest = Manifest::Create(&env, "/m", Fresh(), 4);
  ASSERT_TRUE((*manifest)->Commit(EditOf(1)));
  ASSERT_TRUE(env.Remove("/m/CURRENT"));
  auto loaded = Manifest::Load(&env, "/m");
  ASSERT_TRUE(loaded);
  EXPECT_NE(loaded->damage, "");
  EXPECT_TRUE(Same(loaded->state, (*manifest)->state()));
}

TEST(ManifestTest, AFailedSyncIsFinal) {
  SimEnv env;
  ASSERT_TRUE(env.MakeDirs("/m"));
  ASSERT_TRUE(env.SyncDir("/"));
  auto manifest = Manifest::Create(&env, "/m", Fresh(), 1);
  env.FailCalls(DiskOp::kDataSync, 1, ErrorCode::kIo);
  EXPECT_FALSE((*manifest)->Commit(EditOf(1)));
  const uint64_t syncs = env.calls(DiskOp::kDataSync);
  EXPECT_EQ((*manifest)->Commit(EditOf(2)).error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(env.calls(DiskOp::kDataSync), syncs);
  EXPECT_TRUE((*manifest)->state().blocks.empty());
}

TEST(ManifestTest, AFullDiskCanBeTriedAgain) {
  SimEnv env;
  ASSERT_TRUE(env.MakeDirs("/m"));
  ASSERT_TRUE(env.SyncDir("/"));
  auto manifest = Manifest::Create(&env, "/m", Fresh(), 1);
  env.FailCalls(DiskOp::kWrite, 1, ErrorCode::kNoSpace);
  EXPECT_EQ((*manifest)->Commit(EditOf(1)).error().code, ErrorCode::kNoSpace);
  EXPECT_TRUE((*manifest)->Commit(EditOf(2)));
  EXPECT_EQ((*manifest)->state().blocks.size(), 1u);
  EXPECT_TRUE(Same(Manifest::Load(&env, "/m")->state, (*manifest)->state()));
}

TEST(ManifestTest, ANewerFormatIsRefusedByName) {
  SimEnv env;
  ASSERT_TRUE(env.MakeDirs("/m"));
  ASSERT_TRUE(env.SyncDir("/"));
  auto manifest = Manifest::Create(&env, "/m", Fresh(), 1);
  std::string bytes = env.Contents("/m/" + ManifestFileName(1));
  bytes[8] = 9;
  const uint32_t crc = Crc32c(0, std::string_view(bytes).substr(0, 40));
  std::memcpy(bytes.data() + 40, &crc, sizeof crc);
  env.SetContents("/m/" + ManifestFileName(1), bytes);
  auto loaded = Manifest::Load(&env, "/m");
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, ErrorCode::kUnimplemented);
}

}  // namespace
}  // namespace weft::store

// SPDX-License-Identifier: Apache-2.0
//
// Retention by bytes: checked at every flush, kept within a tenth, and no more is deleted than it
// takes. A long time of ingest on a simulated disk.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "testing/manual_clock.h"
#include "testing/numbered_spans.h"
#include "testing/sim_env.h"

namespace weft::store {
namespace {

using testing::AppendAndWait;
using testing::ManualClock;
using testing::NumberedBatch;
using testing::ReadNumbers;
using testing::SimEnv;
using testing::StoredNumbers;

constexpr uint64_t kSecond = 1'000'000'000;

// Looks at the limit where the store has just finished a piece of work.
class Watch : public StoreObserver {
 public:
  void OnDamage(const std::string& what) override { ADD_FAILURE() << what; }
  void OnSync(uint64_t, const Status&) override {}
  void OnWork(const StoreWork& work) override {
    EXPECT_TRUE(work.status) << work.status.error().message;
    largest = std::max(largest, work.bytes);
    expired += work.kind == StoreWork::Kind::kRetention;
  }
  uint64_t largest = 0, expired = 0;
};

class ByteLimitTest : public ::testing::TestWithParam<uint64_t> {};

TEST_P(ByteLimitTest, HoldsAtEveryFlush) {
  SimEnv env;
  ManualClock clock;
  Watch watch;
  StoreConfig config;
  config.directory = "/data";
  config.background = false;
  config.free_bytes_min = 0;
  config.retention_age_ns = 0;
  config.retention_bytes = GetParam();
  config.observer = &watch;
  auto store = Store::Open(&env, &clock, config);
  ASSERT_TRUE(store);
  std::mt19937_64 random(5);
  const uint64_t limit = config.retention_bytes;
  uint64_t next = 0, sent = 0;
  bool full = false;
  for (int round = 0; round < 400; ++round) {
    const uint64_t count = 20 + random() % 400;
    ASSERT_TRUE(AppendAndWait(store->get(), NumberedBatch(next, count)));
    next += count;
    clock.Advance(30 * kSecond);
    if (random() % 3 == 0) continue;
    ASSERT_TRUE((*store)->FlushNow());
    ++sent;
    const StoreStats stats = (*store)->stats();
    ASSERT_LE(stats.block_bytes, limit + limit / 10) << "round " << round;
    full |= watch.expired > 0;
    if (full) {
      ASSERT_GE(stats.block_bytes, limit - limit / 4) << "round " << round;
    }
    if (random() % 4 == 0) {
      ASSERT_TRUE((*store)->CompactNow(false));
    }
    ASSERT_LE((*store)->stats().block_bytes, limit + limit / 10) << "after a merge";
    uint64_t on_disk = 0;
    for (const std::string& path : env.Files()) {
      if (path.ends_with(".block")) on_disk += env.Contents(path).size();
    }
    ASSERT_LE(on_disk, limit + limit / 10) << "nothing holds what has gone";
  }
  EXPECT_GT(watch.expired, 5u);
  EXPECT_LE(watch.largest, limit / 20);
  // The newest are what is left.
  const StoredNumbers found = ReadNumbers(store->get());
  ASSERT_FALSE(found.spans.empty());
  EXPECT_EQ(found.spans.rbegin()->first, next - 1);
  EXPECT_EQ(found.spans.size(), next - found.spans.begin()->first);
}

INSTANTIATE_TEST_SUITE_P(Limits, ByteLimitTest, ::testing::Values(300'000, 500'000, 1'000'000));

// A head that grew while nothing could be flushed becomes blocks, not a block.
TEST(ByteLimit, ALargeHeadBecomesSeveralBlocks) {
  SimEnv env;
  ManualClock clock;
  StoreConfig config;
  config.directory = "/data";
  config.background = false;
  config.free_bytes_min = 0;
  config.retention_bytes = 4'000'000;
  auto store = Store::Open(&env, &clock, config);
  ASSERT_TRUE(store);
  for (uint64_t i = 0; i < 40; ++i)
    ASSERT_TRUE(AppendAndWait(store->get(), NumberedBatch(i * 500, 500)));
  ASSERT_TRUE((*store)->FlushNow());
  EXPECT_GT((*store)->stats().blocks, 3u);
  for (const StoredBlock& block : (*store)->blocks()) EXPECT_LE(block.bytes, 200'000u);
  EXPECT_EQ(ReadNumbers(store->get()).spans.size(), 20'000u);
  ASSERT_TRUE((*store)->CompactNow(true));
  for (const StoredBlock& block : (*store)->blocks()) EXPECT_LE(block.bytes, 200'000u);
  EXPECT_EQ(ReadNumbers(store->get()).spans.size(), 20'000u);
}

}  // namespace
}  // namespace weft::store

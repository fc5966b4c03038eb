// SPDX-License-Identifier: Apache-2.0
//
// Power loss on the simulated disk. A workload of appends, flushes, merges and restarts runs; after
// every call that changes the disk, the states that a power loss could leave are made, opened and
// read. Every acknowledged span must be there exactly once, and nothing that was never sent.
// Negative control: on a disk whose syncs do nothing the same check must find losses.
#include <gtest/gtest.h>

#include <mutex>

#include "store/numbered_spans.h"
#include "testing/manual_clock.h"
#include "testing/sim_env.h"

namespace weft::store {
namespace {

using testing::CrashKind;
using testing::DiskOp;
using testing::ManualClock;
using testing::SimEnv;

StoreConfig SmallConfig() {
  StoreConfig config;
  config.directory = "/data/weft";
  config.background = false;
  config.wal_segment_bytes = 24 * 1024;
  config.page_cache_bytes = 1 << 20;
  config.free_bytes_min = 0;
  return config;
}

class Workload {
 public:
  explicit Workload(uint64_t seed) : random_(seed) {}

  SimEnv& env() { return env_; }
  int states() const { return states_; }
  const std::vector<std::string>& problems() const { return problems_; }

  // Steps until `states` power losses were tried, two after each change of the disk.
  void Run(int states) {
    env_.set_after_change([this] {
      for (int i = 0; i < 2; ++i) TryPowerLoss();
    });
    while (states_ < states) {
      auto store = Store::Open(&env_, &clock_, SmallConfig());
      if (!store) return;
      const int steps = 8 + static_cast<int>(random_() % 24);
      for (int i = 0; i < steps && states_ < states; ++i) {
        if (!Step(store->get())) return;
      }
      // Half of the restarts are clean.
      if (random_() % 2 == 0) (*store)->Close();
    }
    env_.set_after_change({});
  }

  // A few starts with a few steps each; a store that refuses is opened again.
  void RunSteps(int starts, int steps) {
    for (int start = 0; start < starts; ++start) {
      auto store = Store::Open(&env_, &clock_, SmallConfig());
      if (!store) continue;
      for (int i = 0; i < steps && Step(store->get()); ++i) {
      }
    }
  }

  void TryPowerLoss() {
    std::set<uint64_t> acknowledged;
    uint64_t seed = 0;
    {
      std::lock_guard lock(mutex_);
      acknowledged = acknowledged_;
      seed = static_cast<uint64_t>(++states_);
    }
    const auto kind = static_cast<CrashKind>(seed % testing::kCrashKinds);
    const auto disk = env_.Crash(kind, seed);
    const std::string problem = Check(disk.get(), acknowledged, seed);
    if (problem.empty()) return;
    std::lock_guard lock(mutex_);
    problems_.push_back("state " + std::to_string(seed) + ", kind " +
                        std::to_string(static_cast<int>(kind)) + ": " + problem);
  }

 private:
  bool Step(Store* store) {
    const uint64_t choice = random_() % 16;
    if (choice == 0) return store->FlushNow().has_value();
    if (choice == 1) return store->CompactNow(random_() % 2 == 0).has_value();
    if (choice == 2) return store->FlushNow() && store->CompactNow(true);
    const uint64_t count = 1 + random_() % (choice == 3 ? 50 : 5);
    const uint64_t first = next_;
    next_ += count;
    {
      std::lock_guard lock(mutex_);
      for (uint64_t n = first; n < next_; ++n) issued_.insert(n);
    }
    SpanBatch batch = NumberedBatch(first, count, 1 + random_() % 40);
    if (choice % 5 == 0) batch.tenant = "other";
    if (!AppendAndWait(store, std::move(batch))) return false;
    std::lock_guard lock(mutex_);
    for (uint64_t n = first; n < next_; ++n) acknowledged_.insert(n);
    return true;
  }

  std::string Check(SimEnv* disk, const std::set<uint64_t>& acknowledged, uint64_t seed) {
    auto store = Store::Open(disk, &clock_, SmallConfig());
    if (!store) return "does not open: " + store.error().message;
    const std::string problem = CheckStore(store->get(), acknowledged);
    if (!problem.empty()) return problem;
    const StoreStats stats = (*store)->stats();
    if (!stats.damage.empty()) return "takes a power loss for damage: " + stats.damage[0];
    if (seed % 8 != 0) return {};
    // It goes on as if nothing had happened, and stands a second power loss.
    std::set<uint64_t> more = acknowledged;
    constexpr uint64_t kNew = 1u << 30;
    if (!AppendAndWait(store->get(), NumberedBatch(kNew, 3))) return "takes no append";
    if (seed % 16 == 0 && !(*store)->FlushNow()) return "does not flush";
    for (uint64_t n = kNew; n < kNew + 3; ++n) more.insert(n);
    const auto again = disk->Crash(static_cast<CrashKind>(seed / 8 % testing::kCrashKinds), seed);
    auto reopened = Store::Open(again.get(), &clock_, SmallConfig());
    if (!reopened) return "does not open again: " + reopened.error().message;
    return CheckStore(reopened->get(), more);
  }

  std::string CheckStore(Store* store, const std::set<uint64_t>& acknowledged) {
    StoredNumbers all = ReadNumbers(store);
    const StoredNumbers other = ReadNumbers(store, "other");
    for (const auto& [number, count] : other.spans) all.spans[number] += count;
    if (!all.error.empty()) return all.error;
    if (!other.error.empty()) return other.error;
    std::set<uint64_t> issued;
    {
      std::lock_guard lock(mutex_);
      issued = issued_;
    }
    issued.insert(acknowledged.begin(), acknowledged.end());
    return CheckNumbers(all.spans, acknowledged, issued);
  }

  SimEnv env_;
  ManualClock clock_;
  std::mt19937_64 random_;
  std::mutex mutex_;
  std::set<uint64_t> issued_;
  std::set<uint64_t> acknowledged_;
  uint64_t next_ = 0;
  int states_ = 0;
  std::vector<std::string> problems_;
};

class PowerLossTest : public ::testing::TestWithParam<int> {};

TEST_P(PowerLossTest, EveryAcknowledgedSpanIsThereExactlyOnce) {
  Workload workload(static_cast<uint64_t>(GetParam()));
  workload.Run(500);
  EXPECT_GE(workload.states(), 500);
  ASSERT_TRUE(workload.problems().empty())
      << workload.problems().size() << " of " << workload.states() << " states, first "
      << workload.problems()[0];
}
INSTANTIATE_TEST_SUITE_P(Seeds, PowerLossTest, ::testing::Values(1, 2, 3, 4));

TEST(PowerLossControlTest, WithoutDataSyncSpansAreLost) {
  Workload workload(1);
  workload.env().set_data_sync_lies(true);
  workload.Run(200);
  EXPECT_FALSE(workload.problems().empty());
}

TEST(PowerLossControlTest, WithoutDirectorySyncSpansAreLost) {
  Workload workload(1);
  workload.env().set_sync_dir_lies(true);
  workload.Run(200);
  EXPECT_FALSE(workload.problems().empty());
}

// Every call of each kind fails once, in a run of its own.
class FailedCallTest : public ::testing::TestWithParam<DiskOp> {};

TEST_P(FailedCallTest, NothingUnsyncedIsAcknowledgedWhereverItFails) {
  constexpr int kStarts = 3, kSteps = 12;
  uint64_t calls = 0;
  {
    Workload healthy(5);
    healthy.RunSteps(kStarts, kSteps);
    calls = healthy.env().calls(GetParam());
  }
  ASSERT_GT(calls, 5u);
  for (uint64_t nth = 1; nth <= calls; ++nth) {
    Workload workload(5);
    workload.env().FailCalls(GetParam(), nth, ErrorCode::kIo);
    workload.RunSteps(kStarts, kSteps);
    for (int i = 0; i < 3; ++i) workload.TryPowerLoss();
    ASSERT_TRUE(workload.problems().empty()) << "call " << nth << ": " << workload.problems()[0];
  }
}
INSTANTIATE_TEST_SUITE_P(Calls, FailedCallTest,
                         ::testing::Values(DiskOp::kDataSync, DiskOp::kSyncDir, DiskOp::kWrite,
                                           DiskOp::kRename, DiskOp::kCreate));

}  // namespace
}  // namespace weft::store

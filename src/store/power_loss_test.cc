// SPDX-License-Identifier: Apache-2.0
//
// Power loss on the simulated disk. A workload of appends from several threads, flushes, merges and
// restarts runs; after every call that changes the disk, the states that a power loss could leave
// are made, opened and read, some with a second power loss while they are opened. Every
// acknowledged span and log record must be there exactly once, with the content that was sent, and
// nothing that was never sent.
// Negative control: on a disk whose syncs do nothing the same check must find losses.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <thread>

#include "testing/manual_clock.h"
#include "testing/numbered_spans.h"
#include "testing/sim_env.h"

namespace weft::store {
namespace {

using testing::AppendAndWait;
using testing::CheckNumbers;
using testing::CrashKind;
using testing::DiskOp;
using testing::ManualClock;
using testing::NumberedBatch;
using testing::Numbers;
using testing::ReadNumbers;
using testing::SimEnv;
using testing::StoredNumbers;

StoreConfig SmallConfig() {
  StoreConfig config;
  config.directory = "/data/weft";
  config.background = false;
  config.wal_segment_bytes = 24 * 1024;
  config.page_cache_bytes = 1 << 20;
  config.free_bytes_min = 0;
  config.block_group_rows = segment::RowGroups::kRowsMin;
  return config;
}

class Workload {
 public:
  explicit Workload(uint64_t seed) : random_(seed) {}

  SimEnv& env() { return env_; }
  int states() const { return states_; }
  // Power losses while a disk that had lost power was opened.
  uint64_t recoveries_cut() const { return recoveries_cut_; }
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
    Numbers acknowledged;
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
    if (choice == 4) return AppendSideBySide(store);
    return Append(store, Plan(1 + random_() % (choice == 3 ? 50 : 5), choice % 5 == 0));
  }

  // One batch to come, and to whom it belongs.
  struct Planned {
    uint64_t first, count, per_trace;
    bool other_tenant;
  };
  Planned Plan(uint64_t count, bool other_tenant) {
    const uint64_t first = next_;
    next_ += count;
    return {first, count, 1 + random_() % 40, other_tenant};
  }

  bool Append(Store* store, const Planned& planned) {
    {
      std::lock_guard lock(mutex_);
      issued_.Add(planned.first, planned.count);
    }
    SpanBatch batch = NumberedBatch(planned.first, planned.count, planned.per_trace);
    if (planned.other_tenant) batch.tenant = "other";
    if (!AppendAndWait(store, std::move(batch))) return false;
    std::lock_guard lock(mutex_);
    acknowledged_.Add(planned.first, planned.count);
    return true;
  }

  // Group commit: records of several threads lie in one write and one sync.
  bool AppendSideBySide(Store* store) {
    constexpr int kThreads = 4, kBatches = 3;
    std::array<std::vector<Planned>, kThreads> plans;
    for (auto& plan : plans)
      for (int i = 0; i < kBatches; ++i) plan.push_back(Plan(1 + random_() % 8, i == 1));
    std::atomic<bool> good = true;
    std::vector<std::thread> threads;
    for (const auto& plan : plans)
      threads.emplace_back([&] {
        for (const Planned& planned : plan)
          if (!Append(store, planned)) good = false;
      });
    for (std::thread& thread : threads) thread.join();
    return good;
  }

  std::string Check(SimEnv* disk, const Numbers& acknowledged, uint64_t seed) {
    std::vector<std::unique_ptr<SimEnv>> lost_again;
    if (seed % 4 == 1) {
      disk->set_after_change([&, change = uint64_t{0}]() mutable {
        const auto kind = static_cast<CrashKind>((seed / 4 + change) % testing::kCrashKinds);
        lost_again.push_back(disk->Crash(kind, seed + ++change));
      });
    }
    auto store = Store::Open(disk, &clock_, SmallConfig());
    disk->set_after_change({});
    if (!store) return "does not open: " + store.error().message;
    recoveries_cut_ += lost_again.size();
    for (const auto& again : lost_again) {
      auto opened = Store::Open(again.get(), &clock_, SmallConfig());
      if (!opened)
        return "does not open after a power loss while opening: " + opened.error().message;
      const std::string problem = CheckStore(opened->get(), acknowledged);
      if (!problem.empty()) return "after a power loss while opening: " + problem;
    }
    const std::string problem = CheckStore(store->get(), acknowledged);
    if (!problem.empty()) return problem;
    const StoreStats stats = (*store)->stats();
    if (!stats.damage.empty()) return "takes a power loss for damage: " + stats.damage[0];
    if (seed % 8 != 0) return {};
    // It goes on as if nothing had happened, and stands a second power loss.
    Numbers more = acknowledged;
    constexpr uint64_t kNew = 1u << 30;
    if (!AppendAndWait(store->get(), NumberedBatch(kNew, 3))) return "takes no append";
    if (seed % 16 == 0 && !(*store)->FlushNow()) return "does not flush";
    more.Add(kNew, 3);
    const auto again = disk->Crash(static_cast<CrashKind>(seed / 8 % testing::kCrashKinds), seed);
    auto reopened = Store::Open(again.get(), &clock_, SmallConfig());
    if (!reopened) return "does not open again: " + reopened.error().message;
    return CheckStore(reopened->get(), more);
  }

  std::string CheckStore(Store* store, const Numbers& acknowledged) {
    StoredNumbers all = ReadNumbers(store);
    const StoredNumbers other = ReadNumbers(store, "other");
    for (const auto& [number, count] : other.spans) all.spans[number] += count;
    for (const auto& [number, count] : other.logs) all.logs[number] += count;
    if (all.error.empty()) all.error = other.error;
    if (all.wrong.empty()) all.wrong = other.wrong;
    Numbers issued;
    {
      std::lock_guard lock(mutex_);
      issued = issued_;
    }
    issued.spans.insert(acknowledged.spans.begin(), acknowledged.spans.end());
    issued.logs.insert(acknowledged.logs.begin(), acknowledged.logs.end());
    return CheckNumbers(all, acknowledged, issued);
  }

  SimEnv env_;
  ManualClock clock_;
  std::mt19937_64 random_;
  std::mutex mutex_;
  Numbers issued_;
  Numbers acknowledged_;
  std::atomic<uint64_t> recoveries_cut_ = 0;
  uint64_t next_ = 0;
  int states_ = 0;
  std::vector<std::string> problems_;
};

class PowerLossTest : public ::testing::TestWithParam<int> {};

TEST_P(PowerLossTest, EveryAcknowledgedSpanIsThereExactlyOnce) {
  const int states = std::getenv("WEFT_LONG_TESTS") != nullptr ? 500 : 150;
  Workload workload(static_cast<uint64_t>(GetParam()));
  workload.Run(states);
  EXPECT_GE(workload.states(), states);
  EXPECT_GE(workload.recoveries_cut(), static_cast<uint64_t>(states));
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
  ASSERT_GT(calls, 0u);
  // Every call by WEFT_LONG_TESTS=1, else some all over the run.
  const uint64_t stride = std::getenv("WEFT_LONG_TESTS") != nullptr ? 1 : calls / 24 + 1;
  for (uint64_t nth = 1; nth <= calls; nth += stride) {
    Workload workload(5);
    workload.env().FailCalls(GetParam(), nth, ErrorCode::kIo);
    workload.RunSteps(kStarts, kSteps);
    workload.TryPowerLoss();
    ASSERT_TRUE(workload.problems().empty()) << "call " << nth << ": " << workload.problems()[0];
  }
}
INSTANTIATE_TEST_SUITE_P(Calls, FailedCallTest,
                         ::testing::Values(DiskOp::kDataSync, DiskOp::kSyncDir, DiskOp::kWrite,
                                           DiskOp::kRename, DiskOp::kCreate, DiskOp::kRemove,
                                           DiskOp::kMakeDir));

}  // namespace
}  // namespace weft::store

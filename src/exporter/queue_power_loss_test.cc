// SPDX-License-Identifier: Apache-2.0
//
// Power losses under a sending queue with a log, after every change of the simulated disk, and
// calls that fail. What was acknowledged and not confirmed by the remote must be found by the next
// start; on a disk whose syncs do nothing the same check must find losses.
#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <set>

#include "exporter/queue_log_fixture.h"

namespace weft::exporter {
namespace {

using testing::CrashKind;
using testing::DiskOp;
using testing::ManualClock;
using testing::SimEnv;

constexpr uint64_t kSecond = 1'000'000'000;

// Pushes, sends and restarts under a queue, and after every change of the disk the states that a
// power loss could leave.
class Workload {
 public:
  explicit Workload(uint64_t seed) : random_(seed) {
    remote_.SetRule([this](const SendRequest&) -> std::optional<pipeline::Outcome> {
      const uint64_t choice = remote_random_() % 8;
      if (choice == 0) return std::nullopt;
      return choice < 3 ? Busy() : pipeline::Outcome();
    });
  }

  SimEnv& env() { return env_; }
  uint64_t states() const { return states_; }
  const std::vector<std::string>& problems() const { return problems_; }
  size_t confirmed() { return remote_.Received().size(); }

  void Run(uint64_t states) {
    env_.set_after_change([this] { TryPowerLoss(); });
    while (states_ < states) RunOnce();
    env_.set_after_change({});
  }
  // One start and what follows. A start that fails is tried again by the next one.
  void RunOnce() {
    SendingQueue queue(WithLog(), &remote_, &env_, &clock_, &metrics_);
    if (!queue.Start()) return;
    for (int step = 0; step < 12; ++step) {
      PushSome(&queue, 1 + random_() % 12, 20 + random_() % 1500);
      if (random_() % 2 == 0) remote_.AnswerHeld(random_() % 2 == 0 ? pipeline::Outcome() : Busy());
      clock_.Advance(random_() % (4 * kSecond));
      queue.Poke();
    }
    queue.Stop();
    remote_.AnswerHeld(Busy());
  }
  void TryPowerLoss() {
    std::set<std::string> acknowledged, issued;
    uint64_t seed = 0;
    {
      std::lock_guard lock(mutex_);
      acknowledged = acknowledged_;
      seed = ++states_;
    }
    const auto kind = static_cast<CrashKind>(seed % testing::kCrashKinds);
    const auto disk = env_.Crash(kind, seed);
    // Afterwards: what the remote took in between may be gone or not.
    const std::map<std::string, int> received = remote_.Received();
    {
      std::lock_guard lock(mutex_);
      issued = issued_;
    }
    for (const auto& [body, times] : received) acknowledged.erase(body);
    std::string problem = Check(disk.get(), acknowledged, issued);
    if (problem.empty() && seed % 4 == 0) {
      // Opening wrote to the disk; that may be cut short too.
      const auto again = disk->Crash(static_cast<CrashKind>(seed / 4 % testing::kCrashKinds), seed);
      problem = Check(again.get(), acknowledged, issued);
      if (!problem.empty()) problem = "the second time: " + problem;
    }
    if (problem.empty()) return;
    std::lock_guard lock(mutex_);
    problems_.push_back("state " + std::to_string(seed) + ", kind " +
                        std::to_string(static_cast<int>(kind)) + ": " + problem);
  }

 private:
  void PushSome(SendingQueue* queue, uint64_t count, uint64_t bytes) {
    std::atomic<uint64_t> answered = 0;
    for (uint64_t i = 0; i < count; ++i) {
      SendRequest request = NumberedRequest(next_++, bytes);
      const std::string body = request.body;
      {
        std::lock_guard lock(mutex_);
        issued_.insert(body);
      }
      queue->Push(std::move(request), pipeline::Ack([&, body](const pipeline::Outcome& outcome) {
                    if (outcome.status) {
                      std::lock_guard lock(mutex_);
                      acknowledged_.insert(body);
                    }
                    ++answered;
                  }));
    }
    EXPECT_TRUE(Eventually([&] { return answered == count; }));
  }
  static std::string Check(SimEnv* disk, const std::set<std::string>& needed,
                           const std::set<std::string>& issued) {
    const Found found = LookAt(disk);
    if (!found.error.empty()) return "does not open: " + found.error;
    if (!found.damage.empty()) return "takes a power loss for damage: " + found.damage[0];
    if (!found.wrong.empty()) return "changed: " + found.wrong;
    for (const std::string& body : needed)
      if (!found.requests.contains(body)) return "lost: " + body.substr(0, body.find('.'));
    for (const auto& [body, times] : found.requests)
      if (!issued.contains(body)) return "invented: " + body.substr(0, body.find('.'));
    return "";
  }

  SimEnv env_;
  ManualClock clock_;
  Metrics metrics_;
  std::mt19937_64 random_, remote_random_{11};
  RemoteFake remote_;
  std::mutex mutex_;
  std::set<std::string> issued_, acknowledged_;
  uint64_t next_ = 0;
  uint64_t states_ = 0;
  std::vector<std::string> problems_;
};

TEST(QueuePowerLossTest, NothingAcknowledgedAndUnconfirmedIsLost) {
  for (const uint64_t seed : {1, 2}) {
    Workload workload(seed);
    workload.Run(400);
    EXPECT_GE(workload.states(), 400u);
    EXPECT_GT(workload.confirmed(), 20u);
    ASSERT_TRUE(workload.problems().empty())
        << workload.problems().size() << " of " << workload.states() << " states, first "
        << workload.problems()[0];
  }
}

TEST(QueuePowerLossTest, WithoutSyncsRequestsAreLost) {
  for (const bool data : {true, false}) {
    Workload workload(1);
    if (data)
      workload.env().set_data_sync_lies(true);
    else
      workload.env().set_sync_dir_lies(true);
    workload.Run(150);
    EXPECT_FALSE(workload.problems().empty());
  }
}

class QueueFailedCallTest : public ::testing::TestWithParam<DiskOp> {};

TEST_P(QueueFailedCallTest, NothingUnsyncedIsAcknowledgedWhereverItFails) {
  uint64_t calls = 0;
  {
    Workload healthy(5);
    for (int start = 0; start < 2; ++start) healthy.RunOnce();
    calls = healthy.env().calls(GetParam());
  }
  ASSERT_GT(calls, 0u);
  // Some all over the run.
  const uint64_t stride = calls / 12 + 1;
  for (uint64_t nth = 1; nth <= calls; nth += stride) {
    Workload workload(5);
    workload.env().FailCalls(GetParam(), nth, ErrorCode::kIo);
    for (int start = 0; start < 2; ++start) workload.RunOnce();
    for (int i = 0; i < testing::kCrashKinds; ++i) workload.TryPowerLoss();
    ASSERT_TRUE(workload.problems().empty()) << "call " << nth << ": " << workload.problems()[0];
  }
}
INSTANTIATE_TEST_SUITE_P(Calls, QueueFailedCallTest,
                         ::testing::Values(DiskOp::kDataSync, DiskOp::kSyncDir, DiskOp::kWrite,
                                           DiskOp::kCreate, DiskOp::kMakeDir));

}  // namespace
}  // namespace weft::exporter

// SPDX-License-Identifier: Apache-2.0
//
// Sending queues with a log on the simulated disk: restarts, power losses after every change of the
// disk, calls that fail, full disks, damage. What was acknowledged and not confirmed by the remote
// must be found by the next start; on a disk whose syncs do nothing the same check must find
// losses.
#include "exporter/queue_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <set>

#include "base/log.h"
#include "exporter/remote_fixture.h"
#include "exporter/sending_queue.h"
#include "testing/manual_clock.h"
#include "testing/sim_env.h"

namespace weft::exporter {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using testing::CrashKind;
using testing::DiskOp;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::ManualClock;
using testing::SimEnv;
using ::testing::SizeIs;

constexpr uint64_t kSecond = 1'000'000'000;
constexpr char kDirectory[] = "/data/queue/otlp";
constexpr uint64_t kSegmentBytes = 16 * 1024;

QueueLogOptions SmallLog() {
  return {.directory = kDirectory, .segment_bytes = kSegmentBytes, .segments_max = 6};
}

SendingQueueOptions WithLog() {
  SendingQueueOptions options;
  options.exporter = "otlp_grpc/far";
  options.settings.queue.queue_size = 100'000;
  options.settings.retry.max_elapsed_ns = 0;
  options.directory = kDirectory;
  options.stop_ns = 0;
  options.log_segment_bytes = kSegmentBytes;
  options.random = [] { return 0.5; };
  return options;
}

// What a start would find: bodies, and how often each.
struct Found {
  std::map<std::string, int> requests;
  std::vector<std::string> damage;
  std::string error;
  std::string wrong;  // a request that is not what its number says
};
Found LookAt(SimEnv* disk) {
  ManualClock clock;
  QueueLogFound found;
  Found seen;
  auto log = QueueLog::Open(disk, &clock, SmallLog(), &found);
  if (!log) {
    seen.error = log.error().message;
    return seen;
  }
  seen.damage = found.damage;
  for (const QueueLogFound::Request& one : found.requests) {
    const SendRequest& request = one.request;
    ++seen.requests[request.body];
    const SendRequest sent = NumberedRequest(std::stoull(request.body), request.body.size());
    if (sent.body != request.body || sent.tenant != request.tenant || sent.items != request.items ||
        sent.signal != request.signal || sent.received_ns != request.received_ns)
      seen.wrong = request.body;
  }
  return seen;
}

class QueueLogTest : public ::testing::Test {
 protected:
  void Make(SendingQueueOptions options = WithLog()) {
    queue_.emplace(std::move(options), &remote_, &env_, &clock_, &metrics_);
    ASSERT_TRUE(queue_->Start());
  }
  void Push(uint64_t first, uint64_t count, uint64_t body_bytes = 100) {
    const size_t before = answers_.Count();
    for (uint64_t i = 0; i < count; ++i)
      queue_->Push(NumberedRequest(first + i, body_bytes), answers_.New());
    ASSERT_TRUE(Eventually([&] { return answers_.Count() == before + count; }));
  }
  bool GoOnUntil(const std::function<bool()>& condition) {
    return Eventually([&] {
      if (condition()) return true;
      clock_.Advance(kSecond);
      queue_->Poke();
      return false;
    });
  }
  std::vector<std::string> Segments(SimEnv& env) {
    std::vector<std::string> files;
    for (const std::string& file : env.Files())
      if (file.starts_with(std::string(kDirectory) + "/wal/")) files.push_back(file);
    return files;
  }

  SimEnv env_;
  ManualClock clock_;
  Metrics metrics_;
  RemoteFake remote_;
  Answers answers_;
  std::optional<SendingQueue> queue_;
};

TEST_F(QueueLogTest, AThousandPendingAreSentAfterARestart) {
  remote_.SetRule(RemoteFake::Hangs);
  Make();
  Push(0, 1000);
  EXPECT_EQ(answers_.CountOk(), 1000u);
  queue_.reset();
  // Those that were on their way are confirmed too late for the log.
  EXPECT_EQ(LookAt(&env_).requests.size(), 1000u);
  remote_.SetRule(RemoteFake::Takes);
  Make();
  ASSERT_TRUE(Eventually([&] { return remote_.Received().size() == 1000; }));
  for (const auto& [body, times] : remote_.Received()) EXPECT_EQ(times, 1) << body;
  queue_.reset();
  const Found nothing = LookAt(&env_);
  EXPECT_THAT(nothing.requests, IsEmpty());
  EXPECT_THAT(nothing.damage, IsEmpty());
}

TEST_F(QueueLogTest, ACleanStopRemembersExactlyWhatWasNotConfirmed) {
  remote_.SetRule([](const SendRequest& request) {
    return std::stoull(request.body) % 3 == 0 ? Busy() : pipeline::Outcome();
  });
  SendingQueueOptions options = WithLog();
  options.settings.queue.num_consumers = 200;
  Make(options);
  Push(0, 300);
  ASSERT_TRUE(Eventually([&] { return remote_.Received().size() == 200; }));
  queue_.reset();
  const Found left = LookAt(&env_);
  EXPECT_THAT(left.requests, SizeIs(100));
  for (const auto& [body, times] : left.requests) EXPECT_EQ(std::stoull(body) % 3, 0u);
  EXPECT_EQ(left.wrong, "");
  EXPECT_THAT(left.damage, IsEmpty());
}

TEST_F(QueueLogTest, WhatIsGivenUpDoesNotComeBack) {
  remote_.SetRule([](const SendRequest&) { return Refusal(ErrorCode::kInvalidArgument); });
  Make();
  Push(0, 20);
  ASSERT_TRUE(Eventually([&] { return remote_.Tries() == 20; }));
  queue_.reset();
  EXPECT_THAT(LookAt(&env_).requests, IsEmpty());
}

TEST_F(QueueLogTest, AnotherProcessMayNotUseTheDirectory) {
  Make();
  SendingQueue other(WithLog(), &remote_, &env_, &clock_, &metrics_);
  const Status started = other.Start();
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().message, HasSubstr("the sending queue of otlp_grpc/far"));
}

TEST_F(QueueLogTest, SegmentsAreFreedAsTheirRequestsAreDone) {
  Make();
  for (uint64_t i = 0; i < 20; ++i) {
    Push(i * 50, 50, 400);
    ASSERT_TRUE(Eventually([&] { return remote_.Received().size() == (i + 1) * 50; }));
  }
  ASSERT_TRUE(GoOnUntil([&] { return Segments(env_).size() <= 3; }));
}

TEST_F(QueueLogTest, OneRequestThatIsNeverTakenDoesNotKeepTheLogFromShrinking) {
  remote_.SetRule([](const SendRequest& request) {
    return request.body.starts_with("0.") ? Busy() : pipeline::Outcome();
  });
  SendingQueueOptions options = WithLog();
  options.settings.queue.bytes_max = 32 * 1024;  // eight segments
  Make(options);
  size_t most = 0;
  for (uint64_t i = 0; i < 1000; ++i) {
    Push(i, 1, 1000);
    ASSERT_TRUE(Eventually([&] { return remote_.Received().size() >= i; }));
    clock_.Advance(kSecond);
    queue_->Poke();
    most = std::max(most, Segments(env_).size());
  }
  EXPECT_LT(most, 20u);
  ASSERT_TRUE(GoOnUntil([&] { return Segments(env_).size() <= 10; }));
  queue_.reset();
  const Found left = LookAt(&env_);
  EXPECT_THAT(left.requests, SizeIs(1));
  EXPECT_EQ(left.requests.begin()->first, NumberedRequest(0, 1000).body);
  EXPECT_EQ(left.requests.begin()->second, 1);
  EXPECT_THAT(left.damage, IsEmpty());
}

TEST_F(QueueLogTest, AFullDiskRefusesAndGoesOnWhenThereIsSpace) {
  remote_.SetRule(RemoteFake::Hangs);
  SendingQueueOptions options = WithLog();
  options.settings.queue.block_on_overflow = true;
  Make(options);
  EXPECT_TRUE(queue_->Keeps());
  env_.set_capacity_bytes(env_.used_bytes() + 2 * kSegmentBytes);
  uint64_t next = 0;
  while (answers_.CountOk() == next && next < 1000) Push(next++, 1, 1000);
  ASSERT_LT(answers_.CountOk(), next);
  const Error error = answers_.All().back().status.error();
  EXPECT_TRUE(pipeline::IsRetryable(error)) << error.message;
  EXPECT_FALSE(queue_->Admit(100));
  // What the remote takes makes room.
  remote_.SetRule(RemoteFake::Takes);
  remote_.AnswerHeld();
  ASSERT_TRUE(GoOnUntil([&] { return queue_->Admit(100).has_value(); }));
  const size_t ok = answers_.CountOk();
  Push(next, 1);
  EXPECT_EQ(answers_.CountOk(), ok + 1);
}

TEST_F(QueueLogTest, AFailedSyncIsFinalAndWhatIsHeldIsStillSent) {
  remote_.SetRule(RemoteFake::Hangs);
  Make();
  Push(0, 5);
  env_.FailCalls(DiskOp::kDataSync, 1, ErrorCode::kIo);
  Push(5, 3);
  EXPECT_EQ(answers_.CountOk(), 5u);
  Push(8, 1);
  EXPECT_EQ(answers_.CountOk(), 5u);
  remote_.SetRule(RemoteFake::Takes);
  remote_.AnswerHeld();
  ASSERT_TRUE(Eventually([&] { return remote_.Received().size() == 5; }));
  EXPECT_THAT(metrics_.Render(MetricsFormat::kPrometheus),
              HasSubstr("weft_exporter_enqueue_failed_items_total{exporter=\"otlp_grpc/far\","
                        "reason=\"log\"} "));
}

// ---- damage

class QueueDamageTest : public QueueLogTest {
 protected:
  // Several segments of requests that wait.
  void Fill() {
    remote_.SetRule(RemoteFake::Hangs);
    Make();
    for (uint64_t i = 0; i < 60; ++i) Push(i, 1, 1000);
    queue_.reset();
    ASSERT_GE(Segments(env_).size(), 4u);
  }
  void Flip(const std::string& path, size_t at) {
    std::string bytes = env_.Contents(path);
    ASSERT_LT(at, bytes.size());
    bytes[at] = static_cast<char>(bytes[at] ^ 0x40);
    env_.SetContents(path, std::move(bytes));
  }
  // The log lines of a start, and everything that could be read is sent.
  std::vector<std::string> StartAndSend(size_t expected) {
    std::vector<std::string> lines;
    SetLogSink([&](std::string_view line) { lines.emplace_back(line); });
    remote_.SetRule(RemoteFake::Takes);
    Make();
    SetLogSink({});
    EXPECT_TRUE(GoOnUntil([&] { return remote_.Received().size() == expected; }))
        << remote_.Received().size();
    return lines;
  }
  std::vector<std::string> Quarantined() {
    std::vector<std::string> files;
    for (const std::string& file : env_.Files())
      if (file.find("/quarantine/") != std::string::npos) files.push_back(file);
    return files;
  }
};

TEST_F(QueueDamageTest, ADamagedRecordIsNamedAndItsFileQuarantined) {
  Fill();
  const std::string hurt = Segments(env_)[1];
  Flip(hurt, store::kWalHeaderBytes + 2000);
  const std::vector<std::string> lines = StartAndSend(59);
  const std::string name = hurt.substr(hurt.rfind('/') + 1);
  EXPECT_THAT(lines, Contains(AllOf(HasSubstr("damaged"), HasSubstr(name))));
  ASSERT_TRUE(GoOnUntil([&] { return !Quarantined().empty(); }));
  EXPECT_THAT(Quarantined(), Each(HasSubstr(name)));
  queue_.reset();
  EXPECT_THAT(LookAt(&env_).damage, IsEmpty());
}

TEST_F(QueueDamageTest, AQuarantineDoesNotWaitForTheRemote) {
  Fill();
  Flip(Segments(env_)[0], store::kWalHeaderBytes + 2000);
  remote_.SetRule(RemoteFake::Hangs);
  Make();
  ASSERT_TRUE(GoOnUntil([&] { return !Quarantined().empty(); }));
  queue_.reset();
  const Found left = LookAt(&env_);
  EXPECT_THAT(left.requests, SizeIs(59));
  EXPECT_THAT(left.damage, IsEmpty());
}

TEST_F(QueueDamageTest, ACutOffEndIsNamed) {
  Fill();
  const std::string last = Segments(env_).back();
  env_.SetContents(last, env_.Contents(last).substr(0, store::kWalHeaderBytes));
  const Found found = LookAt(&env_);
  EXPECT_EQ(found.error, "");
  EXPECT_THAT(found.damage, Contains(HasSubstr("lost")));
  EXPECT_GT(found.requests.size(), 30u);
}

TEST_F(QueueDamageTest, OneBadSlotOfTheMarkCostsNothing) {
  Fill();
  Flip(std::string(kDirectory) + "/MARK", 30);
  const Found one = LookAt(&env_);
  EXPECT_THAT(one.requests, SizeIs(60));
  EXPECT_EQ(one.error, "");
}

TEST_F(QueueDamageTest, ABadMarkIsNamedAndRequestsAreKept) {
  Fill();
  Flip(std::string(kDirectory) + "/MARK", 30);
  Flip(std::string(kDirectory) + "/MARK", kQueueMarkSlotBytes + 30);
  const std::vector<std::string> lines = StartAndSend(60);
  EXPECT_THAT(lines, Contains(AllOf(HasSubstr("damaged"), HasSubstr("MARK"))));
  EXPECT_THAT(Quarantined(), Contains(HasSubstr("quarantine/MARK")));
}

TEST_F(QueueDamageTest, EveryFlippedByteIsNamedOrHarmlessAndNeverFatal) {
  Fill();
  std::mt19937_64 random(3);
  const std::vector<std::string> files = Segments(env_);
  for (int i = 0; i < 200; ++i) {
    const auto copy = env_.Crash(CrashKind::kKeepAll, 1);
    const std::string& path = files[random() % files.size()];
    std::string bytes = copy->Contents(path);
    const size_t at = random() % bytes.size();
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << random() % 8));
    copy->SetContents(path, std::move(bytes));
    const Found found = LookAt(copy.get());
    ASSERT_EQ(found.error, "") << path << " byte " << at;
    EXPECT_EQ(found.wrong, "") << path << " byte " << at;
    EXPECT_TRUE(found.requests.size() == 60 || !found.damage.empty()) << path << " byte " << at;
    EXPECT_GE(found.requests.size(), 59u);
  }
}

// ---- power loss

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

// ---- bytes

TEST(QueueRecordTest, RequestsAndNewsComeBackAndNoCutIsTakenForWhole) {
  for (uint64_t i = 0; i < 3; ++i) {
    const SendRequest request = NumberedRequest(i, 50);
    const std::string bytes = EncodeRequest(request);
    const auto record = ParseQueueRecord(bytes);
    ASSERT_TRUE(record);
    EXPECT_EQ(record->signal, request.signal);
    EXPECT_EQ(record->body, request.body);
    for (size_t cut = 0; cut < 2; ++cut) EXPECT_FALSE(ParseQueueRecord(bytes.substr(0, cut)));
  }
  const std::vector<SentRange> sent = {{1, 3}, {7, 7}};
  const std::string bytes = EncodeSent(sent);
  const auto record = ParseQueueRecord(bytes);
  ASSERT_TRUE(record);
  EXPECT_FALSE(record->signal);
  EXPECT_EQ(record->sent, sent);
  for (size_t cut = 0; cut < bytes.size(); ++cut)
    EXPECT_EQ(ParseQueueRecord(bytes.substr(0, cut)).error().code, ErrorCode::kCorruption) << cut;
  EXPECT_FALSE(ParseQueueRecord(bytes + "x"));
  EXPECT_FALSE(ParseQueueRecord(EncodeSent({{3, 2}})));
  EXPECT_FALSE(ParseQueueRecord(EncodeSent({{3, ~uint64_t{0}}})));
  EXPECT_EQ(ParseQueueRecord("\x02\x01").error().code, ErrorCode::kUnimplemented);
  EXPECT_FALSE(ParseQueueRecord("\x01\x09"));
}

TEST(QueueRecordTest, AMarkComesBackAndNoCutOrFlipIsTaken) {
  const QueueMark mark{
      .number = 5, .uuid = {1, 2}, .freed_through = 6, .needed_from = 7, .durable_through = 8};
  const std::string bytes = EncodeQueueMark(mark);
  const auto parsed = ParseQueueMark(bytes + std::string(100, '\0'));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->number, 5u);
  EXPECT_EQ(parsed->uuid, mark.uuid);
  EXPECT_EQ(parsed->freed_through, 6u);
  EXPECT_EQ(parsed->needed_from, 7u);
  EXPECT_EQ(parsed->durable_through, 8u);
  for (size_t at = 0; at < bytes.size(); ++at) {
    EXPECT_FALSE(ParseQueueMark(bytes.substr(0, at)));
    std::string flipped = bytes;
    flipped[at] = static_cast<char>(flipped[at] ^ 1);
    EXPECT_FALSE(ParseQueueMark(flipped)) << at;
  }
}

}  // namespace
}  // namespace weft::exporter

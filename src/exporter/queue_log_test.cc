// SPDX-License-Identifier: Apache-2.0
//
// Sending queues with a log on the simulated disk: restarts, full disks, damage.
#include "exporter/queue_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "base/log.h"
#include "exporter/queue_log_fixture.h"

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

}  // namespace
}  // namespace weft::exporter

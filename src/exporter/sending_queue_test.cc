// SPDX-License-Identifier: Apache-2.0
#include "exporter/sending_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "config/yaml.h"
#include "exporter/remote_fixture.h"
#include "exporter/retry_backoff.h"
#include "testing/manual_clock.h"
#include "testing/sim_env.h"

namespace weft::exporter {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::ManualClock;
using testing::SimEnv;
using ::testing::SizeIs;

constexpr uint64_t kSecond = 1'000'000'000;

class SendingQueueTest : public ::testing::Test {
 protected:
  void Make() {
    options_.exporter = "otlp_grpc/far";
    options_.random = [] { return 0.5; };
    options_.stop_ns = stop_ns_;
    queue_.emplace(options_, &remote_, &env_, &clock_, &metrics_);
    ASSERT_TRUE(queue_->Start());
  }
  void Push(uint64_t number, uint64_t body_bytes = 0) {
    queue_->Push(NumberedRequest(number, body_bytes), answers_.New());
  }
  // Time goes on until it comes true.
  bool GoOnUntil(const std::function<bool()>& condition, uint64_t step_ns = kSecond) {
    return Eventually([&] {
      if (condition()) return true;
      clock_.Advance(step_ns);
      queue_->Poke();
      return false;
    });
  }
  double Metric(const std::string& name, const std::string& label = "") {
    const std::string text = metrics_.Render(MetricsFormat::kPrometheus);
    const std::string series = "\n" + name + "{exporter=\"otlp_grpc/far\"" + label + "} ";
    const size_t at = text.find(series);
    EXPECT_NE(at, std::string::npos) << series;
    return at == std::string::npos ? -1 : std::stod(text.substr(at + series.size()));
  }
  double Failed(const std::string& reason) {
    return Metric("weft_exporter_failed_items_total", ",reason=\"" + reason + "\"");
  }
  double NotTaken(const std::string& reason) {
    return Metric("weft_exporter_enqueue_failed_items_total", ",reason=\"" + reason + "\"");
  }
  QueueSettings& queue_settings() { return options_.settings.queue; }
  RetrySettings& retry_settings() { return options_.settings.retry; }

  SimEnv env_;
  ManualClock clock_;
  Metrics metrics_;
  RemoteFake remote_;
  Answers answers_;
  SendingQueueOptions options_;
  uint64_t stop_ns_ = 0;
  std::optional<SendingQueue> queue_;
};

TEST_F(SendingQueueTest, EverythingArrivesOnceThroughAThousandFailures) {
  constexpr uint64_t kRequests = 400, kFailures = 1000;
  retry_settings().max_elapsed_ns = 0;
  std::mt19937_64 random(7);
  uint64_t failures = 0;
  remote_.SetRule([&](const SendRequest&) -> std::optional<pipeline::Outcome> {
    if (failures >= kFailures) return pipeline::Outcome();
    const uint64_t choice = random() % 16;
    if (choice < 2) return pipeline::Outcome();
    if (choice == 2) return std::nullopt;
    ++failures;
    return Refusal(ErrorCode::kUnavailable, static_cast<uint32_t>(choice % 3));
  });
  Make();
  for (uint64_t i = 0; i < kRequests; ++i) Push(i);
  EXPECT_EQ(answers_.CountOk(), kRequests);
  // The slow ones come back from this thread, some as failures.
  uint64_t slow = 0;
  ASSERT_TRUE(GoOnUntil([&] {
    slow += remote_.AnswerHeld(slow % 2 == 0 ? pipeline::Outcome() : Busy());
    return remote_.Received().size() == kRequests && remote_.Hanging() == 0;
  }));
  queue_->Stop();
  EXPECT_GE(failures, kFailures);
  EXPECT_GT(slow, 0u);
  uint64_t items = 0;
  for (uint64_t i = 0; i < kRequests; ++i) {
    EXPECT_EQ(remote_.Received()[NumberedRequest(i).body], 1) << i;
    items += NumberedRequest(i).items;
  }
  EXPECT_THAT(remote_.Received(), SizeIs(kRequests));
  EXPECT_EQ(Metric("weft_exporter_sent_items_total"), static_cast<double>(items));
  EXPECT_GE(Metric("weft_exporter_retries_total"), static_cast<double>(kFailures));
  EXPECT_EQ(Metric("weft_exporter_queue_size"), 0);
  EXPECT_EQ(Metric("weft_exporter_queue_bytes"), 0);
}

TEST_F(SendingQueueTest, ProcessWithoutMemoryIsAFullQueue) {
  MemoryBudget budget(1 << 20);
  MemoryAccount* others = budget.Open("others");
  options_.memory = budget.Open("queues");
  MemoryCharge taken = others->TakeAnyway((1 << 20) - 10'000);
  remote_.SetRule(RemoteFake::Hangs);
  Make();
  Push(0, 4'000);
  Push(1, 20'000);
  EXPECT_EQ(answers_.CountOk(), 1u);
  EXPECT_EQ(NotTaken("full"), static_cast<double>(NumberedRequest(1).items));
  EXPECT_GE(options_.memory->used(), 4'000u);
  taken.Release();
  Push(2, 20'000);
  EXPECT_EQ(answers_.CountOk(), 2u);
  ASSERT_TRUE(Eventually([&] { return remote_.Hanging() == 2; }));
  remote_.SetRule(RemoteFake::Takes);
  remote_.AnswerHeld(pipeline::Outcome());
  ASSERT_TRUE(Eventually([&] { return options_.memory->used() == 0; }));
  queue_->Stop();
}

TEST_F(SendingQueueTest, SendersAreAnsweredWhileTheRemoteHangs) {
  remote_.SetRule(RemoteFake::Hangs);
  Make();
  for (uint64_t i = 0; i < 25; ++i) Push(i);
  EXPECT_EQ(answers_.CountOk(), 25u);
  ASSERT_TRUE(Eventually([&] { return remote_.Hanging() == 10; }));
  queue_->Poke();
  EXPECT_EQ(Metric("weft_exporter_queue_size"), 25);
  EXPECT_EQ(Metric("weft_exporter_queue_capacity"), 1000);
  EXPECT_EQ(remote_.Tries(), 10u);  // num_consumers
  ASSERT_TRUE(Eventually([&] {
    remote_.AnswerHeld();
    return remote_.Received().size() == 25;
  }));
  EXPECT_EQ(remote_.Tries(), 25u);
}

TEST_F(SendingQueueTest, WhatWaitsForItsNextTryKeepsItsPlaceAmongTheConsumers) {
  queue_settings().num_consumers = 2;
  remote_.SetRule([](const SendRequest&) { return Busy(); });
  Make();
  for (uint64_t i = 0; i < 9; ++i) Push(i);
  ASSERT_TRUE(Eventually([&] { return remote_.Tries() == 2; }));
  clock_.Advance(5 * kSecond);
  queue_->Poke();
  ASSERT_TRUE(Eventually([&] { return remote_.Tries() == 4; }));
  EXPECT_EQ(Metric("weft_exporter_queue_size"), 9);
}

TEST_F(SendingQueueTest, WithWaitForResultTheSenderHearsTheRemote) {
  queue_settings().wait_for_result = true;
  remote_.SetRule(RemoteFake::Hangs);
  Make();
  EXPECT_TRUE(queue_->Keeps());
  Push(6);
  ASSERT_TRUE(Eventually([&] { return remote_.Hanging() == 1; }));
  EXPECT_EQ(answers_.Count(), 0u);
  remote_.AnswerHeld({.status = {}, .rejected = 2, .message = "too old"});
  ASSERT_EQ(answers_.CountOk(), 1u);
  EXPECT_EQ(answers_.All()[0].rejected, 2u);
  EXPECT_EQ(answers_.All()[0].message, "too old");
  EXPECT_EQ(Metric("weft_exporter_sent_items_total"), 5);
  EXPECT_EQ(Failed("permanent"), 2);
  Push(2);
  ASSERT_TRUE(Eventually([&] { return remote_.Hanging() == 1; }));
  remote_.AnswerHeld(Refusal(ErrorCode::kInvalidArgument));
  ASSERT_EQ(answers_.Count(), 2u);
  EXPECT_EQ(answers_.All()[1].status.error().code, ErrorCode::kInvalidArgument);
}

TEST_F(SendingQueueTest, WithoutAQueueSendersWaitForTheRemoteHoweverMany) {
  queue_settings().enabled = false;
  remote_.SetRule(RemoteFake::Hangs);
  Make();
  EXPECT_TRUE(queue_->Keeps());
  for (uint64_t i = 0; i < 30; ++i) Push(i);
  ASSERT_TRUE(Eventually([&] { return remote_.Hanging() == 30; }));
  EXPECT_EQ(answers_.Count(), 0u);
  remote_.AnswerHeld();
  EXPECT_EQ(answers_.CountOk(), 30u);
}

TEST_F(SendingQueueTest, TriesComeAfterGrowingWaits) {
  std::vector<uint64_t> at;
  remote_.SetRule([&](const SendRequest&) {
    at.push_back(clock_.MonotonicNs());
    return Busy();
  });
  Make();
  Push(1);
  for (const uint64_t wait_ms : {0, 5000, 7500, 11250, 16875, 25312, 30000, 30000}) {
    // Not before its time.
    const uint64_t tries = remote_.Tries();
    if (wait_ms > 0) {
      clock_.Advance(wait_ms * 1'000'000 - 1'000'000);
      queue_->Poke();
      clock_.Advance(2'000'000);
      queue_->Poke();
    }
    ASSERT_TRUE(Eventually([&] { return remote_.Tries() == tries + 1; })) << wait_ms;
    // The wait begins when the outcome is known.
    ASSERT_TRUE(Eventually(
        [&] { return Metric("weft_exporter_retries_total") == static_cast<double>(tries + 1); }));
  }
  queue_->Stop();
  for (size_t i = 1; i < at.size(); ++i) EXPECT_GE(at[i] - at[i - 1], 5 * kSecond) << i;
}

TEST(RetryBackoffTest, WaitsGrowToTheMostAndAreSpread) {
  const RetrySettings settings;
  RetryBackoff low, middle, high;
  std::vector<double> waits;
  for (int i = 0; i < 7; ++i) {
    waits.push_back(static_cast<double>(middle.Next(settings, 0.5)) / 1e9);
    EXPECT_NEAR(static_cast<double>(low.Next(settings, 0)) / 1e9, waits.back() / 2, 1e-6);
    EXPECT_NEAR(static_cast<double>(high.Next(settings, 1)) / 1e9, waits.back() * 1.5, 1e-6);
  }
  EXPECT_THAT(waits, ElementsAre(5, 7.5, 11.25, 16.875, 25.3125, 30, 30));
}

TEST_F(SendingQueueTest, TheRemotesOwnDelayIsKept) {
  remote_.SetRule([](const SendRequest&) { return Refusal(ErrorCode::kResourceExhausted, 60); });
  Make();
  Push(1);
  ASSERT_TRUE(Eventually([&] { return Metric("weft_exporter_retries_total") == 1; }));
  remote_.SetRule(RemoteFake::Takes);
  clock_.Advance(59 * kSecond);
  queue_->Poke();
  // A later request passes by, and shows that the first one was looked at.
  Push(2);
  ASSERT_TRUE(Eventually([&] { return remote_.Received().size() == 1; }));
  EXPECT_EQ(remote_.Received().begin()->first, "2");
  clock_.Advance(kSecond);
  queue_->Poke();
  ASSERT_TRUE(Eventually([&] { return remote_.Received().size() == 2; }));
}

TEST_F(SendingQueueTest, WhatIsGivenUpIsCountedByReason) {
  remote_.SetRule([](const SendRequest& request) {
    return request.body == "4" ? Refusal(ErrorCode::kInvalidArgument) : Busy();
  });
  Make();
  Push(4);  // five items
  Push(3);  // four
  ASSERT_TRUE(GoOnUntil([&] { return Metric("weft_exporter_queue_size") == 0; }));
  EXPECT_EQ(Failed("permanent"), 5);
  EXPECT_EQ(Failed("max_elapsed_time"), 4);
  EXPECT_EQ(Metric("weft_exporter_sent_items_total"), 0);
  queue_.reset();
  retry_settings().enabled = false;
  Make();
  Push(3);
  ASSERT_TRUE(Eventually([&] { return Failed("no_retry") == 4; }));
  EXPECT_EQ(Metric("weft_exporter_queue_capacity"), 1000);
}

TEST_F(SendingQueueTest, AFullQueueThatDoesNotBlockDropsForItsBranch) {
  queue_settings().queue_size = 3;
  remote_.SetRule(RemoteFake::Hangs);
  Make();
  EXPECT_FALSE(queue_->Keeps());
  for (uint64_t i = 0; i < 5; ++i) {
    EXPECT_TRUE(queue_->Admit(100));
    Push(i);
  }
  EXPECT_EQ(answers_.CountOk(), 3u);
  const Error error = answers_.All()[4].status.error();
  EXPECT_EQ(error.code, ErrorCode::kResourceExhausted);
  EXPECT_FALSE(pipeline::IsRetryable(error));
  EXPECT_THAT(error.message, HasSubstr("otlp_grpc/far is full"));
  EXPECT_EQ(NotTaken("full"), 4 + 5);
  ASSERT_TRUE(Eventually([&] { return remote_.AnswerHeld() > 0; }));
  ASSERT_TRUE(Eventually([&] {
    remote_.AnswerHeld();
    return Metric("weft_exporter_queue_size") == 0;
  }));
  Push(5);
  EXPECT_EQ(answers_.CountOk(), 4u);
}

TEST_F(SendingQueueTest, AFullQueueThatBlocksRefusesBeforeAnythingIsTaken) {
  queue_settings().queue_size = 3;
  queue_settings().block_on_overflow = true;
  remote_.SetRule(RemoteFake::Hangs);
  Make();
  for (uint64_t i = 0; i < 3; ++i) {
    ASSERT_TRUE(queue_->Admit(100));
    Push(i);
  }
  const Status refused = queue_->Admit(100);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_GT(refused.error().retry_after_s, 0u);
  // Those that were let in before it was full are taken; no more than that.
  for (uint64_t i = 3; i < 8; ++i) Push(i);
  EXPECT_EQ(answers_.CountOk(), 6u);
  EXPECT_TRUE(pipeline::IsRetryable(answers_.All()[7].status.error()));
  ASSERT_TRUE(Eventually([&] {
    remote_.AnswerHeld();
    return queue_->Admit(100).has_value();
  }));
}

TEST_F(SendingQueueTest, ItemsAndBytesAreMeasuredToo) {
  queue_settings().sizer = QueueSettings::Sizer::kItems;
  queue_settings().queue_size = 8;
  remote_.SetRule(RemoteFake::Hangs);
  Make();
  Push(4);  // five items
  Push(3);  // four: no room
  Push(2);  // three
  EXPECT_EQ(answers_.CountOk(), 2u);
  EXPECT_EQ(Metric("weft_exporter_queue_size"), 8);
  queue_->Stop();
  queue_settings().sizer = QueueSettings::Sizer::kBytes;
  queue_settings().queue_size = 1000;
  Make();
  Push(0, 600);
  Push(1, 600);
  Push(2, 400);
  EXPECT_EQ(answers_.CountOk(), 4u);
  Push(3, 1001);
  EXPECT_EQ(answers_.All().back().status.error().code, ErrorCode::kTooLarge);
  EXPECT_EQ(NotTaken("too_large"), 4);
  EXPECT_EQ(Metric("weft_exporter_queue_size"), 1000);
}

TEST_F(SendingQueueTest, MemoryIsBoundedWhateverTheSizerSays) {
  queue_settings().bytes_max = 100'000;
  remote_.SetRule(RemoteFake::Hangs);
  Make();
  for (uint64_t i = 0; i < 10; ++i) Push(i, 30'000);
  EXPECT_EQ(answers_.CountOk(), 3u);
  // Requests of next to nothing cost too.
  for (uint64_t i = 10; i < 500; ++i) Push(i);
  EXPECT_LE(Metric("weft_exporter_queue_bytes"), 100'000);
  EXPECT_LT(answers_.CountOk(), 30u);
}

TEST_F(SendingQueueTest, StopTriesEverythingOnceMore) {
  stop_ns_ = 5 * kSecond;
  remote_.SetRule([](const SendRequest&) { return Busy(); });
  Make();
  for (uint64_t i = 0; i < 25; ++i) Push(i);
  ASSERT_TRUE(Eventually([&] { return Metric("weft_exporter_retries_total") == 10; }));
  remote_.SetRule([](const SendRequest& request) {
    return request.body == "3" ? Busy() : pipeline::Outcome();
  });
  queue_->Stop();
  EXPECT_THAT(remote_.Received(), SizeIs(24));
  EXPECT_EQ(Failed("stopped"), 4);
  Push(30);
  EXPECT_TRUE(pipeline::IsRetryable(answers_.All().back().status.error()));
  EXPECT_EQ(NotTaken("stopped"), 3);
}

TEST_F(SendingQueueTest, StopDropsWhatHangsAndALateOutcomeDoesNoHarm) {
  queue_settings().wait_for_result = true;
  remote_.SetRule(RemoteFake::Hangs);
  Make();
  Push(3);
  ASSERT_TRUE(Eventually([&] { return remote_.Hanging() == 1; }));
  queue_.reset();
  EXPECT_EQ(Failed("stopped"), 4);
  ASSERT_EQ(answers_.Count(), 1u);
  EXPECT_TRUE(pipeline::IsRetryable(answers_.All()[0].status.error()));
  EXPECT_EQ(remote_.AnswerHeld(), 1u);
  EXPECT_EQ(answers_.Count(), 1u);
  EXPECT_EQ(Metric("weft_exporter_sent_items_total"), 0);
  EXPECT_EQ(Metric("weft_exporter_queue_size"), 0);
}

TEST_F(SendingQueueTest, ManyThreadsPushAndTheRemoteAnswersFromMany) {
  queue_settings().queue_size = 100'000;
  remote_.SetRule(RemoteFake::Hangs);
  Make();
  constexpr uint64_t kThreads = 4, kEach = 250;
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      for (uint64_t i = 0; i < kEach; ++i) Push(t * kEach + i);
      EXPECT_TRUE(Eventually([&] {
        remote_.AnswerHeld();
        return remote_.Received().size() == kThreads * kEach;
      }));
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(answers_.CountOk(), kThreads * kEach);
  for (const auto& [body, times] : remote_.Received()) EXPECT_EQ(times, 1) << body;
}

// ---- settings

struct ReadResult {
  SendingSettings settings;
  std::vector<std::string> errors, warnings;
};
ReadResult ReadYaml(const std::string& yaml) {
  const config::Node node = config::ParseYaml(yaml, "weft.yaml").value();
  config::Problems problems;
  config::Section section(node, "exporters::otlp", &problems);
  ReadResult read;
  ReadSendingSettings(&section, &read.settings);
  section.Finish();
  for (const config::Problem& problem : problems.errors) read.errors.push_back(problem.text);
  for (const config::Problem& problem : problems.warnings) read.warnings.push_back(problem.text);
  return read;
}

TEST(SendingSettingsTest, DefaultsAreTheCollectors) {
  for (const std::string yaml : {"{}", "{sending_queue: , retry_on_failure: }"}) {
    const ReadResult read = ReadYaml(yaml);
    EXPECT_THAT(read.errors, IsEmpty());
    const QueueSettings& queue = read.settings.queue;
    EXPECT_TRUE(queue.enabled);
    EXPECT_EQ(queue.num_consumers, 10u);
    EXPECT_EQ(queue.queue_size, 1000u);
    EXPECT_EQ(queue.sizer, QueueSettings::Sizer::kRequests);
    EXPECT_FALSE(queue.block_on_overflow);
    EXPECT_FALSE(queue.wait_for_result);
    EXPECT_EQ(queue.storage, "");
    EXPECT_EQ(queue.BytesMax(), 128ull << 20);
    const RetrySettings& retry = read.settings.retry;
    EXPECT_TRUE(retry.enabled);
    EXPECT_EQ(retry.initial_interval_ns, 5 * kSecond);
    EXPECT_EQ(retry.randomization_factor, 0.5);
    EXPECT_EQ(retry.multiplier, 1.5);
    EXPECT_EQ(retry.max_interval_ns, 30 * kSecond);
    EXPECT_EQ(retry.max_elapsed_ns, 300 * kSecond);
  }
}

TEST(SendingSettingsTest, EveryKeyIsRead) {
  const ReadResult read = ReadYaml(
      "sending_queue: {enabled: false, num_consumers: 3, queue_size: 7, sizer: bytes,\n"
      "  block_on_overflow: true, storage: file_storage/queue, bytes_max: 1MiB, batch: {}}\n"
      "retry_on_failure: {enabled: false, initial_interval: 1s, randomization_factor: 0,\n"
      "  multiplier: 2.25, max_interval: 1m, max_elapsed_time: 0}");
  EXPECT_THAT(read.errors, IsEmpty());
  EXPECT_THAT(read.warnings, ElementsAre(HasSubstr("sending_queue::batch")));
  const QueueSettings& queue = read.settings.queue;
  EXPECT_FALSE(queue.enabled);
  EXPECT_EQ(queue.num_consumers, 3u);
  EXPECT_EQ(queue.queue_size, 7u);
  EXPECT_EQ(queue.sizer, QueueSettings::Sizer::kBytes);
  EXPECT_TRUE(queue.block_on_overflow);
  EXPECT_EQ(queue.storage, "file_storage/queue");
  EXPECT_EQ(queue.BytesMax(), 1u << 20);
  const RetrySettings& retry = read.settings.retry;
  EXPECT_FALSE(retry.enabled);
  EXPECT_EQ(retry.initial_interval_ns, kSecond);
  EXPECT_EQ(retry.randomization_factor, 0);
  EXPECT_EQ(retry.multiplier, 2.25);
  EXPECT_EQ(retry.max_interval_ns, 60 * kSecond);
  EXPECT_EQ(retry.max_elapsed_ns, 0u);
}

TEST(SendingSettingsTest, MistakesAreNamedWithTheirPlace) {
  const auto first_error = [](const std::string& yaml) {
    const ReadResult read = ReadYaml(yaml);
    return read.errors.size() == 1 ? read.errors[0] : std::to_string(read.errors.size());
  };
  EXPECT_THAT(first_error("sending_queue: {num_consumers: 0}"), HasSubstr("num_consumers"));
  EXPECT_THAT(first_error("sending_queue: {queue_size: 0}"), HasSubstr("queue_size"));
  EXPECT_THAT(first_error("sending_queue: {sizer: spans}"), HasSubstr("requests, items, bytes"));
  EXPECT_THAT(first_error("sending_queue: {queue_sise: 1}"), HasSubstr("\"queue_size\""));
  EXPECT_THAT(first_error("sending_queue: {bytes_max: 0}"), HasSubstr("must not be 0"));
  EXPECT_THAT(first_error("sending_queue: {storage: f, wait_for_result: true}"),
              HasSubstr("wait_for_result"));
  EXPECT_THAT(first_error("sending_queue: {storage: \"a/b/c d\"}"), HasSubstr("storage"));
  EXPECT_THAT(first_error("sending_queue: 7"), HasSubstr("expected a map"));
  for (const std::string value : {"1.5", "-0.1", "x", "\"0.5\"", "[0.5]"})
    EXPECT_THAT(first_error("retry_on_failure: {randomization_factor: " + value + "}"),
                HasSubstr("weft.yaml:1: exporters::otlp::retry_on_failure::randomization_factor"))
        << value;
  EXPECT_THAT(first_error("retry_on_failure: {multiplier: 0.5}"), HasSubstr("from 1 to 1000"));
  EXPECT_THAT(first_error("retry_on_failure: {max_elapsed_time: 1s}"),
              HasSubstr("must not be shorter than initial_interval"));
}

}  // namespace
}  // namespace weft::exporter

// SPDX-License-Identifier: Apache-2.0
//
// A fan-out over the store and a remote behind a sending queue: whatever the remote does, senders
// are answered as without it, and the store holds the same.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <random>

#include "codec/otlp.h"
#include "exporter/remote_fixture.h"
#include "exporter/sending_queue.h"
#include "exporter/store_exporter.h"
#include "pipeline/fan_out.h"
#include "testing/manual_clock.h"
#include "testing/numbered_spans.h"
#include "testing/sim_env.h"

namespace weft::exporter {
namespace {

using testing::ManualClock;
using testing::NumberedBatch;
using testing::SimEnv;
using testing::StoredNumbers;

constexpr uint64_t kBatches = 40, kSpans = 25;
constexpr uint64_t kSecond = 1'000'000'000;

// What a remote exporter adds to a queue: it encodes.
class QueueExporter : public pipeline::Exporter {
 public:
  QueueExporter(SendingQueueOptions options, RemoteSender* sender, Env* env, Clock* clock,
                Metrics* metrics)
      : queue_(std::move(options), sender, env, clock, metrics) {}
  Status Start() override { return queue_.Start(); }
  void Stop() override { queue_.Stop(); }
  Status Admit(uint64_t bytes) override { return queue_.Admit(bytes); }
  bool Keeps() const override { return queue_.Keeps(); }
  void Consume(pipeline::SharedSpans batch, pipeline::Ack ack) override {
    SendRequest request{.signal = config::Signal::kTraces,
                        .tenant = batch->tenant,
                        .received_ns = batch->received_ns,
                        .items = static_cast<uint32_t>(batch->spans.size()),
                        .body = ""};
    codec::EncodeOtlpTraces(codec::OtlpFormat::kProtobuf, *batch, &request.body);
    queue_.Push(std::move(request), std::move(ack));
  }
  SendingQueue& queue() { return queue_; }

 private:
  SendingQueue queue_;
};

// The store, and beside it the remote where there are options for its queue.
class Branches {
 public:
  explicit Branches(std::optional<SendingQueueOptions> options,
                    RemoteFake::Rule rule = RemoteFake::Takes)
      : remote_(std::move(rule)) {
    StoreSettings settings;
    settings.directory = "/data/store";
    store_.emplace(config::ComponentId{"store", ""}, settings,
                   pipeline::Deps{.env = &env_,
                                  .clock = SystemClock(),
                                  .metrics = &metrics_,
                                  .memory = &memory_,
                                  .doors = nullptr,
                                  .services = &services_});
    EXPECT_TRUE(store_->Start());
    std::vector<pipeline::FanOut::Branch> branches = {{&*store_, "exporter store"}};
    if (options) {
      options->exporter = "otlp_grpc/far";
      options->stop_ns = 0;
      queue_.emplace(*std::move(options), &remote_, &env_, &clock_, &metrics_);
      EXPECT_TRUE(queue_->Start());
      // Before the store, so that it would be in the way if it could.
      branches.insert(branches.begin(), {&*queue_, "exporter otlp_grpc/far"});
    }
    fan_out_.emplace(std::move(branches), &metrics_);
    fan_out_->Settle();
  }
  // A batch, and its answer waited for. What the remote does meanwhile is not.
  void Send(uint64_t number) {
    const size_t before = answers_.Count();
    if (const Status admitted = fan_out_->Admit(1000); !admitted) {
      ++refused_;
      return;
    }
    fan_out_->Consume(NumberedBatch(number * kSpans, kSpans), answers_.New());
    ASSERT_TRUE(Eventually([&] { return answers_.Count() > before; }));
  }
  void SendAll() {
    for (uint64_t i = 0; i < kBatches; ++i) Send(i);
  }
  StoredNumbers Stored() {
    auto* served = services_.Find<store::ServedStore>({"store", ""});
    return testing::ReadNumbers(served->store);
  }
  std::string Page() { return metrics_.Render(MetricsFormat::kPrometheus); }
  bool GoOnUntil(const std::function<bool()>& condition) {
    return Eventually([&] {
      if (condition()) return true;
      clock_.Advance(kSecond);
      queue_->queue().Poke();
      return false;
    });
  }
  RemoteFake& remote() { return remote_; }
  Answers& answers() { return answers_; }
  uint64_t refused() const { return refused_; }

 private:
  SimEnv env_;
  ManualClock clock_;
  Metrics metrics_;
  pipeline::Memory memory_;
  pipeline::Services services_;
  RemoteFake remote_;
  Answers answers_;
  uint64_t refused_ = 0;
  std::optional<StoreExporter> store_;
  std::optional<QueueExporter> queue_;
  std::optional<pipeline::FanOut> fan_out_;
};

void ExpectSameContent(Branches& with, const StoredNumbers& without) {
  const StoredNumbers stored = with.Stored();
  EXPECT_EQ(stored.error, "");
  EXPECT_EQ(stored.wrong, "");
  EXPECT_EQ(stored.spans, without.spans);
  EXPECT_EQ(stored.logs, without.logs);
}

StoredNumbers WithoutTheBranch() {
  Branches alone(std::nullopt);
  alone.SendAll();
  EXPECT_EQ(alone.answers().CountOk(), kBatches);
  StoredNumbers stored = alone.Stored();
  EXPECT_EQ(stored.spans.size(), kBatches * kSpans);
  return stored;
}

class QueueBranchTest : public ::testing::TestWithParam<bool> {
 protected:
  SendingQueueOptions Options() {
    SendingQueueOptions options;
    if (GetParam()) options.directory = "/data/queue";
    return options;
  }
};

TEST_P(QueueBranchTest, AnswersDoNotWaitForARemoteThatHangs) {
  const StoredNumbers without = WithoutTheBranch();
  Branches branches(Options(), RemoteFake::Hangs);
  branches.SendAll();
  // The remote has answered nothing, and every sender is answered.
  EXPECT_EQ(branches.answers().CountOk(), kBatches);
  EXPECT_TRUE(branches.remote().Received().empty());
  ExpectSameContent(branches, without);
  // When it wakes up, it gets all.
  ASSERT_TRUE(branches.GoOnUntil([&] {
    branches.remote().AnswerHeld();
    return branches.remote().Received().size() == kBatches;
  }));
  ExpectSameContent(branches, without);
}

TEST_P(QueueBranchTest, AThousandRandomFailuresChangeNothingForSendersAndTheStore) {
  const StoredNumbers without = WithoutTheBranch();
  SendingQueueOptions options = Options();
  options.settings.retry.max_elapsed_ns = 0;
  options.settings.queue.num_consumers = kBatches;
  std::atomic<uint64_t> failures = 0;
  Branches branches(options,
                    [&, random = std::mt19937_64(5)](
                        const SendRequest&) mutable -> std::optional<pipeline::Outcome> {
                      if (failures >= 1000) return pipeline::Outcome();
                      ++failures;
                      if (random() % 8 == 0) return std::nullopt;
                      return Refusal(ErrorCode::kUnavailable, static_cast<uint32_t>(random() % 3));
                    });
  branches.SendAll();
  EXPECT_EQ(branches.answers().CountOk(), kBatches);
  ASSERT_TRUE(branches.GoOnUntil([&] {
    branches.remote().AnswerHeld(Busy());
    return branches.remote().Received().size() == kBatches;
  }));
  EXPECT_EQ(failures, 1000u);
  for (const auto& [body, times] : branches.remote().Received()) EXPECT_EQ(times, 1);
  ExpectSameContent(branches, without);
}

TEST_P(QueueBranchTest, AFullQueueCostsItsOwnBranch) {
  const StoredNumbers without = WithoutTheBranch();
  SendingQueueOptions options = Options();
  options.settings.queue.queue_size = 15;
  Branches branches(options, RemoteFake::Hangs);
  branches.SendAll();
  EXPECT_EQ(branches.answers().CountOk(), kBatches);
  ExpectSameContent(branches, without);
  const std::string lost = std::to_string((kBatches - 15) * kSpans);
  EXPECT_THAT(branches.Page(),
              ::testing::HasSubstr("weft_exporter_enqueue_failed_items_total{exporter=\"otlp_grpc/"
                                   "far\",reason=\"full\"} " +
                                   lost + "\n"));
}

TEST_P(QueueBranchTest, AFullQueueThatBlocksRefusesBeforeTheStoreTakesAnything) {
  SendingQueueOptions options = Options();
  options.settings.queue.queue_size = 15;
  options.settings.queue.block_on_overflow = true;
  Branches branches(options, RemoteFake::Hangs);
  branches.SendAll();
  EXPECT_EQ(branches.refused(), kBatches - 15);
  EXPECT_EQ(branches.answers().CountOk(), 15u);
  EXPECT_EQ(branches.Stored().spans.size(), 15 * kSpans);
}

INSTANTIATE_TEST_SUITE_P(MemoryAndLog, QueueBranchTest, ::testing::Bool(),
                         [](const auto& info) { return info.param ? "Log" : "Memory"; });

}  // namespace
}  // namespace weft::exporter

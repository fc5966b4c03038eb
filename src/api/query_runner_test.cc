// SPDX-License-Identifier: Apache-2.0
#include "api/query_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>

#include "api/paced_answer.h"
#include "base/metrics.h"
#include "testing/manual_clock.h"
#include "testing/sim_store.h"

namespace weft::api {
namespace {

// A client that takes whatever it is sent, at once.
class FastReader final : public net::Exchange {
 public:
  void Respond(net::Response response) override { answered_.set_value(response.body); }
  void Start(int, std::string, net::Headers) override {}
  net::WriteState Write(std::string) override {
    if (!started_.exchange(true)) first_.set_value();
    return net::WriteState::kGo;
  }
  void Finish() override { answered_.set_value("end"); }
  void OnWritable(std::function<void()>) override {}
  bool cancelled() const override { return false; }

  // What it was answered; nothing if that takes too long.
  std::string Answer() {
    auto answer = answered_.get_future();
    return answer.wait_for(std::chrono::seconds(60)) == std::future_status::ready ? answer.get()
                                                                                  : "";
  }
  bool WaitForFirstPiece() {
    return first_.get_future().wait_for(std::chrono::seconds(60)) == std::future_status::ready;
  }

 private:
  std::promise<std::string> answered_;
  std::promise<void> first_;
  std::atomic<bool> started_{false};
};

class Endless final : public Pieces {
 public:
  std::optional<std::string> Next() override { return std::string(1 << 16, 'x'); }
};

class CountedPieces final : public Pieces {
 public:
  explicit CountedPieces(int count) : left_(count) {}
  std::optional<std::string> Next() override {
    if (left_-- == 0) return std::nullopt;
    return std::string(1 << 20, 'x');
  }

 private:
  int left_;
};

class QuestionsTest : public ::testing::Test {
 protected:
  ~QuestionsTest() override { runner_.Stop(); }
  void Send(std::unique_ptr<Pieces> pieces, std::shared_ptr<FastReader> reader) {
    auto shared = std::make_shared<std::unique_ptr<Pieces>>(std::move(pieces));
    runner_.Run(
        "test", std::move(reader),
        [this, shared](const SnapshotPtr&, const query::Budget&, const net::ExchangePtr& to) {
          SendPieces(std::move(*shared), &runner_, to);
        },
        [](const Error&) { return net::Response{}; });
  }

  testing::SimStore store_;
  Metrics metrics_;
  QueryRunner runner_{store_.get(), {.workers = 1}, &metrics_, SystemClock()};
};

TEST_F(QuestionsTest, ALongAnswerIsWhole) {
  auto reader = std::make_shared<FastReader>();
  Send(std::make_unique<CountedPieces>(50), reader);
  EXPECT_EQ(reader->Answer(), "end");
}

TEST_F(QuestionsTest, AnEndlessAnswerKeepsTheOnlyWorkerFromNobodyAndStops) {
  auto endless = std::make_shared<FastReader>();
  Send(std::make_unique<Endless>(), endless);
  ASSERT_TRUE(endless->WaitForFirstPiece());
  auto other = std::make_shared<FastReader>();
  runner_.Answer("test", other, [](const store::Snapshot&, const query::Budget&) {
    return net::Response{.status = 200, .content_type = "", .headers = {}, .body = "here"};
  });
  EXPECT_EQ(other->Answer(), "here");
  runner_.Stop();  // does not wait for the end of what has none
}

TEST_F(QuestionsTest, ARefusedQuestionIsCountedOnceAndAnswered) {
  QueryRunner full(store_.get(), {.workers = 1, .waiting_max = 0}, &metrics_, SystemClock());
  auto reader = std::make_shared<FastReader>();
  full.Run(
      "test", reader,
      [](const SnapshotPtr&, const query::Budget&, const net::ExchangePtr&) { ADD_FAILURE(); },
      [](const Error& error) {
        return net::Response{
            .status = 503, .content_type = "", .headers = {}, .body = error.message};
      });
  EXPECT_EQ(reader->Answer(), "too many queries wait: try again");
  std::string text = metrics_.Render(MetricsFormat::kPrometheus);
  for (const char* line : {R"(weft_queries_total{kind="test",outcome="refused"} 1)",
                           R"(weft_queries_total{kind="test",outcome="cancelled"} 0)",
                           R"(weft_queries_total{kind="test",outcome="server_error"} 0)"})
    EXPECT_THAT(text, ::testing::HasSubstr(line));
}

TEST_F(QuestionsTest, AQuestionThatNoWorkerComesToIsAnsweredAtItsDeadline) {
  testing::ManualClock clock;
  QueryRunner busy(store_.get(), {.workers = 1, .timeout_ns = 5'000'000'000}, &metrics_, &clock);
  std::promise<void> began, release;
  auto first = std::make_shared<FastReader>();
  busy.Answer("test", first, [&](const store::Snapshot&, const query::Budget& budget) {
    EXPECT_EQ(budget.deadline_ns, 5'000'000'000u);
    began.set_value();
    release.get_future().wait();
    return net::Response{.status = 200, .content_type = "", .headers = {}, .body = "first"};
  });
  began.get_future().wait();
  auto waits = [&](const std::shared_ptr<FastReader>& reader, uint64_t left_ns) {
    busy.Run(
        "test", reader,
        [left_ns](const SnapshotPtr&, const query::Budget& budget, const net::ExchangePtr& to) {
          EXPECT_EQ(budget.deadline_ns, left_ns) << "the time of waiting counts";
          to->Respond({.status = 200, .content_type = "", .headers = {}, .body = "late"});
        },
        [](const Error& error) {
          EXPECT_EQ(error.code, ErrorCode::kDeadlineExceeded);
          return net::Response{
              .status = 504, .content_type = "", .headers = {}, .body = error.message};
        });
  };
  auto second = std::make_shared<FastReader>(), third = std::make_shared<FastReader>();
  waits(second, 0);
  clock.Advance(4'000'000'000);
  waits(third, 3'000'000'000);
  clock.Advance(1'000'000'000);
  EXPECT_THAT(second->Answer(), ::testing::HasSubstr("waited 5000 ms"));
  clock.Advance(1'000'000'000);
  release.set_value();
  EXPECT_EQ(first->Answer(), "first");
  EXPECT_EQ(third->Answer(), "late");
  busy.Stop();
}

TEST_F(QuestionsTest, EndsOfGrpcCallsAreCountedByTheirCode) {
  class Call final : public net::GrpcCall {
   public:
    net::WriteState Send(std::string) override { return net::WriteState::kGo; }
    void Finish(net::GrpcStatus) override { done.set_value(); }
    void OnWritable(std::function<void()>) override {}
    bool cancelled() const override { return false; }
    std::promise<void> done;
  };
  for (auto code : {net::GrpcCode::kOk, net::GrpcCode::kNotFound, net::GrpcCode::kDataLoss}) {
    auto call = std::make_shared<Call>();
    runner_.Run("grpc", call,
                [code](const SnapshotPtr&, const query::Budget&, const net::GrpcCallPtr& to) {
                  to->Finish({code, "", 0});
                });
    ASSERT_EQ(call->done.get_future().wait_for(std::chrono::seconds(60)),
              std::future_status::ready);
  }
  std::string text = metrics_.Render(MetricsFormat::kPrometheus);
  for (const char* outcome : {"ok", "client_error", "server_error"})
    EXPECT_THAT(text,
                ::testing::HasSubstr(std::string(R"(weft_queries_total{kind="grpc",outcome=")") +
                                     outcome + "\"} 1"));
}

}  // namespace
}  // namespace weft::api

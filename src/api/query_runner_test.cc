// SPDX-License-Identifier: Apache-2.0
#include "api/query_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <mutex>
#include <thread>
#include <vector>

#include "api/paced_answer.h"
#include "base/metrics.h"
#include "testing/manual_clock.h"
#include "testing/sim_store.h"

namespace weft::api {
namespace {

// A client that takes whatever it is sent, at once.
class FastReader final : public http::Exchange {
 public:
  void Respond(http::Response response) override { answered_.set_value(response.body); }
  void Start(int, std::string, http::Headers) override {}
  http::WriteState Write(std::string) override {
    if (!started_.exchange(true)) first_.set_value();
    return http::WriteState::kGo;
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
        [this, shared](const SnapshotPtr&, const query::Budget&, const http::ExchangePtr& to) {
          SendPieces(std::move(*shared), &runner_, to);
        },
        [](const Error&) { return http::Response{}; });
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
    return http::Response{.status = 200, .content_type = "", .headers = {}, .body = "here"};
  });
  EXPECT_EQ(other->Answer(), "here");
  runner_.Stop();  // does not wait for the end of what has none
}

TEST_F(QuestionsTest, ARefusedQuestionIsCountedOnceAndAnswered) {
  QueryRunner full(store_.get(), {.workers = 1, .waiting_max = 0}, &metrics_, SystemClock());
  auto reader = std::make_shared<FastReader>();
  full.Run(
      "test", reader,
      [](const SnapshotPtr&, const query::Budget&, const http::ExchangePtr&) { ADD_FAILURE(); },
      [](const Error& error) {
        return http::Response{
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
    return http::Response{.status = 200, .content_type = "", .headers = {}, .body = "first"};
  });
  began.get_future().wait();
  auto waits = [&](const std::shared_ptr<FastReader>& reader, uint64_t left_ns) {
    busy.Run(
        "test", reader,
        [left_ns](const SnapshotPtr&, const query::Budget& budget, const http::ExchangePtr& to) {
          EXPECT_EQ(budget.deadline_ns, left_ns) << "the time of waiting counts";
          to->Respond({.status = 200, .content_type = "", .headers = {}, .body = "late"});
        },
        [](const Error& error) {
          EXPECT_EQ(error.code, ErrorCode::kDeadlineExceeded);
          return http::Response{
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

// Heavy answers come one after the other; what needs nothing does not wait for them.
class MemoryTest : public QuestionsTest {
 protected:
  MemoryTest() {
    memory_ = {.budget = &budget_,
               .working = budget_.Open("queries"),
               .answers = budget_.Open("answers", {.bytes_max = 100}),
               .uploads = budget_.Open("requests"),
               .traces = budget_.Open("trace_cache")};
  }
  // Asks for `bytes`; what was charged is handed to `held`, as an answer under way keeps it.
  std::shared_ptr<FastReader> Ask(QueryRunner* runner, uint64_t bytes) {
    auto reader = std::make_shared<FastReader>();
    runner->Run(
        "heavy", reader,
        [this](const SnapshotPtr&, const query::Budget& budget, const http::ExchangePtr& to) {
          std::string bytes_held = budget.answer ? std::to_string(budget.answer->bytes()) : "none";
          {
            std::lock_guard lock(mutex_);
            held_.push_back(budget.answer);
          }
          to->Respond({.status = 200, .content_type = "", .headers = {}, .body = bytes_held});
        },
        [](const Error& error) {
          return http::Response{.status = 500,
                                .content_type = "",
                                .headers = {},
                                .body = std::string(ErrorCodeName(error.code)) + " " +
                                        std::to_string(error.retry_after_s) + ": " + error.message};
        },
        [bytes](const store::Snapshot&) { return bytes; });
    return reader;
  }
  void LetGo() {
    std::vector<std::shared_ptr<MemoryCharge>> held;
    std::lock_guard lock(mutex_);
    held.swap(held_);
  }
  uint64_t waiting() {
    return static_cast<uint64_t>(metrics_.GetGauge("weft_queries_waiting", "")->value());
  }

  MemoryBudget budget_{1 << 30};
  QueryMemory memory_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<MemoryCharge>> held_;  // guarded by mutex_
};

TEST_F(MemoryTest, HeavyQuestionsWaitForEachOtherAndLightOnesDoNot) {
  QueryRunner runner(store_.get(), {.workers = 2, .memory_bytes = 1, .memory = memory_}, &metrics_,
                     SystemClock());
  EXPECT_EQ(Ask(&runner, 60)->Answer(), "60");
  auto second = Ask(&runner, 70), third = Ask(&runner, 30);
  EXPECT_EQ(Ask(&runner, 0)->Answer(), "none") << "waiting holds no worker";
  while (memory_.budget->nodes()[1].waiting < 2) std::this_thread::yield();
  EXPECT_EQ(waiting(), 2u);
  LetGo();
  EXPECT_EQ(second->Answer(), "70");
  EXPECT_EQ(third->Answer(), "30");
  LetGo();
  runner.Stop();
  EXPECT_EQ(memory_.answers->used(), 0u);
  EXPECT_EQ(waiting(), 0u);
}

TEST_F(MemoryTest, WhatCanNeverFitIsSaidAtOnce) {
  QueryRunner runner(store_.get(), {.workers = 1, .memory_bytes = 1, .memory = memory_}, &metrics_,
                     SystemClock());
  EXPECT_THAT(Ask(&runner, 101)->Answer(),
              ::testing::AllOf(::testing::StartsWith("too_large 0: the answer needs about"),
                               ::testing::HasSubstr("--memory-limit")));
  runner.Stop();
}

TEST_F(MemoryTest, WhoWaitsTooLongIsToldToTryAgain) {
  testing::ManualClock clock;
  QueryRunner runner(
      store_.get(),
      {.workers = 1, .timeout_ns = 5'000'000'000, .memory_bytes = 1, .memory = memory_}, &metrics_,
      &clock);
  EXPECT_EQ(Ask(&runner, 60)->Answer(), "60");
  auto late = Ask(&runner, 70);
  while (memory_.budget->nodes()[1].waiting < 1) std::this_thread::yield();
  clock.Advance(5'000'000'000);
  EXPECT_THAT(late->Answer(),
              ::testing::AllOf(::testing::StartsWith("unavailable 2: "),
                               ::testing::HasSubstr("memory that other answers hold")));
  EXPECT_EQ(Ask(&runner, 40)->Answer(), "40") << "it holds nobody up any more";
  runner.Stop();
}

TEST_F(MemoryTest, WhatIsNeededIsAskedAnewWhenItMayBeLess) {
  QueryRunner runner(store_.get(), {.workers = 1, .memory_bytes = 1, .memory = memory_}, &metrics_,
                     SystemClock());
  EXPECT_EQ(Ask(&runner, 60)->Answer(), "60");
  std::atomic<bool> read_by_another{false};
  auto reader = std::make_shared<FastReader>();
  runner.Run(
      "heavy", reader,
      [](const SnapshotPtr&, const query::Budget& budget, const http::ExchangePtr& to) {
        EXPECT_EQ(budget.answer, nullptr);
        to->Respond({.status = 200, .content_type = "", .headers = {}, .body = "shared"});
      },
      [](const Error&) { return http::Response{}; },
      [&](const store::Snapshot&) -> uint64_t { return read_by_another ? 0 : 70; });
  while (memory_.budget->nodes()[1].waiting < 1) std::this_thread::yield();
  read_by_another = true;
  runner.Reconsider();
  EXPECT_EQ(reader->Answer(), "shared");
  runner.Stop();
  EXPECT_EQ(memory_.budget->nodes()[1].waiting, 0u);
}

TEST_F(MemoryTest, AStopForgetsWhoWaits) {
  {
    QueryRunner runner(store_.get(), {.workers = 1, .memory_bytes = 1, .memory = memory_},
                       &metrics_, SystemClock());
    EXPECT_EQ(Ask(&runner, 60)->Answer(), "60");
    Ask(&runner, 70);
    while (memory_.budget->nodes()[1].waiting < 1) std::this_thread::yield();
  }
  LetGo();  // grants nobody
  EXPECT_EQ(memory_.answers->used(), 0u);
}

TEST_F(QuestionsTest, EndsOfGrpcCallsAreCountedByTheirCode) {
  class Call final : public http::GrpcCall {
   public:
    http::WriteState Send(std::string) override { return http::WriteState::kGo; }
    void Finish(http::GrpcStatus) override { done.set_value(); }
    void OnWritable(std::function<void()>) override {}
    bool cancelled() const override { return false; }
    std::promise<void> done;
  };
  for (auto code : {http::GrpcCode::kOk, http::GrpcCode::kNotFound, http::GrpcCode::kDataLoss}) {
    auto call = std::make_shared<Call>();
    runner_.Run("grpc", call,
                [code](const SnapshotPtr&, const query::Budget&, const http::GrpcCallPtr& to) {
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

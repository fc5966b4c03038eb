// SPDX-License-Identifier: Apache-2.0
#include "pipeline/ack.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <random>
#include <thread>
#include <utility>

namespace weft::pipeline {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

class AckTest : public ::testing::Test {
 protected:
  // An Ack whose answers are kept.
  Ack Whole() {
    return Ack([this](Outcome outcome) { answers_.push_back(std::move(outcome)); });
  }
  std::vector<Ack> SplitFor(const std::vector<bool>& keeps) {
    return Ack::Split(Whole(), keeps, [this](size_t branch, const Error& error) {
      lost_.emplace_back(branch, error.message);
    });
  }
  static Outcome Failed(std::string why, ErrorCode code = ErrorCode::kIo, uint32_t retry_s = 0) {
    return {.status = Fail(Error{code, std::move(why), retry_s})};
  }
  std::string Answer() const {
    if (answers_.size() != 1) return std::to_string(answers_.size()) + " answers";
    return answers_[0].status ? "OK" : answers_[0].status.error().message;
  }

  std::vector<Outcome> answers_;
  std::vector<std::pair<size_t, std::string>> lost_;
};

TEST_F(AckTest, OneThatIsLetGoOfIsRetryableAndCounted) {
  const uint64_t before = Ack::lost();
  {
    Ack ack = Whole();
  }
  ASSERT_EQ(answers_.size(), 1u);
  EXPECT_TRUE(IsRetryable(answers_[0].status.error()));
  EXPECT_EQ(Ack::lost(), before + 1);
  Ack first = Whole();
  first = Whole();  // what it was before is let go of
  EXPECT_EQ(answers_.size(), 2u);
  first.Complete();
  first.Complete();  // has been
  EXPECT_EQ(answers_.size(), 3u);
  EXPECT_EQ(Ack::lost(), before + 2);
}

TEST_F(AckTest, WaitsForThoseThatKeepAndForNobodyElse) {
  auto parts = SplitFor({true, false, true});
  parts[0].Complete();
  EXPECT_THAT(answers_, IsEmpty());
  parts[2].Complete({.status = {}, .rejected = 3, .message = "three"});
  EXPECT_EQ(Answer(), "OK");
  EXPECT_EQ(answers_[0].rejected, 3u);
  EXPECT_EQ(answers_[0].message, "three");
  // The branch that hung is counted when it fails, and nobody hears of it.
  EXPECT_THAT(lost_, IsEmpty());
  parts[1].Complete(Failed("slow"));
  EXPECT_EQ(answers_.size(), 1u);
  EXPECT_THAT(lost_, ElementsAre(Pair(1, "slow")));
}

TEST_F(AckTest, ABranchThatFailedBeforeTheAnswerIsCountedWithIt) {
  auto parts = SplitFor({false, true});
  parts[0].Complete(Failed("no route"));
  EXPECT_THAT(lost_, IsEmpty());
  parts[1].Complete();
  EXPECT_EQ(Answer(), "OK");
  EXPECT_THAT(lost_, ElementsAre(Pair(0, "no route")));
}

TEST_F(AckTest, OfThoseThatKeepOneRefusalRefuses) {
  auto parts = SplitFor({true, true, false});
  parts[0].Complete(Failed("bad", ErrorCode::kInvalidArgument));
  parts[2].Complete(Failed("not counted: the sender hears no"));
  parts[1].Complete(Failed("full", ErrorCode::kUnavailable, 7));
  EXPECT_EQ(Answer(), "full");  // the one that a retry helps
  EXPECT_EQ(answers_[0].status.error().retry_after_s, 7u);
  EXPECT_THAT(lost_, IsEmpty());
}

TEST_F(AckTest, WhereNoneKeepsOneThatTookItIsEnough) {
  auto parts = SplitFor({false, false, false});
  parts[0].Complete(Failed("a"));
  EXPECT_THAT(answers_, IsEmpty());
  parts[1].Complete();
  EXPECT_EQ(Answer(), "OK");
  parts[2].Complete(Failed("c"));
  EXPECT_THAT(lost_, ElementsAre(Pair(0, "a"), Pair(2, "c")));
}

TEST_F(AckTest, WhereNoneTookItARetryIsAskedForIfOneCanHelp) {
  auto parts = SplitFor({false, false});
  parts[0].Complete(Failed("busy", ErrorCode::kUnavailable, 2));
  parts[1].Complete(Failed("never", ErrorCode::kInvalidArgument));
  EXPECT_EQ(Answer(), "busy");
  EXPECT_THAT(lost_, IsEmpty());
  answers_.clear();
  parts = SplitFor({false, false});
  for (Ack& part : parts) part.Complete(Failed("never", ErrorCode::kInvalidArgument));
  EXPECT_EQ(Answer(), "never");
  EXPECT_FALSE(IsRetryable(answers_[0].status.error()));
}

TEST_F(AckTest, MessagesOfAllThatKeepReachTheSender) {
  auto parts = SplitFor({true, true, true});
  parts[0].Complete({.status = {}, .rejected = 2, .message = "no trace id"});
  parts[1].Complete({.status = {}, .rejected = 5, .message = "too old"});
  parts[2].Complete({.status = {}, .rejected = 1, .message = "no trace id; too old"});
  EXPECT_EQ(answers_[0].rejected, 5u);
  EXPECT_THAT(answers_[0].message, HasSubstr("no trace id; too old"));
}

TEST_F(AckTest, JoinedOnesHaveOneOutcome) {
  std::vector<Ack> waiting;
  for (int i = 0; i < 3; ++i) waiting.push_back(Whole());
  Ack::Join(std::move(waiting)).Complete({.status = {}, .rejected = 4, .message = "bad names"});
  ASSERT_EQ(answers_.size(), 3u);
  for (const Outcome& answer : answers_) {
    EXPECT_TRUE(answer.status);
    EXPECT_EQ(answer.message,
              "4 items of 3 requests that went on together were rejected: bad names");
  }
  answers_.clear();
  {
    Ack joined = Ack::Join([&] {
      std::vector<Ack> some;
      some.push_back(Whole());
      some.push_back(Whole());
      return some;
    }());
  }
  EXPECT_EQ(answers_.size(), 2u);
  for (const Outcome& answer : answers_) EXPECT_TRUE(IsRetryable(answer.status.error()));
}

// Random branches, completed, failed or let go of in random order by several threads: one answer,
// which is the one that the rules give.
TEST_F(AckTest, RandomOutcomesOnThreadsGiveOneAnswerByTheRules) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 300; ++round) {
    const size_t branches = 1 + random() % 5;
    std::vector<bool> keeps, fails;
    for (size_t i = 0; i < branches; ++i) {
      keeps.push_back(random() % 2 == 0);
      fails.push_back(random() % 3 == 0);
    }
    std::atomic<int> answered{0};
    std::atomic<bool> ok{false};
    std::atomic<uint64_t> lost{0};
    auto parts = Ack::Split(Ack([&](Outcome outcome) {
                              ok = outcome.status.has_value();
                              ++answered;
                            }),
                            keeps, [&](size_t, const Error&) { ++lost; });
    std::vector<std::thread> threads;
    for (size_t i = 0; i < branches; ++i)
      threads.emplace_back([part = std::move(parts[i]), fail = fails[i]]() mutable {
        if (!fail) part.Complete();
      });
    for (std::thread& thread : threads) thread.join();
    ASSERT_EQ(answered, 1);
    bool keeper_failed = false, any_keeper = false, any_took = false;
    uint64_t others_failed = 0;
    for (size_t i = 0; i < branches; ++i) {
      any_keeper |= keeps[i];
      keeper_failed |= keeps[i] && fails[i];
      any_took |= !fails[i];
      others_failed += !keeps[i] && fails[i];
    }
    const bool wanted = any_keeper ? !keeper_failed : any_took;
    ASSERT_EQ(ok, wanted) << round;
    ASSERT_EQ(lost, wanted ? others_failed : 0u) << round;
  }
}

}  // namespace
}  // namespace weft::pipeline

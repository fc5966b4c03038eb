// SPDX-License-Identifier: Apache-2.0
#include "store/delayed_answers.h"

#include <gtest/gtest.h>

#include <future>
#include <vector>

namespace weft::store {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

TEST(DelayedAnswers, AnAnswerRunsWhenItIsDueAndNotBefore) {
  DelayedAnswers answers;
  answers.Start();
  std::promise<steady_clock::time_point> ran;
  const auto due = steady_clock::now() + milliseconds(30);
  answers.Add(due, [&](const Status& status) {
    EXPECT_TRUE(status);
    ran.set_value(steady_clock::now());
  });
  EXPECT_GE(ran.get_future().get(), due);
}

TEST(DelayedAnswers, AnEarlierOneOvertakes) {
  DelayedAnswers answers;
  answers.Start();
  std::atomic<bool> late = false;
  answers.Add(steady_clock::now() + hours(1), [&](const Status&) { late = true; });
  std::promise<void> early;
  answers.Add(steady_clock::now() + milliseconds(10), [&](const Status&) { early.set_value(); });
  early.get_future().get();
  EXPECT_FALSE(late);
  answers.Stop();
  EXPECT_TRUE(late);
}

TEST(DelayedAnswers, WhatIsDueRunsAtOnceOnTheCaller) {
  DelayedAnswers answers;
  answers.Start();
  std::thread::id ran;
  answers.Add(steady_clock::now(), [&](const Status&) { ran = std::this_thread::get_id(); });
  EXPECT_EQ(ran, std::this_thread::get_id());
}

TEST(DelayedAnswers, StoppingAnswersAllInOrder) {
  DelayedAnswers answers;
  answers.Start();
  const auto due = steady_clock::now() + hours(1);
  std::vector<int> order;
  for (int i = 0; i < 4; ++i)
    answers.Add(due + std::chrono::seconds(i % 2), [&, i](const Status&) { order.push_back(i); });
  answers.Stop();
  EXPECT_EQ(order, (std::vector<int>{0, 2, 1, 3}));
  bool ran = false;
  answers.Add(due, [&](const Status&) { ran = true; });
  EXPECT_TRUE(ran);
}

}  // namespace
}  // namespace weft::store

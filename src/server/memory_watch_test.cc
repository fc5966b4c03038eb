// SPDX-License-Identifier: Apache-2.0
#include "server/memory_watch.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>
#include <vector>

namespace weft::server {
namespace {

TEST(MemoryWatchTest, WhatNobodyChargedIsTheRest) {
  MemoryBudget budget(1000);
  MemoryAccount* head = budget.Open("head", {.bytes_max = 300, .reserve = 300});
  MemoryAccount* queries = budget.Open("queries");
  uint64_t head_bytes = 100;
  MemoryWatch watch(&budget, head, [&] { return head_bytes; });
  EXPECT_FALSE(watch.Look(200));
  EXPECT_EQ(head->used(), 100u);
  EXPECT_EQ(budget.used(), 200u);
  auto query = queries->Take(400);
  ASSERT_TRUE(query);
  // What was charged a moment ago is not there yet: the rest has not become less.
  watch.Look(200);
  EXPECT_GE(budget.used(), 590u);
  for (int i = 0; i < 500; ++i) watch.Look(500);
  EXPECT_LT(budget.used(), 540u);
  EXPECT_GE(budget.used(), 500u);
  head_bytes = 50;
  watch.Look(800);
  EXPECT_EQ(head->used(), 50u);
  EXPECT_EQ(budget.used(), 800u);
}

TEST(MemoryWatchTest, LargeHolesAreGivenBackNowAndThen) {
  MemoryBudget budget(1000);
  MemoryWatch watch(&budget, budget.Open("head"), [] { return 0; });
  int trims = 0;
  for (int i = 0; i < 100; ++i) trims += watch.Look(500);
  EXPECT_GE(trims, 8);
  EXPECT_LE(trims, 10);
}

TEST(MemoryWatchTest, TheThreadMeasuresThisProcess) {
  MemoryBudget budget(1ull << 40);
  MemoryWatch watch(&budget, budget.Open("head"), [] { return 0; });
  const std::vector<char> touched(32 << 20, 'x');
  ASSERT_GT(AnonymousBytes().value_or(0), touched.size());
  watch.Start();
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (budget.used() < touched.size() && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_GE(budget.used(), touched.size());
  watch.Stop();
}

}  // namespace
}  // namespace weft::server

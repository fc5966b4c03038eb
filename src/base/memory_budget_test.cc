// SPDX-License-Identifier: Apache-2.0
#include "base/memory_budget.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <random>
#include <thread>

namespace weft {
namespace {

constexpr uint64_t kStep = MemoryAccount::kStepBytes;

TEST(MemoryBudgetTest, RefusesWhatDoesNotFitAndGivesBack) {
  MemoryBudget budget(1000);
  MemoryAccount* requests = budget.Open("requests", {.bytes_max = 100});
  auto first = requests->Take(60);
  ASSERT_TRUE(first);
  auto second = requests->Take(50);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
  EXPECT_GE(second.error().retry_after_s, 1u);
  EXPECT_EQ(requests->used(), 60u);
  EXPECT_FALSE(requests->Check(41));
  EXPECT_TRUE(requests->Check(40));
  EXPECT_EQ(requests->used(), 60u) << "a question charges nothing";
  auto third = requests->Take(40);
  ASSERT_TRUE(third);
  third->Add(30);
  EXPECT_EQ(requests->used(), 130u);
  third->ShrinkTo(10);
  EXPECT_EQ(requests->used(), 70u);
  third->Release();
  EXPECT_EQ(requests->used(), 60u);
  EXPECT_EQ(requests->Take(101).error().code, ErrorCode::kTooLarge);
  MemoryCharge moved = std::move(*first);
  *first = MemoryCharge();
  EXPECT_EQ(budget.charged(), 60u);
  moved = MemoryCharge();
  EXPECT_EQ(budget.charged(), 0u);
}

TEST(MemoryBudgetTest, AChargeGrowsInStepsOrIsRefused) {
  MemoryBudget budget(4 * kStep);
  MemoryAccount* account = budget.Open("requests");
  auto grows = account->Take(0);
  auto other = account->Take(kStep);
  ASSERT_TRUE(grows && other);
  EXPECT_TRUE(grows->Cover(1));
  EXPECT_EQ(grows->bytes(), kStep);
  EXPECT_TRUE(grows->Cover(kStep));
  EXPECT_EQ(grows->bytes(), kStep);
  EXPECT_TRUE(grows->Cover(2 * kStep + 1));
  EXPECT_EQ(grows->bytes(), 2 * kStep + 1);
  Status refused = grows->Cover(3 * kStep + 1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(grows->bytes(), 2 * kStep + 1) << "it holds what it held";
  EXPECT_TRUE(grows->Cover(3 * kStep)) << "fits, though no step does";
  EXPECT_EQ(budget.used(), 4 * kStep);
}

TEST(MemoryBudgetTest, WhatFollowsFromWhatWasLetInIsForTheWholeBudgetToRefuse) {
  MemoryBudget budget(1000);
  MemoryAccount* requests = budget.Open("requests", {.bytes_max = 100});
  auto body = requests->Take(70, "peer");
  ASSERT_TRUE(body);
  auto decoded = requests->TakeBeyond(900, "peer");
  ASSERT_TRUE(decoded);
  EXPECT_EQ(requests->used(), 970u);
  EXPECT_EQ(requests->Take(1).error().code, ErrorCode::kUnavailable);
  for (uint64_t bytes : {31, 2000})
    EXPECT_EQ(requests->TakeBeyond(bytes).error().code, ErrorCode::kUnavailable);
}

TEST(MemoryBudgetTest, AReserveIsForItsAccountAlone) {
  MemoryBudget budget(100);
  MemoryAccount* flush = budget.Open("flush", {.reserve = 30});
  MemoryAccount* requests = budget.Open("requests");
  EXPECT_FALSE(requests->Take(71));
  auto most = requests->Take(70);
  ASSERT_TRUE(most);
  auto reserved = flush->Take(30);
  ASSERT_TRUE(reserved);
  EXPECT_FALSE(flush->Take(1)) << "beyond its reserve it is like any other";
  most->ShrinkTo(50);
  EXPECT_TRUE(flush->Take(20));
}

TEST(MemoryBudgetTest, WhatIsMeasuredCountsLikeTheRest) {
  MemoryBudget budget(100);
  MemoryAccount* requests = budget.Open("requests");
  budget.SetUncharged(40);
  EXPECT_FALSE(requests->Take(61));
  EXPECT_TRUE(requests->Take(60));
  EXPECT_EQ(budget.used(), 40u);
  EXPECT_EQ(budget.peak(), 100u);
  EXPECT_EQ(budget.nodes().back().name, "other");
  EXPECT_EQ(budget.nodes().back().used, 40u);
}

TEST(MemoryBudgetTest, OnePeerCannotShutOutTheRest) {
  MemoryBudget budget(1600);
  MemoryAccount* requests = budget.Open("requests", {.bytes_max = 800});
  // Alone, three quarters.
  auto greedy = requests->Take(600, "a");
  ASSERT_TRUE(greedy);
  auto refused = requests->Take(1, "a");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_GE(refused.error().retry_after_s, 1u);
  // The next has three quarters of the rest, and each an eighth where there is so much.
  auto second = requests->Take(150, "b");
  ASSERT_TRUE(second);
  EXPECT_FALSE(requests->Take(1, "b"));
  EXPECT_TRUE(requests->Take(50, "c"));
  greedy->Release();
  EXPECT_TRUE(requests->Take(100, "c"));
  EXPECT_TRUE(requests->Take(600)) << "nobody in particular has no share";
}

TEST(MemoryBudgetTest, CachesShrinkBeforeAnythingIsRefused) {
  MemoryBudget budget(1600);
  MemoryAccount* cache = budget.Open("cache");
  MemoryAccount* queries = budget.Open("queries");
  std::deque<MemoryCharge> pages;
  budget.OnShortage([&](uint64_t wanted) {
    for (uint64_t freed = 0; freed < wanted && !pages.empty(); freed += 100) pages.pop_front();
  });
  while (auto page = cache->TakeSpare(100)) pages.push_back(std::move(*page));
  EXPECT_EQ(cache->used(), 1500u) << "a sixteenth stays free of caches";
  EXPECT_TRUE(queries->Take(100));
  EXPECT_EQ(pages.size(), 15u);
  auto query = queries->Take(900);
  ASSERT_TRUE(query);
  EXPECT_EQ(pages.size(), 7u);
  EXPECT_FALSE(queries->Take(701));
  // Who waits makes them shrink as well, and nothing is cached meanwhile.
  bool granted = false;
  auto asked = queries->Ask(500, [&](MemoryCharge) { granted = true; });
  ASSERT_TRUE(asked);
  EXPECT_TRUE(granted);
  budget.SetUncharged(1600);
  EXPECT_TRUE(pages.empty()) << "over the limit, nothing is cached";
}

TEST(MemoryBudgetTest, WhoWaitsIsGrantedInTurn) {
  MemoryBudget budget(100);
  MemoryAccount* queries = budget.Open("queries");
  MemoryAccount* merges = budget.Open("merges");
  auto first = queries->Take(80);
  ASSERT_TRUE(first);
  std::vector<std::string> order;
  std::vector<MemoryCharge> charges;
  auto ask = [&](MemoryAccount* account, uint64_t bytes, std::string name) {
    auto number = account->Ask(bytes, [&, name](MemoryCharge charge) {
      order.push_back(name);
      charges.push_back(std::move(charge));
    });
    EXPECT_TRUE(number);
    return number.value_or(0);
  };
  uint64_t large = ask(queries, 60, "large");
  EXPECT_NE(ask(queries, 10, "small"), 0u) << "it fits, but one before it waits";
  EXPECT_EQ(ask(merges, 10, "merge"), 0u) << "another account is not held up";
  EXPECT_EQ(queries->Ask(101, [](MemoryCharge) {}).error().code, ErrorCode::kTooLarge);
  EXPECT_EQ(budget.nodes()[0].waiting, 2u);
  EXPECT_EQ(order, std::vector<std::string>{"merge"});
  first->ShrinkTo(30);
  EXPECT_EQ(order, (std::vector<std::string>{"merge", "large"}));
  MemoryCharge of_large = std::move(charges[1]);
  of_large.Release();
  EXPECT_EQ(order, (std::vector<std::string>{"merge", "large", "small"}));
  EXPECT_FALSE(queries->Withdraw(large)) << "granted already";
  uint64_t gone = ask(queries, 90, "gone");
  EXPECT_NE(ask(queries, 20, "behind"), 0u);
  EXPECT_TRUE(queries->Withdraw(gone));
  EXPECT_EQ(order.back(), "behind") << "who leaves holds nobody up";
}

TEST(MemoryBudgetTest, AThreadMayWait) {
  MemoryBudget budget(100);
  MemoryAccount* merges = budget.Open("merges");
  auto held = merges->Take(80);
  ASSERT_TRUE(held);
  auto late = merges->Wait(30, std::chrono::milliseconds(1));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::kUnavailable);
  EXPECT_GT(late.error().retry_after_s, 0u);
  EXPECT_EQ(merges->Wait(101, std::chrono::hours(1)).error().code, ErrorCode::kTooLarge);
  std::thread frees([&] { held->Release(); });
  auto came = merges->Wait(30, std::chrono::hours(1));
  frees.join();
  ASSERT_TRUE(came);
  EXPECT_EQ(came->bytes(), 30u);
  came->MoveTo(budget.Open("cache"));
  EXPECT_EQ(merges->used(), 0u);
  EXPECT_EQ(budget.nodes()[1].used, 30u);
  EXPECT_EQ(budget.charged(), 30u);
}

TEST(MemoryBudgetTest, ChargesMayOutliveTheBudget) {
  MemoryCharge charge;
  {
    MemoryBudget budget(100);
    charge = std::move(*budget.Open("answers")->Take(10));
  }
  charge.Add(5);
  charge.Release();
}

// Against a model: the sums are those of the charges, the limits hold for all that can be refused.
TEST(MemoryBudgetTest, TheSumsAreThoseOfTheCharges) {
  for (uint32_t seed = 0; seed < 20; ++seed) {
    std::mt19937 random(seed);
    MemoryBudget budget(10'000);
    MemoryAccount* accounts[] = {budget.Open("a", {.bytes_max = 4000}),
                                 budget.Open("b", {.reserve = 1000}),
                                 budget.Open("c", {.bytes_max = 9000, .reserve = 500})};
    std::vector<std::pair<size_t, MemoryCharge>> charges;
    std::vector<std::pair<size_t, MemoryCharge>> granted;
    auto sum = [&](size_t account) {
      uint64_t bytes = 0;
      for (const auto* list : {&charges, &granted})
        for (const auto& [of, charge] : *list) bytes += of == account ? charge.bytes() : 0;
      return bytes;
    };
    for (int step = 0; step < 2000; ++step) {
      const size_t at = random() % 3;
      const uint64_t bytes = random() % 1500;
      switch (random() % 5) {
        case 0:
          if (auto charge = accounts[at]->Take(bytes, random() % 2 ? "peer" : ""))
            charges.emplace_back(at, std::move(*charge));
          break;
        case 1:
          (void)accounts[at]->Ask(
              bytes, [&, at](MemoryCharge charge) { granted.emplace_back(at, std::move(charge)); });
          break;
        case 2:
          if (!charges.empty()) charges[random() % charges.size()].second.ShrinkTo(bytes);
          break;
        default: {  // may grant others, which grows their list
          auto* list = random() % 2 ? &charges : &granted;
          if (list->empty()) break;
          std::swap(list->back(), (*list)[random() % list->size()]);
          MemoryCharge out = std::move(list->back().second);
          list->pop_back();
          out.Release();
        }
      }
      uint64_t all = 0;
      for (size_t i = 0; i < 3; ++i) {
        ASSERT_EQ(accounts[i]->used(), sum(i)) << "seed " << seed << " step " << step;
        ASSERT_LE(accounts[i]->used(), accounts[i]->bytes_max());
        all += sum(i);
      }
      ASSERT_EQ(budget.charged(), all);
      ASSERT_LE(all, 10'000u);
      ASSERT_LE(sum(0) + std::max<uint64_t>(sum(1), 1000) + std::max<uint64_t>(sum(2), 500),
                10'000u);
    }
    while (!charges.empty() || !granted.empty()) {
      auto* list = charges.empty() ? &granted : &charges;
      MemoryCharge out = std::move(list->back().second);
      list->pop_back();
      out.Release();
    }
    EXPECT_EQ(budget.charged(), 0u);
  }
}

TEST(MemoryBudgetTest, ManyThreadsLeaveNothingBehind) {
  MemoryBudget budget(1 << 20);
  MemoryAccount* requests = budget.Open("requests", {.bytes_max = 512 << 10});
  MemoryAccount* queries = budget.Open("queries");
  std::atomic<uint64_t> shrunk{0}, granted{0}, asked{0};
  budget.OnShortage([&](uint64_t) { shrunk.fetch_add(1); });
  std::vector<std::thread> threads;
  for (uint32_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(t);
      for (int i = 0; i < 3000; ++i) {
        if (auto charge = requests->Take(random() % (300 << 10), t % 2 ? "odd" : "even")) {
          (void)charge->Cover(random() % (400 << 10));
          charge->Add(random() % 1000);
        }
        asked.fetch_add(1);
        auto number = queries->Ask(random() % (600 << 10), [&](MemoryCharge charge) {
          EXPECT_LE(budget.charged(), (1u << 20) + 4 * 1000u);
          granted.fetch_add(1);
          charge.Release();
        });
        if (number && *number != 0 && queries->Withdraw(*number)) asked.fetch_sub(1);
        if (i % 64 == 0) budget.SetUncharged(random() % (64 << 10));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(budget.charged(), 0u);
  EXPECT_EQ(granted.load(), asked.load());
  for (const MemoryNode& node : budget.nodes()) EXPECT_EQ(node.waiting, 0u);
}

TEST(MemoryBudgetTest, LimitsChangeWhileBytesAreHeld) {
  MemoryBudget budget(1000);
  MemoryAccount* a = budget.Open("a", {.bytes_max = 400, .reserve = 100});
  MemoryAccount* b = budget.Open("b");
  auto held = a->Take(300);
  ASSERT_TRUE(held);
  bool granted = false;
  MemoryCharge kept;
  ASSERT_TRUE(b->Ask(800, [&](MemoryCharge charge) {
    granted = true;
    kept = std::move(charge);
  }));
  EXPECT_FALSE(granted);
  budget.Resize(1200, {{a, {.bytes_max = 200, .reserve = 200}}});
  EXPECT_TRUE(granted);
  EXPECT_EQ(a->bytes_max(), 200u);
  EXPECT_FALSE(a->Take(1)) << "it holds more than it may";
  held->ShrinkTo(150);
  EXPECT_TRUE(a->Take(50));
  kept.Release();
  EXPECT_FALSE(b->Take(1050)) << "200 are kept for the other";
  EXPECT_TRUE(b->Take(1000));
}

}  // namespace
}  // namespace weft

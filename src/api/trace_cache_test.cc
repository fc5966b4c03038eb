// SPDX-License-Identifier: Apache-2.0
#include "api/trace_cache.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

#include "api/api_fixture.h"
#include "testing/random_batch.h"

namespace weft::api {
namespace {

class TraceCacheTest : public ::testing::Test {
 protected:
  void Put(SpanBatch batch) { store_->Put(std::move(batch)); }
  std::shared_ptr<const TraceDocument> Read(const TraceId& id) {
    auto document = cache_.Read(*store_->get()->TakeSnapshot(""), id);
    EXPECT_TRUE(document) << document.error().message;
    return document ? *document : nullptr;
  }

  const TraceId shop_ = *TraceId::FromHex(kTrace);
  std::unique_ptr<testing::SimStore> store_ = std::make_unique<testing::SimStore>();
  Metrics metrics_;
  TraceCache cache_{&metrics_};
};

// One trace of its own for each seed.
SpanBatch OneTrace(uint64_t seed, size_t spans = 50) {
  return testing::RandomBatch({.seed = seed, .spans = spans, .logs = 0, .traces = 1});
}

TEST_F(TraceCacheTest, TheSameDocumentServesLaterSnapshots) {
  Put(ShopTrace());
  auto first = Read(shop_);
  EXPECT_EQ(Read(shop_), first);
  Put(OneTrace(1));  // another trace
  EXPECT_EQ(Read(shop_), first);
  EXPECT_EQ(metrics_.GetCounter("weft_trace_cache_hits_total", "")->value(), 2u);
  EXPECT_EQ(metrics_.GetCounter("weft_trace_cache_misses_total", "")->value(), 1u);
  EXPECT_EQ(metrics_.GetGauge("weft_trace_cache_bytes", "")->value(),
            static_cast<int64_t>(first->memory_bytes()));
}

TEST_F(TraceCacheTest, WhateverComesToTheTraceIsSeen) {
  Put(ShopTrace());
  auto first = Read(shop_);
  Put(ShopLogs());
  auto with_logs = Read(shop_);
  EXPECT_EQ(first->batch().logs.size(), 0u);
  EXPECT_EQ(with_logs->batch().logs.size(), 3u);
  Put(ShopTrace());  // the same spans once more
  auto with_duplicates = Read(shop_);
  EXPECT_EQ(with_duplicates->row_count(), 2u);
  EXPECT_EQ(with_duplicates->duplicates(), 2u);
  EXPECT_EQ(Read(shop_), with_duplicates);
}

TEST_F(TraceCacheTest, AnotherStoreIsNeverConfusedWithThis) {
  Put(ShopTrace());
  auto first = Read(shop_);
  store_.reset();  // its segments are gone: their addresses may be used again
  store_ = std::make_unique<testing::SimStore>();
  EXPECT_FALSE(cache_.Read(*store_->get()->TakeSnapshot(""), shop_));
  Put(ShopTrace());
  EXPECT_NE(Read(shop_), first);
}

TEST_F(TraceCacheTest, TheOldestGoWhenTheBytesAreFull) {
  std::vector<TraceId> ids;
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    SpanBatch batch = OneTrace(seed);
    ids.push_back(batch.spans[0].trace_id);
    Put(std::move(batch));
  }
  SpanBatch large = OneTrace(9, 5000);
  TraceId large_id = large.spans[0].trace_id;
  Put(std::move(large));
  auto snapshot = store_->get()->TakeSnapshot("");
  uint64_t most = 0;
  for (const TraceId& id : ids) most = std::max(most, Read(id)->memory_bytes());
  TraceCache small(&metrics_, 2 * most);
  auto a = small.Read(*snapshot, ids[0]).value();
  auto b = small.Read(*snapshot, ids[1]).value();
  EXPECT_EQ(small.Read(*snapshot, ids[0]).value(), a);
  small.Read(*snapshot, ids[2]).value();
  EXPECT_EQ(small.Read(*snapshot, ids[0]).value(), a);
  EXPECT_NE(small.Read(*snapshot, ids[1]).value(), b);
  // What is larger than all of the cache is not kept and drives nothing out.
  auto b2 = small.Read(*snapshot, ids[1]).value();
  auto whole = small.Read(*snapshot, large_id).value();
  EXPECT_GT(whole->memory_bytes(), 2 * most);
  const std::weak_ptr<const TraceDocument> large_one = whole;
  whole.reset();
  EXPECT_TRUE(large_one.expired());
  EXPECT_EQ(small.Read(*snapshot, ids[1]).value(), b2);
}

TEST_F(TraceCacheTest, ThreadsReadWhileSpansArrive) {
  Put(ShopTrace());
  std::vector<std::thread> readers;
  for (int i = 0; i < 4; ++i)
    readers.emplace_back([this] {
      for (int n = 0; n < 50; ++n) EXPECT_EQ(Read(shop_)->row_count(), 2u);
    });
  for (int n = 0; n < 20; ++n) Put(ShopTrace());
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(Read(shop_)->row_count(), 2u);
  // 21 times two spans, of which each of 11 blocks keeps one copy.
  EXPECT_EQ(Read(shop_)->duplicates(), 20u);
}

TEST_F(TraceCacheTest, ALargeTraceIsSharedByThoseToWhomItIsShown) {
  TraceCache small(&metrics_, 1);
  Put(ShopTrace());
  auto snapshot = store_->get()->TakeSnapshot("");
  auto first = small.Read(*snapshot, shop_);
  ASSERT_TRUE(first);
  EXPECT_TRUE(small.Holds(*snapshot, shop_));
  EXPECT_EQ(small.Read(*snapshot, shop_).value(), *first);
  first->reset();
  EXPECT_FALSE(small.Holds(*snapshot, shop_)) << "it is kept for nobody";
}

TEST_F(TraceCacheTest, DocumentsAreChargedAndForgottenWhenMemoryIsShort) {
  MemoryBudget budget(1 << 20);
  const QueryMemory memory{
      .budget = &budget, .answers = budget.Open("answers"), .traces = budget.Open("trace_cache")};
  auto cache = TraceCache::Make(&metrics_, memory);
  Put(ShopTrace());
  auto snapshot = store_->get()->TakeSnapshot("");
  {
    auto charge = std::make_shared<MemoryCharge>(memory.answers->Take(100'000).value());
    auto document = cache->Read(*snapshot, shop_, charge);
    ASSERT_TRUE(document);
    EXPECT_EQ(memory.answers->used(), 0u);
    EXPECT_EQ(memory.traces->used(), (*document)->memory_bytes()) << "corrected, and of the cache";
  }
  EXPECT_TRUE(cache->Holds(*snapshot, shop_));
  auto all = memory.answers->Take(1 << 20);
  EXPECT_TRUE(all) << "the cache goes first";
  EXPECT_FALSE(cache->Holds(*snapshot, shop_));
  EXPECT_EQ(memory.traces->used(), 0u);
}

}  // namespace
}  // namespace weft::api

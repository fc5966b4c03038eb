// SPDX-License-Identifier: Apache-2.0
#include "pipeline/shared.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace weft::pipeline {
namespace {

SpanBatch OneSpan() {
  SpanBatch batch;
  batch.received = "the request";
  batch.received_is_content = true;
  batch.received_ns = 5;
  batch.resources.resize(1);
  batch.scopes.resize(1);
  Span span;
  span.name = batch.arena.Copy("a name that lives in the arena");
  std::span<KeyValue> attributes = batch.arena.NewArray<KeyValue>(1);
  attributes[0] = {batch.arena.Copy("key"), Value::String(batch.arena.Copy("value"))};
  span.attributes = attributes;
  batch.spans.push_back(span);
  batch.rejected_spans = {.count = 2, .message = "why"};
  return batch;
}

TEST(SharedTest, EditEndsThatTheReceivedBytesAreTheContent) {
  SharedSpans batch(OneSpan());
  const Span* before = batch->spans.data();
  batch.Edit().spans[0].name = "another";
  EXPECT_EQ(batch->spans.data(), before) << "alone: nothing is copied";
  EXPECT_FALSE(batch->received_is_content);
  EXPECT_EQ(std::move(batch).Take().spans[0].name, "another");
}

TEST(SharedTest, WhatOthersHoldIsCopiedByTheFirstEdit) {
  SharedSpans a(OneSpan());
  SharedSpans b = a.Share();
  const Span* before = a->spans.data();
  EXPECT_EQ(b->spans.data(), before) << "reading copies nothing";
  a.Edit().spans[0].name = "changed by a";
  EXPECT_NE(a->spans.data(), before);
  EXPECT_EQ(b->spans[0].name, "a name that lives in the arena");
  EXPECT_TRUE(b->received_is_content);
  EXPECT_FALSE(a->received_is_content);
  const Span* own = a->spans.data();
  a.Edit().spans[0].dropped_links = 1;
  EXPECT_EQ(a->spans.data(), own) << "its own by now";
  // The copy lives by itself.
  {
    SharedSpans gone = std::move(b);
  }
  EXPECT_EQ(FindString(a->spans[0].attributes, "key"), "value");
}

TEST(SharedTest, TheLastHolderNeedNotCopy) {
  SharedSpans a(OneSpan());
  const Span* before = a->spans.data();
  {
    SharedSpans b = a.Share();
  }
  a.Edit();
  EXPECT_EQ(a->spans.data(), before);
}

TEST(SharedTest, WhoTakesASharedOneGetsTheReceivedBytesToo) {
  SharedSpans a(OneSpan());
  SharedSpans b = a.Share();
  SpanBatch taken = std::move(a).Take();
  EXPECT_TRUE(taken.received_is_content);
  EXPECT_EQ(taken.received, "the request");
  EXPECT_EQ(taken.received_ns, 5u);
  EXPECT_EQ(taken.rejected_spans.count, 2u);
  b.Edit().spans.clear();
  EXPECT_EQ(taken.spans[0].name, "a name that lives in the arena");
}

TEST(SharedTest, PointsOfMetricsAreCopiedToo) {
  MetricBatch batch;
  batch.resources.resize(1);
  batch.scopes.resize(1);
  Metric& metric = batch.metrics.emplace_back();
  metric.kind = MetricKind::kGauge;
  metric.numbers = batch.arena.NewArray<NumberPoint>(1);
  metric.numbers[0].value = Value::Int(4);
  SharedMetrics a(std::move(batch));
  SharedMetrics b = a.Share();
  a.Edit().metrics[0].numbers[0].value = Value::Int(5);
  EXPECT_EQ(b->metrics[0].numbers[0].value.integer, 4);
  EXPECT_EQ(a->metrics[0].numbers[0].value.integer, 5);
}

TEST(SharedTest, HoldersOnThreadsEachSeeTheirOwn) {
  for (int round = 0; round < 200; ++round) {
    std::vector<SharedSpans> holders;
    holders.emplace_back(OneSpan());
    for (int i = 0; i < 3; ++i) holders.push_back(holders[0].Share());
    std::vector<std::thread> threads;
    for (size_t i = 0; i < holders.size(); ++i)
      threads.emplace_back([holder = std::move(holders[i]), i]() mutable {
        ASSERT_EQ(holder->spans[0].dropped_links, 0u);
        if (i % 2 == 0) holder.Edit().spans[0].dropped_links = static_cast<uint32_t>(i + 1);
        ASSERT_EQ(holder->spans[0].dropped_links, i % 2 == 0 ? i + 1 : 0u);
        ASSERT_EQ(holder->spans[0].name, "a name that lives in the arena");
      });
    for (std::thread& thread : threads) thread.join();
  }
}

}  // namespace
}  // namespace weft::pipeline

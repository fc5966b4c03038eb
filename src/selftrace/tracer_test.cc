// SPDX-License-Identifier: Apache-2.0
#include "selftrace/tracer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "testing/manual_clock.h"

namespace weft::selftrace {
namespace {

using ::testing::HasSubstr;

constexpr char kParent[] = "00-0102030405060708090a0b0c0d0e0f10-1112131415161718-01";

// Keeps what it is given; completes at once.
struct Kept {
  std::mutex mutex;
  std::vector<SpanBatch> batches;
  Status admit, answer;
  TraceSink Sink() {
    return {.admit = [this](uint64_t) { return admit; },
            .consume =
                [this](SpanBatch batch, std::move_only_function<void(Status)> done) {
                  {
                    std::lock_guard lock(mutex);
                    batches.push_back(std::move(batch));
                  }
                  done(answer);
                }};
  }
};

OwnSpan SpanOf(Tracer* tracer, const TracePlace& place) {
  return {.trace_id = place.trace_id,
          .span_id = tracer->NewSpanId(),
          .parent_span_id = place.parent,
          .name = "query",
          .kind = SpanKind::kServer,
          .start_ns = 1000,
          .end_ns = 3000,
          .error = "too slow",
          .attributes = {{"weft.text", std::string("{}")}, {"weft.n", int64_t{3}}}};
}

TEST(TraceParentTest, WhatIsValid) {
  auto parent = ParseTraceParent(kParent);
  ASSERT_TRUE(parent);
  EXPECT_EQ(parent->trace_id.ToHex(), "0102030405060708090a0b0c0d0e0f10");
  EXPECT_EQ(parent->span_id.ToHex(), "1112131415161718");
  EXPECT_TRUE(parent->sampled);
  EXPECT_FALSE(
      ParseTraceParent("00-0102030405060708090a0b0c0d0e0f10-1112131415161718-00")->sampled);
  // A later version may say more.
  EXPECT_TRUE(ParseTraceParent("01-0102030405060708090a0b0c0d0e0f10-1112131415161718-01-more"));
  for (const char* wrong : {"", "00", "ff-0102030405060708090a0b0c0d0e0f10-1112131415161718-01",
                            "00-00000000000000000000000000000000-1112131415161718-01",
                            "00-0102030405060708090a0b0c0d0e0f10-0000000000000000-01",
                            "00-0102030405060708090A0B0C0D0E0F10-1112131415161718-01",
                            "00-0102030405060708090a0b0c0d0e0f10-1112131415161718-01-more",
                            "00-0102030405060708090a0b0c0d0e0f10x1112131415161718-01"})
    EXPECT_FALSE(ParseTraceParent(wrong)) << wrong;
}

TEST(TracerTest, SpansReachTheSinkAsOneResource) {
  Metrics metrics;
  Kept kept;
  Tracer tracer({.version = "1", .resource = {{"host.name", "a"}, {"service.version", ""}}},
                kept.Sink(), &metrics, SystemClock());
  tracer.Start();
  TracePlace place = *tracer.Begin(kParent);
  EXPECT_EQ(place.parent.ToHex(), "1112131415161718");
  tracer.Record({SpanOf(&tracer, place)});
  tracer.Stop();
  ASSERT_EQ(kept.batches.size(), 1u);
  const SpanBatch& batch = kept.batches[0];
  EXPECT_TRUE(IsOwn(batch));
  EXPECT_EQ(ServiceName(batch.resources[0]), "weft");
  EXPECT_EQ(FindString(batch.resources[0].attributes, "host.name"), "a");
  EXPECT_EQ(Find(batch.resources[0].attributes, "service.version"), nullptr);
  ASSERT_EQ(batch.spans.size(), 1u);
  EXPECT_EQ(batch.spans[0].name, "query");
  EXPECT_EQ(batch.spans[0].parent_span_id, place.parent);
  EXPECT_EQ(batch.spans[0].status, StatusCode::kError);
  EXPECT_EQ(Find(batch.spans[0].attributes, "weft.n")->integer, 3);
  EXPECT_EQ(tracer.TakeDelivered(), 1u);
  EXPECT_EQ(tracer.TakeDelivered(), 0u);
  // After Stop() nothing is taken.
  tracer.Record({SpanOf(&tracer, place)});
  EXPECT_THAT(metrics.Render(Metrics::Format::kPrometheus),
              HasSubstr("weft_self_trace_dropped_spans_total{reason=\"queue_full\"} 1\n"));
}

TEST(TracerTest, ACallersTraceThatIsNotSampledStaysSo) {
  Metrics metrics;
  Kept kept;
  Tracer tracer({}, kept.Sink(), &metrics, SystemClock());
  EXPECT_FALSE(tracer.Begin("00-0102030405060708090a0b0c0d0e0f10-1112131415161718-00"));
  EXPECT_FALSE(tracer.Begin("nonsense")->trace_id.empty());
}

TEST(TracerTest, WhatDoesNotFitOrIsNotTakenIsCounted) {
  Metrics metrics;
  Kept kept;
  kept.admit = Fail(ErrorCode::kNoSpace, "full");
  Tracer tracer({.queue_spans_max = 2}, kept.Sink(), &metrics, SystemClock());
  TracePlace place = *tracer.Begin("");
  for (int i = 0; i < 5; ++i) tracer.Record({SpanOf(&tracer, place)});
  tracer.Start();
  tracer.Stop();
  EXPECT_TRUE(kept.batches.empty());
  std::string text = metrics.Render(Metrics::Format::kPrometheus);
  EXPECT_THAT(text, HasSubstr("weft_self_trace_spans_total 2\n"));
  EXPECT_THAT(text, HasSubstr("weft_self_trace_dropped_spans_total{reason=\"queue_full\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("weft_self_trace_dropped_spans_total{reason=\"refused\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("weft_self_trace_dropped_spans_total{reason=\"failed\"} 0\n"));
}

TEST(TracerTest, TheRateOfIngestTracesIsBounded) {
  Metrics metrics;
  Kept kept;
  weft::testing::ManualClock clock;
  Tracer tracer({.ingest_per_second = 2}, kept.Sink(), &metrics, &clock);
  int taken = 0;
  for (int i = 0; i < 10; ++i) taken += tracer.TakeIngest();
  EXPECT_EQ(taken, 2);
  clock.Advance(1'000'000'000);
  EXPECT_TRUE(tracer.TakeIngest());
}

TEST(TracerTest, ManyThreadsRecord) {
  Metrics metrics;
  Kept kept;
  Tracer tracer({}, kept.Sink(), &metrics, SystemClock());
  tracer.Start();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&tracer] {
      for (int n = 0; n < 200; ++n) tracer.Record({SpanOf(&tracer, *tracer.Begin(""))});
    });
  for (std::thread& thread : threads) thread.join();
  tracer.Stop();
  size_t spans = 0;
  for (const SpanBatch& batch : kept.batches) spans += batch.spans.size();
  EXPECT_EQ(spans, 800u);
}

}  // namespace
}  // namespace weft::selftrace

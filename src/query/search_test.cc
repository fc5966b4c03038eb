// SPDX-License-Identifier: Apache-2.0
//
// What test/query/*.test cannot say: summaries, cursors, budgets, early ends, and the lists of
// names.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "block/block_reader.h"
#include "block/block_writer.h"
#include "query/query.h"
#include "testing/segment_placements.h"
#include "testing/sim_env.h"
#include "testing/span_text.h"

namespace weft::query {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::SegmentSnapshot;
using testing::SpanTextReader;

std::vector<SpanBatch> Read(std::initializer_list<std::string_view> lines, size_t batches = 1) {
  SpanTextReader reader(batches);
  for (std::string_view line : lines) {
    auto taken = reader.TakeLine(line);
    EXPECT_TRUE(taken.has_value() && *taken) << line;
  }
  return reader.Finish();
}

std::shared_ptr<SegmentSnapshot> InChunks(const std::vector<SpanBatch>& batches) {
  std::vector<std::shared_ptr<const segment::Segment>> segments;
  for (const SpanBatch& batch : batches) {
    const SpanBatch* one = &batch;
    segments.push_back(testing::MakeChunk(std::span(&one, 1)));
  }
  return std::make_shared<SegmentSnapshot>(std::move(segments));
}

// One trace a second, one span each, in chunks of `chunk_traces`.
std::vector<SpanBatch> ManyTraces(uint32_t traces, uint32_t chunk_traces) {
  std::vector<SpanBatch> batches;
  for (uint32_t i = 0; i < traces; ++i) {
    if (i % chunk_traces == 0) {
      batches.emplace_back();
      batches.back().resources.emplace_back();
      batches.back().scopes.emplace_back();
    }
    Span span;
    span.trace_id.bytes[0] = 1;
    for (int b = 0; b < 4; ++b) span.trace_id.bytes[15 - b] = static_cast<uint8_t>(i >> (8 * b));
    span.span_id.bytes[7] = 1;
    span.start_ns = testing::kTextEpochNs + uint64_t{i} * 1'000'000'000;
    span.end_ns = span.start_ns + 1000;
    span.name = "op";
    batches.back().spans.push_back(span);
  }
  return batches;
}

TEST(Search, SummaryOfATrace) {
  auto batches = Read(
      {
          "trace 1",
          "resource service.name=\"front\"",
          "span a name=\"GET /\" kind=server start=0ms for=100ms : http.status_code=500",
          "span b parent=a name=\"call\" start=10ms for=10ms status=error message=\"x\"",
          "resource service.name=\"back\" zone=\"eu\"",
          "span c parent=b name=\"work\" start=12ms for=120ms status=error : http.status_code=503 "
          "tags=[\"x\", 1]",
      },
      2);
  for (const testing::Placement& placement : testing::MakePlacements({&batches[0], &batches[1]})) {
    SCOPED_TRACE(placement.name);
    auto result =
        Search(*placement.snapshot,
               {.traceql = "{ .http.status_code > 499 && (.zone = \"eu\" || .tags = nil) }",
                .spans_per_trace = 1},
               {});
    ASSERT_TRUE(result.has_value()) << result.error().message;
    ASSERT_EQ(result->traces.size(), 1u);
    const TraceSummary& trace = result->traces[0];
    EXPECT_EQ(trace.root_service, "front");
    EXPECT_EQ(trace.root_name, "GET /");
    EXPECT_FALSE(trace.root_missing);
    EXPECT_EQ(trace.start_ns, testing::kTextEpochNs);
    EXPECT_EQ(trace.duration_ns, 132'000'000u);
    EXPECT_EQ(trace.spans, 3u);
    EXPECT_EQ(trace.errors, 2u);
    ASSERT_EQ(trace.services.size(), 2u);
    EXPECT_EQ(trace.services[0].service, "front");
    EXPECT_EQ(trace.services[0].spans, 2u);
    EXPECT_EQ(trace.services[0].errors, 1u);
    EXPECT_EQ(trace.services[1].service, "back");
    EXPECT_EQ(trace.matched, 2u);
    ASSERT_EQ(trace.matches.size(), 1u) << "spans_per_trace";
    EXPECT_EQ(testing::TextSpanLabel(trace.matches[0].span_id), "a");
    EXPECT_EQ(trace.matches[0].service, "front");
    EXPECT_EQ(trace.matches[0].duration_ns, 100'000'000u);
    EXPECT_THAT(trace.matches[0].attributes,
                ElementsAre(std::pair<std::string, std::string>("span.http.status_code", "500")));
    EXPECT_TRUE(result->cursor.empty());
    EXPECT_EQ(result->stats.spans_total, 3u);
  }
}

TEST(Search, MatchesNameTheirAttributes) {
  auto batches = Read(
      {"trace 1", "resource service.name=\"s\" zone=\"eu\"", "span a : tags=[\"x\", 1] d=1.5"});
  auto result =
      Search(*InChunks(batches),
             {.traceql = "{ .zone = \"eu\" && .tags = 1 && span.d > 1 && .none = nil }"}, {});
  ASSERT_TRUE(result.has_value());
  ASSERT_EQ(result->traces.size(), 1u);
  using Pair = std::pair<std::string, std::string>;
  EXPECT_THAT(
      result->traces[0].matches[0].attributes,
      ::testing::UnorderedElementsAre(Pair("resource.zone", "eu"), Pair("span.tags", "[\"x\", 1]"),
                                      Pair("span.d", "1.5")));
}

TEST(Search, RootMissing) {
  auto batches =
      Read({"trace 1", "resource service.name=\"s\"", "span a parent=gone name=\"x\" for=1ms"});
  auto result = Search(*InChunks(batches), {}, {});
  ASSERT_TRUE(result.has_value());
  ASSERT_EQ(result->traces.size(), 1u);
  EXPECT_TRUE(result->traces[0].root_missing);
  EXPECT_EQ(result->traces[0].root_name, "x");
}

TEST(Search, NoEndMeansTheLastNanosecondToo) {
  std::vector<SpanBatch> batches = ManyTraces(2, 1);
  for (SpanBatch& batch : batches) batch.spans[0].start_ns = batch.spans[0].end_ns = UINT64_MAX;
  batches[0].spans[0].start_ns = UINT64_MAX - 1;
  for (const testing::Placement& placement : testing::MakePlacements({&batches[0], &batches[1]})) {
    SCOPED_TRACE(placement.name);
    auto found = [&](std::string traceql, uint64_t start_ns, uint64_t end_ns) -> size_t {
      auto result =
          Search(*placement.snapshot,
                 {.traceql = std::move(traceql), .start_ns = start_ns, .end_ns = end_ns}, {});
      EXPECT_TRUE(result.has_value()) << result.error().message;
      return result ? result->traces.size() : 0;
    };
    for (const char* traceql : {"{}", "{ name = \"op\" }"}) {
      EXPECT_EQ(found(traceql, 0, 0), 2u);
      EXPECT_EQ(found(traceql, 1, 0), 2u);
      EXPECT_EQ(found(traceql, UINT64_MAX, 0), 1u);
      EXPECT_EQ(found(traceql, 0, UINT64_MAX), 1u);
      EXPECT_EQ(found(traceql, 0, UINT64_MAX - 1), 0u);
    }
  }
}

TEST(Search, BadRequests) {
  auto snapshot = InChunks({});
  auto code = [&](const SearchRequest& request) {
    auto result = Search(*snapshot, request, {});
    return result ? ErrorCode{} : result.error().code;
  };
  EXPECT_EQ(code({.limit = 0}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({.limit = 10'001}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({.spans_per_trace = 10'001}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({.start_ns = 5, .end_ns = 5}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({.traceql = "{ .a = }"}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({.traceql = "{} | count() > 1"}), ErrorCode::kUnimplemented);
  EXPECT_EQ(code({.cursor = "abc"}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({.cursor = std::string(56, 'g')}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({}), ErrorCode{}) << "an empty store has an empty answer";
}

TEST(Search, CursorBelongsToItsQuestion) {
  auto batches = ManyTraces(10, 10);
  auto snapshot = InChunks(batches);
  auto page = Search(*snapshot, {.traceql = "{ name = \"op\" }", .limit = 3}, {});
  ASSERT_TRUE(page.has_value());
  ASSERT_FALSE(page->cursor.empty());
  // The same question in other words is the same question.
  EXPECT_TRUE(
      Search(*snapshot, {.traceql = "{span:name=`op`}", .cursor = page->cursor}, {}).has_value());
  EXPECT_FALSE(Search(*snapshot, {.traceql = "{}", .cursor = page->cursor}, {}).has_value());
  EXPECT_FALSE(
      Search(*snapshot, {.traceql = "{ name = \"op\" }", .start_ns = 1, .cursor = page->cursor}, {})
          .has_value());
}

TEST(Search, PagesStayExactWhenTracesArriveMeanwhile) {
  auto batches = ManyTraces(40, 7);
  std::vector<SpanBatch> some;
  for (size_t i = 0; i + 1 < batches.size(); ++i) some.push_back(std::move(batches[i]));
  auto before = InChunks(some);
  auto first = Search(*before, {.limit = 5}, {});
  ASSERT_TRUE(first.has_value());
  some.push_back(std::move(batches.back()));
  auto after = InChunks(some);
  auto second = Search(*after, {.limit = 5, .cursor = first->cursor}, {});
  ASSERT_TRUE(second.has_value());
  ASSERT_EQ(second->traces.size(), 5u);
  EXPECT_EQ(second->traces[0].start_ns + 1'000'000'000, first->traces[4].start_ns);
}

TEST(Search, NewestPageReadsFewRows) {
  auto batches = ManyTraces(200'000, 20'000);
  auto snapshot = InChunks(batches);
  auto page = Search(*snapshot, {.limit = 20}, {});
  ASSERT_TRUE(page.has_value());
  ASSERT_EQ(page->traces.size(), 20u);
  EXPECT_LE(page->stats.spans_inspected, 2 * segment::RowGroups::kRowsMax);
  EXPECT_EQ(page->stats.spans_total, 200'000u);
  EXPECT_EQ(page->stats.segments_skipped, 9u);
}

TEST(Search, AbsentValueReadsNoRows) {
  auto batches = ManyTraces(20'000, 20'000);
  auto page = Search(*InChunks(batches), {.traceql = "{ name = \"other\" }"}, {});
  ASSERT_TRUE(page.has_value());
  EXPECT_THAT(page->traces, IsEmpty());
  EXPECT_EQ(page->stats.spans_inspected, 0u);
}

// Moves on a millisecond whenever someone looks.
class TickingClock : public Clock {
 public:
  uint64_t NowNs() override { return now_ns_; }
  uint64_t MonotonicNs() override { return now_ns_ += 1'000'000; }

 private:
  uint64_t now_ns_ = 0;
};

TEST(Search, OutOfTimeIsPartialAndCanGoOn) {
  auto batches = ManyTraces(100, 100);
  auto snapshot = InChunks(batches);
  std::vector<uint64_t> starts;
  SearchRequest request{.limit = 100};
  int pages = 0;
  do {
    TickingClock clock;
    auto page = Search(*snapshot, request, {.deadline_ns = 80'000'000, .clock = &clock});
    ASSERT_TRUE(page.has_value());
    for (const TraceSummary& trace : page->traces) starts.push_back(trace.start_ns);
    if (!page->cursor.empty()) {
      EXPECT_THAT(page->partial, HasSubstr("ran out of time"));
    }
    request.cursor = page->cursor;
    ASSERT_LT(++pages, 50);
  } while (!request.cursor.empty());
  EXPECT_GT(pages, 1);
  EXPECT_EQ(starts.size(), 100u);
  EXPECT_TRUE(std::ranges::is_sorted(starts, std::greater()));
}

TEST(Search, OutOfMemoryIsPartial) {
  auto batches = ManyTraces(1000, 1000);
  auto page = Search(*InChunks(batches), {.limit = 1000}, {.memory_bytes = 600'000});
  ASSERT_TRUE(page.has_value());
  EXPECT_THAT(page->partial, HasSubstr("memory"));
  EXPECT_LT(page->traces.size(), 1000u);
}

// More spans like the first of the batch's `trace`.
void AddSpans(uint32_t count, uint32_t trace, SpanBatch* batch) {
  for (uint32_t i = 1; i <= count; ++i) {
    Span span = batch->spans[trace];
    for (int b = 0; b < 4; ++b) span.span_id.bytes[b] = static_cast<uint8_t>(i >> (8 * b));
    batch->spans.push_back(span);
  }
}

// Notes which traces are assembled.
class WatchedSnapshot : public SegmentSnapshot {
 public:
  using SegmentSnapshot::SegmentSnapshot;
  Result<SpanBatch> ReadTrace(const TraceId& id, std::string* partial) const override {
    assembled.push_back(id);
    return SegmentSnapshot::ReadTrace(id, partial);
  }
  mutable std::vector<TraceId> assembled;
};

TEST(Search, ATraceTooLargeForTheMemoryIsLeftOutAndNamed) {
  std::vector<SpanBatch> batches = ManyTraces(10, 10);
  SpanBatch& batch = batches[0];
  AddSpans(5000, 2, &batch);
  AddSpans(5000, 4, &batch);
  const SpanBatch* one = &batch;
  WatchedSnapshot snapshot({testing::MakeChunk(std::span(&one, 1))});
  auto found = Search(snapshot, {}, {.memory_bytes = 2 << 20});
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->traces.size(), 8u);
  EXPECT_EQ(snapshot.assembled.size(), 8u) << "the large ones are not even read";
  EXPECT_THAT(found->partial,
              HasSubstr("trace " + batch.spans[4].trace_id.ToHex() +
                        " was left out: to judge its 5001 spans and log records together takes "
                        "more memory than the query's 2 MiB"));
  EXPECT_THAT(found->partial, HasSubstr("1 more traces were left out"));
  EXPECT_EQ(found->cursor, "");
  found = Search(snapshot, {}, {.memory_bytes = 64 << 20});
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->traces.size(), 10u);
  EXPECT_EQ(found->partial, "");
}

TEST(Search, ATraceThatFitsOnAPageOfItsOwnEndsThePageBefore) {
  auto batches = ManyTraces(10, 10);
  for (uint32_t trace = 0; trace < 10; ++trace) AddSpans(999, trace, &batches[0]);
  auto snapshot = InChunks(batches);
  SearchRequest request{.traceql = "{}", .limit = 10, .spans_per_trace = 1000};
  size_t traces = 0;
  int pages = 0;
  do {
    auto page = Search(*snapshot, request, {.memory_bytes = 1 << 20});
    ASSERT_TRUE(page.has_value());
    traces += page->traces.size();
    EXPECT_THAT(page->partial, ::testing::Not(HasSubstr("left out")));
    if (!page->cursor.empty()) {
      EXPECT_THAT(page->partial, HasSubstr("memory"));
    }
    request.cursor = page->cursor;
    ASSERT_LT(++pages, 50);
  } while (!request.cursor.empty());
  EXPECT_GT(pages, 1);
  EXPECT_EQ(traces, 10u);
}

TEST(Search, CancelledIsAnError) {
  auto batches = ManyTraces(10, 10);
  std::atomic<bool> cancelled = true;
  auto page = Search(*InChunks(batches), {}, {.cancelled = &cancelled});
  ASSERT_FALSE(page.has_value());
  EXPECT_EQ(page.error().code, ErrorCode::kCancelled);
}

TEST(Catalog, Names) {
  auto batches = Read(
      {
          "trace 1",
          "resource service.name=\"b\" zone=\"eu\"",
          "scope name=\"lib\" : team=\"x\"",
          "span a name=\"GET /\" kind=server : k=1 k2=\"v\"",
          "event \"e\" : why=\"w\"",
          "link trace=2 span=c : l=true",
          "span b name=\"GET /\" kind=client : k=\"two\"",
          "resource service.name=\"a\"",
          "span c name=\"x\" kind=server : k=1",
          "span d name=\"x\" kind=server",
      },
      2);
  for (const testing::Placement& placement : testing::MakePlacements({&batches[0], &batches[1]})) {
    SCOPED_TRACE(placement.name);
    auto services = ListServices(*placement.snapshot, {});
    ASSERT_TRUE(services.has_value());
    ASSERT_EQ(services->size(), 2u);
    EXPECT_EQ((*services)[0].service, "a");
    EXPECT_EQ((*services)[0].spans, 2u);
    EXPECT_EQ((*services)[1].service, "b");
    auto operations = ListOperations(*placement.snapshot, "b", {});
    ASSERT_TRUE(operations.has_value());
    EXPECT_THAT(*operations, ElementsAre(OperationName{"GET /", SpanKind::kServer},
                                         OperationName{"GET /", SpanKind::kClient}));
    EXPECT_EQ(ListOperations(*placement.snapshot, "", {})->size(), 3u);
    EXPECT_THAT(*ListOperations(*placement.snapshot, "nobody", {}), IsEmpty());
    auto range = DataRange(*placement.snapshot);
    ASSERT_TRUE(range.has_value());
    EXPECT_EQ(range->first, testing::kTextEpochNs);
  }
  EXPECT_FALSE(DataRange(*InChunks({})).has_value());
}

// Traces of Zipkin may lack times: they make no range begin in 1970.
TEST(Catalog, SpansWithoutATimeAreInNoRange) {
  std::vector<SpanBatch> batches(1);
  SpanBatch& batch = batches[0];
  batch.resources.resize(1);
  batch.scopes.resize(1);
  auto add = [&](uint8_t trace, uint8_t id, uint8_t parent, uint64_t start, uint64_t end) {
    Span span;
    span.trace_id.bytes[15] = trace;
    span.span_id.bytes[7] = id;
    span.parent_span_id.bytes[7] = parent;
    span.start_ns = start;
    span.end_ns = end;
    batch.spans.push_back(span);
  };
  constexpr uint64_t kTime = 1'700'000'000'000'000'000;
  add(1, 1, 0, 0, 0);
  add(2, 1, 0, kTime, kTime + 50);
  add(2, 2, 1, 0, 0);
  add(2, 3, 1, kTime + 20, kTime + 70);
  for (const testing::Placement& placement : testing::MakePlacements({&batches[0]})) {
    SCOPED_TRACE(placement.name);
    auto range = DataRange(*placement.snapshot);
    ASSERT_TRUE(range.has_value());
    EXPECT_EQ(range->first, kTime);
    EXPECT_EQ(range->second, kTime + 20);
    Result<SearchResult> result = Search(*placement.snapshot, {}, {});
    ASSERT_TRUE(result.has_value());
    ASSERT_EQ(result->traces.size(), 2u);
    for (const TraceSummary& trace : result->traces) {
      const bool timed = trace.trace_id.bytes[15] == 2;
      EXPECT_EQ(trace.start_ns, timed ? kTime : 0);
      EXPECT_EQ(trace.duration_ns, timed ? 70u : 0u);
      EXPECT_EQ(trace.order_ns, 0u);
    }
  }
  batch.spans.resize(1);
  for (const testing::Placement& placement : testing::MakePlacements({&batches[0]}))
    EXPECT_EQ(DataRange(*placement.snapshot), std::pair(uint64_t{0}, uint64_t{0}));
}

TEST(Catalog, ABlockWithADamagedPageHidesNoOther) {
  auto batches = Read(
      {
          "trace 1",
          "resource service.name=\"a\"",
          "span a name=\"x\" kind=server",
          "trace 2",
          "resource service.name=\"b\"",
          "span b name=\"y\" kind=client",
      },
      2);
  testing::SimEnv env;
  ASSERT_TRUE(env.MakeDirs("/blocks"));
  std::vector<std::shared_ptr<const segment::Segment>> sources = InChunks(batches)->segments();
  ASSERT_EQ(sources.size(), 2u);
  ASSERT_TRUE(block::WriteBlock(&env, "/blocks/1", std::span(sources).first(1), {}));
  for (ErrorCode code : {ErrorCode::kIo, ErrorCode::kCorruption}) {
    auto damaged = block::OpenBlock(&env, "/blocks/1", block::NewPageCache(0));
    ASSERT_TRUE(damaged.has_value());
    SegmentSnapshot snapshot({*damaged, sources[1]});
    ASSERT_EQ(ListServices(snapshot, {})->size(), 2u);
    std::string partial = "as before";
    EXPECT_EQ(ListOperations(snapshot, "", {}, &partial)->size(), 2u);
    EXPECT_EQ(partial, "");

    env.FailCalls(testing::DiskOp::kRead, 1, code, 1'000'000);
    auto services = ListServices(snapshot, {}, &partial);
    ASSERT_TRUE(services.has_value()) << services.error().message;
    ASSERT_EQ(services->size(), 1u);
    EXPECT_EQ((*services)[0].service, "b");
    EXPECT_THAT(partial, HasSubstr("/blocks/1"));
    partial.clear();
    auto operations = ListOperations(snapshot, "", {}, &partial);
    ASSERT_TRUE(operations.has_value()) << operations.error().message;
    EXPECT_THAT(*operations, ElementsAre(OperationName{"y", SpanKind::kClient}));
    EXPECT_THAT(partial, HasSubstr("/blocks/1"));
    env.ClearFaults();
  }
}

}  // namespace
}  // namespace weft::query

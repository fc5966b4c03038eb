// SPDX-License-Identifier: Apache-2.0
//
// Strategy: traces so large that they lie across row groups, some of them in several segments, with
// values that few groups hold: here the value index refutes groups, and the two sides of && may lie
// in different ones. The engine must give what the slow reference gives.
#include <gtest/gtest.h>

#include <random>

#include "query/query.h"
#include "testing/reference_query.h"
#include "testing/segment_placements.h"
#include "traceql/traceql.h"

namespace weft::query {
namespace {

constexpr uint64_t kEpochNs = 1'700'000'000'000'000'000;
constexpr uint64_t kMs = 1'000'000;

class LargeTraces {
 public:
  explicit LargeTraces(uint64_t seed) : random_(seed) {
    for (SpanBatch& batch : batches_) {
      batch.resources.emplace_back();
      batch.scopes.emplace_back();
    }
    // Of one batch each, but every fourth of two.
    for (uint32_t size : {4000u, 3u, 2000u, 40u, 1u, 9000u, 300u, 2u, 2500u, 5000u, 1u, 3000u}) {
      uint32_t first = Up(2);
      AddTrace(size, first, traces_ % 4 == 3 ? 1 - first : first);
    }
  }
  const std::vector<SpanBatch>& batches() const { return batches_; }

 private:
  uint32_t Up(uint64_t count) { return static_cast<uint32_t>(random_() % count); }

  void AddTrace(uint32_t size, uint32_t batch_of_first_half, uint32_t batch_of_rest) {
    ++traces_;
    uint64_t start_ns = kEpochNs + traces_ * 1000 * kMs;
    for (uint32_t i = 0; i < size; ++i) {
      SpanBatch& batch = batches_[i < size / 2 ? batch_of_first_half : batch_of_rest];
      Span span;
      span.trace_id.bytes[15] = static_cast<uint8_t>(traces_);
      for (int b = 0; b < 4; ++b)
        span.span_id.bytes[7 - b] = static_cast<uint8_t>((i + 1) >> 8 * b);
      if (i > 0) span.parent_span_id.bytes[7] = 1;
      span.start_ns = start_ns + uint64_t{i} * kMs / 10;
      span.end_ns = span.start_ns + Up(1000) * 1000;
      span.name = i == 0 ? "root" : "child";
      span.attributes = Attributes(&batch);
      batch.spans.push_back(span);
    }
  }

  // "few" has one of 6 values in about every 1500th span; "bit" one of 2 in every span.
  std::span<const KeyValue> Attributes(SpanBatch* batch) {
    bool has_few = Up(1500) == 0;
    std::span<KeyValue> out = batch->arena.NewArray<KeyValue>(has_few ? 2 : 1);
    out[0] = {"bit", Value::Int(Up(2))};
    if (has_few) out[1] = {"few", Value::Int(Up(6))};
    return out;
  }

  std::mt19937_64 random_;
  std::vector<SpanBatch> batches_{2};
  uint32_t traces_ = 0;
};

class SpansetGroups : public ::testing::TestWithParam<uint64_t> {};

TEST_P(SpansetGroups, EngineAgreesWithReference) {
  LargeTraces traces(GetParam());
  std::vector<const SpanBatch*> all;
  for (const SpanBatch& batch : traces.batches()) all.push_back(&batch);
  std::vector<testing::Placement> placements = testing::MakePlacements(all);
  std::mt19937_64 random(GetParam());
  for (std::string text :
       {"{ .few = 1 } && { .few = 2 }", "{ .few = 1 } && { .bit = 1 }",
        "{ .few = 3 } && { name = \"root\" }", "{ .few = 1 } && { .few = 9 }",
        "{ .few = 0 } || { .few = 4 }", "({ .few = 0 } || { .few = 9 }) && { .few >= 4 }",
        "{ .few = 5 } && ({ .few = 2 } || { .few = 3 && .bit = 1 })",
        "{ .few = 0 } && { .few = 1 } && { .few = 2 } && { .few = 3 }",
        "{ span:childCount > 100 } && { .few = 4 }"}) {
    auto query = traceql::Parse(text);
    ASSERT_TRUE(query.has_value());
    for (uint64_t window_ms : {uint64_t{0}, 100 + random() % 2000}) {
      SearchRequest request{.traceql = text, .limit = 100};
      if (window_ms > 0) {
        request.start_ns = kEpochNs + random() % (13'000 * kMs);
        request.end_ns = request.start_ns + window_ms * kMs;
      }
      auto wanted = testing::ReferenceSearch(all, *query, request.start_ns, request.end_ns);
      for (const testing::Placement& placement : placements) {
        // Chunks alone have no groups of whole traces.
        if (placement.name.find("block") == std::string::npos) continue;
        SCOPED_TRACE(placement.name + ", " + text + ", from " +
                     std::to_string((request.start_ns - kEpochNs) / kMs) + " ms for " +
                     std::to_string(window_ms));
        auto found = Search(*placement.snapshot, request, {});
        ASSERT_TRUE(found.has_value()) << found.error().message;
        EXPECT_EQ(found->partial, "");
        ASSERT_EQ(found->traces.size(), wanted.size());
        for (size_t i = 0; i < wanted.size(); ++i) {
          EXPECT_EQ(found->traces[i].trace_id, wanted[i].trace_id);
          EXPECT_EQ(found->traces[i].matched, wanted[i].matched.size());
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, SpansetGroups, ::testing::Range<uint64_t>(1, 3));

// A value that is nowhere ends the query before any row is read, whatever the other side is.
TEST(SpansetGroups, AbsentSideReadsNoRows) {
  LargeTraces traces(1);
  std::vector<const SpanBatch*> all;
  for (const SpanBatch& batch : traces.batches()) all.push_back(&batch);
  for (const testing::Placement& placement : testing::MakePlacements(all)) {
    SCOPED_TRACE(placement.name);
    for (const char* text : {"{ .bit = 1 } && { .few = 9 }", "{ .few = 9 } && { }",
                             "({ .few = 9 } || { .few = 8 }) && { .bit = 1 }"}) {
      auto found = Search(*placement.snapshot, {.traceql = text}, {});
      ASSERT_TRUE(found.has_value());
      EXPECT_TRUE(found->traces.empty());
      EXPECT_EQ(found->stats.spans_inspected, 0u) << text;
    }
    // A rare side is looked for, not the common one.
    auto found = Search(*placement.snapshot, {.traceql = "{ .bit = 1 } && { .few = 1 }"}, {});
    ASSERT_TRUE(found.has_value());
    EXPECT_FALSE(found->traces.empty());
    if (placement.name == "one block") {
      EXPECT_LT(found->stats.spans_inspected, found->stats.spans_total);
    }
  }
}

}  // namespace
}  // namespace weft::query

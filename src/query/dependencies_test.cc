// SPDX-License-Identifier: Apache-2.0
//
// Calls between services. Strategy: named cases, and random spans whose answer must be the same
// wherever they lie as that of one tree over everything that was sent.
#include "query/dependencies.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "testing/manual_clock.h"
#include "testing/segment_placements.h"
#include "testing/wild_batch.h"
#include "trace/trace.h"

namespace weft::query {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr uint64_t kEpoch = 1'700'000'000'000'000'000;
constexpr uint64_t kSecond = 1'000'000'000;

struct SpanSpec {
  uint8_t trace, id, parent;
  const char* service;
  uint64_t start_s;
  SpanKind kind = SpanKind::kServer;
};

SpanBatch MakeBatch(std::initializer_list<SpanSpec> specs) {
  SpanBatch batch;
  batch.scopes.emplace_back();
  for (const SpanSpec& spec : specs) {
    std::span<KeyValue> attributes = batch.arena.NewArray<KeyValue>(1);
    attributes[0] = {"service.name", Value::String(spec.service)};
    Span span;
    span.resource = static_cast<uint32_t>(batch.resources.size());
    batch.resources.push_back({.attributes = attributes});
    span.trace_id.bytes[15] = spec.trace;
    span.span_id.bytes[7] = spec.id;
    span.parent_span_id.bytes[7] = spec.parent;
    span.start_ns = kEpoch + spec.start_s * kSecond;
    span.end_ns = span.start_ns + kSecond;
    span.kind = spec.kind;
    span.name = "op";
    batch.spans.push_back(span);
  }
  return batch;
}

// The answer, checked to be the same in every placement.
std::vector<ServiceCalls> Links(const std::vector<const SpanBatch*>& batches,
                                uint64_t start_ns = kEpoch,
                                uint64_t end_ns = kEpoch + 1000 * kSecond) {
  std::vector<ServiceCalls> first;
  bool is_first = true;
  for (const testing::Placement& placement : testing::MakePlacements(batches)) {
    auto found = FindDependencies(*placement.snapshot, start_ns, end_ns, {});
    EXPECT_TRUE(found) << placement.name;
    if (!found) continue;
    EXPECT_EQ(found->partial, "") << placement.name;
    if (is_first) first = found->links;
    EXPECT_EQ(found->links, first) << placement.name;
    is_first = false;
  }
  return first;
}

TEST(Dependencies, CallsBetweenServicesOnly) {
  SpanBatch batch = MakeBatch({{1, 1, 0, "web", 0},
                               {1, 2, 1, "web", 1, SpanKind::kClient},
                               {1, 3, 2, "shop", 2},
                               {1, 4, 3, "bank", 3},
                               {1, 5, 3, "bank", 4},
                               {1, 6, 9, "lost", 5},  // its parent never came
                               {2, 1, 0, "web", 6},
                               {2, 2, 1, "shop", 7}});
  EXPECT_THAT(Links({&batch}),
              ElementsAre(ServiceCalls{"shop", "bank", 2}, ServiceCalls{"web", "shop", 2}));
}

TEST(Dependencies, SplitTracesAndDuplicates) {
  SpanBatch parents = MakeBatch({{1, 1, 0, "web", 0}, {2, 1, 0, "web", 0}});
  SpanBatch children = MakeBatch({{1, 2, 1, "shop", 2}, {2, 2, 1, "shop", 2}});
  SpanBatch late = MakeBatch({{1, 3, 2, "bank", 3}});
  EXPECT_THAT(Links({&late, &children, &parents, &children, &parents}),
              ElementsAre(ServiceCalls{"shop", "bank", 1}, ServiceCalls{"web", "shop", 2}));
}

TEST(Dependencies, TheHalvesOfASharedSpanAreACall) {
  SpanBatch batch = MakeBatch({{1, 1, 0, "web", 0, SpanKind::kClient},
                               {1, 1, 0, "shop", 1, SpanKind::kServer},
                               {1, 2, 1, "bank", 2}});
  EXPECT_THAT(Links({&batch}),
              ElementsAre(ServiceCalls{"shop", "bank", 1}, ServiceCalls{"web", "shop", 1}));
}

TEST(Dependencies, TheChildsStartDecides) {
  SpanBatch batch = MakeBatch({{1, 1, 0, "web", 0}, {1, 2, 1, "shop", 10}, {1, 3, 1, "bank", 20}});
  EXPECT_THAT(Links({&batch}, kEpoch + 10 * kSecond, kEpoch + 20 * kSecond),
              ElementsAre(ServiceCalls{"web", "shop", 1}));
  EXPECT_THAT(Links({&batch}, kEpoch + 11 * kSecond, kEpoch + 20 * kSecond), IsEmpty());
  EXPECT_THAT(Links({&batch}, kEpoch + 20 * kSecond, kEpoch + 20 * kSecond + 1),
              ElementsAre(ServiceCalls{"web", "bank", 1}));
}

TEST(Dependencies, ATraceTooLargeForTheMemoryIsLeftOutAndNamed) {
  SpanBatch batch = MakeBatch({{1, 1, 0, "web", 0},
                               {1, 2, 1, "bank", 1},
                               {2, 1, 0, "web", 0},
                               {2, 2, 1, "shop", 1},
                               {2, 2, 1, "shop", 1}});
  for (uint32_t i = 0; i < 5000; ++i) {
    Span span = batch.spans[1];
    span.span_id.bytes[0] = static_cast<uint8_t>(1 + (i >> 8));
    span.span_id.bytes[1] = static_cast<uint8_t>(i);
    batch.spans.push_back(span);
  }
  // Duplicates are told apart on the whole trace only.
  batch.spans.push_back(batch.spans.back());
  const SpanBatch* one = &batch;
  testing::SegmentSnapshot snapshot({testing::MakeChunk(std::span(&one, 1))});
  auto found =
      FindDependencies(snapshot, kEpoch, kEpoch + 1000 * kSecond, {.memory_bytes = 2 << 20});
  ASSERT_TRUE(found);
  EXPECT_THAT(found->partial, HasSubstr("trace 00000000000000000000000000000001 was left out"));
  EXPECT_THAT(found->links, ElementsAre(ServiceCalls{"web", "shop", 1}));
  EXPECT_THAT(Links({&batch}),
              ElementsAre(ServiceCalls{"web", "bank", 5001}, ServiceCalls{"web", "shop", 1}));
}

TEST(Dependencies, AnExhaustedBudgetIsSaid) {
  SpanBatch batch = MakeBatch({{1, 1, 0, "web", 0}, {1, 2, 1, "shop", 1}});
  for (const testing::Placement& placement : testing::MakePlacements({&batch})) {
    struct Late : testing::ManualClock {
      uint64_t MonotonicNs() override { return now += kSecond; }
      uint64_t now = 0;
    } late;
    auto found = FindDependencies(*placement.snapshot, kEpoch, kEpoch + 1000 * kSecond,
                                  {.deadline_ns = 1, .clock = &late});
    ASSERT_TRUE(found) << placement.name;
    EXPECT_THAT(found->partial, HasSubstr("ran out of time")) << placement.name;
    std::atomic<bool> cancelled{true};
    EXPECT_EQ(
        FindDependencies(*placement.snapshot, kEpoch, kEpoch + kSecond, {.cancelled = &cancelled})
            .error()
            .code,
        ErrorCode::kCancelled);
  }
}

// One tree a trace over everything that was sent, each content once.
std::vector<ServiceCalls> Reference(const std::vector<const SpanBatch*>& batches, uint64_t start_ns,
                                    uint64_t end_ns) {
  struct Item {
    trace::Node node;
    std::string service;
  };
  std::map<TraceId, std::vector<Item>> traces;
  std::set<ContentHash> seen;
  for (const SpanBatch* batch : batches)
    for (const Span& span : batch->spans)
      if (seen.insert(HashSpan(*batch, span)).second)
        traces[span.trace_id].push_back(
            {trace::NodeOf(span), std::string(ServiceName(batch->resources[span.resource]))});
  std::map<std::pair<std::string, std::string>, uint64_t> calls;
  for (const auto& [id, items] : traces) {
    std::vector<trace::Node> nodes;
    for (const Item& item : items) nodes.push_back(item.node);
    trace::Tree tree = trace::BuildTree(nodes);
    for (size_t i = 0; i < tree.node.size(); ++i) {
      const Item& child = items[tree.node[i]];
      if (tree.parent[i] == trace::kNone || child.node.start_ns < start_ns ||
          child.node.start_ns >= end_ns)
        continue;
      const Item& parent = items[tree.node[tree.parent[i]]];
      if (parent.service != child.service) ++calls[{parent.service, child.service}];
    }
  }
  std::vector<ServiceCalls> out;
  for (const auto& [pair, count] : calls) out.push_back({pair.first, pair.second, count});
  return out;
}

class DependenciesProperty : public ::testing::TestWithParam<uint64_t> {};

TEST_P(DependenciesProperty, EveryPlacementAgreesWithOneTree) {
  std::mt19937_64 random(GetParam());
  std::vector<SpanBatch> batches;
  for (int i = 0; i < 6; ++i)
    batches.push_back(testing::WildBatch(random, {.spans = 80, .logs = 2, .traces = 25}));
  std::vector<const SpanBatch*> all;
  for (const SpanBatch& batch : batches) all.push_back(&batch);
  std::vector<const SpanBatch*> stored = all;
  stored.push_back(&batches[1]);
  std::vector<testing::Placement> placements = testing::MakePlacements(stored);
  for (int i = 0; i < 8; ++i) {
    uint64_t start_ns = i == 0 ? 0 : kEpoch + random() % (40 * kSecond);
    uint64_t end_ns = i == 0 ? UINT64_MAX : start_ns + 1 + random() % (30 * kSecond);
    std::vector<ServiceCalls> wanted = Reference(all, start_ns, end_ns);
    for (const testing::Placement& placement : placements) {
      auto found = FindDependencies(*placement.snapshot, start_ns, end_ns, {});
      ASSERT_TRUE(found) << placement.name;
      ASSERT_EQ(found->partial, "");
      ASSERT_EQ(found->links.size(), wanted.size()) << placement.name << " seed " << GetParam();
      for (size_t n = 0; n < wanted.size(); ++n)
        ASSERT_TRUE(found->links[n] == wanted[n])
            << placement.name << " seed " << GetParam() << ": " << wanted[n].parent << " -> "
            << wanted[n].child << " " << wanted[n].calls << ", found " << found->links[n].calls;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, DependenciesProperty, ::testing::Range<uint64_t>(1, 7));

}  // namespace
}  // namespace weft::query

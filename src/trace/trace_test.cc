// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <random>

#include "trace/trace_view.h"

namespace weft::trace {
namespace {

using ::testing::ElementsAre;

SpanId Id(uint64_t n) {
  SpanId id;
  for (int i = 0; i < 8; ++i) id.bytes[7 - i] = static_cast<uint8_t>(n >> (8 * i));
  return id;
}

Node Make(uint64_t id, uint64_t parent, uint64_t start, uint64_t end,
          SpanKind kind = SpanKind::kInternal, bool error = false) {
  return {.span_id = Id(id),
          .parent_span_id = parent == 0 ? SpanId{} : Id(parent),
          .start_ns = start,
          .end_ns = end,
          .kind = kind,
          .error = error};
}

TEST(TreeTest, EmptyTraceIsAnEmptyTree) {
  EXPECT_TRUE(BuildTree({}).node.empty());
  EXPECT_TRUE(CriticalPath(BuildTree({}), {}, 0).empty());
}

TEST(TreeTest, OrdersSiblingsByStartAndGivesPreOrder) {
  std::vector<Node> nodes = {Make(4, 2, 6, 7), Make(3, 1, 8, 9), Make(2, 1, 5, 8),
                             Make(1, 0, 0, 10)};
  Tree tree = BuildTree(nodes);
  EXPECT_THAT(tree.node, ElementsAre(3, 2, 0, 1));
  EXPECT_THAT(tree.parent, ElementsAre(kNone, 0, 1, 0));
  EXPECT_THAT(tree.depth, ElementsAre(0, 1, 2, 1));
  EXPECT_THAT(tree.subtree, ElementsAre(4, 2, 1, 1));
  EXPECT_THAT(tree.children, ElementsAre(2, 1, 0, 0));
  EXPECT_THAT(tree.orphan, ElementsAre(false, false, false, false));
}

TEST(TreeTest, MissingParentMakesAnOrphanRoot) {
  std::vector<Node> nodes = {Make(1, 0, 5, 10), Make(2, 99, 0, 3)};
  Tree tree = BuildTree(nodes);
  EXPECT_THAT(tree.node, ElementsAre(1, 0));
  EXPECT_THAT(tree.orphan, ElementsAre(true, false));
}

TEST(TreeTest, CycleIsCutAtItsEarliestSpan) {
  std::vector<Node> nodes = {Make(1, 3, 20, 30), Make(2, 1, 10, 15), Make(3, 2, 12, 14),
                             Make(4, 4, 1, 2)};
  Tree tree = BuildTree(nodes);
  EXPECT_THAT(tree.node, ElementsAre(3, 1, 2, 0));
  EXPECT_THAT(tree.parent, ElementsAre(kNone, kNone, 1, 2));
  EXPECT_THAT(tree.orphan, ElementsAre(true, true, false, false));
}

TEST(TreeTest, SharedSpanHangsServerHalfUnderClientHalf) {
  std::vector<Node> nodes = {Make(2, 1, 4, 8, SpanKind::kServer), Make(3, 2, 5, 6),
                             Make(2, 1, 3, 9, SpanKind::kClient), Make(1, 0, 0, 10)};
  Tree tree = BuildTree(nodes);
  EXPECT_THAT(tree.node, ElementsAre(3, 2, 0, 1));
  EXPECT_THAT(tree.depth, ElementsAre(0, 1, 2, 3));
}

TEST(TreeTest, TwoSpansWithOneIdAreBothKept) {
  std::vector<Node> nodes = {Make(1, 0, 0, 9), Make(2, 1, 2, 3), Make(2, 1, 1, 4),
                             Make(3, 2, 5, 6)};
  Tree tree = BuildTree(nodes);
  EXPECT_THAT(tree.node, ElementsAre(0, 2, 3, 1));
  EXPECT_THAT(tree.parent, ElementsAre(kNone, 0, 1, 0));
}

TEST(TreeTest, ManySpansOfOneIdCostNoMoreThanOthers) {
  std::vector<Node> nodes;
  for (uint64_t i = 0; i < 300'000; ++i) nodes.push_back(Make(7, 7, i, i + 1, SpanKind::kServer));
  Tree tree = BuildTree(nodes);
  EXPECT_EQ(tree.subtree[0], 300'000u);
  EXPECT_EQ(tree.children[0], 299'999u);
}

TEST(TreeTest, ShapeDoesNotDependOnTheOrderOfArrival) {
  std::vector<Node> nodes = {Make(1, 0, 0, 9), Make(2, 1, 1, 4), Make(2, 1, 1, 5), Make(3, 2, 2, 3),
                             Make(2, 1, 1, 4, SpanKind::kClient)};
  auto shape = [](std::vector<Node> some) {
    Tree tree = BuildTree(some);
    std::vector<std::tuple<uint64_t, SpanKind, uint32_t>> out;
    for (size_t i = 0; i < tree.node.size(); ++i)
      out.emplace_back(some[tree.node[i]].end_ns, some[tree.node[i]].kind, tree.depth[i]);
    return out;
  };
  auto expected = shape(nodes);
  std::mt19937_64 random(7);
  for (int round = 0; round < 50; ++round) {
    std::ranges::shuffle(nodes, random);
    ASSERT_EQ(shape(nodes), expected);
  }
}

TEST(TreeTest, AMillionDeepChainNeedsNoStack) {
  std::vector<Node> nodes;
  for (uint64_t i = 1; i <= 1'000'000; ++i) nodes.push_back(Make(i, i - 1, i, 2'000'001 - i));
  Tree tree = BuildTree(nodes);
  EXPECT_EQ(tree.depth.back(), 999'999u);
  EXPECT_EQ(CriticalPath(tree, nodes, 0).size(), 1'999'999u - 0u);
}

TEST(SelfTimeTest, OverlappingAndOverrunningChildrenCountOnce) {
  std::vector<Node> nodes = {Make(1, 0, 0, 100), Make(2, 1, 10, 40), Make(3, 1, 20, 50),
                             Make(4, 1, 90, 130)};
  Tree tree = BuildTree(nodes);
  EXPECT_THAT(SelfTimes(tree, nodes), ElementsAre(50, 30, 30, 40));
}

// Against a count of every nanosecond, with the spans moved after the tree was built.
TEST(SelfTimeTest, PropertyWhatNoChildCovers) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<Node> nodes;
    const uint64_t count = 1 + random() % 20;
    for (uint64_t i = 1; i <= count; ++i) {
      uint64_t start = random() % 300;
      nodes.push_back(Make(i, i == 1 ? 0 : 1 + random() % (i - 1), start, start + random() % 200));
    }
    Tree tree = BuildTree(nodes);
    for (Node& node : nodes) {
      uint64_t by = round % 2 == 0 ? 0 : random() % 300;
      node.start_ns += by;
      node.end_ns += by;
    }
    std::vector<uint64_t> self = SelfTimes(tree, nodes);
    for (uint32_t i = 0; i < nodes.size(); ++i) {
      uint64_t alone = 0;
      for (uint64_t at = nodes[tree.node[i]].start_ns; at < nodes[tree.node[i]].end_ns; ++at) {
        bool covered = false;
        for (uint32_t c = i + 1; c < i + tree.subtree[i]; c += tree.subtree[c])
          covered |= nodes[tree.node[c]].start_ns <= at && at < nodes[tree.node[c]].end_ns;
        alone += !covered;
      }
      ASSERT_EQ(self[i], alone) << "round " << round << " position " << i;
    }
  }
}

TEST(CriticalPathTest, FollowsTheChildThatEndedLast) {
  std::vector<Node> nodes = {Make(1, 0, 0, 26), Make(2, 1, 3, 9), Make(3, 1, 12, 22),
                             Make(4, 1, 12, 17)};
  Tree tree = BuildTree(nodes);
  std::vector<std::array<uint64_t, 3>> pieces;
  for (const CriticalPiece& piece : CriticalPath(tree, nodes, 0))
    pieces.push_back({piece.position, piece.start_ns, piece.end_ns});
  EXPECT_THAT(pieces,
              ElementsAre(std::array<uint64_t, 3>{0, 0, 3}, std::array<uint64_t, 3>{1, 3, 9},
                          std::array<uint64_t, 3>{0, 9, 12}, std::array<uint64_t, 3>{2, 12, 22},
                          std::array<uint64_t, 3>{0, 22, 26}));
}

TEST(CriticalPathTest, ChildThatOutlivesItsParentIsClipped) {
  std::vector<Node> nodes = {Make(1, 0, 0, 10), Make(2, 1, 5, 50), Make(3, 2, 20, 40)};
  Tree tree = BuildTree(nodes);
  EXPECT_THAT(CriticalTimes(tree, nodes), ElementsAre(5, 5, 0));
}

// Whatever the tree: pieces tile the root's interval without gap or overlap, and a span's critical
// time never exceeds its duration.
TEST(CriticalPathTest, PropertyPiecesTileTheRoot) {
  std::mt19937_64 random(20251121);
  for (int round = 0; round < 500; ++round) {
    uint64_t count = 1 + random() % 40;
    std::vector<Node> nodes;
    for (uint64_t i = 1; i <= count; ++i) {
      uint64_t start = random() % 1000;
      nodes.push_back(Make(i, i == 1 ? 0 : 1 + random() % (i + 1), start, start + random() % 500));
    }
    Tree tree = BuildTree(nodes);
    std::vector<uint64_t> critical = CriticalTimes(tree, nodes);
    std::vector<uint64_t> self = SelfTimes(tree, nodes);
    for (uint32_t root = 0; root < count; root += tree.subtree[root]) {
      const Node& span = nodes[tree.node[root]];
      uint64_t at = span.start_ns;
      for (const CriticalPiece& piece : CriticalPath(tree, nodes, root)) {
        ASSERT_EQ(piece.start_ns, at) << "round " << round;
        ASSERT_LT(piece.start_ns, piece.end_ns);
        at = piece.end_ns;
      }
      ASSERT_EQ(at, span.end_ns) << "round " << round;
      uint64_t sum = std::accumulate(critical.begin() + root,
                                     critical.begin() + root + tree.subtree[root], uint64_t{0});
      ASSERT_EQ(sum, span.end_ns - span.start_ns);
    }
    for (uint32_t i = 0; i < count; ++i) {
      uint64_t duration = nodes[tree.node[i]].end_ns - nodes[tree.node[i]].start_ns;
      ASSERT_LE(critical[i], duration);
      ASSERT_LE(self[i], duration);
      ASSERT_TRUE(tree.parent[i] == kNone ||
                  (tree.parent[i] < i && i < tree.parent[i] + tree.subtree[tree.parent[i]]));
    }
  }
}

TEST(ErrorOriginTest, DeepestErrorIsTheOrigin) {
  std::vector<Node> nodes = {Make(1, 0, 0, 9, SpanKind::kServer, true),
                             Make(2, 1, 1, 8, SpanKind::kClient, true),
                             Make(3, 2, 2, 7, SpanKind::kServer, false)};
  Tree tree = BuildTree(nodes);
  EXPECT_THAT(ErrorOrigins(tree, nodes), ElementsAre(false, true, false));
}

TEST(WaitedForTest, FollowersAndCopiesTakeNothingFromTheirParents) {
  std::vector<Node> nodes = {Make(1, 0, 0, 100, SpanKind::kServer, true), Make(2, 1, 20, 80),
                             Make(3, 2, 30, 40), Make(2, 1, 50, 95), Make(4, 1, 60, 70)};
  nodes[1].follows = true;
  nodes[1].error = true;
  nodes[3].copy = true;
  nodes[3].error = true;
  Tree tree = BuildTree(nodes);
  ASSERT_THAT(tree.node, ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(SelfTimes(tree, nodes), ElementsAre(90, 50, 10, 0, 10));
  EXPECT_THAT(CriticalTimes(tree, nodes), ElementsAre(90, 0, 0, 0, 10));
  EXPECT_THAT(ErrorOrigins(tree, nodes), ElementsAre(true, true, false, true, false));
}

// A download in microseconds beside the span that it was made from: it takes no child, hides
// nothing, and everything is as it was without it.
TEST(WaitedForTest, OneTwinStandsForBoth) {
  const std::vector<Node> plain = {
      Make(1, 0, 1'000'100, 1'009'900), Make(2, 1, 1'002'100, 1'007'900, SpanKind::kClient),
      Make(2, 1, 1'003'100, 1'006'900, SpanKind::kServer), Make(3, 2, 1'004'100, 1'005'900)};
  std::vector<Node> nodes = plain;
  const Tree before = BuildTree(nodes);
  const auto self = SelfTimes(before, nodes), critical = CriticalTimes(before, nodes);
  for (const size_t twins : {1, 3}) {
    nodes = plain;
    for (size_t twice = 0; twice < twins; ++twice) {
      for (const Node& node : plain) {
        Node cut = node;
        cut.start_ns -= cut.start_ns % 1000;
        cut.end_ns -= cut.end_ns % 1000;
        nodes.insert(nodes.begin(), cut);
      }
    }
    const Tree tree = BuildTree(nodes);
    const auto all_self = SelfTimes(tree, nodes), all_critical = CriticalTimes(tree, nodes);
    std::vector<uint64_t> own_self, own_critical;
    for (size_t i = 0; i < tree.node.size(); ++i) {
      const Node& node = nodes[tree.node[i]];
      EXPECT_EQ(node.copy, node.start_ns % 1000 == 0);
      EXPECT_EQ(tree.parent[i] == kNone, i == 0) << "one root";
      if (node.copy) {
        EXPECT_EQ(all_self[i] + all_critical[i], 0u);
        EXPECT_EQ(tree.children[i], 0u);
      } else {
        own_self.push_back(all_self[i]);
        own_critical.push_back(all_critical[i]);
      }
    }
    EXPECT_EQ(own_self, self);
    EXPECT_EQ(own_critical, critical);
  }
}

TEST(WaitedForTest, TheTwinThatStandsDoesNotDependOnTheOrderOfArrival) {
  std::vector<Node> nodes = {Make(1, 0, 1'000, 9'000), Make(2, 1, 2'000, 5'000),
                             Make(2, 1, 2'345, 5'345), Make(2, 1, 3'000, 4'000),
                             Make(3, 2, 3'100, 3'200)};
  std::mt19937_64 random(7);
  for (int round = 0; round < 20; ++round) {
    const Tree tree = BuildTree(nodes);
    for (size_t i = 0; i < nodes.size(); ++i)
      EXPECT_EQ(nodes[tree.node[i]].copy,
                nodes[tree.node[i]].span_id == Id(2) && nodes[tree.node[i]].start_ns != 2'345);
    std::ranges::shuffle(nodes, random);
  }
}
TEST(WaitedForTest, OverlappingFollowersOutOfOrderCountForNothing) {
  // The starts of the children descend once the clocks are corrected: the slow way of the sweep.
  std::vector<Node> nodes = {Make(1, 0, 0, 100), Make(2, 1, 10, 30), Make(3, 1, 20, 90),
                             Make(4, 1, 40, 50)};
  nodes[2].follows = true;
  Tree tree = BuildTree(nodes);
  std::swap(nodes[1].start_ns, nodes[3].start_ns);
  std::swap(nodes[1].end_ns, nodes[3].end_ns);
  EXPECT_EQ(SelfTimes(tree, nodes)[0], 70u);
}

TEST(NodeTest, FollowsFromIsALinkToTheOwnParent) {
  auto link = [](uint64_t trace, uint64_t span, const char* type) {
    static std::vector<std::unique_ptr<KeyValue>> kept;
    kept.push_back(std::make_unique<KeyValue>("opentracing.ref_type", Value::String(type)));
    Link out;
    out.trace_id.bytes[15] = static_cast<uint8_t>(trace);
    out.span_id = Id(span);
    out.attributes = {kept.back().get(), 1};
    return out;
  };
  Span span;
  span.trace_id.bytes[15] = 1;
  span.span_id = Id(2);
  auto node = [&](uint64_t parent, std::vector<Link> links) {
    span.parent_span_id = parent == 0 ? SpanId{} : Id(parent);
    span.links = links;
    return NodeOf(span);
  };
  EXPECT_TRUE(node(1, {link(1, 1, "follows_from")}).follows);
  EXPECT_FALSE(node(1, {link(1, 1, "child_of")}).follows);
  EXPECT_FALSE(node(1, {link(2, 1, "follows_from")}).follows);
  EXPECT_FALSE(node(1, {link(1, 9, "follows_from")}).follows);
  Link plain = link(1, 1, "follows_from");
  plain.attributes = {};
  EXPECT_FALSE(node(1, {plain}).follows);
  // A link alone makes no parent.
  EXPECT_FALSE(node(0, {link(1, 7, "follows_from"), link(1, 0, "follows_from")}).follows);
}
TEST(NodeTest, AClientFailsByAttributeToo) {
  auto failed = [](SpanKind kind, KeyValue attribute) {
    Span span;
    span.kind = kind;
    span.attributes = {&attribute, 1};
    return NodeOf(span).failed;
  };
  EXPECT_TRUE(failed(SpanKind::kClient, {"error", Value::Bool(true)}));
  EXPECT_TRUE(failed(SpanKind::kClient, {"error", Value::String("true")}));
  EXPECT_TRUE(failed(SpanKind::kClient, {"error.type", Value::String("timeout")}));
  EXPECT_FALSE(failed(SpanKind::kClient, {"error", Value::Bool(false)}));
  EXPECT_FALSE(failed(SpanKind::kClient, {"error", Value::String("false")}));
  EXPECT_FALSE(failed(SpanKind::kClient, {"error.type", Value::String("")}));
}

// The callee's clock is 5 s behind: it ended before its caller began, by the times as received.
TEST(TraceViewTest, ACallWithAWrongClockIsOnTheCriticalPath) {
  SpanBatch batch;
  KeyValue shop{"service.name", Value::String("shop")}, bank{"service.name", Value::String("bank")};
  batch.resources = {Resource{.attributes = {&shop, 1}}, Resource{.attributes = {&bank, 1}}};
  batch.scopes.resize(1);
  constexpr uint64_t kNow = 10'000, kBehind = 5'000;
  auto add = [&](uint64_t id, uint64_t parent, uint64_t start, uint64_t end, uint32_t resource) {
    Span span;
    span.span_id = Id(id);
    if (parent != 0) span.parent_span_id = Id(parent);
    span.start_ns = start;
    span.end_ns = end;
    span.resource = resource;
    batch.spans.push_back(span);
  };
  add(1, 0, kNow, kNow + 100, 0);
  add(2, 1, kNow - kBehind, kNow - kBehind + 80, 1);
  add(3, 2, kNow - kBehind + 20, kNow - kBehind + 50, 1);
  add(4, 1, kNow + 2, kNow + 6, 0);
  TraceView view = BuildTraceView(batch);
  // The callee is the first child in the tree, and on the path by the corrected times: [0, 80).
  EXPECT_THAT(view.skew_ns, ElementsAre(0, 5'000, 5'000, 0));
  EXPECT_THAT(view.times.self_ns, ElementsAre(20, 50, 30, 4));
  EXPECT_THAT(view.times.critical_ns, ElementsAre(20, 50, 30, 0));
  ASSERT_TRUE(view.moved());
  EXPECT_THAT(view.received->self_ns, ElementsAre(96, 50, 30, 4));
  EXPECT_THAT(view.received->critical_ns, ElementsAre(96, 0, 0, 4));
  EXPECT_EQ(view.start_ns, kNow - kBehind);
  EXPECT_EQ(view.corrected_start_ns, kNow);
  EXPECT_EQ(view.end_ns, view.corrected_end_ns);
  std::vector<std::array<uint64_t, 3>> pieces;
  for (const CriticalPiece& piece : view.times.critical_path)
    pieces.push_back({piece.position, piece.start_ns, piece.end_ns});
  using Piece = std::array<uint64_t, 3>;
  EXPECT_THAT(pieces, ElementsAre(Piece{1, 5'000, 5'020}, Piece{2, 5'020, 5'050},
                                  Piece{1, 5'050, 5'080}, Piece{0, 10'080, 10'100}));
  TraceView plain = AsReceived(std::move(view));
  EXPECT_FALSE(plain.moved());
  EXPECT_THAT(plain.skew_ns, ElementsAre(0, 0, 0, 0));
  EXPECT_THAT(plain.times.critical_ns, ElementsAre(96, 0, 0, 4));
  EXPECT_EQ(plain.corrected_start_ns, kNow - kBehind);
  ASSERT_EQ(plain.findings.size(), 1u);
  EXPECT_EQ(DescribeFinding(plain, plain.findings[0]),
            "bank: 2 spans moved by +5 us, because 1 call starts before its caller");
}

TEST(TraceViewTest, FindsTheRootAndCountsServices) {
  SpanBatch batch;
  KeyValue shop{"service.name", Value::String("shop")}, bank{"service.name", Value::String("bank")};
  batch.resources = {Resource{.attributes = {&shop, 1}}, Resource{.attributes = {&bank, 1}}};
  batch.scopes.resize(1);
  for (auto [id, parent, resource, status] :
       {std::tuple{1u, 0u, 0u, StatusCode::kUnset}, std::tuple{2u, 1u, 1u, StatusCode::kError},
        std::tuple{3u, 77u, 1u, StatusCode::kUnset}}) {
    Span span;
    span.span_id = Id(id);
    if (parent != 0) span.parent_span_id = Id(parent);
    span.start_ns = 100 - id;
    span.end_ns = 200;
    span.resource = resource;
    span.status = status;
    batch.spans.push_back(span);
  }
  TraceView view = BuildTraceView(batch);
  EXPECT_EQ(view.services, 2u);
  EXPECT_EQ(view.errors, 1u);
  EXPECT_EQ(view.depth, 2u);
  EXPECT_FALSE(view.root_missing);
  EXPECT_EQ(view.tree.node[view.root], 0u);
  EXPECT_EQ(view.start_ns, 97u);
  EXPECT_EQ(view.end_ns, 200u);
  // A span without a time is part of the trace, and of no range.
  Span timeless;
  timeless.span_id = Id(9);
  timeless.parent_span_id = Id(1);
  batch.spans.push_back(timeless);
  TraceView with_timeless = BuildTraceView(batch);
  EXPECT_EQ(with_timeless.start_ns, 97u);
  EXPECT_EQ(with_timeless.end_ns, 200u);
  batch.spans.erase(batch.spans.begin());
  TraceView without_root = BuildTraceView(batch);
  EXPECT_TRUE(without_root.root_missing);
}

}  // namespace
}  // namespace weft::trace

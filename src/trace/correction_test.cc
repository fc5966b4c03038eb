// SPDX-License-Identifier: Apache-2.0
#include "trace/correction.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <deque>
#include <map>
#include <random>
#include <sstream>

#include "trace/trace_view.h"

namespace weft::trace {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int64_t kMs = 1'000'000;
constexpr int64_t kSecond = 1'000 * kMs;

SpanId Id(uint64_t n) {
  SpanId id;
  for (int i = 0; i < 8; ++i) id.bytes[7 - i] = static_cast<uint8_t>(n >> (8 * i));
  return id;
}

// A trace as a table: "id parent kind service[@host] start end [flag...]" a line, times in ms after
// a moment. Flags: follows, failed, copy.
class Trace {
 public:
  explicit Trace(const std::string& table) {
    batch_.scopes.resize(1);
    std::istringstream lines(table);
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      uint64_t id = 0, parent = 0;
      std::string kind, place, flag;
      double start = 0, end = 0;
      if (!(words >> id >> parent >> kind >> place >> start >> end)) continue;
      Span span;
      span.span_id = Id(id);
      if (parent != 0) span.parent_span_id = Id(parent);
      span.kind = KindOf(kind);
      span.start_ns = kBase + static_cast<uint64_t>(std::llround(start * 1e6));
      span.end_ns = kBase + static_cast<uint64_t>(std::llround(end * 1e6));
      span.resource = ResourceOf(place);
      std::vector<KeyValue> reference{{kReferenceTypeKey, Value::String(kFollowsFromType)}};
      while (words >> flag) {
        if (flag == "failed") span.status = StatusCode::kError;
        if (flag == "timeless") span.start_ns = span.end_ns = 0;
        if (flag == "follows") {
          Link link{.span_id = span.parent_span_id};
          link.attributes = CopyAttributes(reference, &batch_.arena);
          links_.push_back({link});
          span.links = links_.back();
        }
      }
      batch_.spans.push_back(span);
    }
  }

  TraceView View(const ClockRule& rule = {}) const { return BuildTraceView(batch_, rule); }
  // In ms, in the order of the table.
  std::vector<double> Shifts(const ClockRule& rule = {}) const {
    TraceView view = View(rule);
    std::vector<double> out(view.nodes.size());
    for (uint32_t row = 0; row < out.size(); ++row)
      out[view.tree.node[row]] = static_cast<double>(view.skew_ns[row]) / 1e6;
    return out;
  }
  std::vector<double> Critical() const {
    TraceView view = View();
    std::vector<double> out(view.nodes.size());
    for (uint32_t row = 0; row < out.size(); ++row)
      out[view.tree.node[row]] = static_cast<double>(view.times.critical_ns[row]) / 1e6;
    return out;
  }

 private:
  static constexpr uint64_t kBase = 1'700'000'000'000'000'000;

  static SpanKind KindOf(const std::string& text) {
    for (uint32_t kind = 0; kind <= 5; ++kind)
      if (KindText(SpanKind{kind}) == text) return SpanKind{kind};
    ADD_FAILURE() << "no kind: " << text;
    return SpanKind::kUnspecified;
  }
  uint32_t ResourceOf(const std::string& place) {
    auto [at, is_new] =
        resources_.try_emplace(place, static_cast<uint32_t>(batch_.resources.size()));
    if (!is_new) return at->second;
    const size_t host = place.find('@');
    std::vector<KeyValue> attributes{
        {"service.name", Value::String(std::string_view(at->first).substr(0, host))}};
    if (host != std::string::npos)
      attributes.push_back(
          {"host.name", Value::String(std::string_view(at->first).substr(host + 1))});
    batch_.resources.push_back({.attributes = CopyAttributes(attributes, &batch_.arena)});
    return at->second;
  }

  SpanBatch batch_;
  std::map<std::string, uint32_t> resources_;
  std::deque<std::vector<Link>> links_;
};

TEST(CorrectionTest, AChildThatStartsAfterItsParentIsNoProof) {
  Trace overlap(R"(1 0 server web 0 100
                   2 1 server mailer 80 140)");
  EXPECT_THAT(overlap.Shifts(), ElementsAre(0, 0));
  EXPECT_THAT(overlap.Critical(), ElementsAre(80, 20));
  EXPECT_THAT(overlap.View().times.self_ns, ElementsAre(80 * kMs, 60 * kMs));
  Trace later(R"(1 0 server web 0 50
                 2 1 server worker 1800000 1800030)");
  EXPECT_THAT(later.Shifts(), ElementsAre(0, 0));
  EXPECT_THAT(later.Critical(), ElementsAre(50, 0));
}

TEST(CorrectionTest, OneShiftForAllCallsOfAClock) {
  Trace trace(R"(1 0 server web 0 100
                 2 1 server api -40 -30
                 3 1 server api -20 -10
                 4 1 server api 10 40)");
  EXPECT_THAT(trace.Shifts(), ElementsAre(0, 40, 40, 40));
  EXPECT_THAT(trace.Critical(), ElementsAre(50, 10, 10, 30));
  TraceView view = trace.View();
  ASSERT_EQ(view.findings.size(), 1u);
  EXPECT_EQ(view.findings[0].early, 2u);
  EXPECT_EQ(view.findings[0].late, 0u);
  EXPECT_EQ(view.findings[0].spans, 3u);
  EXPECT_FALSE(view.findings[0].inconsistent);
  EXPECT_EQ(DescribeFinding(view, view.findings[0]),
            "api: 3 spans moved by +40 ms, because 2 calls start before their callers");
}

TEST(CorrectionTest, OneMachineHasOneClock) {
  // Different instances and services; and a host that one does not name.
  EXPECT_THAT(Trace(R"(1 0 client web@h 0 100
                       2 1 server api@h -40 -30)")
                  .Shifts(),
              ElementsAre(0, 0));
  EXPECT_THAT(Trace(R"(1 0 client web@h 0 100
                       2 1 server web -40 -30)")
                  .Shifts(),
              ElementsAre(0, 0));
  // A host that one does not name is unknown: the services differ, so proof counts, the rest not.
  EXPECT_THAT(Trace(R"(1 0 client web@h 0 100
                       2 1 server api -40 -30)")
                  .Shifts(),
              ElementsAre(0, 40));
  EXPECT_THAT(Trace(R"(1 0 client web@h 0 100
                       2 1 server api 30 120)")
                  .Shifts(),
              ElementsAre(0, 0));
}

TEST(CorrectionTest, AServerThatEndsAfterItsClientOnAnotherHost) {
  struct Case {
    const char* table;
    double shift;
  };
  for (const Case& c : {
           Case{"1 0 client a@h 0 100 \n 2 1 server b@g 30 105", -5},
           // Within 1 ms and the resolution, which is 1 ms here and 1 us there.
           Case{"1 0 client a@h 0 100 \n 2 1 server b@g 30 102", 0},
           Case{"1 0 client a@h 0 100 \n 2 1 server b@g 30 103", -3},
           Case{"1 0 client a@h 0 100.001 \n 2 1 server b@g 30.5 101.002", 0},
           Case{"1 0 client a@h 0 100.001 \n 2 1 server b@g 30.5 101.003", -1.002},
           // Longer than its client, failed client, no overlap, other kinds, one host unnamed.
           Case{"1 0 client a@h 0 100 \n 2 1 server b@g 30 131", 0},
           Case{"1 0 client a@h 0 100 failed \n 2 1 server b@g 30 105", 0},
           Case{"1 0 client a@h 0 100 \n 2 1 server b@g 100 105", 0},
           Case{"1 0 client a@h 0 100 \n 2 1 server b@g 5000 5050", 0},
           Case{"1 0 client a@h 0 100 \n 2 1 internal b@g 30 105", 0},
           Case{"1 0 server a@h 0 100 \n 2 1 server b@g 30 105", 0},
           Case{"1 0 producer a@h 0 100 \n 2 1 consumer b@g 30 105", 0},
           Case{"1 0 client a@h 0 100 \n 2 1 server b 30 105", 0},
           Case{"1 0 client a@h 0 100 \n 2 1 server b@g 30 105 follows", 0},
       })
    EXPECT_THAT(Trace(c.table).Shifts(), ElementsAre(0, c.shift)) << c.table;
}

TEST(CorrectionTest, WhatIsNoProof) {
  for (const char* table : {"1 0 producer a@h 0 10 \n 2 1 consumer b@g -40 -30",
                            "1 0 client a@h 0 10 \n 2 1 consumer b@g -40 -30",
                            "1 0 server a@h 0 10 \n 2 1 server b@g -40 -30 follows",
                            "1 0 server a@h 0 10 \n 2 1 server b@g -40 -30 timeless",
                            "1 0 server a@h 0 10 \n 2 9 server b@g -40 -30"}) {
    EXPECT_THAT(Trace(table).Shifts(), ElementsAre(0, 0)) << table;
    EXPECT_THAT(Trace(table).View().findings, IsEmpty()) << table;
  }
  EXPECT_THAT(Trace("1 0 producer a@h 0 10 \n 2 1 server b@g -40 -30").Shifts(),
              ElementsAre(0, 40));
  // Cut to its milliseconds a start may lie up to one before its parent's, whatever the ends are.
  EXPECT_THAT(Trace("1 0 server a 0.7 10 \n 2 1 server b 0 5.123").Shifts(), ElementsAre(0, 0));
  EXPECT_THAT(Trace("1 0 server a 0.7 10 \n 2 1 server b 0 5").Shifts(), ElementsAre(0, 0));
  EXPECT_THAT(Trace("1 0 server a 1.7 10 \n 2 1 server b 0 5").Shifts(), ElementsAre(0, 1.7));
}

TEST(CorrectionTest, SharedSpansOfZipkinAreACall) {
  EXPECT_THAT(Trace(R"(1 0 client front 0 50
                       1 0 server back -20 20
                       2 1 internal back -10 10)")
                  .Shifts(),
              ElementsAre(0, 20, 20));
}

TEST(CorrectionTest, AChainOfHosts) {
  // b is 5 s behind a, c has a's time: by the times as received c starts after b's end.
  EXPECT_THAT(Trace(R"(1 0 client a@1 0 100
                       2 1 server b@2 -5000 -4920
                       3 2 client b@2 -4990 -4930
                       4 3 server c@3 15 60)")
                  .Shifts(),
              ElementsAre(0, 5000, 5000, 0));
  // c is as far behind as b.
  EXPECT_THAT(Trace(R"(1 0 client a@1 0 100
                       2 1 server b@2 -5000 -4920
                       3 2 client b@2 -4990 -4930
                       4 3 server c@3 -4980 -4940)")
                  .Shifts(),
              ElementsAre(0, 5000, 5000, 4990));
  // The root's clock again at the other end: it stands, and holds b from above.
  EXPECT_THAT(Trace(R"(1 0 client a@1 0 100
                       2 1 server b@2 -50 30
                       3 2 client b@2 -40 20
                       4 3 server a@1 15 60)")
                  .Shifts(),
              ElementsAre(0, 50, 50, 0));
}

TEST(CorrectionTest, AClockUnderTwoParents) {
  // The second call needs more than the first, and both get it.
  EXPECT_THAT(Trace(R"(1 0 server a@1 0 100
                       2 1 client a@1 10 30
                       3 1 client a@1 50 70
                       4 2 server b@2 5 12
                       5 3 server b@2 32 40)")
                  .Shifts(),
              ElementsAre(0, 0, 0, 18, 18));
}

TEST(CorrectionTest, CallsThatContradictEachOther) {
  // One starts 30 ms early, the other ends 5 ms late: proof goes first.
  Trace mixed(R"(1 0 server a@1 0 500
                 2 1 client a@1 100 200
                 3 1 client a@1 300 400
                 4 2 server b@2 70 160
                 5 3 server b@2 310 405)");
  EXPECT_THAT(mixed.Shifts(), ElementsAre(0, 0, 0, 30, 30));
  TraceView view = mixed.View();
  ASSERT_EQ(view.findings.size(), 1u);
  EXPECT_TRUE(view.findings[0].inconsistent);
  EXPECT_EQ(view.findings[0].early, 1u);
  EXPECT_EQ(view.findings[0].late, 1u);
  EXPECT_EQ(
      DescribeFinding(view, view.findings[0]),
      "b on host 2: 2 spans moved by +30 ms, because 1 call starts before its caller and 1 "
      "call ends after its caller; no single shift fits all calls, this is the least bad one");
  // A call back from b into a at 20 (by a's clock, and 10 by b's) allows 10 at most.
  Trace back(R"(1 0 server a@1 0 500
                2 1 server b@2 -30 60
                3 2 internal b@2 10 50
                4 3 server a@1 20 40)");
  EXPECT_THAT(back.Shifts(), ElementsAre(0, 10.999999, 10.999999, 0));
  EXPECT_TRUE(back.View().findings[0].inconsistent);
}

TEST(CorrectionTest, MoreThanTheLimitMovesNothingAndSaysSo) {
  Trace trace(R"(1 0 client a@1 0 100
                 2 1 server b@2 -3600001 -3599990)");
  EXPECT_THAT(trace.Shifts(), ElementsAre(0, 0));
  TraceView view = trace.View();
  ASSERT_EQ(view.findings.size(), 1u);
  EXPECT_TRUE(view.findings[0].beyond_limit);
  EXPECT_EQ(view.findings[0].wanted_ns, 3'600'001 * kMs);
  EXPECT_EQ(view.findings[0].shift_ns, 0);
  EXPECT_FALSE(view.moved());
  EXPECT_THAT(trace.Shifts({.shift_max_ns = 2 * 3'600 * kSecond}), ElementsAre(0, 3'600'001));
  EXPECT_THAT(Trace("1 0 client a@1 0 100 \n 2 1 server b@2 -3600000 -3599990").Shifts(),
              ElementsAre(0, 3'600'000));
  EXPECT_THAT(Trace("1 0 client a@1 0 100 \n 2 1 server b@2 -1 5").Shifts({.shift_max_ns = 0}),
              ElementsAre(0, 0));
}

TEST(CorrectionTest, TheRootsClockStandsAndOrphansKeepTheirs) {
  // The orphan starts first and its clock is used under the root as well.
  EXPECT_THAT(Trace(R"(5 9 server b@2 -90 -80
                       1 0 client a@1 0 100
                       2 1 server b@2 -40 -30
                       6 8 server c@3 -200 -100)")
                  .Shifts(),
              ElementsAre(40, 0, 40, 0));
  // Without a root the earliest orphan's clock stands.
  EXPECT_THAT(Trace(R"(1 9 client a@1 0 100
                       2 1 server b@2 -40 -30)")
                  .Shifts(),
              ElementsAre(0, 40));
}

TEST(CorrectionTest, AClockThatCannotBeToldFromItsCallersKeepsToIt) {
  EXPECT_THAT(Trace(R"(1 0 client a@1 0 100
                       2 1 server s@2 -5000 -4950
                       3 2 internal s -4990 -4980
                       4 1 client a@1 50 90
                       5 4 server s@3 60 70)")
                  .Shifts(),
              ElementsAre(0, 5000, 5000, 0, 0));
}

// The whole rule once more, for traces in whole milliseconds whose resources name a service of
// their own and perhaps a host (0: none): every shift is tried.
class Judge {
 public:
  Judge(const Tree& tree, const std::vector<Node>& nodes, const std::vector<int>& hosts)
      : tree_(tree), nodes_(nodes), hosts_(hosts) {}

  std::vector<int64_t> Shifts() {
    const uint32_t root = RootOf(tree_), root_end = root + tree_.subtree[root];
    for (uint32_t i = root; i < root_end; ++i) Fix(i);
    for (uint32_t i = 0; i < tree_.node.size(); ++i) Fix(i);
    std::vector<int64_t> out;
    for (uint32_t row = 0; row < tree_.node.size(); ++row) out.push_back(shift_[ClockOf(row)]);
    return out;
  }

 private:
  const Node& At(uint32_t row) const { return nodes_[tree_.node[row]]; }
  int HostOf(uint32_t row) const { return hosts_[At(row).resource]; }
  int ClockOf(uint32_t row) const {
    return HostOf(row) != 0 ? HostOf(row) : -1 - static_cast<int>(At(row).resource);
  }

  void Fix(uint32_t row) {
    const int clock = ClockOf(row);
    if (shift_.contains(clock)) return;
    std::tuple<int64_t, int64_t, int64_t> best{INT64_MAX, 0, 0};
    int64_t found = 0;
    for (int64_t ms = shift_.empty() ? 0 : -100; ms <= (shift_.empty() ? 0 : 100); ++ms) {
      // Starts may lie less than their resolution off; along a chain of clocks that adds up.
      for (int64_t ns = -3; ns <= 3; ++ns) {
        const int64_t shift = ms * kMs + ns;
        auto [proof, weak] = Violation(clock, shift);
        const std::tuple<int64_t, int64_t, int64_t> now{proof, weak, std::abs(shift)};
        if (now < best) best = now, found = shift;
      }
    }
    shift_[clock] = found;
  }

  std::pair<int64_t, int64_t> Violation(int clock, int64_t shift) {
    int64_t proof = 0, weak = 0;
    for (uint32_t row = 0; row < tree_.node.size(); ++row) {
      const uint32_t p = tree_.parent[row];
      if (p == kNone || ClockOf(p) == ClockOf(row)) continue;
      const bool is_child = ClockOf(row) == clock;
      if (!is_child && ClockOf(p) != clock) continue;
      const auto other = shift_.find(ClockOf(is_child ? p : row));
      if (other == shift_.end()) continue;
      const Node &parent = At(p), &child = At(row);
      if (child.follows || child.kind == SpanKind::kConsumer) continue;
      // By how much the child is later than it would be by its own clock beside its parent's.
      auto later = [&](int64_t own) {
        return is_child ? own - other->second : other->second - own;
      };
      const int64_t start = Difference(parent.start_ns, child.start_ns);
      const int64_t end = Difference(parent.end_ns, child.end_ns);
      const int64_t start_slack = start + later(0) > -kMs ? kMs - 1 : 0;
      proof += std::max<int64_t>(0, -(start + later(shift)) - start_slack);
      const bool halves = parent.kind == SpanKind::kClient && child.kind == SpanKind::kServer;
      if (!halves || parent.error || HostOf(p) == 0 || HostOf(row) == 0) continue;
      if (child.end_ns - child.start_ns > parent.end_ns - parent.start_ns) continue;
      if (Difference(parent.end_ns, child.start_ns) + later(0) >= 0) continue;
      const int64_t end_slack = end + later(0) > 2 * kMs ? 0 : 2 * kMs;
      weak += std::max<int64_t>(0, end + later(shift) - end_slack);
    }
    return {proof, weak};
  }
  static int64_t Difference(uint64_t from, uint64_t to) { return static_cast<int64_t>(to - from); }

  const Tree& tree_;
  const std::vector<Node>& nodes_;
  const std::vector<int>& hosts_;
  std::map<int, int64_t> shift_;
};

TEST(CorrectionTest, AgreesWithTryingEveryShift) {
  std::mt19937 random(7);
  auto below = [&](uint32_t n) { return static_cast<uint32_t>(random() % n); };
  uint32_t moved = 0;
  for (int round = 0; round < 500; ++round) {
    std::vector<int> hosts;
    std::vector<ClockName> names;
    ClockNames numbers;
    for (uint32_t r = 0; r < 4; ++r) {
      hosts.push_back(below(3) == 0 ? 0 : 1 + static_cast<int>(below(3)));
      const std::string service = "s" + std::to_string(r);
      std::vector<KeyValue> attributes{{"service.name", Value::String(service)}};
      const std::string host = std::to_string(hosts[r]);
      if (hosts[r] != 0) attributes.push_back({"host.name", Value::String(host)});
      names.push_back(numbers.Of(Resource{.attributes = attributes}));
    }
    std::vector<Node> nodes;
    const uint32_t count = 2 + below(9);
    for (uint32_t i = 1; i <= count; ++i) {
      Node node{.span_id = Id(i), .parent_span_id = i == 1 ? SpanId{} : Id(1 + below(i - 1))};
      if (below(12) == 0) node.parent_span_id = Id(77);
      node.start_ns = (1'000'000 + below(30)) * uint64_t{kMs};
      node.end_ns = node.start_ns + below(20) * uint64_t{kMs};
      node.kind = below(2) == 0 ? SpanKind{below(6)}
                  : i % 2       ? SpanKind::kClient
                                : SpanKind::kServer;
      node.resource = below(4);
      node.error = below(8) == 0;
      node.follows = below(8) == 0;
      nodes.push_back(node);
    }
    Tree tree = BuildTree(nodes);
    Correction correction = CorrectClocks(tree, nodes, names, {});
    std::vector<int64_t> got = correction.shift_ns;
    got.resize(nodes.size());
    std::vector<int64_t> want = Judge(tree, nodes, hosts).Shifts();
    ASSERT_EQ(got, want) << "round " << round;
    moved += !correction.shift_ns.empty();
    ASSERT_EQ(MayNeedCorrection(tree, nodes) || correction.findings.empty(), true);
  }
  EXPECT_GT(moved, 100u);
}

TEST(CorrectionTest, LargeTracesAreNoProblem) {
  // 100,000 spans on 50,000 clocks, all early.
  std::vector<Node> nodes;
  std::vector<ClockName> names;
  ClockNames numbers;
  for (uint32_t i = 0; i < 100'000; ++i) {
    nodes.push_back({.span_id = Id(i + 1),
                     .parent_span_id = i == 0 ? SpanId{} : Id(i < 50'000 ? i : 1),
                     .start_ns = 1'000'000'000'001u - i,
                     .end_ns = 1'000'000'000'500,
                     .resource = i / 2});
    if (i % 2 == 0) {
      const std::string host = std::to_string(i);
      KeyValue attribute{"host.name", Value::String(host)};
      names.push_back(numbers.Of(Resource{.attributes = {&attribute, 1}}));
    }
  }
  Correction correction = CorrectClocks(BuildTree(nodes), nodes, names, {});
  EXPECT_EQ(correction.findings.size(), 49'999u);
}

}  // namespace
}  // namespace weft::trace

// SPDX-License-Identifier: Apache-2.0
#include "trace/correction.h"

#include <algorithm>
#include <cstdlib>

namespace weft::trace {
namespace {

// A server's end is told by the last byte sent, its client's by the last one read or by a callback
// that ran first: less than this says nothing.
constexpr int64_t kEndToleranceNs = 1'000'000;
// Times beyond what a signed number of 64 bits holds (year 2262) tell nothing, as no time does.
constexpr uint64_t kTimeMax = uint64_t{1} << 62;

bool IsUsable(const Node& node) {
  return HasTime(node) && node.start_ns <= kTimeMax && node.end_ns <= kTimeMax;
}
int64_t Start(const Node& node) { return static_cast<int64_t>(node.start_ns); }
int64_t End(const Node& node) { return static_cast<int64_t>(std::max(node.start_ns, node.end_ns)); }

bool IsCall(const Node& parent, const Node& child) {
  return IsWaitedFor(child) && !parent.copy && child.kind != SpanKind::kConsumer &&
         IsUsable(parent) && IsUsable(child);
}
bool AreHalves(const Node& parent, const Node& child) {
  return parent.kind == SpanKind::kClient && child.kind == SpanKind::kServer;
}

// The coarsest usual units in which the starts of a clock, and all of its times, are whole. They
// differ where spans start by a wall clock of milliseconds and end a measured time later, as those
// of OpenTelemetry for JavaScript.
class Resolution {
 public:
  void Add(const Node& node) {
    Refine(node.start_ns, &of_starts_);
    Refine(node.start_ns, &of_all_);
    Refine(node.end_ns, &of_all_);
  }
  int64_t start_ns() const { return static_cast<int64_t>(of_starts_); }
  int64_t end_ns() const { return static_cast<int64_t>(of_all_); }

 private:
  static void Refine(uint64_t time, uint64_t* unit) {
    while (*unit > 1 && time % *unit != 0) *unit /= 1000;
  }
  uint64_t of_starts_ = 1'000'000, of_all_ = 1'000'000;
};

// Adds up, for one clock, what its calls with fixed clocks allow. All shifts are of this clock; a
// bound that holds without moving keeps the tolerance of its evidence, one that does not is kept
// whole, so that what is moved ends up where it belongs.
class ClockBounds {
 public:
  explicit ClockBounds(int64_t unmoved) : unmoved_(unmoved) {}

  // The clock is the child's (or the parent's) and `other` is the shift of the other one.
  void Add(const Node& parent, const Node& child, bool is_child, int64_t other, bool both_hosts,
           const Resolution& resolution) {
    AddStart(parent, child, is_child, other, resolution.start_ns());
    if (both_hosts && AreHalves(parent, child) && !parent.error && !parent.failed)
      AddEnd(parent, child, is_child, other, resolution.end_ns());
  }

  uint32_t early() const { return early_; }
  uint32_t late() const { return late_; }

  // Proof goes before weaker evidence, then the nearest to where it is.
  int64_t Best() const {
    ShiftRange proven = LeastViolated(start_.at_least, start_.at_most);
    ShiftRange likely = LeastViolated(end_.at_least, end_.at_most);
    ShiftRange both{std::max(proven.lower, likely.lower), std::min(proven.upper, likely.upper)};
    if (both.lower <= both.upper) return std::clamp(unmoved_, both.lower, both.upper);
    return likely.lower > proven.upper ? proven.upper : proven.lower;
  }
  bool Allows(int64_t shift) const { return start_.Allow(shift) && end_.Allow(shift); }

 private:
  struct Bounds {
    std::vector<int64_t> at_least, at_most;
    bool Allow(int64_t shift) const {
      return std::ranges::all_of(at_least, [=](int64_t bound) { return shift >= bound; }) &&
             std::ranges::all_of(at_most, [=](int64_t bound) { return shift <= bound; });
    }
  };

  // `gap`: by how much what must not be negative is, without a shift of this clock; moving the
  // clock by x adds x to it (`sign` 1) or takes x from it (-1).
  static bool AddBound(int64_t gap, int64_t tolerance, bool adds, int64_t unmoved, Bounds* bounds) {
    const int64_t here = adds ? gap + unmoved : gap - unmoved;
    const bool violated = here < -tolerance;
    const int64_t slack = violated ? 0 : tolerance;
    if (adds) {
      bounds->at_least.push_back(-gap - slack);
    } else {
      bounds->at_most.push_back(gap + slack);
    }
    return violated;
  }

  // A start that was cut to its resolution may lie less than that before its parent's.
  void AddStart(const Node& parent, const Node& child, bool is_child, int64_t other,
                int64_t resolution) {
    const int64_t gap = Start(child) - Start(parent) + (is_child ? -other : other);
    early_ += AddBound(gap, resolution - 1, is_child, unmoved_, &start_);
  }

  void AddEnd(const Node& parent, const Node& child, bool is_child, int64_t other,
              int64_t resolution) {
    if (End(child) - Start(child) > End(parent) - Start(parent)) return;
    const int64_t between = is_child ? unmoved_ - other : other - unmoved_;
    if (Start(child) + between >= End(parent)) return;
    const int64_t gap = End(parent) - End(child) + (is_child ? other : -other);
    late_ += AddBound(gap, kEndToleranceNs + resolution, !is_child, unmoved_, &end_);
  }

  int64_t unmoved_;
  Bounds start_, end_;
  uint32_t early_ = 0, late_ = 0;
};

class Corrector {
 public:
  Corrector(const Tree& tree, std::span<const Node> nodes, std::span<const ClockName> names,
            const ClockRule& rule)
      : tree_(tree), nodes_(nodes), names_(names), rule_(rule) {}

  Correction Run() {
    NumberClocks();
    GatherCalls();
    for (uint32_t clock = 1; clock < first_row_.size(); ++clock) Fix(clock);
    Correction out;
    out.findings = std::move(findings_);
    if (std::ranges::all_of(shifts_, [](int64_t shift) { return shift == 0; })) return out;
    out.shift_ns.resize(tree_.node.size());
    for (uint32_t row = 0; row < tree_.node.size(); ++row)
      if (IsUsable(At(row))) out.shift_ns[row] = shifts_[clock_[row]];
    return out;
  }

 private:
  // A call between two clocks, at its child's row.
  struct Call {
    uint32_t clock;  // the one that is fixed later
    uint32_t row;
    auto operator<=>(const Call&) const = default;
  };

  const Node& At(uint32_t row) const { return nodes_[tree_.node[row]]; }

  // Of the rows, in the order of first use: the root's tree first.
  void NumberClocks() {
    std::vector<uint32_t> resources;
    for (const Node& node : nodes_)
      if (resources.empty() || resources.back() != node.resource)
        resources.push_back(node.resource);
    std::ranges::sort(resources);
    resources.erase(std::ranges::unique(resources).begin(), resources.end());
    std::vector<ClockName> used;
    for (uint32_t resource : resources) used.push_back(names_[resource]);
    const std::vector<uint32_t> group_of = GroupClocks(used);
    std::vector<uint32_t> number(resources.size(), kNone);
    clock_.resize(tree_.node.size());
    const uint32_t root = RootOf(tree_), root_end = root + tree_.subtree[root];
    auto take = [&](uint32_t from, uint32_t to) {
      for (uint32_t row = from; row < to; ++row) {
        const auto at = std::ranges::lower_bound(resources, At(row).resource);
        uint32_t& clock = number[group_of[static_cast<size_t>(at - resources.begin())]];
        if (clock == kNone) {
          clock = static_cast<uint32_t>(first_row_.size());
          first_row_.push_back(row);
          span_count_.push_back(0);
          resolution_.emplace_back();
        }
        clock_[row] = clock;
        if (!IsUsable(At(row))) continue;
        ++span_count_[clock];
        resolution_[clock].Add(At(row));
      }
    };
    take(root, root_end);
    take(0, root);
    take(root_end, static_cast<uint32_t>(tree_.node.size()));
    shifts_.resize(first_row_.size());
  }

  void GatherCalls() {
    for (uint32_t row = 0; row < tree_.node.size(); ++row) {
      const uint32_t parent = tree_.parent[row];
      if (parent == kNone || clock_[row] == clock_[parent]) continue;
      if (IsCall(At(parent), At(row)))
        calls_.push_back({std::max(clock_[row], clock_[parent]), row});
    }
    std::ranges::sort(calls_);
  }

  ClockVerdict Compare(uint32_t row) const {
    return CompareClocks(names_[At(tree_.parent[row]).resource], names_[At(row).resource]);
  }

  // Where the clock is without evidence about it: with the clock from which it cannot be told, if
  // that is its first caller's.
  int64_t Unmoved(uint32_t clock) const {
    const uint32_t row = first_row_[clock], parent = tree_.parent[row];
    if (parent == kNone || clock_[parent] >= clock) return 0;
    return Compare(row) == ClockVerdict::kSame ? shifts_[clock_[parent]] : 0;
  }

  void Fix(uint32_t clock) {
    shifts_[clock] = Unmoved(clock);
    ClockBounds bounds(shifts_[clock]);
    for (; next_call_ < calls_.size() && calls_[next_call_].clock == clock; ++next_call_) {
      const uint32_t row = calls_[next_call_].row, parent = tree_.parent[row];
      const ClockVerdict verdict = Compare(row);
      if (verdict == ClockVerdict::kSame) continue;
      const bool is_child = clock_[row] == clock;
      bounds.Add(At(parent), At(row), is_child, shifts_[clock_[is_child ? parent : row]],
                 verdict == ClockVerdict::kOtherHost, resolution_[clock_[row]]);
    }
    if (bounds.early() + bounds.late() == 0) return;
    ClockFinding finding{.row = first_row_[clock],
                         .spans = span_count_[clock],
                         .early = bounds.early(),
                         .late = bounds.late()};
    finding.wanted_ns = bounds.Best();
    finding.inconsistent = !bounds.Allows(finding.wanted_ns);
    finding.beyond_limit = static_cast<uint64_t>(std::abs(finding.wanted_ns)) > rule_.shift_max_ns;
    if (!finding.beyond_limit) shifts_[clock] = finding.wanted_ns;
    finding.shift_ns = shifts_[clock];
    findings_.push_back(finding);
  }

  const Tree& tree_;
  const std::span<const Node> nodes_;
  const std::span<const ClockName> names_;
  const ClockRule rule_;
  std::vector<uint32_t> clock_;  // of each row, in the order in which they are fixed
  // By clock.
  std::vector<uint32_t> first_row_, span_count_;
  std::vector<Resolution> resolution_;
  std::vector<int64_t> shifts_;
  std::vector<Call> calls_;
  size_t next_call_ = 0;
  std::vector<ClockFinding> findings_;
};

}  // namespace

bool MayNeedCorrection(const Tree& tree, std::span<const Node> nodes) {
  for (uint32_t row = 0; row < tree.node.size(); ++row) {
    if (tree.parent[row] == kNone) continue;
    const Node& child = nodes[tree.node[row]];
    const Node& parent = nodes[tree.node[tree.parent[row]]];
    if (child.resource == parent.resource) continue;
    if ((child.start_ns < parent.start_ns ||
         (AreHalves(parent, child) && child.end_ns > parent.end_ns)) &&
        IsCall(parent, child))
      return true;
  }
  return false;
}

Correction CorrectClocks(const Tree& tree, std::span<const Node> nodes,
                         std::span<const ClockName> names, const ClockRule& rule) {
  if (!MayNeedCorrection(tree, nodes)) return {};
  return Corrector(tree, nodes, names, rule).Run();
}

std::vector<Node> Corrected(const Tree& tree, std::span<const Node> nodes,
                            const Correction& correction) {
  std::vector<Node> moved(nodes.begin(), nodes.end());
  for (uint32_t row = 0; row < correction.shift_ns.size(); ++row) {
    const int64_t shift = correction.shift_ns[row];
    if (shift == 0) continue;
    Node& node = moved[tree.node[row]];
    // Modulo 2^64, as what a view adds to its times; no time of this century comes near 0.
    node.start_ns += static_cast<uint64_t>(shift);
    node.end_ns += static_cast<uint64_t>(shift);
  }
  return moved;
}

// The slope of the sum at x is the count of upper bounds below x less that of lower bounds above.
ShiftRange LeastViolated(std::vector<int64_t> at_least, std::vector<int64_t> at_most) {
  std::ranges::sort(at_least);
  std::ranges::sort(at_most);
  std::vector<int64_t> turns = at_least;
  turns.insert(turns.end(), at_most.begin(), at_most.end());
  std::ranges::sort(turns);
  ShiftRange out;
  if (turns.empty()) return out;
  auto slope_after = [&](int64_t x) {
    const auto above = at_least.end() - std::ranges::upper_bound(at_least, x);
    const auto below = std::ranges::upper_bound(at_most, x) - at_most.begin();
    return below - above;
  };
  // The slope only grows from turn to turn.
  auto first_with = [&](int64_t slope) {
    return std::ranges::partition_point(turns, [&](int64_t x) { return slope_after(x) < slope; });
  };
  if (!at_least.empty()) out.lower = *first_with(0);
  if (!at_most.empty()) out.upper = *first_with(1);
  return out;
}

}  // namespace weft::trace

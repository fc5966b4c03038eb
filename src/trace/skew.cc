// SPDX-License-Identifier: Apache-2.0
//
// Clock skew between hosts, corrected in views and never in what is stored. A call cannot start
// before its caller did; where a child of another host does, its host's clock is off, and the best
// guess without more knowledge is that the time on the wire was the same both ways: the child is
// centred in its parent. The whole subtree moves along until it meets another host.
#include <algorithm>

#include "trace/trace.h"

namespace weft::trace {
namespace {

struct Interval {
  int64_t start, end;
  int64_t duration() const { return end > start ? end - start : 0; }
};

int64_t Shift(const Interval& parent, const Interval& child, SpanKind child_kind) {
  bool starts_inside = child.start >= parent.start;
  // Messages are consumed after their producer has ended, and a child that lasted longer than its
  // parent was not waited for: for both, only a start before the parent's start is impossible.
  if (child_kind == SpanKind::kConsumer || child.duration() > parent.duration())
    return starts_inside ? 0 : parent.start - child.start;
  if (starts_inside && child.end <= parent.end) return 0;
  return parent.start + (parent.duration() - child.duration()) / 2 - child.start;
}

}  // namespace

std::vector<int64_t> SkewCorrections(const Tree& tree, std::span<const Node> nodes,
                                     std::span<const uint32_t> host) {
  // Times beyond what a signed 64-bit number holds (year 2262) are left alone.
  constexpr uint64_t kTimeMax = uint64_t{1} << 62;
  std::vector<int64_t> correction(tree.node.size());
  for (uint32_t i = 0; i < correction.size(); ++i) {
    uint32_t p = tree.parent[i];
    if (p == kNone) continue;
    const Node& child = nodes[tree.node[i]];
    const Node& parent = nodes[tree.node[p]];
    if (host[tree.node[i]] == host[tree.node[p]]) {
      correction[i] = correction[p];
      continue;
    }
    if (std::max({child.start_ns, child.end_ns, parent.start_ns, parent.end_ns}) > kTimeMax)
      continue;
    Interval moved{static_cast<int64_t>(parent.start_ns) + correction[p],
                   static_cast<int64_t>(parent.end_ns) + correction[p]};
    Interval own{static_cast<int64_t>(child.start_ns), static_cast<int64_t>(child.end_ns)};
    correction[i] = Shift(moved, own, child.kind);
  }
  return correction;
}

}  // namespace weft::trace

// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "trace/trace.h"

namespace weft::trace {
namespace {

// The union of what is added, in the order of its starts, within one span: `covered` is how far the
// sweep has come.
class Sweep {
 public:
  explicit Sweep(const Node& span) : end_(span.end_ns), covered_(span.start_ns) {}
  void Add(const Node& child) {
    ordered_ &= child.start_ns >= last_start_;
    last_start_ = child.start_ns;
    uint64_t from = std::max(child.start_ns, covered_);
    uint64_t to = std::min(child.end_ns, end_);
    if (to <= from) return;
    busy_ += to - from;
    covered_ = to;
  }
  uint64_t busy_ns() const { return busy_; }
  bool ordered() const { return ordered_; }

 private:
  uint64_t end_, covered_, busy_ = 0, last_start_ = 0;
  bool ordered_ = true;
};

}  // namespace

std::vector<uint64_t> SelfTimes(const Tree& tree, std::span<const Node> nodes) {
  std::vector<uint64_t> self(tree.node.size());
  std::vector<Node> by_start;
  for (uint32_t i = 0; i < self.size(); ++i) {
    const Node& span = nodes[tree.node[i]];
    if (span.end_ns <= span.start_ns || span.copy) continue;
    Sweep sweep(span);
    const uint32_t end = i + tree.subtree[i];
    auto for_each_child = [&](auto visit) {
      for (uint32_t c = i + 1; c < end; c += tree.subtree[c])
        if (const Node& child = nodes[tree.node[c]]; IsWaitedFor(child)) visit(child);
    };
    for_each_child([&](const Node& child) { sweep.Add(child); });
    if (!sweep.ordered()) {
      by_start.clear();
      for_each_child([&](const Node& child) { by_start.push_back(child); });
      std::ranges::sort(by_start, {}, &Node::start_ns);
      sweep = Sweep(span);
      for (const Node& child : by_start) sweep.Add(child);
    }
    self[i] = span.end_ns - span.start_ns - sweep.busy_ns();
  }
  return self;
}

std::vector<bool> ErrorOrigins(const Tree& tree, std::span<const Node> nodes) {
  std::vector<bool> origin(tree.node.size());
  for (uint32_t i = 0; i < origin.size(); ++i) origin[i] = nodes[tree.node[i]].error;
  for (uint32_t i = 0; i < origin.size(); ++i)
    if (const Node& child = nodes[tree.node[i]];
        tree.parent[i] != kNone && child.error && IsWaitedFor(child))
      origin[tree.parent[i]] = false;
  return origin;
}

}  // namespace weft::trace

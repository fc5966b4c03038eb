// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "trace/trace.h"

namespace weft::trace {

// Children lie in start order, so their union is one sweep: `covered` is how far it has come.
std::vector<uint64_t> SelfTimes(const Tree& tree, std::span<const Node> nodes) {
  std::vector<uint64_t> self(tree.node.size());
  for (uint32_t i = 0; i < self.size(); ++i) {
    const Node& span = nodes[tree.node[i]];
    if (span.end_ns <= span.start_ns) continue;
    uint64_t covered = span.start_ns, busy = 0;
    for (uint32_t c = i + 1; c < i + tree.subtree[i]; c += tree.subtree[c]) {
      const Node& child = nodes[tree.node[c]];
      uint64_t from = std::max(child.start_ns, covered);
      uint64_t to = std::min(child.end_ns, span.end_ns);
      if (to <= from) continue;
      busy += to - from;
      covered = to;
    }
    self[i] = span.end_ns - span.start_ns - busy;
  }
  return self;
}

std::vector<bool> ErrorOrigins(const Tree& tree, std::span<const Node> nodes) {
  std::vector<bool> origin(tree.node.size());
  for (uint32_t i = 0; i < origin.size(); ++i) origin[i] = nodes[tree.node[i]].error;
  for (uint32_t i = 0; i < origin.size(); ++i)
    if (tree.parent[i] != kNone && nodes[tree.node[i]].error) origin[tree.parent[i]] = false;
  return origin;
}

}  // namespace weft::trace

// SPDX-License-Identifier: Apache-2.0
//
// SpansetNode: how the spansets of a query are joined. It is judged a trace at a time from one fact
// for each spanset: has the trace a span of it? And since a node is monotone in these facts, "may
// have" instead of "has" gives a superset of the traces.
//
// Thread rule: immutable. Made by: MakePlan(). Next: query/plan.h.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace weft::query {

struct SpansetNode {
  enum class Kind : uint8_t { kFilter, kAnd, kOr };
  Kind kind = Kind::kFilter;
  uint32_t filter = 0;  // of kFilter: index into Plan::filters
  std::vector<SpansetNode> children;
};

// Does the node hold for a trace of which `has(filter)` tells whether it has such a span?
template <class Has>
bool Holds(const SpansetNode& node, const Has& has) {
  auto child_holds = [&](const SpansetNode& child) { return Holds(child, has); };
  switch (node.kind) {
    case SpansetNode::Kind::kFilter:
      return has(node.filter);
    case SpansetNode::Kind::kAnd:
      return std::ranges::all_of(node.children, child_holds);
    case SpansetNode::Kind::kOr:
      return std::ranges::any_of(node.children, child_holds);
  }
  return false;
}

// Appends the spansets whose spans are the node's answer, those of every part that holds, and
// returns whether the node itself does. A spanset that stands in several places may come twice.
template <class Has>
bool Select(const SpansetNode& node, const Has& has, std::vector<uint32_t>* selected) {
  if (node.kind == SpansetNode::Kind::kFilter) {
    if (!has(node.filter)) return false;
    selected->push_back(node.filter);
    return true;
  }
  bool all = node.kind == SpansetNode::Kind::kAnd;
  size_t before = selected->size();
  bool any = false;
  for (const SpansetNode& child : node.children) {
    bool holds = Select(child, has, selected);
    any |= holds;
    if (holds || !all) continue;
    selected->resize(before);
    return false;
  }
  return any;
}

}  // namespace weft::query

// SPDX-License-Identifier: Apache-2.0
#include "query/triggers.h"

namespace weft::query {
namespace {

struct Choice {
  uint64_t cost = 0;  // groups to be looked at
  std::vector<uint32_t> filters;
};

// REQUIRES: the node may hold.
Choice ChooseFewest(const SpansetNode& node, std::span<const uint64_t> groups) {
  if (node.kind == SpansetNode::Kind::kFilter) return {groups[node.filter], {node.filter}};
  auto possible = [&](uint32_t filter) { return groups[filter] > 0; };
  Choice out;
  bool first = true;
  for (const SpansetNode& child : node.children) {
    if (!Holds(child, possible)) continue;
    Choice choice = ChooseFewest(child, groups);
    if (node.kind == SpansetNode::Kind::kOr) {
      out.cost += choice.cost;
      out.filters.insert(out.filters.end(), choice.filters.begin(), choice.filters.end());
    } else if (first || choice.cost < out.cost) {
      out = std::move(choice);
    }
    first = false;
  }
  return out;
}

}  // namespace

std::vector<uint32_t> ChooseTriggers(const SpansetNode& root, std::span<const uint64_t> groups,
                                     bool everywhere) {
  std::vector<uint32_t> filters;
  bool possible = Select(root, [&](uint32_t filter) { return groups[filter] > 0; }, &filters);
  if (possible && everywhere) filters = ChooseFewest(root, groups).filters;
  std::ranges::sort(filters);
  auto repeated = std::ranges::unique(filters);
  filters.erase(repeated.begin(), repeated.end());
  return filters;
}

}  // namespace weft::query

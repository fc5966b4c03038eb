// SPDX-License-Identifier: Apache-2.0
//
// From a bag of spans to a forest in pre-order. Linear but for one sort by start; no recursion, so
// a chain of a million spans is as safe as a bush.
#include <algorithm>
#include <bit>
#include <numeric>
#include <tuple>

#include "model/span_twins.h"
#include "trace/trace.h"

namespace weft::trace {
namespace {

// The index comes last: the order of different spans must not depend on how they came in.
bool IsEarlier(std::span<const Node> nodes, uint32_t a, uint32_t b) {
  const Node &x = nodes[a], &y = nodes[b];
  return std::tie(x.start_ns, x.span_id, x.end_ns, x.parent_span_id, x.kind, x.error, a) <
         std::tie(y.start_ns, y.span_id, y.end_ns, y.parent_span_id, y.kind, y.error, b);
}

}  // namespace

Tree BuildTree(std::span<Node> nodes) {
  Tree tree;
  TreeBuilder().Build(nodes, &tree);
  return tree;
}

void TreeBuilder::Build(std::span<Node> nodes, Tree* out) {
  nodes_ = nodes;
  by_start_.resize(nodes.size());
  std::iota(by_start_.begin(), by_start_.end(), 0);
  std::ranges::sort(by_start_, [&](uint32_t x, uint32_t y) { return IsEarlier(nodes, x, y); });
  for (Node& node : nodes) node.copy = false;
  IndexIds(nodes);
  if (ids_repeat_) FindCopies(nodes);
  LinkParents(nodes);
  CutCycles();
  Flatten(nodes, out);
}

uint32_t RootOf(const Tree& tree) {
  const uint32_t count = static_cast<uint32_t>(tree.node.size());
  // Roots lie in start order: the first is the earliest.
  for (uint32_t i = 0; i < count; i += tree.subtree[i])
    if (!tree.orphan[i]) return i;
  return 0;
}

uint32_t TreeBuilder::FindFirst(const SpanId& id) const {
  size_t mask = slots_.size() - 1;
  for (size_t slot = IdHash{}(id)&mask;; slot = (slot + 1) & mask) {
    uint32_t node = slots_[slot];
    if (node == kNone || nodes_[node].span_id == id) return node;
  }
}

// Chains the nodes of one id in start order: walking by_start_ backwards, each new node becomes the
// head of its chain, and knows the first client and the first server from itself on.
void TreeBuilder::IndexIds(std::span<const Node> nodes) {
  slots_.assign(std::bit_ceil(2 * nodes.size() + 1), kNone);
  same_id_.assign(nodes.size(), kNone);
  client_from_.assign(nodes.size(), kNone);
  server_from_.assign(nodes.size(), kNone);
  ids_repeat_ = false;
  size_t mask = slots_.size() - 1;
  for (size_t i = nodes.size(); i-- > 0;) {
    uint32_t node = by_start_[i];
    size_t slot = IdHash{}(nodes[node].span_id) & mask;
    while (slots_[slot] != kNone && nodes[slots_[slot]].span_id != nodes[node].span_id)
      slot = (slot + 1) & mask;
    ids_repeat_ = ids_repeat_ || slots_[slot] != kNone;
    ChainUp(nodes, node, slots_[slot]);
    slots_[slot] = node;
  }
}

// Puts the node before the rest of its chain.
void TreeBuilder::ChainUp(std::span<const Node> nodes, uint32_t node, uint32_t rest) {
  same_id_[node] = rest;
  const bool is_client = nodes[node].kind == SpanKind::kClient && !nodes[node].copy;
  const bool is_server = nodes[node].kind == SpanKind::kServer && !nodes[node].copy;
  client_from_[node] = is_client ? node : rest == kNone ? kNone : client_from_[rest];
  server_from_[node] = is_server ? node : rest == kNone ? kNone : server_from_[rest];
}

// Of each chain those stand for all that are no twins of each other: one span, or two halves.
void TreeBuilder::FindCopies(std::span<Node> nodes) {
  const auto is_coarse = [&](uint32_t node) {
    return nodes[node].start_ns % 1000 == 0 && nodes[node].end_ns % 1000 == 0;
  };
  for (uint32_t& head : slots_) {
    if (head == kNone || same_id_[head] == kNone) continue;
    stack_.clear();
    for (uint32_t node = head; node != kNone; node = same_id_[node]) stack_.push_back(node);
    uint32_t one = kNone, half = kNone;
    for (const bool coarse : {false, true}) {
      for (const uint32_t node : stack_) {
        if (is_coarse(node) != coarse) continue;
        if (one == kNone) {
          one = node;
        } else if (half == kNone && AreTwoHalves(nodes[one].kind, nodes[node].kind)) {
          half = node;
        }
      }
    }
    for (const uint32_t node : stack_) nodes[node].copy = node != one && node != half;
    std::ranges::stable_partition(stack_, [&](uint32_t node) { return !nodes[node].copy; });
    head = kNone;
    for (size_t i = stack_.size(); i-- > 0;) {
      ChainUp(nodes, stack_[i], head);
      head = stack_[i];
    }
  }
}

void TreeBuilder::LinkParents(std::span<const Node> nodes) {
  // The first client or server of a chain, other than `self`.
  auto other_than = [&](uint32_t self, const std::vector<uint32_t>& first_from, uint32_t head) {
    uint32_t found = first_from[head];
    if (found != self) return found;
    return same_id_[self] == kNone ? kNone : first_from[same_id_[self]];
  };
  parent_of_.assign(nodes.size(), kNone);
  for (uint32_t i = 0; i < nodes.size(); ++i) {
    const Node& node = nodes[i];
    if (node.kind == SpanKind::kServer) {
      uint32_t head = FindFirst(node.span_id);
      if (client_from_[head] != kNone) {
        parent_of_[i] = client_from_[head];
        continue;
      }
    }
    if (node.parent_span_id.empty()) continue;
    uint32_t head = FindFirst(node.parent_span_id);
    if (head == kNone) continue;
    uint32_t parent = head;
    if (same_id_[head] != kNone) {
      uint32_t server = other_than(i, server_from_, head);
      bool is_shared = server != kNone && other_than(i, client_from_, head) != kNone;
      if (is_shared) parent = server;
      if (parent == i) parent = same_id_[head];
      if (nodes[parent].copy) continue;
    } else if (head == i) {
      continue;  // its own parent
    }
    parent_of_[i] = parent;
  }
  // A copy that would be a root is shown with the span that stands for it: the trace has one root.
  for (uint32_t i = 0; ids_repeat_ && i < nodes.size(); ++i)
    if (nodes[i].copy && parent_of_[i] == kNone) parent_of_[i] = FindFirst(nodes[i].span_id);
}

// Follows parents from each node, marking the path; meeting the own path again is a cycle, which is
// cut above its earliest node.
void TreeBuilder::CutCycles() {
  constexpr uint8_t kUnseen = 0, kOnPath = 1, kDone = 2;
  mark_.assign(parent_of_.size(), kUnseen);
  for (uint32_t start : by_start_) {
    stack_.clear();
    uint32_t node = start;
    while (node != kNone && mark_[node] == kUnseen) {
      mark_[node] = kOnPath;
      stack_.push_back(node);
      node = parent_of_[node];
    }
    if (node != kNone && mark_[node] == kOnPath) {
      uint32_t earliest = node;
      for (uint32_t n = parent_of_[node]; n != node; n = parent_of_[n])
        if (IsEarlier(nodes_, n, earliest)) earliest = n;
      parent_of_[earliest] = kNone;
    }
    for (uint32_t n : stack_) mark_[n] = kDone;
  }
}

void TreeBuilder::Flatten(std::span<const Node> nodes, Tree* out) {
  uint32_t count = static_cast<uint32_t>(nodes.size());
  first_child_.assign(count, kNone);
  last_child_.assign(count, kNone);
  next_sibling_.assign(count, kNone);
  uint32_t first_root = kNone, last_root = kNone;
  for (uint32_t node : by_start_) {
    uint32_t parent = parent_of_[node];
    uint32_t& first = parent == kNone ? first_root : first_child_[parent];
    uint32_t& last = parent == kNone ? last_root : last_child_[parent];
    if (last == kNone) {
      first = node;
    } else {
      next_sibling_[last] = node;
    }
    last = node;
  }

  out->node.resize(count);
  out->parent.resize(count);
  out->depth.resize(count);
  out->subtree.assign(count, 1);
  out->children.assign(count, 0);
  out->orphan.assign(count, false);
  // last_child_ has done its work: from here it maps a node to its pre-order position.
  std::vector<uint32_t>& position_of = last_child_;
  uint32_t position = 0;
  for (uint32_t node = first_root; node != kNone;) {
    position_of[node] = position;
    uint32_t parent = parent_of_[node];
    uint32_t parent_position = parent == kNone ? kNone : position_of[parent];
    out->node[position] = node;
    out->parent[position] = parent_position;
    out->depth[position] = parent == kNone ? 0 : out->depth[parent_position] + 1;
    if (parent != kNone) ++out->children[parent_position];
    out->orphan[position] = parent == kNone && !nodes[node].parent_span_id.empty();
    ++position;
    // Down, else right, else up until there is a right.
    uint32_t next = first_child_[node];
    while (next == kNone && node != kNone) {
      next = next_sibling_[node];
      node = parent_of_[node];
    }
    node = next;
  }
  for (uint32_t i = count; i-- > 0;)
    if (out->parent[i] != kNone) out->subtree[out->parent[i]] += out->subtree[i];
}

}  // namespace weft::trace

// SPDX-License-Identifier: Apache-2.0
//
// The critical path of a call tree: the chain of work that, if it had been shorter, would have made
// the root shorter. Walk backwards from the end of a span: the child that ended last is what the
// span waited for; before that child started, the child that had ended last by then; what no such
// child covers is the span's own. Children are clipped to their parent. A child that was still
// running when the next one on the path started is not on it: nobody waited for it there. Nor is
// one that follows from its parent, with all below it.
//
//   root  |--------------------------|        pieces, from the back: root [22,26), b [12,22),
//   a        |------|                         root [9,12), a [3,9), root [0,3). c overlaps b and
//   b                 |---------|             ended before it: nobody waited for c.
//   c                 |----|
//
// An explicit stack keeps deep chains safe.
#include <algorithm>

#include "trace/trace.h"

namespace weft::trace {
namespace {

class Walker {
 public:
  Walker(const Tree& tree, std::span<const Node> nodes) : tree_(tree), nodes_(nodes) {}

  // Calls piece(position, start, end) from the back of the path to its front.
  template <class Piece>
  void Walk(uint32_t root, Piece piece) {
    const Node& span = nodes_[tree_.node[root]];
    if (span.end_ns <= span.start_ns) return;
    Push(root, span.start_ns, span.end_ns);
    while (!frames_.empty()) {
      Frame& frame = frames_.back();
      uint32_t child = NextChild(&frame);
      if (child == kNone) {
        if (frame.cursor > frame.start) piece(frame.position, frame.start, frame.cursor);
        children_.resize(frame.children_begin);
        frames_.pop_back();
        continue;
      }
      const Node& next = nodes_[tree_.node[child]];
      uint64_t end = std::min(next.end_ns, frame.end);
      uint64_t start = std::max(next.start_ns, frame.start);
      if (frame.cursor > end) piece(frame.position, end, frame.cursor);
      frame.cursor = start;
      Push(child, start, end);
    }
  }

 private:
  struct Frame {
    uint32_t position;
    uint64_t start, end;    // clipped to the parent's
    uint64_t cursor;        // the path is known from here to `end`
    size_t children_begin;  // into children_
    size_t next;            // children before this index are still to be looked at
  };

  void Push(uint32_t position, uint64_t start, uint64_t end) {
    size_t begin = children_.size();
    for (uint32_t c = position + 1; c < position + tree_.subtree[position]; c += tree_.subtree[c])
      if (IsWaitedFor(nodes_[tree_.node[c]])) children_.push_back(c);
    // Ascending by clipped end, so that the last ones come off the back.
    std::stable_sort(children_.begin() + static_cast<ptrdiff_t>(begin), children_.end(),
                     [&](uint32_t a, uint32_t b) {
                       return std::min(nodes_[tree_.node[a]].end_ns, end) <
                              std::min(nodes_[tree_.node[b]].end_ns, end);
                     });
    frames_.push_back({position, start, end, end, begin, children_.size()});
  }

  uint32_t NextChild(Frame* frame) {
    while (frame->next > frame->children_begin) {
      uint32_t child = children_[--frame->next];
      const Node& node = nodes_[tree_.node[child]];
      uint64_t end = std::min(node.end_ns, frame->end);
      uint64_t start = std::max(node.start_ns, frame->start);
      if (end <= frame->cursor && start < end) return child;
    }
    return kNone;
  }

  const Tree& tree_;
  std::span<const Node> nodes_;
  std::vector<Frame> frames_;
  std::vector<uint32_t> children_;
};

}  // namespace

std::vector<uint64_t> CriticalTimes(const Tree& tree, std::span<const Node> nodes) {
  std::vector<uint64_t> critical(tree.node.size());
  Walker walker(tree, nodes);
  for (uint32_t root = 0; root < critical.size(); root += tree.subtree[root]) {
    walker.Walk(root, [&](uint32_t position, uint64_t start, uint64_t end) {
      critical[position] += end - start;
    });
  }
  return critical;
}

std::vector<CriticalPiece> CriticalPath(const Tree& tree, std::span<const Node> nodes,
                                        uint32_t root_position) {
  std::vector<CriticalPiece> pieces;
  if (root_position >= tree.node.size()) return pieces;
  Walker(tree, nodes).Walk(root_position, [&](uint32_t position, uint64_t start, uint64_t end) {
    pieces.push_back({position, start, end});
  });
  std::ranges::reverse(pieces);
  return pieces;
}

}  // namespace weft::trace

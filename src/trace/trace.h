// SPDX-License-Identifier: Apache-2.0
//
// One whole trace: the tree over a set of spans, and what is computed once from it. Used when a
// block is built (on bare numbers), when a split trace is assembled, and by every view of a trace.
//
// The tree is total: a span whose parent is missing is a root of its own (orphan); spans in a
// parent cycle are cut at the earliest of them. Two spans with one id are both kept: where one is
// the client and the other the server half of a call (Zipkin's shared spans), the server half hangs
// under the client half and children under the server half; otherwise (model/span_twins.h) one
// stands for both: the one whose times have nanoseconds, else the earliest. Children go to it,
// and so does the other one where its own parent is missing.
//
// Thread rule: pure functions over plain arrays.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "model/span_batch.h"

namespace weft::trace {

inline constexpr uint32_t kNone = 0xFFFFFFFF;

// The numbers of one span that structure needs.
struct Node {
  SpanId span_id;
  SpanId parent_span_id;
  uint64_t start_ns = 0;
  uint64_t end_ns = 0;
  SpanKind kind = SpanKind::kUnspecified;
  uint32_t resource = 0;  // numbered by whoever made the node
  bool error = false;     // status
  // Says in another way that it failed (SaysFailure): its end may be no answer's.
  bool failed = false;
  bool follows = false;  // from its parent, which does not wait for it
  bool copy = false;     // another span with this id stands for it; found with the tree
};
inline bool IsWaitedFor(const Node& node) { return !node.follows && !node.copy; }
// A start of 0 is none: the sender gave no time.
inline bool HasTime(const Node& node) { return node.start_ns != 0; }
// The end of a node with this start: without a start it has no end either, so that it takes no time
// from anybody.
inline uint64_t EndOf(uint64_t start_ns, uint64_t end_ns) { return start_ns == 0 ? 0 : end_ns; }

// True for attributes by which a span says that it failed: `error` that is true, `error.type`.
bool SaysFailure(const KeyValue& attribute);
// Whether it could be true with this key.
inline bool MaySayFailure(std::string_view key) { return key == "error" || key == "error.type"; }
// The node of a span of a batch.
Node NodeOf(const Span& span);

// All arrays are indexed by pre-order position; roots and siblings are ordered by start, then id.
struct Tree {
  std::vector<uint32_t> node;    // index into the input
  std::vector<uint32_t> parent;  // pre-order position, or kNone
  std::vector<uint32_t> depth;
  std::vector<uint32_t> subtree;   // spans in the subtree, itself included: descendants of i are
                                   // (i, i + subtree[i])
  std::vector<uint32_t> children;  // direct
  std::vector<bool> orphan;        // names a parent that is not here (or was cut from a cycle)
};
// Sets `copy` of each node.
Tree BuildTree(std::span<Node> nodes);
// Pre-order position of the trace's root: the earliest root that is no orphan, else 0.
uint32_t RootOf(const Tree& tree);

// The same, reusing memory from call to call: block building makes one tree a trace.
// Thread rule: one thread at a time.
class TreeBuilder {
 public:
  // Sets `copy` of each node.
  void Build(std::span<Node> nodes, Tree* out);

 private:
  uint32_t FindFirst(const SpanId& id) const;
  void IndexIds(std::span<const Node> nodes);
  void FindCopies(std::span<Node> nodes);
  void ChainUp(std::span<const Node> nodes, uint32_t node, uint32_t rest);
  void LinkParents(std::span<const Node> nodes);
  void CutCycles();
  void Flatten(std::span<const Node> nodes, Tree* out);

  std::vector<uint32_t> by_start_;  // node indexes by (start, span id, index)
  std::vector<uint32_t> slots_;     // open addressing: span id -> first node with it, by start
  // Node -> next node with the same id, by start; copies come last.
  std::vector<uint32_t> same_id_;
  bool ids_repeat_ = false;
  // First of that kind in the rest of the chain that is no copy.
  std::vector<uint32_t> client_from_, server_from_;
  std::vector<uint32_t> parent_of_;  // node -> node
  std::vector<uint32_t> first_child_, next_sibling_, last_child_;
  std::vector<uint32_t> stack_;
  std::vector<uint8_t> mark_;
  std::span<const Node> nodes_;
};

// Per pre-order position: time of the span that no child it waits for covers (children clipped to
// the span); 0 for a copy. The nodes may have moved since the tree was built.
std::vector<uint64_t> SelfTimes(const Tree& tree, std::span<const Node> nodes);
// Per pre-order position: ns that the span contributes to the critical path of its root: walking
// back from the root's end, always into the child that ended last. The sum over one root's tree is
// that root's duration. Children that outlive their parent (asynchronous) are clipped; what is
// below a child that is not waited for is on no path.
std::vector<uint64_t> CriticalTimes(const Tree& tree, std::span<const Node> nodes);
// Per pre-order position: error status and no child that is waited for with one.
std::vector<bool> ErrorOrigins(const Tree& tree, std::span<const Node> nodes);
// Pieces of one root's critical path in time order: [start, end) spent in the span at `position`.
struct CriticalPiece {
  uint32_t position = 0;
  uint64_t start_ns = 0, end_ns = 0;
};
std::vector<CriticalPiece> CriticalPath(const Tree& tree, std::span<const Node> nodes,
                                        uint32_t root_position);

}  // namespace weft::trace

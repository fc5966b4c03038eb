// SPDX-License-Identifier: Apache-2.0
//
// Plan: a TraceQL query turned into spansets that are judged on rows, and a tree over them that is
// judged on traces. A spanset's condition is leaves that columns can answer, joined by and / or.
// Negation is pushed down to the leaves, so that every node is monotone: a leaf that cannot be
// judged from the columns of one segment counts as "maybe", and the group scan gives a superset of
// the matches. What remains is judged on the assembled trace by `program`, with the same rules.
//
// Thread rule: immutable. Next: query/spanset_node.h, query/segment_scan.h.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "query/row_program.h"
#include "query/scalar.h"
#include "query/spanset_node.h"
#include "traceql/tree.h"

namespace weft::query {

struct Leaf {
  enum class Kind : uint8_t {
    kColumn,    // text, enum or attribute of the span, its resource or scope; a literal beside it
    kDuration,  // span:duration beside a number
    kSpanId,    // = or != a text
    kParentId,
    kTraceId,
    kEventColumn,  // text or attribute of an event beside a literal
    kEventTime,    // event:timeSinceStart beside a number
    kLinkColumn,   // attribute of a link beside a literal
    kHasEvent,     // there is one
    kHasLink,
    kTraceDuration,  // these are true of the whole trace only where it is not split
    kChildCount,
    kNestedLeft,
    kNestedParent,
    kRootText,  // rootName, rootServiceName
    kRow,       // any condition over columns of the span, row by row
    kUnknown,   // only the assembled trace can tell
  };
  Kind kind = Kind::kUnknown;
  traceql::Field field;
  traceql::Operator op = traceql::Operator::kNone;  // kNone: the field is present
  Scalar literal;                                   // right side
  std::shared_ptr<const re2::RE2> pattern;
  std::shared_ptr<const RowProgram> program;  // of kRow
};

struct PlanNode {
  enum class Kind : uint8_t { kTrue, kFalse, kLeaf, kAnd, kOr };
  Kind kind = Kind::kTrue;
  bool negated = false;  // of a leaf
  uint32_t leaf = 0;
  std::vector<PlanNode> children;
};

// One spanset `{...}`.
struct SpanFilter {
  traceql::ExpressionPtr condition;           // null: every span; keeps what leaves borrow
  std::shared_ptr<const RowProgram> program;  // null: every span
  PlanNode root;
};

struct Plan {
  std::vector<Leaf> leaves;         // of all filters
  std::vector<SpanFilter> filters;  // the distinct ones, at least one
  SpansetNode root;
  std::vector<traceql::Field> attributes;  // that the query names, each once
  // Of a matching span's start, both inclusive: an exclusive end would leave out the last ns.
  uint64_t start_ns = 0, last_ns = UINT64_MAX;

  // The query is `{}` or says as little.
  bool TakesEverySpan() const {
    return root.kind == SpansetNode::Kind::kFilter &&
           filters[root.filter].root.kind == PlanNode::Kind::kTrue;
  }
  bool InWindow(uint64_t span_start_ns) const { return Overlaps(span_start_ns, span_start_ns); }
  bool Overlaps(uint64_t first_ns, uint64_t last_start_ns) const {
    return last_start_ns >= start_ns && first_ns <= last_ns;
  }
  // [start, end); an end of 0: all time from `start` on.
  void SetWindow(uint64_t start, uint64_t end) {
    start_ns = start;
    last_ns = end - 1;  // 0 wraps to the last of all
  }
};

Plan MakePlan(const traceql::Query& query);

}  // namespace weft::query

// SPDX-License-Identifier: Apache-2.0
//
// NodeReader: the rows of one source as nodes of a trace's tree (trace/trace.h), and the clocks of
// its resources. Block writing and the values of blocks with an older rule read them the same way.
//
// Nodes are read without what only the correction of clocks needs and few traces ask for:
// ReadFailures and ClockOf give that. Every node has the resource row of its source.
//
// Thread rule: one thread at a time; lives no longer than source and cursor.
#pragma once

#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/arena.h"
#include "segment/stored_rows.h"
#include "trace/trace.h"
#include "trace/trace_clock.h"

namespace weft::block {

class NodeReader {
 public:
  NodeReader(const segment::StoredRows* source, segment::RowCursor* cursor)
      : source_(source), cursor_(cursor) {}
  // Before anything else.
  Status Begin();
  // REQUIRES: one of each a row.
  Status Read(std::span<const segment::Row> rows, std::span<const segment::SpanNumbers> numbers,
              std::span<trace::Node> out);
  // Completes Node::failed of clients.
  Status ReadFailures(std::span<const segment::Row> rows, std::span<trace::Node* const> nodes);
  Result<trace::ClockName> ClockOf(uint32_t resource_row, trace::ClockNames* names);

 private:
  Status ReadFollows(const segment::SpanNumbers& numbers, trace::Node* node);

  const segment::StoredRows* source_;
  segment::RowCursor* cursor_;
  std::vector<uint32_t> kinds_, statuses_;  // by id of their column
  // Link attribute "opentracing.ref_type": its column, and whether an id says "follows_from".
  std::optional<uint32_t> reference_column_;
  uint32_t follows_id_ = segment::kAbsent;
  std::vector<segment::RowView> views_;
};

}  // namespace weft::block

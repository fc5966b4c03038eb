// SPDX-License-Identifier: Apache-2.0
//
// SegmentScan: a plan run over one segment, group by group. For each group it gives the traces that
// hold a row that may match: exactly those where every leaf can be judged from the columns, more
// where not (whole-trace conditions on split traces). Missing one is a bug; naming one too many
// costs time only, since every trace is judged again when it is assembled.
//
// Phases: Prepare() judges dictionaries once; MayMatch() refutes groups from value index and zone
// maps; Scan() reads columns.
// Thread rule: one thread at a time. Next: query/search.cc.
#pragma once

#include <cstdint>
#include <vector>

#include "block/segment.h"
#include "query/column_verdict.h"
#include "query/group_columns.h"
#include "query/plan.h"
#include "store/store.h"

namespace weft::query {

struct Candidate {
  TraceId id;
  uint64_t start_ns = 0;     // in this segment
  bool split = false;        // the whole trace may start earlier
  block::Row first_row = 0;  // of a block's trace, whose rows lie side by side
  uint32_t rows = 0;
};

class SegmentScan {
 public:
  SegmentScan(const store::Snapshot& snapshot, const block::Segment& segment, const Plan& plan)
      : segment_(segment), plan_(plan), columns_(snapshot, segment) {}

  // Judges the plan's leaves on the segment's dictionaries. Once, before the rest.
  Status Prepare();
  // False where no row of the group can match.
  bool MayMatch(uint32_t group) const;
  // Appends the traces with a row in this group that may match, each trace once per segment.
  Status Scan(uint32_t group, std::vector<Candidate>* out);
  // True if every trace of the group starts after `start_ns` and cannot start earlier elsewhere.
  Result<bool> IsNewerThan(uint32_t group, uint64_t start_ns);

  // Reads the group's columns and judges its rows, unless it is the group at hand.
  Status Judge(uint32_t group);
  // Of the group judged last: its columns, the rows that may match, and those of them where only
  // the assembled trace can tell.
  GroupColumns& columns() { return columns_; }
  const std::vector<uint8_t>& matches() const { return matches_; }
  const std::vector<uint8_t>& uncertain() const { return uncertain_; }

  size_t bytes() const { return bytes_; }

 private:
  using Bits = std::vector<bool>;

  struct PreparedLeaf {
    std::vector<ColumnVerdict> own;       // the field's columns, one a value type
    std::vector<ColumnVerdict> fallback;  // `.x`: the resource's, where the span has none
    bool absent_holds = false;            // the condition holds for a row without a value
    Bits rows;                            // answered for the whole segment at once
    Bits groups;                          // of `rows`
    bool by_rows = false;
    bool nothing = false;
  };

  Status PrepareLeaf(const Leaf& leaf, PreparedLeaf* out);
  Status PrepareColumn(const Leaf& leaf, PreparedLeaf* out);
  Status PrepareTraceId(const Leaf& leaf, PreparedLeaf* out);
  // Events or links: which spans have one that satisfies the condition.
  Status PrepareChildren(const Leaf& leaf, block::TableId table_id, PreparedLeaf* out);
  Status PrepareEventTime(const Leaf& leaf, PreparedLeaf* out);
  void MarkRow(uint64_t row, PreparedLeaf* out) const;
  bool MayMatch(const PlanNode& node, uint32_t group) const;

  // Sets out[i] to 1 where row i may satisfy the node. `out` has one byte a row.
  Status Evaluate(const PlanNode& node, std::vector<uint8_t>* out);
  Status EvaluateLeaf(const PlanNode& node, std::vector<uint8_t>* out);
  Status EvaluateColumn(const PreparedLeaf& leaf, std::vector<uint8_t>* out);
  Status EvaluateIds(const Leaf& leaf, std::vector<uint8_t>* out);
  Status EvaluateRows(const Leaf& leaf, std::vector<uint8_t>* out);
  // Conditions on the whole trace: `maybe` gets the rows whose trace this segment cannot judge.
  Status EvaluateWhole(const Leaf& leaf, std::vector<uint8_t>* out, std::vector<uint8_t>* maybe);
  Status TraceDurations(const GroupColumns::Traces& traces, std::vector<int64_t>* numbers,
                        std::vector<uint8_t>* maybe);
  Status EvaluateRoot(const Leaf& leaf, const GroupColumns::Traces& traces,
                      std::vector<uint8_t>* out, std::vector<uint8_t>* maybe);
  Status EvaluateNestedParent(const Leaf& leaf, std::vector<uint8_t>* out,
                              std::vector<uint8_t>* maybe);
  Status KeepWindow(std::vector<uint8_t>* rows);

  const block::Segment& segment_;
  const Plan& plan_;
  GroupColumns columns_;
  std::vector<PreparedLeaf> leaves_;
  Bits seen_;  // traces already given, by ordinal
  std::vector<uint8_t> matches_, uncertain_;
  uint32_t judged_ = block::kAbsent;  // group of the two above
  size_t bytes_ = 0;
};

}  // namespace weft::query

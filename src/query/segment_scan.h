// SPDX-License-Identifier: Apache-2.0
//
// SegmentScan: a plan run over one segment, group by group. For each group it gives the traces that
// hold a row that may match: exactly those where every leaf can be judged from the columns, more
// where not (whole-trace conditions on split traces). Missing one is a bug; naming one too many
// costs time only, since every trace is judged again before it is answered.
//
// A query of several spansets looks for the rows of some of them, its triggers; a trace that lies
// whole in the group is then judged by which spansets have a row in its range of rows.
//
// Phases: Prepare() judges dictionaries once; MayMatch() and MayHold() refute groups from value
// index and zone maps; PrepareRows() reads events and links where conditions need them; Scan()
// reads columns.
// Thread rule: one thread at a time. Next: query/segment_prepare.cc, query/search.cc.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_set>
#include <vector>

#include "query/column_verdict.h"
#include "query/group_columns.h"
#include "query/plan.h"
#include "segment/segment.h"
#include "store/store.h"

namespace weft::query {

struct Candidate {
  TraceId id;
  uint64_t start_ns = 0;       // in this segment
  bool split = false;          // the whole trace may start earlier
  segment::Row first_row = 0;  // of a block's trace, whose rows lie side by side
  uint32_t rows = 0;
};

using TraceSet = std::unordered_set<TraceId, IdHash>;

class SegmentScan {
 public:
  SegmentScan(const store::Snapshot& snapshot, const segment::Segment& segment, const Plan& plan)
      : segment_(segment), plan_(plan), columns_(snapshot, segment) {}

  // Judges the plan's leaves on the segment's dictionaries, as far as look-ups do. Once, before the
  // rest.
  Status Prepare();
  // The leaves that Prepare() left open: until then they may match anywhere. Any number of times.
  Status PrepareRows();

  // False where no row of the group can match the filter.
  bool MayMatch(uint32_t filter, uint32_t group) const {
    return MayMatch(plan_.filters[filter].root, group);
  }
  bool MayMatchAny(uint32_t group) const;
  // False where no trace that lies whole in these groups can match the plan.
  bool MayHold(uint32_t first_group, uint32_t last_group) const;
  // Appends the traces that may match and have a row of one of these filters in this group that
  // starts in the plan's window, each trace once per segment.
  Status Scan(uint32_t group, std::span<const uint32_t> triggers, std::vector<Candidate>* out);
  // Sets answers[i] to 1 for the rows of the group that the query selects. Where only the assembled
  // trace can tell, the trace is added to `undecided` and its undecided rows are 0.
  Status Answer(uint32_t group, std::vector<uint8_t>* answers, TraceSet* undecided);
  // True if every trace of the group starts after `start_ns` and cannot start earlier elsewhere.
  Result<bool> IsNewerThan(uint32_t group, uint64_t start_ns);

  // Turns to the group, unless it is the group at hand.
  void Open(uint32_t group);
  // Of the group at hand: its columns, the rows that may match a filter (wherever they start), and
  // those of them where only the assembled trace can tell, of the filters asked for so far.
  GroupColumns& columns() { return columns_; }
  Result<const std::vector<uint8_t>*> Rows(uint32_t filter);
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
    bool ready = false;
  };

  static bool IsLookUp(const Leaf& leaf);
  Status PrepareLeaf(const Leaf& leaf, PreparedLeaf* out);
  Status PrepareColumn(const Leaf& leaf, PreparedLeaf* out);
  Status PrepareTraceId(const Leaf& leaf, PreparedLeaf* out);
  // Events or links: which spans have one that satisfies the condition.
  Status PrepareChildren(const Leaf& leaf, segment::TableId table_id, PreparedLeaf* out);
  Status PrepareEventTime(const Leaf& leaf, PreparedLeaf* out);
  Status PrepareAnyChild(segment::TableId table_id, PreparedLeaf* out);
  void MarkRow(uint64_t row, PreparedLeaf* out) const;
  bool MayMatch(const PlanNode& node, uint32_t group) const;

  // Which traces of the group at hand are worth a look at rows.
  Result<bool> FindPromising(std::vector<uint8_t>* promising);
  Status AnswerJoined(std::vector<uint8_t>* answers, TraceSet* undecided);
  void AnswerWholeTrace(uint32_t first, uint32_t rows, std::vector<uint8_t>* answers);
  // All rows of the trace in this segment lie in the group at hand.
  bool LiesInGroup(const segment::TraceEntry& entry) const;
  // The trace's rows lie in the group at hand.
  Result<bool> HoldsInRows(uint32_t first, uint32_t rows);

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
  void CountBytes(const PreparedLeaf& leaf);

  const segment::Segment& segment_;
  const Plan& plan_;
  GroupColumns columns_;
  std::vector<PreparedLeaf> leaves_;
  Bits seen_;                               // traces already given, by ordinal
  std::vector<std::vector<uint8_t>> rows_;  // by filter; empty: not judged in this group
  std::vector<uint8_t> uncertain_;
  uint32_t open_ = segment::kAbsent;  // group of the two above
  bool all_ready_ = false;
  size_t bytes_ = 0;
};

}  // namespace weft::query

// SPDX-License-Identifier: Apache-2.0
//
// TagRows: the rows of one segment that a catalogue question is about: spans that match its filter
// and start in its time range, and their events, links and logs. Where only the assembled trace can
// tell, the trace is named instead, and none of its undecided rows counts.
//
// Thread rule: one thread. Next: query/tag_catalog.cc.
#pragma once

#include <cstdint>
#include <vector>

#include "query/budget_meter.h"
#include "query/plan.h"
#include "query/segment_scan.h"
#include "segment/segment.h"
#include "store/store.h"

namespace weft::query {

class TagRows {
 public:
  // Borrows everything.
  TagRows(const store::Snapshot& snapshot, const segment::Segment& segment, const Plan& plan)
      : snapshot_(snapshot), segment_(segment), plan_(plan) {}

  // Before anything is read: no filter, and the whole segment lies in the time range.
  bool CoversSegment() const;
  // Judges the spans, unless every() or none(). Adds undecided traces to `undecided`.
  Status Prepare(const BudgetMeter& meter, TraceSet* undecided);
  // Every row of the segment counts: dictionaries and column lists are the answer.
  bool every() const { return every_; }
  bool none() const { return none_; }
  uint64_t spans_inspected() const { return spans_inspected_; }

  // Whether a row of this group counts; then `rows` has one byte for each row, 1 where it does.
  Result<bool> Select(segment::TableId table, uint32_t group, std::vector<uint8_t>* rows) const;

 private:
  const store::Snapshot& snapshot_;
  const segment::Segment& segment_;
  const Plan& plan_;
  bool every_ = false, none_ = true;
  std::vector<bool> spans_;  // by row, where neither
  uint64_t spans_inspected_ = 0;
};

}  // namespace weft::query

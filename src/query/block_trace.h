// SPDX-License-Identifier: Apache-2.0
//
// The summary of a trace that lies whole in one block, from a few columns of its rows. Results come
// newest first, so neighbours share a row group, and a page of results decodes few of them.
//
// Thread rule: one thread at a time. Next: query/search.cc.
#pragma once

#include <cstdint>
#include <optional>

#include "query/plan.h"
#include "query/query.h"
#include "query/segment_scan.h"
#include "segment/segment.h"

namespace weft::query {

struct BlockTrace {
  TraceId id;
  segment::Row first_row = 0;
  uint32_t rows = 0;
};

// Nothing where the columns cannot tell everything: the trace must be assembled.
// REQUIRES: the trace is not split; `scan` is of this segment and prepared.
Result<std::optional<TraceSummary>> SummariseInBlock(const segment::Segment& segment,
                                                     const Plan& plan, const BlockTrace& trace,
                                                     uint32_t spans_max, SegmentScan* scan);

}  // namespace weft::query

// SPDX-License-Identifier: Apache-2.0
//
// The numbers of a block's row groups that have no dictionary: ids, times, the tree and what is
// derived from it, trace ordinals. One function a number; each reads the pages it needs of one
// group.
//
// Thread rule: pure functions over an immutable file. REQUIRES of all: the group exists and `out`
// has one element a row of it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "block/block_file.h"

namespace weft::block {

Status ReadRowShapes(const BlockFile& file, const TableMeta& table, uint32_t group,
                     std::span<uint32_t> out);
// Any page that is one stream of numbers.
Status ReadNumberPage(const BlockFile& file, const TableMeta& table, uint32_t group, uint32_t key,
                      std::span<uint64_t> out);
// 8 bytes an element.
Status ReadIdPage(const BlockFile& file, const TableMeta& table, uint32_t group, uint32_t key,
                  std::span<uint64_t> out);

// Spans.
Status ReadEnds(const BlockFile& file, uint32_t group, std::span<uint64_t> out);
Status ReadParentSpanIds(const BlockFile& file, uint32_t group, std::span<uint64_t> out);
struct Nesting {
  std::vector<uint64_t> children, subtrees;
};
Result<Nesting> ReadNesting(const BlockFile& file, uint32_t group);
Status ReadNestedLeft(const BlockFile& file, uint32_t group, std::span<uint64_t> out);
Status ReadNestedRight(const BlockFile& file, uint32_t group, std::span<uint64_t> out);
Status ReadSelfTimes(const BlockFile& file, uint32_t group, std::span<uint64_t> out);
Status ReadCriticalTimes(const BlockFile& file, uint32_t group, std::span<uint64_t> out);

// Spans and logs: ordinal of each row's trace.
Status ReadTraceOrdinals(const BlockFile& file, segment::StoredTable table, uint32_t group,
                         std::span<uint64_t> out);
// Logs: row of the span, or kAbsent.
Status ReadLogSpans(const BlockFile& file, uint32_t group, std::span<uint64_t> out);
Status ReadObservedTimes(const BlockFile& file, uint32_t group, std::span<uint64_t> out);

// One page of the trace directory.
struct TraceNumbers {
  std::vector<uint64_t> starts, durations, first_spans, first_logs;
};
Result<TraceNumbers> ReadTracePage(const BlockFile& file, const TracePage& page);
Status ReadTraceIds(const BlockFile& file, const TracePage& page, std::span<TraceId> out);
// Index of the page that holds this ordinal. REQUIRES: ordinal < file.traces().
uint32_t TracePageOf(const BlockFile& file, uint32_t ordinal);
// First row after the last trace of the page.
segment::Row EndOfTracePage(const BlockFile& file, uint32_t page, segment::StoredTable table);

}  // namespace weft::block

// SPDX-License-Identifier: Apache-2.0
//
// Numbers of the block file: magic, section tags, page keys. Format: docs/format_block.md. Included
// by the writer and the reader; everything here is stored and therefore never renumbered.
#pragma once

#include <cstdint>
#include <string_view>

#include "model/ids.h"
#include "segment/segment.h"

namespace weft::block::format {

// The last byte is the version of the frame (header, trailer, footer). It changes only when a
// reader of version 1 could not even find the sections.
inline constexpr std::string_view kMagic = "WEFTBLK\x01";

// The last bytes of the file: footer offset (8), footer bytes (4), zero (4), XXH3-64 of the 16
// bytes before (8), magic (8).
inline constexpr uint32_t kTrailerBytes = 32;

enum class Section : uint32_t {
  kSummary = 1,
  kColumns = 2,
  kGroups = 3,
  kTraces = 4,
  kTraceFilter = 5,
  kTraceIndex = 6,
  kOverflow = 7,
  kDerived = 8,
  kGroupRows = 9,
};

// Pages of a row group, by key. Pages of columns have the key kColumnPage + index of the column.
namespace page_key {
inline constexpr uint32_t kShapes = 0;     // the layouts of the group's shapes
inline constexpr uint32_t kRowShapes = 1;  // shape of each row
inline constexpr uint32_t kSpanIds = 2;    // spans, links, logs
inline constexpr uint32_t kTimes = 3;      // start of a span, time of an event or log record
inline constexpr uint32_t kDurations = 4;
inline constexpr uint32_t kDepths = 5;
inline constexpr uint32_t kForeignParents = 6;
inline constexpr uint32_t kCoveredTimes = 7;
inline constexpr uint32_t kCriticalGaps = 8;
inline constexpr uint32_t kErrorOrigins = 9;
inline constexpr uint32_t kEdges = 10;
inline constexpr uint32_t kEventCounts = 11;
inline constexpr uint32_t kLinkCounts = 12;
inline constexpr uint32_t kParentRows = 13;  // events, links, logs
inline constexpr uint32_t kTraceIds = 14;    // links
inline constexpr uint32_t kObservedTimes = 15;
inline constexpr uint32_t kColumnPage = 32;
}  // namespace page_key

inline constexpr uint32_t kTracesPerPage = 4096;
// Raw bytes of text, or numbers, after which a dictionary page is closed.
inline constexpr uint32_t kTextPageBytes = 64 * 1024;
inline constexpr uint32_t kNumbersPerPage = 8192;
// The first value of a page is kept in the footer up to this length.
inline constexpr uint32_t kFenceBytesMax = 256;

// Reserved key of the overflow column (scope kInternal, type kBytes).
inline constexpr std::string_view kOverflowKey = "overflow";

// XXH3-64 of the 16 bytes.
uint64_t HashTraceId(const TraceId& id);

// Row groups per part of the value index.
inline uint32_t GroupsPerPart(uint32_t groups) { return groups == 0 ? 1 : (groups + 63) / 64; }

}  // namespace weft::block::format

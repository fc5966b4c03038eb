// SPDX-License-Identifier: Apache-2.0
//
// WriteBlock: the one way a block file comes to be. Flush passes chunks, compaction passes blocks;
// both are Segments of known kind, merged into one file: traces ordered by start time, spans of a
// trace in depth-first pre-order, exact duplicates (same ids and content) removed, fragments of one
// trace brought together, derived columns computed.
//
// Memory: dictionaries of the result and a bounded window of decoded row groups; not the rows.
// Durability: the file is complete and DataSync()ed when this returns; the caller renames it into
// place and syncs the directory (store/).
// Thread rule: one call per output file; several calls may run side by side.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/env.h"
#include "segment/segment.h"
#include "trace/correction.h"

namespace weft::block {

struct WriteBlockOptions {
  int zstd_level = 1;
  // Columns that a table keeps apart; the rarest beyond them share one (docs/format_block.md).
  uint32_t columns_max = 4096;
  // Rows of a group. REQUIRES: RowGroups::IsValid(). Fewer than the most make blocks larger and
  // scans slower: it is for tests, in which few spans then fill many groups.
  uint32_t group_rows = segment::RowGroups::kRowsMax;
  trace::ClockRule clock_rule;
  // Asked between row groups: true stops the write with kCancelled and removes the file.
  std::function<bool()> cancelled;
  // Told before a large trace is put together: what it needs in memory, more than ever before.
  // Null: nobody asks.
  std::function<void(uint64_t bytes)> hold = nullptr;
};

struct BlockSummary {
  uint64_t bytes = 0;
  uint32_t spans = 0;
  uint32_t logs = 0;
  uint32_t traces = 0;
  uint32_t duplicate_spans = 0;  // removed
  uint32_t duplicate_logs = 0;
  uint64_t start_min_ns = 0, start_max_ns = 0;
  uint64_t received_min_ns = 0, received_max_ns = 0;
  uint64_t file_checksum = 0;     // XXH3-64 of the whole file
  uint64_t summary_checksum = 0;  // block_reader.h: BlockIdentity
};

// REQUIRES: a source that is a Chunk is sealed.
Result<BlockSummary> WriteBlock(Env* env, const std::string& path,
                                std::span<const std::shared_ptr<const segment::Segment>> sources,
                                const WriteBlockOptions& options);

}  // namespace weft::block

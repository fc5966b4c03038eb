// SPDX-License-Identifier: Apache-2.0
//
// Block: the immutable file of docs/format_block.md, opened. Opening reads and checks the footer;
// pages are read with pread on demand, their checksum is verified on every read from disk, and the
// decompressed page is kept in a shared, bounded cache. The file is untrusted input: every length,
// offset and id is checked, and a bad page is kCorruption naming file, section and offset.
//
// Thread rule: as Segment. The cache is shared by all blocks and thread-safe.
#pragma once

// The room. docs/format_block.md lies in the middle; one side writes it and one reads it.
//
//     WriteBlock(segments)  (block_writer.h)           OpenBlock(path)
//          |                                                |
//     BlockMerge   traces in order, duplicates out     BlockColumns, BlockDictionary   for queries
//     TableMerge   dictionaries of all sources in one  BlockCursor, GroupDecoder       for merges
//          |                                           block_numbers.h                 ids, times
//     GroupWriter   row groups, shapes                      |
//     ColumnWriter  dictionaries, value index          PageCache    decompressed pages
//     TraceDirectoryWriter                                  |
//          |                                           BlockFile    sections and pages, checked
//     FileWriter  ---->  the file (block_format.h)  ------->+
//
// Both sides compute what depends on a whole trace alike: node_reader.h, derived_values.h.
// To read: block_file.h, then block_columns.h. To write: block_writer.h, then group_writer.h.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/env.h"
#include "base/memory_budget.h"
#include "segment/segment.h"
#include "trace/correction.h"

namespace weft::block {

class PageCache;
// `bytes_max` bounds the decompressed pages held.
std::shared_ptr<PageCache> NewPageCache(uint64_t bytes_max, MemoryBudget* budget = nullptr,
                                        MemoryAccount* memory = nullptr);
struct PageCacheStats {
  uint64_t hits = 0, misses = 0, bytes = 0;
};
PageCacheStats Stats(const PageCache& cache);

// Which file it is: a file of another size or with another checksum of its summary is another
// block's, whatever its name.
struct BlockIdentity {
  uint64_t bytes = 0;
  // XXH3-64 of trailer, footer page and the page of section 1 (docs/format_block.md).
  uint64_t summary_checksum = 0;
  bool operator==(const BlockIdentity&) const = default;
};

// Hears of every read of an open block that fails, on the thread that reads.
using OnDamage = std::function<void(const Error&)>;

struct OpenedBlock {
  std::shared_ptr<const segment::Segment> segment;
  BlockIdentity identity;
};

// Self and critical times and error origins that were written by another rule about time than
// `rule` are computed anew.
Result<std::shared_ptr<const segment::Segment>> OpenBlock(Env* env, const std::string& path,
                                                          std::shared_ptr<PageCache> cache,
                                                          const trace::ClockRule& rule = {});
// The same, for one who must know which file it is.
Result<OpenedBlock> OpenBlockWithIdentity(Env* env, const std::string& path,
                                          std::shared_ptr<PageCache> cache, OnDamage on_damage,
                                          const trace::ClockRule& rule);

// The filter of trace ids alone, of a file that is damaged elsewhere: it still refutes ids.
// kCorruption unless the file is the expected one and its filter is intact.
Result<std::string> ReadTraceFilter(Env* env, const std::string& path,
                                    const BlockIdentity& expected);
// False: the block of this filter holds nothing of the trace.
bool FilterMayHold(std::string_view filter, const TraceId& id);

struct VerifyOptions {
  std::optional<BlockIdentity> expected;
  // Asked before each read of so many bytes; it may wait. False ends the check with kCancelled.
  std::function<bool(uint64_t bytes)> may_read;
};
struct BlockVerdict {
  Status status;
  // No single page is to blame: nothing that the file says can be trusted.
  bool is_whole_file = false;
};
// Reads the whole file and checks the file checksum; where that differs, every page.
BlockVerdict VerifyBlock(Env* env, const std::string& path, const VerifyOptions& options = {});

}  // namespace weft::block

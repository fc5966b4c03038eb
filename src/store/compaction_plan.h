// SPDX-License-Identifier: Apache-2.0
//
// Which blocks to merge. Size-tiered: eight neighbours of one level become one block of the next,
// as long as the result stays under the size where merging pays no more. Only neighbours in the
// order of their log sequences are merged: a block's range then never overlaps another's, which is
// what lets recovery tell live blocks from merged ones by name (store/file_names.h).
//
// Thread rule: pure functions.
// Next: store/engine.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace weft::store {

struct CompactionCandidate {
  uint32_t level = 0;
  uint64_t spans = 0;    // spans and log records
  uint64_t values = 0;   // distinct ones, over all columns
  bool readable = true;  // the whole of it, and no merge under way reads it
  uint64_t bytes = 0;    // of its file
};

struct CompactionLimits {
  uint64_t spans_max = 0;          // of a merged block
  uint64_t values_max = 0;         // over all inputs of a merge: what it must hold in memory
  uint32_t level0_blocks_max = 0;  // near this many, any merge of level 0 is better than none
  uint64_t bytes_max = std::numeric_limits<uint64_t>::max();  // over all inputs of a merge
  // Of the inputs, both included.
  uint32_t level_min = 0, level_max = std::numeric_limits<uint32_t>::max();
};

inline constexpr size_t kCompactionFanIn = 8;

// `blocks` oldest first; the answer is [first, last), empty when there is nothing to do. `full`:
// merge everything into as few blocks as spans_max allows.
std::pair<size_t, size_t> PickCompaction(const std::vector<CompactionCandidate>& blocks,
                                         const CompactionLimits& limits, bool full);
// Blocks of level 0 that a merge can still take: what back-pressure counts.
size_t UnmergedBlocks(const std::vector<CompactionCandidate>& blocks,
                      const CompactionLimits& limits);

}  // namespace weft::store

// SPDX-License-Identifier: Apache-2.0
#include "store/compaction_plan.h"

#include <algorithm>

namespace weft::store {
namespace {

using Range = std::pair<size_t, size_t>;

// A merge above level 0 rewrites what was merged before: it must bring at least this many together.
constexpr size_t kHigherFanInMin = 4;

bool IsFinal(const CompactionCandidate& block, const CompactionLimits& limits) {
  return block.spans > limits.spans_max / 2 || block.values > limits.values_max / 2 ||
         block.bytes > limits.bytes_max / 2;
}

// The longest range from `first` on, of at most `count_max` readable blocks of a level that `takes`
// accepts, that fits into one block.
template <class Takes>
Range FitFrom(const std::vector<CompactionCandidate>& blocks, size_t first, size_t count_max,
              const CompactionLimits& limits, Takes takes) {
  uint64_t spans = 0, values = 0, bytes = 0;
  size_t last = first;
  while (last < blocks.size() && last - first < count_max && blocks[last].readable &&
         takes(blocks[last]) && spans + blocks[last].spans <= limits.spans_max &&
         values + blocks[last].values <= limits.values_max &&
         bytes + blocks[last].bytes <= limits.bytes_max) {
    spans += blocks[last].spans;
    bytes += blocks[last].bytes;
    values += blocks[last++].values;
  }
  return {first, last};
}

size_t SizeOf(const Range& range) { return range.second - range.first; }

Range PickFull(const std::vector<CompactionCandidate>& blocks, const CompactionLimits& limits) {
  for (size_t first = 0; first < blocks.size();) {
    const Range range =
        FitFrom(blocks, first, blocks.size(), limits, [](const auto&) { return true; });
    if (SizeOf(range) >= 2) return range;
    first = std::max(first + 1, range.second);
  }
  return {0, 0};
}

Range PickLevel(const std::vector<CompactionCandidate>& blocks, const CompactionLimits& limits,
                uint32_t level) {
  const auto takes = [&](const CompactionCandidate& block) {
    return block.level == level && !IsFinal(block, limits);
  };
  for (size_t first = 0; first < blocks.size();) {
    size_t end = first;
    while (end < blocks.size() && blocks[end].readable && takes(blocks[end])) ++end;
    if (end - first >= kCompactionFanIn) {
      const Range range = FitFrom(blocks, first, kCompactionFanIn, limits, takes);
      if (SizeOf(range) >= (level == 0 ? 2 : kHigherFanInMin)) return range;
    }
    first = std::max(first + 1, end);
  }
  return {0, 0};
}

// Runs of level 0 too short for PickLevel(), broken by large or unreadable blocks.
Range PickUnderPressure(const std::vector<CompactionCandidate>& blocks,
                        const CompactionLimits& limits) {
  Range best{0, 0};
  for (size_t first = 0; first < blocks.size(); ++first) {
    const Range range = FitFrom(blocks, first, kCompactionFanIn, limits, [&](const auto& block) {
      return block.level == 0 && !IsFinal(block, limits);
    });
    if (SizeOf(range) >= 2 && SizeOf(range) > SizeOf(best)) best = range;
  }
  return best;
}

}  // namespace

size_t UnmergedBlocks(const std::vector<CompactionCandidate>& blocks,
                      const CompactionLimits& limits) {
  return static_cast<size_t>(std::ranges::count_if(blocks, [&](const auto& block) {
    return block.level == 0 && block.readable && !IsFinal(block, limits);
  }));
}

Range PickCompaction(const std::vector<CompactionCandidate>& blocks, const CompactionLimits& limits,
                     bool full) {
  if (full) return PickFull(blocks, limits);
  uint32_t level_max = 0;
  for (const CompactionCandidate& block : blocks) level_max = std::max(level_max, block.level);
  for (uint32_t level = limits.level_min; level <= std::min(level_max, limits.level_max); ++level) {
    const Range range = PickLevel(blocks, limits, level);
    if (SizeOf(range) >= 2) return range;
  }
  if (limits.level_min == 0 && UnmergedBlocks(blocks, limits) * 2 >= limits.level0_blocks_max) {
    return PickUnderPressure(blocks, limits);
  }
  return {0, 0};
}

}  // namespace weft::store

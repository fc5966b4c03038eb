// SPDX-License-Identifier: Apache-2.0
#include "store/compaction_plan.h"

#include <gtest/gtest.h>

namespace weft::store {
namespace {

using Range = std::pair<size_t, size_t>;
constexpr CompactionLimits kLimits{1000, 5000, 24};

std::vector<CompactionCandidate> Blocks(size_t count, uint32_t level, uint64_t spans) {
  return std::vector<CompactionCandidate>(count, {level, spans, spans, true});
}
void Add(std::vector<CompactionCandidate>* blocks, const std::vector<CompactionCandidate>& more) {
  blocks->insert(blocks->end(), more.begin(), more.end());
}

TEST(CompactionPlanTest, WaitsForEightOfALevel) {
  EXPECT_EQ(PickCompaction(Blocks(7, 0, 10), kLimits, false), Range(0, 0));
  EXPECT_EQ(PickCompaction(Blocks(8, 0, 10), kLimits, false), Range(0, 8));
  EXPECT_EQ(PickCompaction(Blocks(20, 0, 10), kLimits, false), Range(0, 8));
}

TEST(CompactionPlanTest, MergesNeighboursOfOneLevelOnly) {
  auto blocks = Blocks(2, 1, 80);
  Add(&blocks, Blocks(8, 0, 10));
  EXPECT_EQ(PickCompaction(blocks, kLimits, false), Range(2, 10));
  blocks[5].readable = false;
  EXPECT_EQ(PickCompaction(blocks, kLimits, false), Range(0, 0));
}

TEST(CompactionPlanTest, LevelsThatAreNotAskedForAreLeftAlone) {
  auto blocks = Blocks(8, 1, 80);
  CompactionLimits limits = kLimits;
  limits.level_max = 0;
  EXPECT_EQ(PickCompaction(blocks, kLimits, false), Range(0, 8));
  EXPECT_EQ(PickCompaction(blocks, limits, false), Range(0, 0));
  Add(&blocks, Blocks(8, 0, 10));
  EXPECT_EQ(PickCompaction(blocks, limits, false), Range(8, 16));
  limits = kLimits;
  limits.level_min = 1;
  EXPECT_EQ(PickCompaction(blocks, limits, false), Range(0, 8));
  EXPECT_EQ(PickCompaction(Blocks(23, 0, 10), limits, false), Range(0, 0)) << "under pressure too";
}

TEST(CompactionPlanTest, DistinctValuesAreBoundedToo) {
  auto blocks = Blocks(8, 0, 10);
  for (CompactionCandidate& block : blocks) block.values = 1600;
  EXPECT_EQ(PickCompaction(blocks, kLimits, false), Range(0, 3));
  EXPECT_EQ(PickCompaction(blocks, kLimits, true), Range(0, 3));
  for (CompactionCandidate& block : blocks) block.values = 2501;
  EXPECT_EQ(PickCompaction(blocks, kLimits, false), Range(0, 0));
  EXPECT_EQ(UnmergedBlocks(blocks, kLimits), 0u) << "no merge would help: not held against senders";
}

TEST(CompactionPlanTest, NothingGrowsOverTheLimit) {
  EXPECT_EQ(PickCompaction(Blocks(8, 0, 300), kLimits, false), Range(0, 3));
  // Above level 0, fewer than four together are not worth their rewrite.
  EXPECT_EQ(PickCompaction(Blocks(8, 1, 300), kLimits, false), Range(0, 0));
  EXPECT_EQ(PickCompaction(Blocks(8, 1, 200), kLimits, false), Range(0, 5));
  EXPECT_EQ(PickCompaction(Blocks(9, 0, 501), kLimits, false), Range(0, 0));
}

TEST(CompactionPlanTest, LargeBlocksAreNotUnmerged) {
  auto blocks = Blocks(9, 0, 501);
  EXPECT_EQ(UnmergedBlocks(blocks, kLimits), 0u);
  Add(&blocks, Blocks(3, 0, 500));
  EXPECT_EQ(UnmergedBlocks(blocks, kLimits), 3u);
}

TEST(CompactionPlanTest, UnderPressureShortRunsAreMergedToo) {
  std::vector<CompactionCandidate> blocks;
  for (int i = 0; i < 6; ++i) {
    Add(&blocks, Blocks(2, 0, 10));
    Add(&blocks, Blocks(1, 2, 900));
  }
  EXPECT_EQ(PickCompaction(blocks, kLimits, false), Range(0, 2));
  blocks.resize(6);
  EXPECT_EQ(PickCompaction(blocks, kLimits, false), Range(0, 0));
}

TEST(CompactionPlanTest, FullMergesWhateverFits) {
  EXPECT_EQ(PickCompaction(Blocks(1, 3, 10), kLimits, true), Range(0, 0));
  auto blocks = Blocks(1, 2, 990);
  Add(&blocks, Blocks(2, 1, 400));
  Add(&blocks, Blocks(3, 0, 100));
  EXPECT_EQ(PickCompaction(blocks, kLimits, true), Range(1, 5));
}

TEST(CompactionPlanTest, RepeatedPicksEnd) {
  auto blocks = Blocks(100, 0, 30);
  int merges = 0;
  for (;;) {
    const auto [first, last] = PickCompaction(blocks, kLimits, true);
    if (first == last) break;
    ASSERT_LT(++merges, 100);
    CompactionCandidate merged{1, 0, true};
    for (size_t i = first; i < last; ++i) merged.spans += blocks[i].spans;
    ASSERT_LE(merged.spans, kLimits.spans_max);
    blocks.erase(blocks.begin() + static_cast<long>(first) + 1,
                 blocks.begin() + static_cast<long>(last));
    blocks[first] = merged;
  }
  EXPECT_EQ(blocks.size(), 4u);
}

}  // namespace
}  // namespace weft::store

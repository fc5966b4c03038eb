// SPDX-License-Identifier: Apache-2.0
//
// What goes into a block comes out of it, whichever way it got there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <numeric>
#include <set>

#include "block/block_reader.h"
#include "block/block_writer.h"
#include "block/chunk.h"
#include "testing/sim_env.h"
#include "testing/wild_batch.h"
#include "trace/trace.h"

namespace weft::block {
namespace {

using testing::DescribeLogs;
using testing::DescribeSpans;
using testing::WildBatch;
using SegmentPtr = std::shared_ptr<const Segment>;

std::vector<Row> AllRows(const Table& table) {
  std::vector<Row> rows(table.row_count());
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

SpanBatch ReadAll(const Segment& segment) {
  SpanBatch out;
  Status spans = segment.ReadSpans(AllRows(segment.spans()), &out);
  EXPECT_TRUE(spans.has_value()) << spans.error().message;
  Status logs = segment.ReadLogs(AllRows(segment.table(TableId::kLogs)), &out);
  EXPECT_TRUE(logs.has_value()) << logs.error().message;
  return out;
}

SegmentPtr ChunkOf(const SpanBatch& batch) {
  auto chunk = std::make_shared<Chunk>();
  chunk->Append(batch);
  chunk->Seal();
  return chunk;
}

class BlockTest : public ::testing::Test {
 protected:
  SegmentPtr Write(const std::vector<SegmentPtr>& sources, WriteBlockOptions options = {}) {
    const std::string path = "/block-" + std::to_string(++files_);
    auto summary = WriteBlock(&env_, path, sources, options);
    if (!summary) {
      ADD_FAILURE() << summary.error().message;
      return nullptr;
    }
    summary_ = *summary;
    auto block = OpenBlock(&env_, path, cache_);
    if (!block) {
      ADD_FAILURE() << block.error().message;
      return nullptr;
    }
    Status verified = VerifyBlock(&env_, path);
    EXPECT_TRUE(verified.has_value()) << verified.error().message;
    return *block;
  }

  testing::SimEnv env_;
  std::shared_ptr<PageCache> cache_ = NewPageCache(4 << 20);
  BlockSummary summary_;
  int files_ = 0;
};

template <class T>
std::vector<T> Distinct(std::vector<T> items) {
  std::ranges::sort(items);
  items.erase(std::unique(items.begin(), items.end()), items.end());
  return items;
}

TEST_F(BlockTest, EverythingInIsEverythingOutOnce) {
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    std::mt19937_64 random(seed);
    SpanBatch batch = WildBatch(random, {.spans = 400, .logs = 80});
    SegmentPtr block = Write({ChunkOf(batch)});
    ASSERT_TRUE(block);
    SpanBatch out = ReadAll(*block);
    ASSERT_EQ(Distinct(DescribeSpans(batch)), DescribeSpans(out)) << "seed " << seed;
    ASSERT_EQ(Distinct(DescribeLogs(batch)), DescribeLogs(out)) << "seed " << seed;
    EXPECT_EQ(summary_.spans, out.spans.size());
    EXPECT_EQ(summary_.duplicate_spans, batch.spans.size() - out.spans.size());
    EXPECT_GT(summary_.duplicate_spans, 0u);
    EXPECT_EQ(summary_.logs, out.logs.size());
  }
}

TEST_F(BlockTest, CompactionBringsFragmentsTogether) {
  std::mt19937_64 random(5);
  std::vector<std::string> spans, logs;
  std::vector<SegmentPtr> blocks, chunks;
  for (int i = 0; i < 5; ++i) {
    SpanBatch batch = WildBatch(random, {.spans = 200, .logs = 30});
    std::ranges::copy(DescribeSpans(batch), std::back_inserter(spans));
    std::ranges::copy(DescribeLogs(batch), std::back_inserter(logs));
    chunks.push_back(ChunkOf(batch));
    blocks.push_back(Write({chunks.back()}));
    ASSERT_TRUE(blocks.back());
  }
  blocks.push_back(chunks[2]);  // the same spans from another source are duplicates
  SegmentPtr merged = Write(blocks);
  SegmentPtr again =
      Write({Write({blocks[0], blocks[1]}), Write({blocks[2], blocks[3]}), blocks[4]});
  for (const SegmentPtr& block : {merged, again}) {
    ASSERT_TRUE(block);
    SpanBatch out = ReadAll(*block);
    EXPECT_EQ(Distinct(spans), DescribeSpans(out));
    EXPECT_EQ(Distinct(logs), DescribeLogs(out));
  }
  EXPECT_EQ(merged->received_range(), again->received_range());
}

}  // namespace
}  // namespace weft::block

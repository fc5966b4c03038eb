// SPDX-License-Identifier: Apache-2.0
//
// A block is untrusted input: whatever happens to its bytes, reading reports it and never follows
// it.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "block/block_file.h"
#include "block/block_format.h"
#include "block/block_reader.h"
#include "block/block_regions.h"
#include "block/block_writer.h"
#include "block/read_everything.h"
#include "chunk/chunk.h"
#include "testing/sim_env.h"
#include "testing/wild_batch.h"
#include "testing/wild_block.h"

namespace weft::block {

using segment::TraceEntry;

namespace {

class DamageTest : public ::testing::Test {
 protected:
  void SetUp() override { bytes_ = testing::WriteWildBlock(&env_, "/block"); }
  void Put(const std::string& bytes) {
    auto file = *env_.Create("/damaged");
    ASSERT_TRUE(file->WriteAt(0, bytes).has_value());
  }

  testing::SimEnv env_;
  std::string bytes_;
};

TEST_F(DamageTest, WhatIsDamagedHasEveryPart) {
  auto opened = BlockFile::Open(&env_, "/block", nullptr, true);
  ASSERT_TRUE(opened.has_value()) << opened.error().message;
  const TableMeta& spans = (*opened)->table(segment::StoredTable::kSpans);
  EXPECT_GT(spans.groups.size(), 8u);
  auto groups_with = [&](uint32_t key) {
    return std::ranges::count_if(spans.groups, [key](const GroupMeta& group) {
      return std::ranges::find(group.pages, key, &GroupPage::key) != group.pages.end();
    });
  };
  EXPECT_GT(groups_with(format::page_key::kEdges), 0);
  EXPECT_GT(groups_with(format::page_key::kForeignParents), 0);
  EXPECT_TRUE(std::ranges::any_of(spans.columns, [](const ColumnMeta& column) {
    return std::ranges::any_of(column.index, [](const PagePlace& part) { return part.bytes > 0; });
  })) << "a value index";
  EXPECT_FALSE(spans.overflow.empty());
  auto block = OpenBlock(&env_, "/block", nullptr);
  ASSERT_TRUE(block.has_value());
  std::vector<TraceEntry> traces((*block)->trace_count());
  ASSERT_TRUE((*block)->ReadTraces(0, traces));
  const segment::RowGroups& groups = (*block)->spans().groups();
  EXPECT_TRUE(std::ranges::any_of(traces, [&](const TraceEntry& trace) {
    return trace.rows > 0 &&
           groups.group_of(trace.first_row) != groups.group_of(trace.first_row + trace.rows - 1);
  })) << "a trace in several groups";
}

TEST_F(DamageTest, EveryFlippedBitIsReported) {
  std::mt19937_64 random(2);
  for (int round = 0; round < 150; ++round) {
    std::string damaged = bytes_;
    const size_t at = random() % damaged.size();
    damaged[at] = static_cast<char>(damaged[at] ^ 1 << (random() % 8));
    Put(damaged);
    Status status = VerifyBlock(&env_, "/damaged").status;
    // Four bytes of the trailer mean nothing and are covered by its checksum all the same.
    ASSERT_FALSE(status.has_value()) << "byte " << at << " of " << damaged.size();
    EXPECT_EQ(status.error().code, ErrorCode::kCorruption) << status.error().message;
    EXPECT_NE(status.error().message.find("/damaged"), std::string::npos) << "names the file";
    if (auto block = OpenBlock(&env_, "/damaged", nullptr)) (void)ReadEverything(**block);
  }
}

TEST_F(DamageTest, EveryCutIsReported) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 200; ++round) {
    Put(bytes_.substr(0, random() % bytes_.size()));
    EXPECT_FALSE(OpenBlock(&env_, "/damaged", nullptr).has_value());
    EXPECT_FALSE(VerifyBlock(&env_, "/damaged").status.has_value());
  }
}

// Behind the checksums: what a crafted file could do.
TEST_F(DamageTest, NothingIsFollowedBehindTheChecksums) {
  std::mt19937_64 random(4);
  for (int round = 0; round < 250; ++round) {
    std::string damaged = bytes_;
    for (uint64_t changes = 1 + random() % 3; changes > 0; --changes)
      damaged[random() % damaged.size()] = static_cast<char>(random());
    Put(damaged);
    if (auto block = OpenBlockUnverified(&env_, "/damaged")) (void)ReadEverything(**block);
  }
  SUCCEED() << "no crash, no sanitizer report";
}

TEST_F(DamageTest, TheWriterAndTheReaderAgreeOnWhichFileItIs) {
  std::mt19937_64 random(1);
  auto write = [&](const std::string& path) {
    auto chunk = std::make_shared<chunk::Chunk>();
    chunk->Append(testing::WildBatch(random, {.spans = 120, .logs = 20}));
    chunk->Seal();
    const std::vector<std::shared_ptr<const segment::Segment>> sources = {chunk};
    return WriteBlock(&env_, path, sources, {.columns_max = 24});
  };
  const auto written = write("/again");
  ASSERT_TRUE(written.has_value());
  const BlockIdentity identity{written->bytes, written->summary_checksum};
  EXPECT_EQ(OpenBlockWithIdentity(&env_, "/again", nullptr, nullptr, {})->identity, identity);
  random.seed(1);
  ASSERT_TRUE(write("/same").has_value());
  EXPECT_EQ(OpenBlockWithIdentity(&env_, "/same", nullptr, nullptr, {})->identity, identity)
      << "the same content is the same file";
  ASSERT_TRUE(write("/other").has_value());
  const BlockVerdict verdict = VerifyBlock(&env_, "/other", {.expected = identity, .may_read = {}});
  EXPECT_TRUE(verdict.is_whole_file);
  EXPECT_EQ(verdict.status.error().code, ErrorCode::kCorruption);
  EXPECT_FALSE(ReadTraceFilter(&env_, "/other", identity).has_value());
  EXPECT_TRUE(VerifyBlock(&env_, "/again", {.expected = identity, .may_read = {}}).status);
}

TEST_F(DamageTest, TheFilterOutlivesDamageElsewhere) {
  const OpenedBlock block = *OpenBlockWithIdentity(&env_, "/block", nullptr, nullptr, {});
  std::vector<TraceEntry> traces(block.segment->trace_count());
  ASSERT_TRUE(block.segment->ReadTraces(0, traces).has_value());
  for (const auto& [part, region] : RegionsOf(bytes_)) {
    std::string damaged = bytes_;
    damaged[region.offset + region.bytes / 2] ^= 1;
    Put(damaged);
    const auto filter = ReadTraceFilter(&env_, "/damaged", block.identity);
    const bool needed = part == "magic" || part == "summary" || part == "filter" ||
                        part == "footer" || part == "trailer";
    EXPECT_EQ(filter.has_value(), !needed) << part;
    if (!filter) continue;
    for (const TraceEntry& trace : traces) EXPECT_TRUE(FilterMayHold(*filter, trace.id));
  }
}

TEST_F(DamageTest, ACheckThatIsStoppedSaysSo) {
  uint64_t asked = 0;
  const BlockVerdict verdict =
      VerifyBlock(&env_, "/block", {.expected = {}, .may_read = [&](uint64_t) {
                                      ++asked;
                                      return false;
                                    }});
  EXPECT_EQ(asked, 1u);
  EXPECT_EQ(verdict.status.error().code, ErrorCode::kCancelled);
}

TEST_F(DamageTest, AMissingFileIsNotCorruption) {
  auto block = OpenBlock(&env_, "/nowhere", nullptr);
  ASSERT_FALSE(block.has_value());
  EXPECT_NE(block.error().code, ErrorCode::kCorruption);
}

}  // namespace
}  // namespace weft::block

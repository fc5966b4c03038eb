// SPDX-License-Identifier: Apache-2.0
//
// What GroupColumns reads from the disk, and when. What it gives is tested by every query.
#include "query/group_columns.h"

#include <gtest/gtest.h>

#include <cstring>

#include "block/block_reader.h"
#include "block/block_writer.h"
#include "testing/segment_snapshot.h"
#include "testing/sim_env.h"

namespace weft::query {
namespace {

using segment::FixedColumn;
constexpr uint32_t kRowsPerGroup = segment::RowGroups::kRowsMax;
using testing::DiskOp;

// Three row groups of traces of one span.
SpanBatch ThreeGroups() {
  SpanBatch batch;
  batch.resources.emplace_back();
  batch.scopes.emplace_back();
  for (uint32_t i = 0; i < 3 * kRowsPerGroup; ++i) {
    Span& span = batch.spans.emplace_back();
    std::memcpy(span.trace_id.bytes.data(), &i, sizeof i);
    span.trace_id.bytes[15] = 1;
    std::memcpy(span.span_id.bytes.data(), &i, sizeof i);
    span.span_id.bytes[7] = 1;
    span.start_ns = 1'000'000 + uint64_t{i} * 1000 + i % 7;
    span.end_ns = span.start_ns + i % 1013;
    span.name = i % 3 == 0 ? "a" : "b";
  }
  return batch;
}

class GroupColumnsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    SpanBatch batch = ThreeGroups();
    const SpanBatch* batches[] = {&batch};
    std::shared_ptr<const segment::Segment> chunk = testing::MakeChunk(batches);
    ASSERT_TRUE(block::WriteBlock(&env_, "/block", std::span(&chunk, 1), {}));
    auto opened = block::OpenBlock(&env_, "/block", block::NewPageCache(16 << 20));
    ASSERT_TRUE(opened);
    block_ = *opened;
    snapshot_ = std::make_unique<testing::SegmentSnapshot>(std::vector{block_});
    name_ = block_->spans().FindColumns(segment::AttributeScope::kIntrinsic, "name").at(0);
  }
  // What a condition on name and duration, and a page of results, read. Returns the ids of names.
  std::vector<uint32_t> ReadSome(GroupColumns* columns) {
    auto ids = columns->Ids(name_);
    EXPECT_TRUE(ids);
    EXPECT_TRUE(columns->Durations());
    EXPECT_TRUE(columns->Numbers(FixedColumn::kSpanId));
    return {ids->begin(), ids->end()};
  }
  uint64_t reads() const { return env_.calls(DiskOp::kRead); }
  uint64_t reads_ahead() const { return env_.calls(DiskOp::kReadAhead); }

  testing::SimEnv env_;
  std::shared_ptr<const segment::Segment> block_;
  std::unique_ptr<testing::SegmentSnapshot> snapshot_;
  segment::ColumnRef name_;
};

TEST_F(GroupColumnsTest, WhatOneGroupNeededIsReadAtOnceOfTheNext) {
  GroupColumns columns(*snapshot_, *block_);
  columns.Open(0);
  ReadSome(&columns);
  const uint64_t before = reads();
  columns.Open(1);
  EXPECT_EQ(reads(), before + 1);
  std::vector<uint32_t> names = ReadSome(&columns);
  EXPECT_EQ(reads(), before + 1);
  for (uint32_t i = 0; i < kRowsPerGroup; ++i)
    ASSERT_EQ(names[i], (kRowsPerGroup + i) % 3 == 0 ? 0u : 1u) << i;
}

TEST_F(GroupColumnsTest, AGroupThatNeededNothingSaysNothingOfTheNext) {
  GroupColumns columns(*snapshot_, *block_);
  const uint64_t before = reads();
  columns.Open(0);
  columns.Open(1);
  columns.WillNeed(2);
  EXPECT_EQ(reads(), before);
  EXPECT_EQ(reads_ahead(), 0u);
}

TEST_F(GroupColumnsTest, TheDiskIsToldOfTheNextGroupUnlessItIsInMemory) {
  GroupColumns columns(*snapshot_, *block_);
  columns.Open(0);
  ReadSome(&columns);
  columns.Open(1);
  const uint64_t before = reads();
  columns.WillNeed(2);
  EXPECT_EQ(reads_ahead(), 1u);
  EXPECT_EQ(reads(), before) << "a hint reads nothing itself";
  columns.WillNeed(0);
  EXPECT_EQ(reads_ahead(), 1u);
  columns.WillNeed(3);  // what is not there is no error
  EXPECT_EQ(reads_ahead(), 1u);
}

}  // namespace
}  // namespace weft::query

// SPDX-License-Identifier: Apache-2.0
//
// Reading several things of a block at once gives what reading them one by one gives.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <numeric>
#include <random>

#include "block/block_reader.h"
#include "block/block_writer.h"
#include "block/page_cache.h"
#include "chunk/chunk.h"
#include "segment/stored_rows.h"
#include "testing/sim_env.h"
#include "testing/wild_batch.h"

namespace weft::block {

using chunk::Chunk;
using segment::FixedColumn;
using segment::Segment;
using segment::Table;

namespace {

using testing::WildBatch;

class BlockReads : public ::testing::Test {
 protected:
  void SetUp() override {
    std::mt19937_64 random(7);
    chunk_ = std::make_shared<Chunk>();
    // More than two row groups.
    for (int i = 0; i < 9; ++i) chunk_->Append(WildBatch(random, {.spans = 2500, .logs = 100}));
    chunk_->Seal();
    std::shared_ptr<const Segment> source = chunk_;
    auto written = WriteBlock(&env_, "/block", std::span(&source, 1), {});
    ASSERT_TRUE(written) << written.error().message;
    block_ = Open();
    ASSERT_GT(block_->spans().group_count(), 2u);
  }
  std::shared_ptr<const Segment> Open() {
    cache_ = NewPageCache(64 << 20);
    auto block = OpenBlock(&env_, "/block", cache_);
    EXPECT_TRUE(block) << block.error().message;
    return *block;
  }

  testing::SimEnv env_;
  std::shared_ptr<PageCache> cache_;
  std::shared_ptr<Chunk> chunk_;
  std::shared_ptr<const Segment> block_;
};

TEST_F(BlockReads, TracesOfAGroupAreThoseOfItsRows) {
  const Table& spans = block_->spans();
  for (uint32_t group = 0; group < spans.group_count(); ++group) {
    std::vector<uint64_t> of_row(spans.rows_in_group(group));
    ASSERT_TRUE(spans.ReadNumbers(FixedColumn::kTrace, group, of_row));
    auto found = block_->ReadGroupTraces(group);
    ASSERT_TRUE(found) << found.error().message;
    std::vector<uint32_t> ordinals(of_row.begin(), of_row.end());
    ordinals.erase(std::unique(ordinals.begin(), ordinals.end()), ordinals.end());
    ASSERT_EQ(found->ordinals, ordinals);
    ASSERT_EQ(found->entries.size(), ordinals.size());
    for (size_t i = 0; i < ordinals.size(); ++i) {
      segment::TraceEntry entry;
      ASSERT_TRUE(block_->ReadTraces(ordinals[i], std::span(&entry, 1)));
      EXPECT_EQ(found->entries[i].id, entry.id);
      EXPECT_EQ(found->entries[i].first_row, entry.first_row);
      EXPECT_EQ(found->entries[i].rows, entry.rows);
      EXPECT_EQ(found->entries[i].end_ns, entry.end_ns);
    }
  }
  EXPECT_FALSE(block_->ReadGroupTraces(spans.group_count()));
  EXPECT_FALSE(chunk_->ReadGroupTraces(0));
}

// The values of a step are taken a page at a time: decoding one for each would cost a trace of
// 100,000 spans that differ seconds.
TEST_F(BlockReads, ALargeTraceAsksForFewPages) {
  constexpr uint64_t kSpans = 20'000;
  SpanBatch batch;
  batch.resources.emplace_back();
  batch.scopes.emplace_back();
  for (uint64_t i = 0; i < kSpans; ++i) {
    auto own = batch.arena.NewArray<KeyValue>(3);
    own[0] = {"int", Value::Int(static_cast<int64_t>(i * 7919 % kSpans))};
    own[1] = {"real", Value::Double(static_cast<double>(i) / 3)};
    own[2] = {"text", Value::String(batch.arena.Copy("value " + std::to_string(i)))};
    Span span;
    span.trace_id.bytes[0] = 1;
    std::memcpy(span.span_id.bytes.data(), &i, sizeof i);
    span.span_id.bytes[7] = 1;
    span.start_ns = 1'700'000'000'000'000'000 + i;
    span.end_ns = span.start_ns + 1;
    span.attributes = own;
    batch.spans.push_back(span);
  }
  auto chunk = std::make_shared<Chunk>();
  chunk->Append(batch);
  chunk->Seal();
  std::shared_ptr<const Segment> source = chunk;
  ASSERT_TRUE(WriteBlock(&env_, "/block", std::span(&source, 1), {}));
  block_ = Open();
  auto rows = block_->FindTrace(batch.spans[0].trace_id);
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->spans.size(), kSpans);
  SpanBatch out;
  ASSERT_TRUE(block_->ReadSpans(rows->spans, &out));
  EXPECT_EQ(testing::DescribeSpans(out), testing::DescribeSpans(batch));
  const PageCacheStats stats = Stats(*cache_);
  EXPECT_LT(stats.hits + stats.misses, kSpans / 10);
}

// Of a trace that came in pieces the rows lie all over the blocks: they are as many, and as they
// were, whichever step takes them.
TEST_F(BlockReads, ScatteredRowsAreTheSameAsOneByOne) {
  for (const bool sequential : {false, true}) {
    const auto& stored = dynamic_cast<const segment::StoredRows&>(*block_);
    std::vector<segment::Row> rows(block_->spans().row_count());
    std::iota(rows.begin(), rows.end(), 0);
    std::mt19937 random(5);
    std::ranges::shuffle(rows, random);
    rows.resize(300);
    rows.insert(rows.end(), rows.begin(), rows.begin() + 20);  // some twice
    auto many = stored.NewCursor(sequential), one = stored.NewCursor(sequential);
    std::vector<segment::RowView> views(rows.size());
    ASSERT_TRUE(many->ReadRows(segment::StoredTable::kSpans, rows, views));
    std::map<uint64_t, std::vector<uint32_t>> layouts;
    for (size_t i = 0; i < rows.size(); ++i) {
      segment::RowView view;
      ASSERT_TRUE(one->ReadRows(segment::StoredTable::kSpans, {&rows[i], 1}, {&view, 1}));
      ASSERT_EQ(views[i].slots.size(), view.slots.size());
      std::vector<uint32_t> slots;
      for (size_t s = 0; s < view.slots.size(); ++s) {
        ASSERT_EQ(views[i].slots[s], view.slots[s]) << rows[i];
        ASSERT_EQ(views[i].ids[s], view.ids[s]) << rows[i];
        slots.push_back(view.slots[s].packed);
      }
      EXPECT_EQ(layouts.try_emplace(views[i].layout, slots).first->second, slots);
    }
  }
}

TEST_F(BlockReads, ManyValuesAreTheSameAsOneByOne) {
  for (const std::shared_ptr<const Segment>& segment :
       {block_, std::shared_ptr<const Segment>(chunk_)}) {
    const Table& spans = segment->spans();
    for (const segment::ColumnName& name : spans.columns()) {
      for (segment::ColumnRef column : spans.FindColumns(name.scope, name.key)) {
        auto dictionary = spans.OpenDictionary(column);
        ASSERT_TRUE(dictionary);
        std::vector<uint32_t> ids((*dictionary)->count());
        std::iota(ids.begin(), ids.end(), 0);
        std::erase_if(ids, [](uint32_t id) { return id > 9 && id % 97 > 1; });
        Arena arena;
        size_t next = 0;
        Status status = (*dictionary)->GetEach(ids, &arena, [&](size_t i, const Value& value) {
          ASSERT_EQ(i, next++);
          auto one = (*dictionary)->Get(ids[i], &arena);
          ASSERT_TRUE(one);
          auto found = (*dictionary)->Find(value);
          ASSERT_TRUE(found);
          EXPECT_EQ(*found, ids[i]);
          EXPECT_EQ((*dictionary)->Find(*one).value_or(segment::kAbsent), ids[i]);
        });
        EXPECT_TRUE(status) << status.error().message;
        EXPECT_EQ(next, ids.size());
        const uint32_t beyond = (*dictionary)->count();
        if (segment != block_) continue;
        EXPECT_FALSE((*dictionary)->GetEach(std::span(&beyond, 1), &arena, [](size_t, auto&) {}));
      }
    }
  }
}

TEST_F(BlockReads, PrefetchedPagesAreThoseReadLater) {
  const Table& spans = block_->spans();
  std::vector<segment::ColumnRef> columns;
  for (std::string_view name : {"name", "status", "serviceName"})
    columns.push_back(spans.FindColumns(segment::AttributeScope::kIntrinsic, name).at(0));
  const FixedColumn numbers[] = {FixedColumn::kStart, FixedColumn::kEnd, FixedColumn::kSpanId,
                                 FixedColumn::kDepth, FixedColumn::kParentSpanId};
  std::shared_ptr<PageCache> one_by_one = cache_;
  std::shared_ptr<const Segment> other = Open();
  for (uint32_t group = 0; group < spans.group_count(); ++group) {
    other->spans().Prefetch(group, columns, numbers);
    const uint64_t misses = Stats(*cache_).misses;
    EXPECT_GT(misses, 0u);
    std::vector<uint64_t> a(spans.rows_in_group(group)), b(a.size());
    for (FixedColumn column : numbers) {
      ASSERT_TRUE(spans.ReadNumbers(column, group, a));
      ASSERT_TRUE(other->spans().ReadNumbers(column, group, b));
      EXPECT_EQ(a, b);
    }
    EXPECT_EQ(Stats(*cache_).misses, misses) << "read again what was prefetched";
    std::vector<uint32_t> c(a.size()), d(a.size());
    ASSERT_TRUE(spans.ReadIds(columns[0], group, c));
    ASSERT_TRUE(other->spans().ReadIds(columns[0], group, d));
    EXPECT_EQ(c, d);
  }
  // A hint about what is not there is no error.
  other->spans().Prefetch(spans.group_count(), columns, numbers);
}

TEST(PageCacheTest, TakesWhatIsSpareAndShrinks) {
  MemoryBudget budget(1 << 20);
  MemoryAccount* account = budget.Open("page_cache");
  MemoryAccount* queries = budget.Open("queries");
  auto cache = NewPageCache(16 << 20, &budget, account);
  auto page = std::make_shared<const std::string>(std::string(10'000, 'x'));
  for (uint64_t offset = 0; offset < 1000; ++offset) cache->Add(1, offset, page);
  EXPECT_GT(account->used(), 900'000u);
  EXPECT_LE(account->used(), (1u << 20) / 16 * 15);
  EXPECT_EQ(Stats(*cache).bytes, account->used());
  auto query = queries->Take(700'000);
  ASSERT_TRUE(query) << "the cache gives way";
  EXPECT_EQ(Stats(*cache).bytes, account->used());
  cache->Drop(1);
  EXPECT_EQ(account->used(), 0u);
}

}  // namespace
}  // namespace weft::block

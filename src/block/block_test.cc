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
#include "chunk/chunk.h"
#include "testing/sim_env.h"
#include "testing/wild_batch.h"
#include "trace/correction.h"

namespace weft::block {

using segment::AttributeScope;
using segment::ColumnRef;
using segment::FixedColumn;
using segment::kAbsent;
using segment::Row;
using segment::RowGroups;
using segment::Segment;
using segment::Table;
using segment::TableId;

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
  auto chunk = std::make_shared<chunk::Chunk>();
  chunk->Append(batch);
  chunk->Seal();
  return chunk;
}

// With row groups of the usual size, and with small ones, of which a few spans fill many.
class BlockTest : public ::testing::TestWithParam<uint32_t> {
 protected:
  SegmentPtr Write(const std::vector<SegmentPtr>& sources, WriteBlockOptions options = {}) {
    options.group_rows = GetParam();
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
    Status verified = VerifyBlock(&env_, path).status;
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

TEST_P(BlockTest, EverythingInIsEverythingOutOnce) {
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

TEST_P(BlockTest, CompactionBringsFragmentsTogether) {
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

// Spans and log records of one trace that differ in their names and texts alone; `turn`: in which
// order they come, with what else, and in how many sources.
std::vector<SegmentPtr> Ties(int turn) {
  static const char* const kNames[] = {"alpha", "beta", "gamma", "delta", "epsilon", "zeta"};
  const auto add = [](SpanBatch* batch, uint8_t trace, std::string_view name) {
    Span span;
    span.trace_id.bytes.fill(trace);
    span.span_id.bytes.fill(7);
    span.start_ns = 1000;
    span.end_ns = 2000;
    span.name = name;
    batch->spans.push_back(span);
    LogRecord log;
    log.trace_id = span.trace_id;
    log.span_id = span.span_id;
    log.time_ns = 1500;
    log.severity_text = name;
    batch->logs.push_back(log);
  };
  std::vector<SegmentPtr> sources;
  const auto batch_of = [] {
    SpanBatch batch;
    batch.resources.emplace_back();
    batch.scopes.emplace_back();
    return batch;
  };
  SpanBatch batch = batch_of();
  // Other values give these other ids in the dictionary.
  if (turn == 1)
    for (const char* other : {"aaa", "bravo", "g", "zzz"}) add(&batch, 9, other);
  for (int i = 0; i < 6; ++i) {
    add(&batch, 5, kNames[turn == 0 ? i : (i * 5 + turn) % 6]);
    if (turn != 2) continue;
    sources.push_back(ChunkOf(batch));
    batch = batch_of();
  }
  if (turn != 2) sources.push_back(ChunkOf(batch));
  return sources;
}

TEST_P(BlockTest, WhatDiffersInContentAloneLiesInOneOrderHoweverItCame) {
  std::vector<std::string> spans[3], logs[3];
  for (int turn = 0; turn < 3; ++turn) {
    const SegmentPtr block = Write(Ties(turn));
    ASSERT_TRUE(block);
    TraceId trace;
    trace.bytes.fill(5);
    const auto rows = block->FindTrace(trace);
    ASSERT_TRUE(rows);
    SpanBatch out;
    ASSERT_TRUE(block->ReadSpans(rows->spans, &out));
    ASSERT_TRUE(block->ReadLogs(rows->logs, &out));
    for (const Span& span : out.spans) spans[turn].emplace_back(span.name);
    for (const LogRecord& log : out.logs) logs[turn].emplace_back(log.severity_text);
  }
  EXPECT_EQ(spans[0].size(), 6u);
  EXPECT_EQ(logs[0].size(), 6u);
  for (int turn : {1, 2}) {
    EXPECT_EQ(spans[0], spans[turn]) << turn;
    EXPECT_EQ(logs[0], logs[turn]) << turn;
  }
}

std::vector<uint64_t> Numbers(const Table& table, FixedColumn column) {
  std::vector<uint64_t> all(table.row_count());
  for (uint32_t group = 0; group < table.group_count(); ++group) {
    Status status = table.ReadNumbers(
        column, group,
        std::span(all).subspan(table.groups().first_row(group), table.rows_in_group(group)));
    EXPECT_TRUE(status.has_value()) << status.error().message;
  }
  return all;
}

uint64_t IdNumber(const SpanId& id) {
  uint64_t number;
  std::memcpy(&number, id.bytes.data(), sizeof number);
  return number;
}

// Numbers of every span against its content, and derived ones against trace/ over the whole trace.
void CheckNumbers(const Segment& block) {
  SpanBatch batch = ReadAll(block);
  const Table& spans = block.spans();
  std::map<FixedColumn, std::vector<uint64_t>> read;
  for (FixedColumn column :
       {FixedColumn::kStart, FixedColumn::kEnd, FixedColumn::kSpanId, FixedColumn::kParentSpanId,
        FixedColumn::kTrace, FixedColumn::kDepth, FixedColumn::kChildCount,
        FixedColumn::kNestedLeft, FixedColumn::kNestedRight, FixedColumn::kSelfTime,
        FixedColumn::kCriticalTime, FixedColumn::kErrorOrigin})
    read[column] = Numbers(spans, column);
  std::vector<segment::TraceEntry> traces(block.trace_count());
  ASSERT_TRUE(block.ReadTraces(0, traces).has_value());
  Row next = 0;
  for (uint32_t t = 0; t < traces.size(); ++t) {
    if (t > 0) {
      ASSERT_LE(traces[t - 1].start_ns, traces[t].start_ns);
    }
    ASSERT_EQ(traces[t].first_row, next);
    next += traces[t].rows;
    std::vector<trace::Node> nodes;
    for (Row row = traces[t].first_row; row < next; ++row) {
      const Span& span = batch.spans[row];
      ASSERT_EQ(span.trace_id, traces[t].id);
      EXPECT_EQ(read[FixedColumn::kStart][row], span.start_ns);
      EXPECT_EQ(read[FixedColumn::kEnd][row], span.end_ns);
      EXPECT_EQ(read[FixedColumn::kSpanId][row], IdNumber(span.span_id));
      EXPECT_EQ(read[FixedColumn::kParentSpanId][row], IdNumber(span.parent_span_id));
      EXPECT_EQ(read[FixedColumn::kTrace][row], t);
      nodes.push_back(trace::NodeOf(span));
    }
    trace::Tree tree = trace::BuildTree(nodes);
    std::vector<trace::ClockName> clocks;
    trace::ClockNames names;
    for (const Resource& resource : batch.resources) clocks.push_back(names.Of(resource));
    const trace::Correction correction = trace::CorrectClocks(tree, nodes, clocks, {});
    std::vector<bool> origins = trace::ErrorOrigins(tree, nodes);
    if (!correction.shift_ns.empty()) nodes = trace::Corrected(tree, nodes, correction);
    std::vector<uint64_t> self = trace::SelfTimes(tree, nodes);
    std::vector<uint64_t> critical = trace::CriticalTimes(tree, nodes);
    for (uint32_t p = 0; p < nodes.size(); ++p) {
      const Row row = traces[t].first_row + p;
      ASSERT_EQ(tree.node[p], p) << "rows of a trace lie in pre-order";
      ASSERT_EQ(read[FixedColumn::kDepth][row], tree.depth[p]);
      ASSERT_EQ(read[FixedColumn::kChildCount][row], tree.children[p]);
      ASSERT_EQ(read[FixedColumn::kNestedLeft][row], 2 * p - tree.depth[p] + 1);
      ASSERT_EQ(read[FixedColumn::kNestedRight][row],
                read[FixedColumn::kNestedLeft][row] + 2 * tree.subtree[p] - 1);
      ASSERT_EQ(read[FixedColumn::kSelfTime][row], self[p]);
      ASSERT_EQ(read[FixedColumn::kCriticalTime][row], critical[p]);
      ASSERT_EQ(read[FixedColumn::kErrorOrigin][row], origins[p] ? 1 : 0);
    }
  }
  EXPECT_EQ(next, spans.row_count());
}

TEST_P(BlockTest, NumbersAreThoseOfTheSpansAndOfTheirTree) {
  for (uint64_t seed = 21; seed <= 26; ++seed) {
    std::mt19937_64 random(seed);
    SegmentPtr block = Write({ChunkOf(WildBatch(random, {.spans = 500}))});
    ASSERT_TRUE(block);
    CheckNumbers(*block);
  }
}

TEST_P(BlockTest, NumbersOfTracesThatLieInSeveralGroups) {
  std::mt19937_64 random(9);
  std::vector<SegmentPtr> chunks;
  for (int i = 0; i < 3; ++i)
    chunks.push_back(ChunkOf(WildBatch(random, {.spans = 7000,
                                                .logs = 3000,
                                                .traces = 2,
                                                .span_ids = 9000,
                                                .keys = 3,
                                                .extreme_times = false})));
  SegmentPtr block = Write(chunks);
  ASSERT_TRUE(block);
  ASSERT_GT(block->spans().group_count(), 2u);
  CheckNumbers(*block);
}

// A long chain, a wide tree and spans without parents, each over the border of row groups.
TEST_P(BlockTest, DeepAndWideTraces) {
  SpanBatch batch;
  batch.resources.push_back({});
  batch.scopes.push_back({});
  for (uint64_t i = 0; i < 60'000; ++i) {
    Span span;
    span.trace_id.bytes[0] = static_cast<uint8_t>(1 + i % 3);
    uint64_t id = i + 3, parent = i % 3 == 0 ? i : i % 3;  // chain, or children of the first span
    if (i < 3 || (i % 3 == 2 && i % 5 == 0)) parent = i < 3 ? 0 : UINT64_MAX - i;
    if (i % 3 != 0 && parent == i % 3) parent += 3;
    std::memcpy(span.span_id.bytes.data(), &id, sizeof id);
    std::memcpy(span.parent_span_id.bytes.data(), &parent, sizeof parent);
    span.start_ns = 1000 + i;
    span.end_ns = 2'000'000 - i;
    batch.spans.push_back(span);
  }
  SegmentPtr chunk = ChunkOf(batch);
  SegmentPtr block = Write({chunk});
  ASSERT_TRUE(block);
  CheckNumbers(*block);
  SegmentPtr again = Write({block});
  ASSERT_TRUE(again);
  EXPECT_EQ(DescribeSpans(ReadAll(*again)), DescribeSpans(batch));
}

// What a query sees of one table, from the columns: value text by row and column.
using Cells = std::map<std::string, std::map<Row, std::string>>;

std::string CellName(AttributeScope scope, std::string_view key, ValueType type) {
  return std::to_string(static_cast<int>(scope)) + "/" + std::string(key) + "/" +
         std::to_string(static_cast<int>(type));
}

// Reads every column, and checks Find, Get and GroupsWith against what ForEach and ReadIds say.
Cells ReadCells(const Table& table) {
  Cells cells;
  std::set<std::string> names;
  for (const segment::ColumnName& name : table.columns())
    names.insert(CellName(name.scope, name.key, name.type));
  std::set<std::pair<AttributeScope, std::string>> keys;
  for (const segment::ColumnName& name : table.columns())
    keys.insert({name.scope, std::string(name.key)});
  for (const auto& [scope, key] : keys) {
    for (ColumnRef column : table.FindColumns(scope, key)) {
      const std::string name = CellName(scope, key, column.type);
      EXPECT_TRUE(names.contains(name));
      auto dictionary = *table.OpenDictionary(column);
      Arena arena;
      std::vector<std::string> texts;
      Status all = dictionary->ForEach([&](uint32_t id, const Value& value) {
        EXPECT_EQ(id, texts.size());
        texts.push_back(testing::DescribeValue(value));
      });
      EXPECT_TRUE(all.has_value()) << all.error().message;
      EXPECT_EQ(texts.size(), dictionary->count());
      for (uint32_t id = 0; id < texts.size(); ++id) {
        Value value = *dictionary->Get(id, &arena);
        EXPECT_EQ(value.type, column.type);
        EXPECT_EQ(testing::DescribeValue(value), texts[id]);
        EXPECT_EQ(*dictionary->Find(value), id) << name << " " << texts[id];
      }
      EXPECT_EQ(*dictionary->Find(Value::String("nobody has this")), kAbsent);
      EXPECT_FALSE(dictionary->Get(dictionary->count(), &arena).has_value());
      std::map<uint32_t, std::set<uint32_t>> groups_of;
      for (uint32_t group = 0; group < table.group_count(); ++group) {
        std::vector<uint32_t> ids(table.rows_in_group(group));
        Status status = table.ReadIds(column, group, ids);
        EXPECT_TRUE(status.has_value()) << status.error().message;
        for (uint32_t i = 0; i < ids.size(); ++i) {
          if (ids[i] == kAbsent) continue;
          EXPECT_LT(ids[i], texts.size());
          cells[name][table.groups().first_row(group) + i] = texts[ids[i]];
          groups_of[ids[i]].insert(group);
        }
      }
      for (const auto& [id, groups] : groups_of) {
        std::vector<bool> with = *table.GroupsWith(column, id);
        EXPECT_EQ(with.size(), table.group_count());
        for (uint32_t group : groups) EXPECT_TRUE(with[group]) << name;
      }
    }
  }
  return cells;
}

void AddAttributes(AttributeScope scope, Attributes attributes, Row row, Cells* cells) {
  std::set<std::string_view> seen;
  for (const KeyValue& entry : attributes)
    if (seen.insert(entry.key).second)
      (*cells)[CellName(scope, entry.key, entry.value.type)][row] =
          testing::DescribeValue(entry.value);
}

// The same from whole spans.
Cells ExpectedCells(const SpanBatch& batch) {
  Cells cells;
  auto text = [&](std::string_view key, std::string_view value, Row row) {
    cells[CellName(AttributeScope::kIntrinsic, key, ValueType::kString)][row] =
        testing::DescribeValue(Value::String(value));
  };
  auto number = [&](std::string_view key, auto value, Row row) {
    cells[CellName(AttributeScope::kIntrinsic, key, ValueType::kInt)][row] =
        testing::DescribeValue(Value::Int(static_cast<int64_t>(value)));
  };
  for (Row row = 0; row < batch.spans.size(); ++row) {
    const Span& span = batch.spans[row];
    const Resource& resource = batch.resources[span.resource];
    const Scope& scope = batch.scopes[span.scope];
    text("name", span.name, row);
    number("kind", span.kind, row);
    number("status", span.status, row);
    if (!span.status_message.empty()) text("statusMessage", span.status_message, row);
    if (!span.trace_state.empty()) text("traceState", span.trace_state, row);
    text("serviceName", ServiceName(resource), row);
    if (!scope.name.empty()) text("scopeName", scope.name, row);
    if (!scope.version.empty()) text("scopeVersion", scope.version, row);
    AddAttributes(AttributeScope::kSpan, span.attributes, row, &cells);
    AddAttributes(AttributeScope::kResource, resource.attributes, row, &cells);
    AddAttributes(AttributeScope::kInstrumentation, scope.attributes, row, &cells);
  }
  return cells;
}

TEST_P(BlockTest, ColumnsShowWhatTheSpansHave) {
  for (uint64_t seed = 31; seed <= 34; ++seed) {
    std::mt19937_64 random(seed);
    SegmentPtr chunk = ChunkOf(WildBatch(random, {.spans = 400}));
    EXPECT_EQ(ReadCells(chunk->spans()), ExpectedCells(ReadAll(*chunk)));
    // With few columns of their own most keys share one.
    for (uint32_t columns_max : {4096u, 16u}) {
      SegmentPtr block = Write({chunk}, {.columns_max = columns_max});
      ASSERT_TRUE(block);
      EXPECT_EQ(ReadCells(block->spans()), ExpectedCells(ReadAll(*block)));
      EXPECT_EQ(DescribeSpans(ReadAll(*block)), Distinct(DescribeSpans(ReadAll(*chunk))));
      SegmentPtr merged = Write({block, chunk}, {.columns_max = 30});
      ASSERT_TRUE(merged);
      EXPECT_EQ(DescribeSpans(ReadAll(*merged)), DescribeSpans(ReadAll(*block)));
      EXPECT_EQ(ReadCells(merged->spans()), ExpectedCells(ReadAll(*merged)));
    }
  }
}

TEST_P(BlockTest, ColumnsOverManyGroups) {
  std::mt19937_64 random(41);
  SegmentPtr block = Write({ChunkOf(WildBatch(
      random, {.spans = 18'000, .logs = 100, .traces = 4000, .keys = 2, .values = 300}))});
  ASSERT_TRUE(block);
  ASSERT_GE(block->spans().group_count(), 2u);
  EXPECT_EQ(ReadCells(block->spans()), ExpectedCells(ReadAll(*block)));
}

TEST_P(BlockTest, TracesAreFoundById) {
  std::mt19937_64 random(51);
  SegmentPtr block =
      Write({ChunkOf(WildBatch(random, {.spans = 9000, .logs = 500, .traces = 6000}))});
  ASSERT_TRUE(block);
  std::vector<segment::TraceEntry> traces(block->trace_count());
  ASSERT_TRUE(block->ReadTraces(0, traces).has_value());
  ASSERT_GT(traces.size(), 4200u);
  size_t logs = 0;
  for (size_t t = 0; t < traces.size(); t += 97) {
    auto rows = block->FindTrace(traces[t].id);
    ASSERT_TRUE(rows.has_value());
    ASSERT_EQ(rows->spans.size(), traces[t].rows);
    if (!rows->spans.empty()) {
      EXPECT_EQ(rows->spans.front(), traces[t].first_row);
    }
    SpanBatch out;
    ASSERT_TRUE(block->ReadSpans(rows->spans, &out).has_value());
    ASSERT_TRUE(block->ReadLogs(rows->logs, &out).has_value());
    for (const Span& span : out.spans) EXPECT_EQ(span.trace_id, traces[t].id);
    for (const LogRecord& log : out.logs) EXPECT_EQ(log.trace_id, traces[t].id);
    logs += out.logs.size();
  }
  EXPECT_GT(logs, 0u);
  const uint64_t misses = Stats(*cache_).misses;
  uint32_t maybe = 0;
  for (uint32_t i = 0; i < 2000; ++i) {
    TraceId id;
    std::memcpy(id.bytes.data(), &i, sizeof i);
    auto rows = block->FindTrace(id);
    ASSERT_TRUE(rows.has_value());
    EXPECT_TRUE(rows->spans.empty() && rows->logs.empty());
    maybe += Stats(*cache_).misses != misses;
  }
  EXPECT_LT(Stats(*cache_).misses - misses, 100u) << "the filter lets few through";
}

TEST_P(BlockTest, LogsNameTheirSpans) {
  std::mt19937_64 random(61);
  SegmentPtr chunk = ChunkOf(WildBatch(random, {.spans = 300, .logs = 300, .traces = 3}));
  for (const SegmentPtr& segment : {chunk, Write({chunk})}) {
    SpanBatch batch = ReadAll(*segment);
    const Table& logs = segment->table(TableId::kLogs);
    std::vector<uint64_t> rows = Numbers(logs, FixedColumn::kParentRow);
    EXPECT_EQ(Numbers(logs, FixedColumn::kTime)[5], batch.logs[5].time_ns);
    EXPECT_EQ(Numbers(logs, FixedColumn::kObservedTime)[5], batch.logs[5].observed_ns);
    size_t found = 0;
    for (Row row = 0; row < rows.size(); ++row) {
      const LogRecord& log = batch.logs[row];
      bool exists = std::ranges::any_of(batch.spans, [&](const Span& span) {
        return span.trace_id == log.trace_id && span.span_id == log.span_id;
      });
      ASSERT_EQ(rows[row] != kAbsent, exists);
      if (!exists) continue;
      ++found;
      EXPECT_EQ(batch.spans[rows[row]].span_id, log.span_id);
      EXPECT_EQ(batch.spans[rows[row]].trace_id, log.trace_id);
    }
    EXPECT_GT(found, 0u);
  }
}

TEST_P(BlockTest, EventsAndLinksNameTheirSpans) {
  std::mt19937_64 random(71);
  SegmentPtr block =
      Write({ChunkOf(WildBatch(random, {.spans = 20'000, .traces = 2000, .keys = 3}))});
  ASSERT_TRUE(block);
  SpanBatch batch = ReadAll(*block);
  std::vector<uint64_t> event_spans, times, link_spans, linked;
  for (Row row = 0; row < batch.spans.size(); ++row) {
    for (const Event& event : batch.spans[row].events) {
      event_spans.push_back(row);
      times.push_back(event.time_ns);
    }
    for (const Link& link : batch.spans[row].links) {
      link_spans.push_back(row);
      linked.push_back(IdNumber(link.span_id));
    }
  }
  ASSERT_GT(event_spans.size(), RowGroups::kRowsMax);
  EXPECT_EQ(Numbers(block->table(TableId::kEvents), FixedColumn::kParentRow), event_spans);
  EXPECT_EQ(Numbers(block->table(TableId::kEvents), FixedColumn::kTime), times);
  EXPECT_EQ(Numbers(block->table(TableId::kLinks), FixedColumn::kParentRow), link_spans);
  EXPECT_EQ(Numbers(block->table(TableId::kLinks), FixedColumn::kLinkedSpanId), linked);
}

// Counts that would break a design that grows with them.
TEST_P(BlockTest, ManyKeysNamesAndResources) {
  SpanBatch batch;
  batch.scopes.push_back({});
  constexpr uint32_t kMany = 100'000;
  for (uint32_t i = 0; i < kMany; ++i) {
    std::span<KeyValue> attributes = batch.arena.NewArray<KeyValue>(2);
    attributes[0] = {batch.arena.Copy("key" + std::to_string(i)), Value::Int(i)};
    attributes[1] = {"often", Value::Bool(true)};
    std::span<KeyValue> resource = batch.arena.NewArray<KeyValue>(1);
    resource[0] = {"host", Value::String(batch.arena.Copy("host" + std::to_string(i)))};
    batch.resources.push_back({.attributes = resource});
    Span span;
    uint32_t trace = i / 10;
    std::memcpy(span.trace_id.bytes.data() + 8, &trace, sizeof trace);
    std::memcpy(span.span_id.bytes.data(), &i, sizeof i);
    span.span_id.bytes[7] = 1;
    span.name = batch.arena.Copy("name" + std::to_string(i));
    span.resource = i;
    span.start_ns = 1'700'000'000'000'000'000 + i * 1000;
    span.end_ns = span.start_ns + 500;
    span.attributes = attributes;
    batch.spans.push_back(span);
  }
  SegmentPtr block = Write({ChunkOf(batch)});
  ASSERT_TRUE(block);
  if (GetParam() == RowGroups::kRowsMax) EXPECT_LT(block->bytes(), kMany * 100);
  EXPECT_EQ(DescribeSpans(ReadAll(*block)), DescribeSpans(batch));
  const Table& spans = block->spans();
  std::vector<ColumnRef> found = spans.FindColumns(AttributeScope::kSpan, "key77777");
  ASSERT_EQ(found.size(), 1u);
  auto dictionary = *spans.OpenDictionary(found[0]);
  ASSERT_EQ(dictionary->count(), 1u);
  EXPECT_EQ(*dictionary->Find(Value::Int(77'777)), 0u);
  EXPECT_EQ(*dictionary->Find(Value::Int(77'778)), kAbsent);
  std::vector<bool> groups = *spans.GroupsWith(found[0], 0);
  // The index tells parts apart, of which there are 64.
  const ptrdiff_t groups_of_part = (spans.group_count() + 63) / 64;
  EXPECT_LE(std::ranges::count(groups, true), groups_of_part)
      << "the index knows where a rare key is";
  ColumnRef host = spans.FindColumns(AttributeScope::kResource, "host").at(0);
  uint32_t id = *(*spans.OpenDictionary(host))->Find(Value::String("host4242"));
  ASSERT_NE(id, kAbsent);
  groups = *spans.GroupsWith(host, id);
  EXPECT_LE(std::ranges::count(groups, true), groups_of_part);
  EXPECT_TRUE(groups[spans.groups().group_of(4242)]);
}

TEST_P(BlockTest, LargeValuesAreNeverCut) {
  std::mt19937_64 random(81);
  SpanBatch batch;
  batch.resources.push_back({});
  batch.scopes.push_back({});
  std::string large(5 << 20, '\0');
  for (char& c : large) c = static_cast<char>(random());
  std::string shared(300'000, 'x');  // longer in common than a fence is
  for (uint32_t i = 0; i < 8; ++i) {
    std::span<KeyValue> attributes = batch.arena.NewArray<KeyValue>(3);
    large[0] = static_cast<char>('a' + i);
    shared.back() = static_cast<char>('a' + i);
    attributes[0] = {"large", Value::String(batch.arena.Copy(large))};
    attributes[1] = {"shared", Value::String(batch.arena.Copy(shared))};
    std::span<Value> items = batch.arena.NewArray<Value>(1);
    items[0] = Value::Bytes(attributes[0].value.string());
    attributes[2] = {"nested", Value::Array(items)};
    Span span;
    span.trace_id.bytes[0] = 1;
    span.span_id.bytes[0] = static_cast<uint8_t>(1 + i);
    span.attributes = attributes;
    batch.spans.push_back(span);
  }
  SegmentPtr block = Write({ChunkOf(batch)});
  ASSERT_TRUE(block);
  EXPECT_TRUE(DescribeSpans(ReadAll(*block)) == DescribeSpans(batch));
  for (const char* key : {"large", "shared"}) {
    ColumnRef column = block->spans().FindColumns(AttributeScope::kSpan, key).at(0);
    auto dictionary = *block->spans().OpenDictionary(column);
    for (const Span& span : batch.spans)
      EXPECT_NE(*dictionary->Find(*Find(span.attributes, key)), kAbsent);
    EXPECT_EQ(*dictionary->Find(Value::String(std::string(300'000, 'x'))), kAbsent);
  }
}

TEST_P(BlockTest, EmptySourcesMakeAnEmptyBlock) {
  for (const std::vector<SegmentPtr>& sources :
       {std::vector<SegmentPtr>{}, std::vector<SegmentPtr>{ChunkOf(SpanBatch())}}) {
    SegmentPtr block = Write(sources);
    ASSERT_TRUE(block);
    EXPECT_EQ(block->spans().row_count(), 0u);
    EXPECT_EQ(block->trace_count(), 0u);
    EXPECT_TRUE(block->FindTrace(TraceId())->spans.empty());
    EXPECT_EQ(Write({block})->trace_count(), 0u);
  }
}

TEST_P(BlockTest, CancelledWritesLeaveNoFile) {
  std::mt19937_64 random(91);
  SegmentPtr chunk = ChunkOf(WildBatch(random, {.spans = 20'000}));
  int asked = 0;
  auto summary = WriteBlock(&env_, "/cancelled", std::vector<SegmentPtr>{chunk},
                            {.cancelled = [&] { return ++asked == 2; }});
  ASSERT_FALSE(summary.has_value());
  EXPECT_EQ(summary.error().code, ErrorCode::kCancelled);
  EXPECT_FALSE(env_.Exists("/cancelled"));
}

TEST_P(BlockTest, ThePageCacheIsBounded) {
  std::mt19937_64 random(95);
  SegmentPtr chunk = ChunkOf(WildBatch(random, {.spans = 20'000, .traces = 3000}));
  cache_ = NewPageCache(64 << 10);
  SegmentPtr block = Write({chunk});
  SpanBatch first = ReadAll(*block);
  EXPECT_LE(Stats(*cache_).bytes, 64u << 10);
  EXPECT_GT(Stats(*cache_).misses, 0u);
  cache_ = NewPageCache(32 << 20);
  block = Write({chunk});
  ReadAll(*block);
  const PageCacheStats before = Stats(*cache_);
  ReadAll(*block);
  EXPECT_EQ(Stats(*cache_).misses, before.misses);
  EXPECT_GT(Stats(*cache_).hits, before.hits);
  block.reset();
  EXPECT_EQ(Stats(*cache_).bytes, 0u) << "a closed block leaves nothing";
}

INSTANTIATE_TEST_SUITE_P(GroupRows, BlockTest,
                         ::testing::Values(RowGroups::kRowsMax, RowGroups::kRowsMin));

}  // namespace
}  // namespace weft::block

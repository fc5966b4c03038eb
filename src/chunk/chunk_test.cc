// SPDX-License-Identifier: Apache-2.0
#include "chunk/chunk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <numeric>

#include "testing/wild_batch.h"

namespace weft::chunk {

using segment::AttributeScope;
using segment::FixedColumn;
using segment::Row;
using segment::RowGroups;
using segment::TableId;
using segment::TraceEntry;

namespace {

using testing::DescribeLogs;
using testing::DescribeSpans;
using testing::WildBatch;

std::vector<Row> AllRows(const segment::Table& table) {
  std::vector<Row> rows(table.row_count());
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

SpanBatch ReadAll(const segment::Segment& segment) {
  SpanBatch out;
  EXPECT_TRUE(segment.ReadSpans(AllRows(segment.spans()), &out).has_value());
  EXPECT_TRUE(segment.ReadLogs(AllRows(segment.table(TableId::kLogs)), &out).has_value());
  return out;
}

TEST(Chunk, AFewRowsTakeLittleMemory) {
  std::mt19937_64 random(1);
  Chunk chunk;
  chunk.Append(WildBatch(random, {.spans = 1, .logs = 0}));
  chunk.Seal();
  EXPECT_LT(chunk.bytes(), 100u * 1024);
}

TEST(Chunk, EverythingInIsEverythingOut) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    std::mt19937_64 random(seed);
    SpanBatch batch = WildBatch(random, {.spans = 300, .logs = 60});
    Chunk chunk;
    chunk.Append(batch);
    chunk.Seal();
    SpanBatch out = ReadAll(chunk);
    ASSERT_EQ(DescribeSpans(batch), DescribeSpans(out)) << "seed " << seed;
    ASSERT_EQ(DescribeLogs(batch), DescribeLogs(out)) << "seed " << seed;
    EXPECT_LE(out.resources.size(), 2 * batch.resources.size()) << "once for spans, once for logs";
  }
}

TEST(Chunk, WhatIsCutOffLeavesNothingBehind) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    std::mt19937_64 random(seed);
    const SpanBatch first = WildBatch(random, {.spans = 40, .logs = 10, .keys = 4});
    // New keys, values and traces, and more of the known ones.
    const SpanBatch cut = WildBatch(random, {.spans = 200, .logs = 60, .traces = 50, .keys = 40});
    const SpanBatch second = WildBatch(random, {.spans = 60, .logs = 20, .keys = 8});
    Chunk chunk, expected;
    const ChunkMark empty = chunk.mark();
    chunk.Append(cut);
    chunk.Truncate(empty);
    chunk.Append(first);
    const ChunkMark mark = chunk.mark();
    chunk.Append(cut);
    chunk.Truncate(mark);
    EXPECT_EQ(chunk.span_count(), first.spans.size());
    EXPECT_EQ(chunk.log_count(), first.logs.size());
    chunk.Append(second);
    for (const SpanBatch* batch : {&first, &second}) expected.Append(*batch);
    chunk.Seal();
    expected.Seal();
    EXPECT_EQ(DescribeSpans(ReadAll(chunk)), DescribeSpans(ReadAll(expected)));
    EXPECT_EQ(DescribeLogs(ReadAll(chunk)), DescribeLogs(ReadAll(expected)));
    EXPECT_EQ(chunk.time_range(), expected.time_range());
    EXPECT_EQ(chunk.received_range(), expected.received_range());
    EXPECT_EQ(chunk.distinct_values(), expected.distinct_values());
    ASSERT_EQ(chunk.trace_count(), expected.trace_count());
    std::vector<TraceEntry> traces(chunk.trace_count()), others(traces.size());
    ASSERT_TRUE(chunk.ReadTraces(0, traces));
    ASSERT_TRUE(expected.ReadTraces(0, others));
    for (size_t i = 0; i < traces.size(); ++i) {
      EXPECT_EQ(traces[i].id, others[i].id);
      EXPECT_EQ(traces[i].rows, others[i].rows);
      EXPECT_EQ(traces[i].start_ns, others[i].start_ns);
      EXPECT_EQ(traces[i].end_ns, others[i].end_ns);
      const auto rows = chunk.FindTrace(traces[i].id);
      ASSERT_TRUE(rows);
      EXPECT_EQ(rows->spans, expected.FindTrace(traces[i].id)->spans);
    }
    for (const TableId id : {TableId::kSpans, TableId::kEvents, TableId::kLinks, TableId::kLogs}) {
      const auto columns = chunk.table(id).columns(), other_columns = expected.table(id).columns();
      ASSERT_EQ(columns.size(), other_columns.size());
      for (size_t i = 0; i < columns.size(); ++i) EXPECT_EQ(columns[i].key, other_columns[i].key);
    }
  }
}

// Spans that share an id, of one time or of two, and a log record of that id.
TEST(Chunk, TheSpanOfALogRecordDoesNotDependOnArrival) {
  for (const uint64_t later : {0, 1}) {
    std::vector<std::string> names;
    for (const bool forward : {true, false}) {
      SpanBatch batch;
      batch.resources.emplace_back();
      batch.scopes.emplace_back();
      for (int i = 0; i < 4; ++i) {
        static const char* const kNames[] = {"a", "b", "c", "d"};
        Span span;
        span.trace_id.bytes.fill(1);
        span.span_id.bytes.fill(2);
        const int n = forward ? i : 3 - i;
        span.start_ns = 1000 + static_cast<uint64_t>(3 - n) * later;
        span.end_ns = 2000;
        span.name = kNames[n];
        batch.spans.push_back(span);
      }
      LogRecord log;
      log.trace_id.bytes.fill(1);
      log.span_id.bytes.fill(2);
      batch.logs.push_back(log);
      Chunk chunk;
      chunk.Append(batch);
      chunk.Seal();
      uint64_t row = 0;
      ASSERT_TRUE(
          chunk.table(TableId::kLogs).ReadNumbers(FixedColumn::kParentRow, 0, std::span(&row, 1)));
      const Row span = static_cast<Row>(row);
      SpanBatch out;
      ASSERT_TRUE(chunk.ReadSpans({&span, 1}, &out));
      names.emplace_back(out.spans[0].name);
    }
    EXPECT_EQ(names[0], names[1]);
    if (later > 0) {
      EXPECT_EQ(names[0], "d") << "the earliest";
    }
  }
}

TEST(Chunk, AppendChunkGivesTheSameAsAppendingTheBatches) {
  std::mt19937_64 random(7);
  Chunk both, merged;
  std::vector<SpanBatch> batches;
  for (int i = 0; i < 3; ++i) {
    batches.push_back(WildBatch(random, {}));
    both.Append(batches.back());
    Chunk one;
    one.Append(batches.back());
    one.Seal();
    ASSERT_TRUE(merged.AppendChunk(one).has_value());
  }
  both.Seal();
  merged.Seal();
  EXPECT_EQ(DescribeSpans(ReadAll(both)), DescribeSpans(ReadAll(merged)));
  EXPECT_EQ(DescribeLogs(ReadAll(both)), DescribeLogs(ReadAll(merged)));
  EXPECT_EQ(both.time_range(), merged.time_range());
  EXPECT_EQ(both.received_range(), merged.received_range());
  EXPECT_EQ(both.trace_count(), merged.trace_count());
  std::vector<uint64_t> numbers(both.table(TableId::kEvents).rows_in_group(0)), others = numbers;
  for (FixedColumn column : {FixedColumn::kParentRow, FixedColumn::kTime}) {
    ASSERT_TRUE(both.table(TableId::kEvents).ReadNumbers(column, 0, numbers).has_value());
    ASSERT_TRUE(merged.table(TableId::kEvents).ReadNumbers(column, 0, others).has_value());
    EXPECT_EQ(numbers, others);
  }
}

TEST(Chunk, TracesHoldTheirRows) {
  std::mt19937_64 random(3);
  SpanBatch batch = WildBatch(random, {.spans = 500, .logs = 100});
  Chunk chunk;
  chunk.Append(batch);
  chunk.Seal();
  std::map<TraceId, std::vector<Row>> spans, logs;
  for (Row row = 0; row < batch.spans.size(); ++row)
    spans[batch.spans[row].trace_id].push_back(row);
  for (Row row = 0; row < batch.logs.size(); ++row) logs[batch.logs[row].trace_id].push_back(row);
  std::vector<TraceEntry> entries(chunk.trace_count());
  ASSERT_TRUE(chunk.ReadTraces(0, entries).has_value());
  size_t with_spans = 0;
  for (const TraceEntry& entry : entries) {
    auto rows = chunk.FindTrace(entry.id);
    ASSERT_TRUE(rows.has_value());
    EXPECT_EQ(rows->spans, spans[entry.id]);
    EXPECT_EQ(rows->logs, logs[entry.id]);
    EXPECT_EQ(entry.rows, rows->spans.size());
    with_spans += entry.rows > 0;
    uint64_t start = UINT64_MAX;
    for (Row row : rows->spans) start = std::min(start, batch.spans[row].start_ns);
    if (entry.rows > 0) {
      EXPECT_EQ(entry.start_ns, start);
    }
  }
  EXPECT_GT(entries.size(), with_spans) << "some traces have log records only";
  TraceId unknown;
  unknown.bytes[0] = 1;
  EXPECT_TRUE(chunk.FindTrace(unknown)->spans.empty());
  EXPECT_FALSE(chunk.ReadTraces(chunk.trace_count(), std::span(entries).first(1)).has_value());
}

TEST(Chunk, ColumnsShowTheFirstValueOfAKeyAndTheResource) {
  SpanBatch batch;
  std::vector<KeyValue> resource = {{"service.name", Value::String("shop")}};
  std::vector<KeyValue> attributes = {
      {"k", Value::Int(1)}, {"k", Value::String("one")}, {"k", Value::Int(2)}};
  batch.resources.push_back({.attributes = resource});
  batch.resources.push_back({});
  batch.scopes.push_back({.name = "lib"});
  for (uint32_t i = 0; i < 2; ++i) {
    Span span;
    span.trace_id.bytes[0] = span.span_id.bytes[0] = 9;
    span.resource = i;
    if (i == 0) span.attributes = attributes;
    batch.spans.push_back(span);
  }
  Chunk chunk;
  chunk.Append(batch);
  chunk.Seal();
  const segment::Table& spans = chunk.spans();
  auto values_of = [&](AttributeScope scope, std::string_view key, ValueType type) {
    std::vector<Value> values;
    for (segment::ColumnRef column : spans.FindColumns(scope, key)) {
      if (column.type != type) continue;
      std::vector<uint32_t> ids(spans.row_count());
      EXPECT_TRUE(spans.ReadIds(column, 0, ids).has_value());
      auto dictionary = spans.OpenDictionary(column);
      static Arena arena;
      for (uint32_t id : ids)
        values.push_back(id == segment::kAbsent ? Value() : *(*dictionary)->Get(id, &arena));
    }
    return values;
  };
  using ::testing::ElementsAre;
  EXPECT_THAT(values_of(AttributeScope::kSpan, "k", ValueType::kInt),
              ElementsAre(Value::Int(1), Value()));
  EXPECT_THAT(values_of(AttributeScope::kSpan, "k", ValueType::kString), ElementsAre());
  EXPECT_THAT(values_of(AttributeScope::kResource, "service.name", ValueType::kString),
              ElementsAre(Value::String("shop"), Value()));
  EXPECT_THAT(values_of(AttributeScope::kIntrinsic, "serviceName", ValueType::kString),
              ElementsAre(Value::String("shop"), Value::String("unknown_service")));
  EXPECT_THAT(values_of(AttributeScope::kIntrinsic, "scopeName", ValueType::kString),
              ElementsAre(Value::String("lib"), Value::String("lib")));
  EXPECT_THAT(values_of(AttributeScope::kIntrinsic, "statusMessage", ValueType::kString),
              ElementsAre());
  EXPECT_TRUE(spans.FindColumns(AttributeScope::kSpan, "absent").empty());
}

TEST(Chunk, ManyKeysStayBounded) {
  SpanBatch batch;
  batch.resources.push_back({});
  batch.scopes.push_back({});
  for (uint32_t i = 0; i < 100'000; ++i) {
    std::span<KeyValue> attribute = batch.arena.NewArray<KeyValue>(1);
    attribute[0] = {batch.arena.Copy("key" + std::to_string(i)), Value::Int(i)};
    Span span;
    span.trace_id.bytes[0] = 1;
    std::memcpy(span.span_id.bytes.data(), &i, sizeof i);
    span.attributes = attribute;
    batch.spans.push_back(span);
  }
  Chunk chunk;
  chunk.Append(batch);
  chunk.Seal();
  EXPECT_LT(chunk.bytes(), 100'000 * 600);
  std::vector<segment::ColumnRef> found =
      chunk.spans().FindColumns(AttributeScope::kSpan, "key77777");
  ASSERT_EQ(found.size(), 1u);
  std::vector<uint32_t> ids(RowGroups::kRowsMax);
  ASSERT_TRUE(chunk.spans().ReadIds(found[0], 77'777 / RowGroups::kRowsMax, ids).has_value());
  EXPECT_EQ(ids[77'777 % RowGroups::kRowsMax], 0u);
}

TEST(Chunk, AnEmptyOneHasNothing) {
  Chunk chunk;
  chunk.Append(SpanBatch());
  chunk.Seal();
  EXPECT_EQ(chunk.spans().row_count(), 0u);
  EXPECT_EQ(chunk.time_range(), std::make_pair(uint64_t{0}, uint64_t{0}));
  EXPECT_EQ(chunk.received_range(), std::make_pair(uint64_t{0}, uint64_t{0}));
}

}  // namespace
}  // namespace weft::chunk

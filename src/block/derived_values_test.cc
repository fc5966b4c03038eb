// SPDX-License-Identifier: Apache-2.0
#include "block/derived_values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <string>

#include "block/block_reader.h"
#include "block/block_writer.h"
#include "chunk/chunk.h"
#include "testing/sim_env.h"
#include "trace/trace_view.h"

namespace weft::block {

using segment::FixedColumn;
using segment::Row;
using segment::Segment;

namespace {

constexpr uint64_t kMs = 1'000'000;
constexpr uint64_t kBase = 1'700'000'000'000'000'000;

// Self time, critical time and error origin of every row.
struct Row3 {
  uint64_t self_ns, critical_ns, origin;
  bool operator==(const Row3&) const = default;
};
std::vector<Row3> ReadDerived(const Segment& block) {
  std::vector<Row3> rows;
  for (uint32_t group = 0; group < block.spans().group_count(); ++group) {
    std::map<FixedColumn, std::vector<uint64_t>> numbers;
    for (FixedColumn column :
         {FixedColumn::kSelfTime, FixedColumn::kCriticalTime, FixedColumn::kErrorOrigin}) {
      std::vector<uint64_t>& out = numbers[column];
      out.resize(block.spans().rows_in_group(group));
      EXPECT_TRUE(block.spans().ReadNumbers(column, group, out));
    }
    for (size_t i = 0; i < numbers[FixedColumn::kSelfTime].size(); ++i)
      rows.push_back({numbers[FixedColumn::kSelfTime][i], numbers[FixedColumn::kCriticalTime][i],
                      numbers[FixedColumn::kErrorOrigin][i]});
  }
  return rows;
}

// The first row of each name.
std::map<std::string, Row3> ByName(const Segment& block) {
  std::vector<Row> rows(block.spans().row_count());
  for (Row row = 0; row < rows.size(); ++row) rows[row] = row;
  SpanBatch batch;
  EXPECT_TRUE(block.ReadSpans(rows, &batch));
  std::vector<Row3> derived = ReadDerived(block);
  std::map<std::string, Row3> out;
  for (size_t i = 0; i < rows.size(); ++i) out.emplace(batch.spans[i].name, derived[i]);
  return out;
}

class DerivedValuesTest : public ::testing::Test {
 protected:
  // Services on hosts of their own, named by number; 0 names no host.
  void AddResources(uint32_t count) {
    batch_.scopes.resize(1);
    for (uint32_t i = 0; i < count; ++i) {
      const std::string number = std::to_string(i);
      const KeyValue attributes[] = {
          {"service.name", Value::String(batch_.arena.Copy("s" + number))},
          {"host.name", Value::String(batch_.arena.Copy("h" + number))}};
      batch_.resources.push_back(
          {.attributes = CopyAttributes(std::span(attributes), &batch_.arena)});
    }
  }
  Span& Add(const char* name, uint8_t id, uint8_t parent, SpanKind kind, uint32_t resource,
            int64_t start_ms, int64_t end_ms) {
    Span& span = batch_.spans.emplace_back();
    span.trace_id.bytes[0] = 1;
    span.span_id.bytes[0] = id;
    span.parent_span_id.bytes[0] = parent;
    span.name = name;
    span.kind = kind;
    span.resource = resource;
    span.start_ns = kBase + static_cast<uint64_t>(start_ms) * kMs;
    span.end_ns = kBase + static_cast<uint64_t>(end_ms) * kMs;
    return span;
  }
  std::shared_ptr<const Segment> Write(const trace::ClockRule& written,
                                       const trace::ClockRule& read) {
    auto chunk = std::make_shared<chunk::Chunk>();
    chunk->Append(batch_);
    chunk->Seal();
    const std::shared_ptr<const Segment> source = chunk;
    const std::string path = "/block-" + std::to_string(blocks_++);
    EXPECT_TRUE(WriteBlock(&env_, path, std::span(&source, 1), {.clock_rule = written}));
    auto block = OpenBlock(&env_, path, nullptr, read);
    EXPECT_TRUE(block) << block.error().message;
    return *block;
  }
  // As a view shows it, in the order of the block's rows.
  std::vector<Row3> OfView(const Segment& block, const trace::ClockRule& rule) {
    std::vector<Row> rows(block.spans().row_count());
    for (Row row = 0; row < rows.size(); ++row) rows[row] = row;
    SpanBatch batch;
    EXPECT_TRUE(block.ReadSpans(rows, &batch));
    trace::TraceView view = trace::BuildTraceView(batch, rule);
    std::vector<Row3> out;
    for (size_t i = 0; i < rows.size(); ++i)
      out.push_back({view.times.self_ns[i], view.times.critical_ns[i], view.error_origin[i]});
    return out;
  }

  testing::SimEnv env_;
  SpanBatch batch_;
  int blocks_ = 0;
};

// Written by a weft whose blocks did not say by which rule: traces of test data, in one of which
// a clock is 50 ms behind, which that rule left as it was.
TEST(OldBlockTest, ValuesOfAnOlderRuleAreComputedAnew) {
  auto block = OpenBlock(PosixEnv(), WEFT_SOURCE_DIR "/test/blocks/rule_1.block", nullptr);
  ASSERT_TRUE(block) << block.error().message;
  std::map<std::string, Row3> rows = ByName(**block);
  EXPECT_EQ(rows.at("POST /order"), (Row3{80 * kMs, 80 * kMs, 0}));
  EXPECT_EQ(rows.at("send"), (Row3{60 * kMs, 20 * kMs, 0}));
  EXPECT_EQ(rows.at("page"), (Row3{50 * kMs, 50 * kMs, 0}));
  EXPECT_EQ(rows.at("a"), (Row3{10 * kMs, 10 * kMs, 0}));
  EXPECT_EQ(rows.at("b"), (Row3{10 * kMs, 10 * kMs, 0}));
  EXPECT_EQ(rows.at("c"), (Row3{30 * kMs, 30 * kMs, 0}));
}

TEST_F(DerivedValuesTest, BlocksAndViewsAgreeAboutClocksFollowersAndFailures) {
  AddResources(3);
  Add("root", 1, 0, SpanKind::kServer, 0, 0, 100).status = StatusCode::kError;
  Add("call", 2, 1, SpanKind::kClient, 0, 10, 60);
  Add("early", 3, 2, SpanKind::kServer, 1, -30, 15).status = StatusCode::kError;
  // A client that gave up: its server's end proves nothing.
  KeyValue timeout{"error.type", Value::String("timeout")};
  Add("gave up", 4, 1, SpanKind::kClient, 0, 60, 80).attributes = {&timeout, 1};
  Add("late", 5, 4, SpanKind::kServer, 2, 75, 90);
  KeyValue follows{kReferenceTypeKey, Value::String(kFollowsFromType)};
  Span& follower = Add("follower", 6, 1, SpanKind::kServer, 2, -500, 95);
  Link link{.trace_id = follower.trace_id, .span_id = follower.parent_span_id};
  link.attributes = {&follows, 1};
  follower.links = {&link, 1};
  follower.status = StatusCode::kError;

  auto block = Write({}, {});
  EXPECT_EQ(ReadDerived(*block), OfView(*block, {}));
  std::map<std::string, Row3> rows = ByName(*block);
  EXPECT_EQ(rows.at("root"), (Row3{30 * kMs, 30 * kMs, 1}));
  EXPECT_EQ(rows.at("call"), (Row3{5 * kMs, 5 * kMs, 0}));
  EXPECT_EQ(rows.at("early"), (Row3{45 * kMs, 45 * kMs, 1}));
  EXPECT_EQ(rows.at("gave up"), (Row3{15 * kMs, 15 * kMs, 0}));
  EXPECT_EQ(rows.at("late"), (Row3{15 * kMs, 5 * kMs, 0}));
  EXPECT_EQ(rows.at("follower"), (Row3{595 * kMs, 0, 1}));

  // Read under another limit, values are those of that one.
  auto unmoved = Write({}, {.shift_max_ns = 1});
  EXPECT_EQ(ReadDerived(*unmoved), OfView(*unmoved, {.shift_max_ns = 1}));
  EXPECT_NE(ReadDerived(*unmoved), ReadDerived(*block));
  auto moved = Write({.shift_max_ns = 1}, {});
  EXPECT_EQ(ReadDerived(*moved), ReadDerived(*block));
}

TEST_F(DerivedValuesTest, ALargeTraceIsComputedAnewOverAllItsGroups) {
  AddResources(5);
  for (uint32_t i = 0; i < 20'000; ++i) {
    Span& span = Add("span", 0, 0, i % 2 == 0 ? SpanKind::kClient : SpanKind::kServer, i % 5, 0, 0);
    std::memcpy(span.span_id.bytes.data(), &i, sizeof i);
    span.span_id.bytes[7] = 1;
    if (i > 0) {
      const uint32_t parent = i - 1 - (i * 2654435761u >> 8) % std::min(i, 40u);
      std::memcpy(span.parent_span_id.bytes.data(), &parent, sizeof parent);
      span.parent_span_id.bytes[7] = 1;
    }
    span.start_ns += uint64_t{i} * 1000 - (i % 5) * 3 * kMs;
    span.end_ns = span.start_ns + 40 * kMs;
  }
  const trace::ClockRule old_rule{.shift_max_ns = 1};
  auto anew = Write(old_rule, {});
  EXPECT_GT(anew->spans().group_count(), 2u);
  std::vector<Row3> computed = ReadDerived(*anew);
  EXPECT_EQ(computed, ReadDerived(*Write({}, {})));
  EXPECT_NE(computed, ReadDerived(*Write(old_rule, old_rule)));
}

}  // namespace
}  // namespace weft::block

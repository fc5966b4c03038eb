// SPDX-License-Identifier: Apache-2.0
#include "terminal/row_filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <span>
#include <string>
#include <vector>

namespace weft::terminal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr RowState kHidden = RowState::kHidden, kAbove = RowState::kAbove,
                   kMatch = RowState::kMatch;
constexpr uint64_t kStart = 1'700'000'000'000'000'000;

class RowFilterTest : public ::testing::Test {
 protected:
  // gateway GET / > (checkout POST > payment POST, error), cart GET
  RowFilterTest() {
    for (std::string_view service : {"gateway", "checkout", "payment", "cart"}) {
      Resource resource;
      std::span<KeyValue> name = batch_.arena.NewArray<KeyValue>(1);
      name[0] = {"service.name", Value::String(service)};
      resource.attributes = name;
      batch_.resources.push_back(resource);
    }
    batch_.scopes.resize(1);
    Add(1, 0, 0, "GET /", 1000);
    Add(2, 1, 1, "POST", 500);
    Add(3, 2, 2, "POST", 400)->status = StatusCode::kError;
    Add(4, 1, 3, "GET", 100);
  }

  Span* Add(uint8_t id, uint8_t parent, uint32_t service, std::string_view name, uint64_t ns) {
    Span span;
    span.trace_id = *ParseTraceId("1");
    span.span_id.bytes[7] = id;
    span.parent_span_id.bytes[7] = parent;
    span.resource = service;
    span.name = name;
    span.start_ns = kStart + id;
    span.end_ns = span.start_ns + ns;
    batch_.spans.push_back(span);
    return &batch_.spans.back();
  }

  std::vector<RowState> Filter(const RowFilter& filter) {
    return FilterRows(trace::BuildTraceView(batch_), filter).value();
  }

  SpanBatch batch_;
};

TEST_F(RowFilterTest, WhatHangsBelowIsShownWithWhatItHangsFrom) {
  EXPECT_THAT(Filter({.services = {"payment"}}), ElementsAre(kAbove, kAbove, kMatch, kHidden));
  EXPECT_THAT(Filter({.services = {"cart", "checkout"}}),
              ElementsAre(kAbove, kMatch, kHidden, kMatch));
  EXPECT_THAT(Filter({.min_duration_ns = 400}), ElementsAre(kMatch, kMatch, kMatch, kHidden));
  EXPECT_THAT(Filter({.errors = true}), ElementsAre(kAbove, kAbove, kMatch, kHidden));
  EXPECT_THAT(Filter({.depth = 2}), ElementsAre(kMatch, kMatch, kHidden, kMatch));
  EXPECT_THAT(Filter({.services = {"nobody"}}), ElementsAre(kHidden, kHidden, kHidden, kHidden));
}

TEST_F(RowFilterTest, TraceQlSeesTheWholeTrace) {
  EXPECT_THAT(Filter({.traceql = "{ name = \"POST\" }"}),
              ElementsAre(kAbove, kMatch, kMatch, kHidden));
  EXPECT_THAT(Filter({.traceql = "{ span:childCount = 0 && rootServiceName = \"gateway\" }"}),
              ElementsAre(kAbove, kAbove, kMatch, kMatch));
  EXPECT_THAT(Filter({.errors = true, .traceql = "{ name = \"GET\" }"}),
              ElementsAre(kHidden, kHidden, kHidden, kHidden));
  auto wrong = FilterRows(trace::BuildTraceView(batch_), {.traceql = "{ .a = }"});
  ASSERT_FALSE(wrong.has_value());
  EXPECT_EQ(wrong.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(wrong.error().message, HasSubstr("column 8"));
}

TEST_F(RowFilterTest, NoNumberOfSpansIsTooMany) {
  Span leaf = batch_.spans.back();
  for (uint32_t i = 0; i < 30'000; ++i) {
    leaf.span_id.bytes = {1,
                          0,
                          0,
                          0,
                          0,
                          static_cast<uint8_t>(i >> 16),
                          static_cast<uint8_t>(i >> 8),
                          static_cast<uint8_t>(i)};
    batch_.spans.push_back(leaf);  // all start at one moment
  }
  std::vector<RowState> rows = Filter({.traceql = "{ name = \"GET\" }"});
  EXPECT_EQ(std::ranges::count(rows, kMatch), 30'001);
  EXPECT_EQ(std::ranges::count(rows, kAbove), 1);
}

}  // namespace
}  // namespace weft::terminal

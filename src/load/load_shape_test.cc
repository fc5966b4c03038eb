// SPDX-License-Identifier: Apache-2.0
#include "load/load_shape.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "codec/otlp.h"

namespace weft::load {
namespace {

constexpr uint64_t kStartNs = 1'760'000'000'000'000'000;

LoadOptions Options(std::string shape) {
  return {.shape = std::move(shape), .seed = 7, .start_ns = kStartNs, .spans = 20'000};
}

SpanBatch Make(const LoadOptions& options, uint32_t spans) {
  auto shape = MakeLoadShape(options);
  EXPECT_TRUE(shape.has_value());
  return (*shape)->NextBatch(spans);
}

std::map<TraceId, uint32_t> SpansOfTraces(const SpanBatch& batch) {
  std::map<TraceId, uint32_t> count;
  for (const Span& span : batch.spans) ++count[span.trace_id];
  return count;
}

TEST(LoadShapeTest, AnUnknownShapeIsRefusedByName) {
  auto shape = MakeLoadShape(Options("zigzag"));
  ASSERT_FALSE(shape.has_value());
  EXPECT_THAT(shape.error().message, testing::HasSubstr("zigzag"));
}

TEST(LoadShapeTest, TracegenIsTheShapeThatOthersPublishNumbersFor) {
  SpanBatch batch = Make(Options("tracegen"), 20'000);
  ASSERT_EQ(batch.spans.size(), 20'000u);
  std::set<std::string_view> keys, values, names;
  for (const Span& span : batch.spans) {
    EXPECT_EQ(span.attributes.size(), 11u);
    names.insert(span.name);
    for (const KeyValue& attribute : span.attributes) {
      keys.insert(attribute.key);
      values.insert(attribute.value.string());
    }
    bool root = span.parent_span_id.empty();
    EXPECT_EQ(root, span.name == "lets-go");
    EXPECT_EQ(span.kind, root ? SpanKind::kUnspecified : SpanKind::kClient);
  }
  EXPECT_EQ(keys.size(), 97u);
  EXPECT_EQ(values.size(), 1000u);
  EXPECT_EQ(names.size(), 10u);
  EXPECT_EQ(*keys.begin(), "attr_00");
  EXPECT_EQ(*values.rbegin(), "val_999");
  for (auto& [id, spans] : SpansOfTraces(batch)) EXPECT_EQ(spans, 10u);
}

TEST(LoadShapeTest, ShopLooksLikeACompany) {
  SpanBatch batch = Make(Options("shop"), 20'000);
  std::set<std::string_view> services;
  double attributes = 0, errors = 0, rpc_events = 0;
  for (const Span& span : batch.spans) {
    services.insert(ServiceName(batch.resources[span.resource]));
    attributes += static_cast<double>(span.attributes.size());
    errors += span.status == StatusCode::kError;
    for (const Event& event : span.events) rpc_events += event.name == "message";
  }
  double spans = static_cast<double>(batch.spans.size());
  EXPECT_EQ(services.size(), 15u);
  EXPECT_NEAR(spans / static_cast<double>(SpansOfTraces(batch).size()), 16, 1.5);
  EXPECT_NEAR(attributes / spans, 9, 1);
  EXPECT_NEAR(errors / spans, 0.01, 0.005);
  EXPECT_GT(rpc_events / spans, 0.5);
}

TEST(LoadShapeTest, EverySpanHasAParentInItsTraceAndLiesInIt) {
  for (const char* shape : {"tracegen", "shop"}) {
    SpanBatch batch = Make(Options(shape), 5000);
    std::map<SpanId, const Span*> by_id;
    for (const Span& span : batch.spans) EXPECT_TRUE(by_id.emplace(span.span_id, &span).second);
    for (const Span& span : batch.spans) {
      EXPECT_GE(span.end_ns, span.start_ns);
      if (span.parent_span_id.empty()) continue;
      auto parent = by_id.find(span.parent_span_id);
      ASSERT_NE(parent, by_id.end());
      EXPECT_EQ(parent->second->trace_id, span.trace_id);
      EXPECT_GE(span.start_ns, parent->second->start_ns);
    }
  }
}

TEST(LoadShapeTest, TimesRunThroughTheWindow) {
  for (const char* shape : {"tracegen", "shop"}) {
    SpanBatch batch = Make(Options(shape), 20'000);
    uint64_t first = UINT64_MAX, last = 0;
    for (const Span& span : batch.spans) {
      first = std::min(first, span.start_ns);
      last = std::max(last, span.start_ns);
    }
    EXPECT_LT(first - kStartNs, kDayNs / 50);
    EXPECT_NEAR(static_cast<double>(last - kStartNs), static_cast<double>(kDayNs),
                static_cast<double>(kDayNs) / 100);
  }
}

TEST(LoadShapeTest, TheSameSeedGivesTheSameBytesAndAnotherSeedOthers) {
  for (const char* name : {"tracegen", "shop"}) {
    LoadOptions options = Options(name);
    auto a = MakeLoadShape(options), b = MakeLoadShape(options);
    options.seed = 8;
    auto c = MakeLoadShape(options);
    for (int i = 0; i < 3; ++i) {
      LoadRequest request = NextRequest(a->get(), 200);
      EXPECT_EQ(request.body, NextRequest(b->get(), 200).body);
      EXPECT_NE(request.body, NextRequest(c->get(), 200).body);
    }
  }
}

TEST(LoadShapeTest, ARequestIsOtlpWithTheSpansAndTracesThatItNames) {
  auto shape = MakeLoadShape(Options("shop"));
  LoadRequest request = NextRequest(shape->get(), 200);
  auto decoded = codec::DecodeOtlpTraces(codec::OtlpFormat::kProtobuf, request.body);
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(decoded->spans.size(), request.spans);
  EXPECT_GE(request.spans, 200u);
  std::map<TraceId, uint32_t> traces;
  for (const LoadRequest::Trace& trace : request.traces) traces[trace.id] = trace.spans;
  EXPECT_EQ(SpansOfTraces(*decoded), traces);
}

}  // namespace
}  // namespace weft::load

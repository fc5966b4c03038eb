// SPDX-License-Identifier: Apache-2.0
//
// test/wire/otlp: bytes that weft did not make, with the extremes of every field.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "codec/otlp.h"
#include "codec/otlp_metrics.h"
#include "testing/random_batch.h"
#include "testing/random_metrics.h"

namespace weft::codec {
namespace {

constexpr auto kProtobuf = OtlpFormat::kProtobuf;
constexpr auto kJson = OtlpFormat::kJson;

std::string Golden(const std::string& name) {
  std::ifstream file(std::string(WEFT_SOURCE_DIR) + "/test/wire/otlp/" + name, std::ios::binary);
  EXPECT_TRUE(file) << name;
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(OtlpGolden, Traces) {
  auto proto = DecodeOtlpTraces(kProtobuf, Golden("traces.pb"));
  ASSERT_TRUE(proto) << proto.error().message;
  auto json = DecodeOtlpTraces(kJson, Golden("traces.json"));
  ASSERT_TRUE(json) << json.error().message;
  ASSERT_EQ(proto->spans.size(), 3u);
  EXPECT_EQ(proto->rejected_spans.count, 0u);
  EXPECT_EQ(testing::BatchDifference(*proto, *json), "");

  const Span& full = proto->spans[0];
  EXPECT_EQ(full.trace_id.ToHex(), "0102030405060708090a0b0c0d0e0f10");
  EXPECT_EQ(full.span_id.ToHex(), "f8f9fafbfcfdfeff");
  EXPECT_EQ(full.parent_span_id.ToHex(), "0000000000000001");
  EXPECT_EQ(full.start_ns, UINT64_MAX);
  EXPECT_EQ(full.end_ns, 1u);
  EXPECT_EQ(full.flags, 0x301u);
  EXPECT_EQ(full.events.size(), 2u);
  EXPECT_EQ(full.links.size(), 2u);
  EXPECT_EQ(full.links[0].flags, UINT32_MAX);
  EXPECT_EQ(full.status_message, "because");
  EXPECT_EQ(Find(full.attributes, "int.min")->integer, INT64_MIN);
  EXPECT_EQ(Find(full.attributes, "bytes.all")->string().size(), 256u);
  EXPECT_EQ(static_cast<int32_t>(proto->spans[1].kind), -1);
  EXPECT_EQ(static_cast<uint32_t>(proto->spans[1].status), 99u);
  EXPECT_EQ(proto->resources[full.resource].schema_url, "https://resource");
  EXPECT_EQ(proto->scopes[full.scope].schema_url, "https://scope");

  for (const SpanBatch* batch : {&*proto, &*json}) {
    std::string out;
    EncodeOtlpTraces(kProtobuf, *batch, &out);
    EXPECT_TRUE(out == Golden("traces.pb"));
    out.clear();
    EncodeOtlpTraces(kJson, *batch, &out);
    EXPECT_EQ(out, Golden("traces.json"));
  }
}

TEST(OtlpGolden, Logs) {
  auto proto = DecodeOtlpLogs(kProtobuf, Golden("logs.pb"));
  ASSERT_TRUE(proto) << proto.error().message;
  auto json = DecodeOtlpLogs(kJson, Golden("logs.json"));
  ASSERT_TRUE(json) << json.error().message;
  ASSERT_EQ(proto->logs.size(), 2u);
  EXPECT_EQ(testing::BatchDifference(*proto, *json), "");
  EXPECT_EQ(proto->logs[0].event_name, "event.name");
  EXPECT_EQ(proto->logs[0].severity_number, 24u);
  for (const SpanBatch* batch : {&*proto, &*json}) {
    std::string out;
    EncodeOtlpLogs(kProtobuf, *batch, &out);
    EXPECT_TRUE(out == Golden("logs.pb"));
    out.clear();
    EncodeOtlpLogs(kJson, *batch, &out);
    EXPECT_EQ(out, Golden("logs.json"));
  }
}

TEST(OtlpGolden, Metrics) {
  auto proto = DecodeOtlpMetrics(kProtobuf, Golden("metrics.pb"));
  ASSERT_TRUE(proto) << proto.error().message;
  auto json = DecodeOtlpMetrics(kJson, Golden("metrics.json"));
  ASSERT_TRUE(json) << json.error().message;
  EXPECT_EQ(testing::MetricDifference(*proto, *json), "");
  EXPECT_TRUE(proto->received_is_content);
  ASSERT_EQ(proto->metrics.size(), 12u);
  EXPECT_EQ(proto->point_count(), 8u + 8 + 3 + 3 + 2 + 1);

  const Metric& gauge = proto->metrics[0];
  EXPECT_EQ(gauge.kind, MetricKind::kGauge);
  EXPECT_EQ(gauge.name, "gauge");
  EXPECT_EQ(gauge.unit, "By");
  EXPECT_EQ(Find(gauge.metadata, "int.min")->integer, INT64_MIN);
  EXPECT_TRUE(gauge.numbers[0].value == Value::Int(-1));
  EXPECT_EQ(gauge.numbers[0].time_ns, UINT64_MAX);
  EXPECT_EQ(gauge.numbers[0].flags, UINT32_MAX);
  ASSERT_EQ(gauge.numbers[0].exemplars.size(), 3u);
  EXPECT_EQ(gauge.numbers[0].exemplars[0].trace_id.ToHex(), "0102030405060708090a0b0c0d0e0f10");
  EXPECT_TRUE(gauge.numbers[0].exemplars[1].value == Value::Int(INT64_MIN));
  EXPECT_EQ(gauge.numbers[6].flags, kNoRecordedValue);
  EXPECT_EQ(gauge.numbers[6].value.type, ValueType::kEmpty);
  EXPECT_EQ(proto->metrics[1].kind, MetricKind::kGauge);
  EXPECT_EQ(proto->metrics[2].temporality, AggregationTemporality::kCumulative);
  EXPECT_TRUE(proto->metrics[2].monotonic);
  const HistogramPoint& histogram = proto->metrics[4].histograms[0];
  EXPECT_EQ(histogram.sum, -0.5);
  EXPECT_EQ(histogram.bucket_counts[2], UINT64_MAX);
  EXPECT_EQ(histogram.explicit_bounds[0], 0.25);
  EXPECT_EQ(histogram.min, -1.5);
  EXPECT_EQ(proto->metrics[4].histograms[1].max, 0.0);
  EXPECT_EQ(proto->metrics[4].histograms[2].max, std::nullopt);
  const auto& exponential = proto->metrics[6].exponential_histograms;
  EXPECT_EQ(static_cast<int32_t>(proto->metrics[6].temporality), -1);
  EXPECT_EQ(exponential[0].scale, INT32_MIN);
  EXPECT_EQ(exponential[0].positive.offset, INT32_MAX);
  EXPECT_EQ(exponential[0].positive.counts[1], 300u);
  EXPECT_EQ(exponential[0].negative.offset, -1);
  EXPECT_EQ(exponential[0].zero_count, UINT64_MAX);
  EXPECT_TRUE(exponential[1].positive.present);
  EXPECT_FALSE(exponential[1].negative.present);
  EXPECT_EQ(proto->metrics[8].summaries[0].quantiles[0].value, 1.5);
  EXPECT_EQ(proto->metrics[10].kind, MetricKind::kNone);
  EXPECT_EQ(proto->metrics[11].resource, 1u);

  for (const MetricBatch* batch : {&*proto, &*json}) {
    std::string out;
    EncodeOtlpMetrics(kProtobuf, *batch, &out);
    EXPECT_TRUE(out == Golden("metrics.pb"));
    out.clear();
    EncodeOtlpMetrics(kJson, *batch, &out);
    EXPECT_EQ(out, Golden("metrics.json"));
  }
}

// Every kind of data that the Python SDK makes, as it sends it.
TEST(OtlpGolden, MetricsOfAnSdk) {
  auto batch = DecodeOtlpMetrics(kProtobuf, Golden("metrics_sdk.pb"));
  ASSERT_TRUE(batch) << batch.error().message;
  EXPECT_TRUE(batch->received_is_content);
  EXPECT_EQ(batch->not_understood.count, 0u);
  ASSERT_EQ(batch->metrics.size(), 6u);
  EXPECT_EQ(ServiceName(batch->resources[0]), "checkout");
  EXPECT_EQ(batch->scopes[0].schema_url, "https://opentelemetry.io/schemas/1.30.0");
  EXPECT_EQ(batch->point_count(), 8u);
  size_t exemplars = 0;
  for (const Metric& metric : batch->metrics)
    for (const NumberPoint& point : metric.numbers) exemplars += point.exemplars.size();
  EXPECT_GT(exemplars, 0u);
  std::string out, json;
  EncodeOtlpMetrics(kProtobuf, *batch, &out);
  EXPECT_TRUE(out == batch->received);
  EncodeOtlpMetrics(kJson, *batch, &json);
  auto again = DecodeOtlpMetrics(kJson, json);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(testing::MetricDifference(*batch, *again), "");
}

// Every byte of the golden message matters or is skipped, whatever it is changed to and wherever
// the message is cut: an error or a batch, never anything else.
TEST(OtlpGolden, EveryTruncationAndFlippedByteIsSurvived) {
  std::string golden = Golden("traces.pb");
  size_t refused = 0;
  for (size_t i = 0; i < golden.size(); ++i) {
    if (!DecodeOtlpTraces(kProtobuf, golden.substr(0, i))) ++refused;
    std::string broken = golden;
    broken[i] = static_cast<char>(broken[i] ^ 0x91);
    if (auto batch = DecodeOtlpTraces(kProtobuf, broken)) {
      std::string out;
      EncodeOtlpTraces(kJson, *batch, &out);
      EXPECT_TRUE(DecodeOtlpTraces(kJson, out));
    }
  }
  // All cuts but the two at the end of a whole ResourceSpans.
  EXPECT_EQ(refused, golden.size() - 2);
}

TEST(OtlpGolden, EveryTruncationAndFlippedByteOfMetricsIsSurvived) {
  const std::string golden = Golden("metrics_sdk.pb");
  auto whole = DecodeOtlpMetrics(kProtobuf, golden);
  ASSERT_TRUE(whole);
  std::string json;
  EncodeOtlpMetrics(kJson, *whole, &json);
  // There is one resource: each cut is inside it.
  for (size_t i = 1; i < golden.size(); ++i)
    EXPECT_FALSE(DecodeOtlpMetrics(kProtobuf, golden.substr(0, i))) << i;
  for (size_t i = 0; i < json.size(); ++i)
    EXPECT_FALSE(DecodeOtlpMetrics(kJson, json.substr(0, i))) << i;
  for (size_t i = 0; i < golden.size(); ++i) {
    std::string broken = golden;
    broken[i] = static_cast<char>(broken[i] ^ 0x91);
    auto batch = DecodeOtlpMetrics(kProtobuf, std::move(broken));
    if (!batch) continue;
    std::string out;
    EncodeOtlpMetrics(kProtobuf, *batch, &out);
    auto again = DecodeOtlpMetrics(kProtobuf, std::move(out));
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(testing::MetricDifference(*batch, *again), "") << "byte " << i;
  }
}

}  // namespace
}  // namespace weft::codec

// SPDX-License-Identifier: Apache-2.0
//
// What one wrong value costs, leaf by leaf, in OTLP metrics of both formats: its exemplar, its data
// point, its metric, or, around them, the value alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/otlp_metrics.h"
#include "codec/test_protobuf.h"

namespace weft::codec {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using namespace std::string_literals;

struct Leaf {
  std::string item;
  const char* message;  // behind the item's place
};

MetricBatch Decoded(OtlpFormat format, const std::string& body) {
  auto batch = DecodeOtlpMetrics(format, body);
  EXPECT_TRUE(batch) << batch.error().message << "\n" << body;
  return batch ? std::move(*batch) : MetricBatch();
}
// What was kept is sound: it encodes to something that is content.
void ExpectSound(const MetricBatch& batch) {
  std::string encoded;
  EncodeOtlpMetrics(OtlpFormat::kProtobuf, batch, &encoded);
  const MetricBatch again = Decoded(OtlpFormat::kProtobuf, encoded);
  EXPECT_TRUE(again.received_is_content);
  EXPECT_EQ(again.point_count(), batch.point_count());
}

// ---- JSON

// The metric in question between two good ones.
std::string MetricsAround(const std::string& metric) {
  return R"({"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"before"},)" + metric +
         R"(,{"name":"behind"}]}]}]})";
}
// The point in question between two good ones, behind metadata that must stay.
std::string PointsAround(const std::string& kind, const std::string& point) {
  return MetricsAround(
      R"({"metadata":[{"key":"m","value":{"arrayValue":{"values":[{"intValue":1}]}}}],")" + kind +
      R"(":{"dataPoints":[{"flags":1},)" + point + R"(,{"flags":2}]}})");
}

const Leaf kNumberLeaves[] = {
    {"5", ": byte"},
    {"null", ": byte"},
    {"[]", ": byte"},
    {R"({"asInt":1.5})", ".asInt: byte"},
    {R"({"asInt":"x"})", ".asInt: byte"},
    {R"({"asInt":"9223372036854775808"})", "expected a 64-bit integer"},
    {R"({"asInt":-9223372036854775809})", ".asInt: byte"},
    {R"({"asInt":true})", ".asInt: byte"},
    {R"({"asInt":""})", ".asInt: byte"},
    {R"({"asDouble":"inf"})", ".asDouble: byte"},
    {R"({"asDouble":"0x1p3"})", ".asDouble: byte"},
    {R"({"asDouble":1e999})", ".asDouble: byte"},
    {R"({"asDouble":{}})", ".asDouble: byte"},
    {R"({"startTimeUnixNano":-1})", ".startTimeUnixNano: byte"},
    {R"({"time_unix_nano":"yesterday"})", ".time_unix_nano: byte"},
    {R"({"flags":4294967296})", ".flags: byte"},
    {R"({"flags":-1})", ".flags: byte"},
    {R"({"attributes":{}})", ".attributes: byte"},
    {R"({"attributes":[{"key":"a","value":{"intValue":1}},{"key":5}]})",
     ".attributes[1].key: byte"},
    {R"({"attributes":[{"key":"a","value":{"arrayValue":{"values":[{"intValue":1},7]}}}]})",
     ".attributes[0].value.arrayValue.values[1]: byte"},
    {R"({"exemplars":5})", ".exemplars: byte"},
};
const Leaf kHistogramLeaves[] = {
    {R"({"count":-1})", ".count: byte"},
    {R"({"count":"1.5"})", ".count: byte"},
    {R"({"count":"18446744073709551616"})", ".count: byte"},
    {R"({"sum":"much"})", ".sum: byte"},
    {R"({"sum":[]})", ".sum: byte"},
    {R"({"min":true})", ".min: byte"},
    {R"({"max":"infinity"})", ".max: byte"},
    {R"({"bucketCounts":7})", ".bucketCounts: byte"},
    {R"({"bucketCounts":["1",2,-3]})", ".bucketCounts[2]: byte"},
    {R"({"bucketCounts":[null]})", ".bucketCounts[0]: byte"},
    {R"({"explicitBounds":[1,"x"]})", ".explicitBounds[1]: byte"},
    {R"({"explicitBounds":{}})", ".explicitBounds: byte"},
};
const Leaf kExponentialLeaves[] = {
    {R"({"scale":2147483648})", "expected a 32-bit integer"},
    {R"({"scale":1.5})", ".scale: byte"},
    {R"({"zeroCount":-1})", ".zeroCount: byte"},
    {R"({"zeroThreshold":"x"})", ".zeroThreshold: byte"},
    {R"({"positive":[]})", ".positive: byte"},
    {R"({"positive":{"offset":"-2147483649"}})", ".positive.offset: byte"},
    {R"({"negative":{"bucketCounts":["x"]}})", ".negative.bucketCounts[0]: byte"},
    {R"({"sum":{}})", ".sum: byte"},
    {R"({"min":[]})", ".min: byte"},
    {R"({"max":"x"})", ".max: byte"},
};
const Leaf kSummaryLeaves[] = {
    {R"({"count":{}})", ".count: byte"},
    {R"({"sum":"x"})", ".sum: byte"},
    {R"({"quantileValues":{}})", ".quantileValues: byte"},
    {R"({"quantileValues":[{},5]})", ".quantileValues[1]: byte"},
    {R"({"quantileValues":[{"quantile":"x"}]})", ".quantileValues[0].quantile: byte"},
    {R"({"quantile_values":[{"value":[]}]})", ".quantile_values[0].value: byte"},
};

// Kept points by their flags, whatever kind they are of.
std::vector<uint32_t> Flags(const Metric& metric) {
  std::vector<uint32_t> flags;
  for (const DataPoint& point : metric.numbers) flags.push_back(point.flags);
  for (const DataPoint& point : metric.histograms) flags.push_back(point.flags);
  for (const DataPoint& point : metric.exponential_histograms) flags.push_back(point.flags);
  for (const DataPoint& point : metric.summaries) flags.push_back(point.flags);
  return flags;
}

void ExpectPointsLost(const std::string& kind, std::span<const Leaf> leaves) {
  for (const Leaf& leaf : leaves) {
    const MetricBatch batch = Decoded(OtlpFormat::kJson, PointsAround(kind, leaf.item));
    ASSERT_EQ(batch.metrics.size(), 3u) << leaf.item;
    const Metric& metric = batch.metrics[1];
    EXPECT_EQ(Flags(metric), (std::vector<uint32_t>{1, 2})) << leaf.item;
    ASSERT_EQ(metric.metadata.size(), 1u) << leaf.item;
    EXPECT_EQ(metric.metadata[0].value.array().size(), 1u) << leaf.item;
    EXPECT_EQ(batch.rejected_points.count, 1u) << leaf.item;
    EXPECT_EQ(batch.left_out.count, 0u) << leaf.item;
    EXPECT_THAT(
        batch.rejected_points.message,
        StartsWith("resourceMetrics[0].scopeMetrics[0].metrics[1]." + kind + ".dataPoints[1]"));
    EXPECT_THAT(batch.rejected_points.message, HasSubstr(leaf.message));
    ExpectSound(batch);
  }
}

TEST(OtlpMetricsLeaf, AWrongValueInAPointCostsThePointAlone) {
  ExpectPointsLost("gauge", kNumberLeaves);
  ExpectPointsLost("sum", kNumberLeaves);
  ExpectPointsLost("histogram", kHistogramLeaves);
  ExpectPointsLost("exponentialHistogram", kExponentialLeaves);
  ExpectPointsLost("summary", kSummaryLeaves);
}

TEST(OtlpMetricsLeaf, EachWrongPointIsCounted) {
  std::string points = "7";
  for (const Leaf& leaf : kHistogramLeaves) points += "," + leaf.item;
  const MetricBatch batch = Decoded(OtlpFormat::kJson, PointsAround("histogram", points));
  EXPECT_EQ(batch.point_count(), 2u);
  EXPECT_EQ(batch.rejected_points.count, 1 + std::size(kHistogramLeaves));
}

const Leaf kExemplarLeaves[] = {
    {"5", ": byte"},
    {"null", ": byte"},
    {R"({"timeUnixNano":"x"})", ".timeUnixNano: byte"},
    {R"({"asInt":"9223372036854775808"})", ".asInt: byte"},
    {R"({"asDouble":[]})", ".asDouble: byte"},
    {R"({"traceId":7})", ".traceId: byte"},
    {R"({"traceId":"abc"})", ".traceId: 3 characters, expected 32 hexadecimal digits"},
    {R"({"spanId":"zzzzzzzzzzzzzzzz"})", ".spanId: not a hexadecimal number"},
    {R"({"filteredAttributes":{}})", ".filteredAttributes: byte"},
    {R"({"filteredAttributes":[{"key":"a"},{"key":"b","value":{"boolValue":3}}]})",
     ".filteredAttributes[1].value.boolValue: byte"},
};

TEST(OtlpMetricsLeaf, AWrongValueInAnExemplarCostsTheExemplarAlone) {
  for (const std::string kind : {"gauge", "histogram", "exponentialHistogram"}) {
    for (const Leaf& leaf : kExemplarLeaves) {
      const std::string point =
          R"({"attributes":[{"key":"k"}],"exemplars":[{"timeUnixNano":"1"},)" + leaf.item +
          R"(,{"timeUnixNano":"2","filteredAttributes":[{"key":"f"}]}]})";
      const MetricBatch batch = Decoded(OtlpFormat::kJson, PointsAround(kind, point));
      EXPECT_EQ(batch.point_count(), 3u) << leaf.item;
      EXPECT_EQ(batch.rejected_points.count, 0u) << leaf.item;
      EXPECT_EQ(batch.left_out.count, 1u) << leaf.item;
      EXPECT_THAT(batch.left_out.message,
                  StartsWith("resourceMetrics[0].scopeMetrics[0].metrics[1]." + kind +
                             ".dataPoints[1].exemplars[1]"));
      EXPECT_THAT(batch.left_out.message, HasSubstr(leaf.message));
      ExpectSound(batch);
      if (kind != "gauge") continue;
      const NumberPoint& kept = batch.metrics[1].numbers[1];
      ASSERT_EQ(kept.attributes.size(), 1u) << leaf.item;
      ASSERT_EQ(kept.exemplars.size(), 2u) << leaf.item;
      EXPECT_EQ(kept.exemplars[1].time_ns, 2u);
      EXPECT_EQ(kept.exemplars[1].filtered_attributes.size(), 1u);
    }
  }
}

TEST(OtlpMetricsLeaf, AWrongValueInAMetricCostsItWithItsPoints) {
  struct Case {
    std::string metric;
    const char* message;
    uint64_t points;
  };
  const std::string two = R"("gauge":{"dataPoints":[{},{}]})";
  const Case kCases[] = {
      {"5", ": byte", 1},
      {"null", ": byte", 1},
      {R"({"name":5,)" + two + "}", ".name: byte", 2},
      {"{" + two + R"(,"description":{}})", ".description: byte", 2},
      {R"({"unit":[],)" + two + "}", ".unit: byte", 2},
      {R"({"name":5})", ".name: byte", 1},
      {R"({"metadata":[{"key":7}],)" + two + "}", ".metadata[0].key: byte", 2},
      {R"({"metadata":7,"name":{}})", ".metadata: byte", 1},
      {R"({"gauge":[]})", ".gauge: byte", 1},
      {R"({"gauge":{"dataPoints":{}}})", ".gauge.dataPoints: byte", 1},
      {R"({"sum":{"isMonotonic":1,"dataPoints":[{},{},{}]}})", ".sum.isMonotonic: byte", 3},
      {R"({"sum":{"dataPoints":[{"flags":"x"},{}],"aggregationTemporality":"ODD"}})",
       ".sum.dataPoints[0].flags: byte", 2},
      {R"({"histogram":{"aggregationTemporality":1.5}})", ".histogram.aggregationTemporality: byte",
       1},
      {R"({"exponential_histogram":{"aggregation_temporality":[]}})",
       ".exponentialHistogram.aggregationTemporality: byte", 1},
  };
  for (const Case& one : kCases) {
    const MetricBatch batch = Decoded(OtlpFormat::kJson, MetricsAround(one.metric));
    ASSERT_EQ(batch.metrics.size(), 2u) << one.metric;
    EXPECT_EQ(batch.metrics[1].name, "behind");
    EXPECT_EQ(batch.point_count(), 0u);
    EXPECT_EQ(batch.rejected_points.count, one.points) << one.metric;
    EXPECT_THAT(batch.rejected_points.message,
                StartsWith("resourceMetrics[0].scopeMetrics[0].metrics[1]"));
    EXPECT_THAT(batch.rejected_points.message, HasSubstr(one.message));
    ExpectSound(batch);
  }
  // A temporality or flag that the kind does not have is a field that nobody knows.
  const MetricBatch batch = Decoded(
      OtlpFormat::kJson, MetricsAround(R"({"gauge":{"isMonotonic":[],"dataPoints":[{}]}})"));
  EXPECT_EQ(batch.point_count(), 1u);
  EXPECT_EQ(batch.rejected_points.count, 0u);
}

TEST(OtlpMetricsLeaf, AWrongValueAroundMetricsIsLeftOutAlone) {
  const std::pair<std::string, const char*> kCases[] = {
      {R"("resource":5,"scopeMetrics":[{)", "resourceMetrics[0].resource: byte"},
      {R"("resource":{"attributes":[{"key":7}]},"scopeMetrics":[{)",
       "resourceMetrics[0].resource.attributes[0].key: byte"},
      {R"("schemaUrl":[],"scopeMetrics":[{)", "resourceMetrics[0].schemaUrl: byte"},
      {R"("scopeMetrics":[{"scope":{"name":5},)",
       "resourceMetrics[0].scopeMetrics[0].scope.name: byte"},
      {R"("scopeMetrics":[{"schemaUrl":5,)", "resourceMetrics[0].scopeMetrics[0].schemaUrl: byte"}};
  for (const auto& [front, message] : kCases) {
    const MetricBatch batch = Decoded(
        OtlpFormat::kJson, R"({"resourceMetrics":[{)" + front +
                               R"("metrics":[{"name":"m","gauge":{"dataPoints":[{}]}}]}]}]})");
    EXPECT_EQ(batch.point_count(), 1u) << message;
    EXPECT_EQ(batch.rejected_points.count, 0u);
    EXPECT_EQ(batch.left_out.count, 1u);
    EXPECT_THAT(batch.left_out.message, StartsWith(message));
  }
}

TEST(OtlpMetricsLeaf, WhatIsNoRequestIsRefused) {
  for (const char* body : {"", "5", "[]", "{", R"({"resourceMetrics":5})",
                           R"({"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"x)"})
    EXPECT_FALSE(DecodeOtlpMetrics(OtlpFormat::kJson, body)) << body;
  auto json = DecodeOtlpMetrics(OtlpFormat::kProtobuf, "{}");
  ASSERT_FALSE(json);
  EXPECT_THAT(json.error().message, HasSubstr("this is JSON"));
  // Spans sent to the wrong door.
  const MetricBatch spans = Decoded(OtlpFormat::kJson, R"({"resourceSpans":[{}]})");
  EXPECT_THAT(spans.not_understood.message, HasSubstr("spans go to /v1/traces"));
}

// ---- protobuf

std::string ProtoAround(const std::string& metric) {
  return Wrap(1,
              Wrap(2, Wrap(2, Wrap(1, "before")) + Wrap(2, metric) + Wrap(2, Wrap(1, "behind"))));
}

TEST(OtlpMetricsLeaf, AWrongValueInAProtobufPointCostsThePointAlone) {
  struct Case {
    uint32_t kind;  // the field of Metric
    std::string point;
    const char* message;
  };
  const Case kCases[] = {
      {5, "\x08\x01\x10\x01"s, "gauge.data_points[1].start_time_unix_nano: byte"},  // a varint
      {5, Wrap(4, "x"), "gauge.data_points[1].as_double: byte"},
      {7, "\x30\x05"s, "sum.data_points[1].as_int: byte"},
      {7, "\x31\x05\x00"s, "sum.data_points[1].as_int: byte"},  // ends inside
      {7, Wrap(8, "x"), "sum.data_points[1].flags: byte"},
      {7, Wrap(7, Wrap(1, "k")) + Wrap(7, "\x0a\x09"s),
       "sum.data_points[1].attributes[1].key: byte"},
      {7, "\x28\x01"s, "sum.data_points[1].exemplars: byte"},
      {7, "\x00"s, "sum.data_points[1]: byte"},  // no field number
      {9, Wrap(6, "1234567"), "histogram.data_points[1].bucket_counts: byte"},
      {9, Wrap(7, "123456789"), "histogram.data_points[1].explicit_bounds: byte"},
      {9, "\x30\x01"s, "histogram.data_points[1].bucket_counts: byte"},  // a varint
      {9, "\x20\x01"s, "histogram.data_points[1].count: byte"},
      {9, Wrap(5, ""), "histogram.data_points[1].sum: byte"},
      {10, Wrap(6, ""), "exponential_histogram.data_points[1].scale: byte"},
      {10, Wrap(8, "\x0a\x00"s), "exponential_histogram.data_points[1].positive.offset: byte"},
      {10, Wrap(9, Wrap(2, "\x01\x80"s)),
       "exponential_histogram.data_points[1].negative.bucket_counts: byte"},
      {10, Wrap(8, Wrap(2, std::string(11, '\xff'))), "varint of more than 64 bits"},
      {10, "\x40\x01"s, "exponential_histogram.data_points[1].positive: byte"},
      {11, Wrap(6, "") + Wrap(6, "\x08\x01"s),
       "summary.data_points[1].quantile_values[1].quantile: byte"},
      {11, "\x28\x01"s, "summary.data_points[1].sum: byte"}};
  for (const Case& one : kCases) {
    // Flags have another number in each kind.
    const std::string flag = one.kind == 9 || one.kind == 10 ? "\x50"s : "\x40"s;
    const MetricBatch batch =
        Decoded(OtlpFormat::kProtobuf,
                ProtoAround(Wrap(12, Wrap(1, "m")) +
                            Wrap(one.kind, Wrap(1, flag + "\x01"s) + Wrap(1, one.point) +
                                               Wrap(1, flag + "\x02"s))));
    ASSERT_EQ(batch.metrics.size(), 3u) << one.message;
    EXPECT_EQ(Flags(batch.metrics[1]), (std::vector<uint32_t>{1, 2})) << one.message;
    EXPECT_EQ(batch.metrics[1].metadata.size(), 1u);
    EXPECT_EQ(batch.rejected_points.count, 1u);
    EXPECT_THAT(batch.rejected_points.message,
                StartsWith("resource_metrics[0].scope_metrics[0].metrics[1]."));
    EXPECT_THAT(batch.rejected_points.message, HasSubstr(one.message));
    EXPECT_FALSE(batch.received_is_content);
    ExpectSound(batch);
  }
}

TEST(OtlpMetricsLeaf, AWrongValueInAProtobufExemplarCostsTheExemplarAlone) {
  const Leaf kLeaves[] = {
      {"\x08\x01\x10\x01"s, ".time_unix_nano: byte"},
      {Wrap(3, ""), ".as_double: byte"},
      {Wrap(4, "short"), ".span_id: 5 bytes, expected 8"},
      {Wrap(5, std::string(17, 'a')), ".trace_id: 17 bytes, expected 16"},
      {Wrap(7, "") + Wrap(7, Wrap(2, "\x08\x01"s)),
       ".filtered_attributes[1].value.string_value: byte"},
      {"\x11\x01"s, ".time_unix_nano: byte"},
  };
  const std::pair<uint32_t, uint32_t> kKinds[] = {{5, 5}, {7, 5}, {9, 8}, {10, 11}};
  for (const auto& [kind, exemplars] : kKinds) {
    for (const Leaf& leaf : kLeaves) {
      const std::string good = Wrap(exemplars, Wrap(7, Wrap(1, "f")));
      const MetricBatch batch =
          Decoded(OtlpFormat::kProtobuf,
                  ProtoAround(Wrap(kind, Wrap(1, good + Wrap(exemplars, leaf.item) + good))));
      EXPECT_EQ(batch.point_count(), 1u);
      EXPECT_EQ(batch.rejected_points.count, 0u) << batch.rejected_points.message;
      EXPECT_EQ(batch.left_out.count, 1u);
      EXPECT_THAT(batch.left_out.message, HasSubstr(".data_points[0].exemplars[1]"));
      EXPECT_THAT(batch.left_out.message, HasSubstr(leaf.message));
      EXPECT_FALSE(batch.received_is_content);
      ExpectSound(batch);
      if (kind != 9) continue;
      ASSERT_EQ(batch.metrics[1].histograms[0].exemplars.size(), 2u);
      EXPECT_EQ(batch.metrics[1].histograms[0].exemplars[1].filtered_attributes[0].key, "f");
    }
  }
}

TEST(OtlpMetricsLeaf, AWrongValueInAProtobufMetricCostsItWithItsPoints) {
  struct Case {
    std::string metric;
    const char* message;
    uint64_t points;
  };
  const std::string two = Wrap(5, Wrap(1, "") + Wrap(1, ""));
  const Case kCases[] = {
      {"\x08\x01"s + two, ".name: byte", 2},
      {two + "\x18\x01"s, ".unit: byte", 2},
      {two + "\x28\x01"s, ".gauge: byte", 2},
      {Wrap(12, "\x0a\x09"s) + two, ".metadata[0].key: byte", 2},
      {two + "\x0a\x09"s, ".name: byte", 2},
      {two + "\x00"s, ": byte", 2},
      {Wrap(7, Wrap(2, "") + Wrap(1, "")), ".sum.aggregation_temporality: byte", 1},
      {Wrap(7, Wrap(1, "") + Wrap(3, "")), ".sum.is_monotonic: byte", 1},
      {Wrap(9, Wrap(1, "") + Wrap(1, "") + "\x08\x01"s), ".histogram.data_points: byte", 2},
      {Wrap(11, "\x0a\x09"s), ".summary.data_points: byte", 1}};
  for (const Case& one : kCases) {
    const MetricBatch batch = Decoded(OtlpFormat::kProtobuf, ProtoAround(one.metric));
    ASSERT_EQ(batch.metrics.size(), 2u) << one.message;
    EXPECT_EQ(batch.metrics[1].name, "behind");
    EXPECT_EQ(batch.rejected_points.count, one.points) << one.message;
    EXPECT_THAT(batch.rejected_points.message,
                StartsWith("resource_metrics[0].scope_metrics[0].metrics[1]"));
    EXPECT_THAT(batch.rejected_points.message, HasSubstr(one.message));
    EXPECT_FALSE(batch.received_is_content);
    ExpectSound(batch);
  }
}

}  // namespace
}  // namespace weft::codec

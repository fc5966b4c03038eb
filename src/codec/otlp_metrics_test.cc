// SPDX-License-Identifier: Apache-2.0
#include "codec/otlp_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <functional>

#include "codec/test_attributes.h"
#include "codec/test_protobuf.h"
#include "testing/random_metrics.h"
#include "wire/limits.h"

namespace weft::codec {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace std::string_literals;
using weft::testing::MetricDifference;
using weft::testing::RandomMetrics;

constexpr auto kProtobuf = OtlpFormat::kProtobuf;
constexpr auto kJson = OtlpFormat::kJson;

std::string Encoded(OtlpFormat format, const MetricBatch& batch) {
  std::string out;
  EncodeOtlpMetrics(format, batch, &out);
  return out;
}
MetricBatch Decoded(OtlpFormat format, std::string body) {
  auto batch = DecodeOtlpMetrics(format, std::move(body));
  EXPECT_TRUE(batch) << batch.error().message;
  return batch ? std::move(*batch) : MetricBatch();
}
// A request of one metric with these fields.
std::string OneMetric(const std::string& fields) { return Wrap(1, Wrap(2, Wrap(2, fields))); }
std::string OneMetricJson(const std::string& fields) {
  return R"({"resourceMetrics":[{"scopeMetrics":[{"metrics":[{)" + fields + "}]}]}]}";
}
std::string Fixed64s(std::initializer_list<uint64_t> numbers) {
  std::string out;
  for (uint64_t n : numbers) out.append(reinterpret_cast<const char*>(&n), sizeof n);
  return out;
}
std::string RealBits(double real) { return Fixed64s({std::bit_cast<uint64_t>(real)}); }

// ---- round trips

TEST(OtlpMetricsRoundTrip, EveryFieldSurvivesProtobuf) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    const MetricBatch batch = RandomMetrics({.seed = seed});
    auto decoded = DecodeOtlpMetrics(kProtobuf, Encoded(kProtobuf, batch), OtlpSource::kStored);
    ASSERT_TRUE(decoded) << decoded.error().message << " seed " << seed;
    EXPECT_EQ(MetricDifference(batch, *decoded), "") << "seed " << seed;
    EXPECT_EQ(decoded->point_count(), batch.point_count());
    EXPECT_EQ(decoded->rejected_points.count, 0u) << decoded->rejected_points.message;
    EXPECT_EQ(decoded->left_out.count, 0u) << decoded->left_out.message;
    EXPECT_EQ(decoded->not_understood.count, 0u) << decoded->not_understood.message;
    EXPECT_TRUE(decoded->received_is_content);
    // The second encoding is the first, byte for byte.
    EXPECT_EQ(Encoded(kProtobuf, *decoded), decoded->received) << "seed " << seed;
  }
}

TEST(OtlpMetricsRoundTrip, EveryFieldSurvivesJson) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    const MetricBatch batch = RandomMetrics({.seed = seed, .json_safe = true});
    const std::string text = Encoded(kJson, batch);
    auto decoded = DecodeOtlpMetrics(kJson, text, OtlpSource::kStored);
    ASSERT_TRUE(decoded) << decoded.error().message << " seed " << seed;
    EXPECT_EQ(MetricDifference(batch, *decoded), "") << "seed " << seed;
    EXPECT_EQ(decoded->rejected_points.count, 0u) << decoded->rejected_points.message;
    EXPECT_EQ(decoded->left_out.count, 0u) << decoded->left_out.message;
    EXPECT_FALSE(decoded->received_is_content);
    EXPECT_EQ(Encoded(kJson, *decoded), text) << "seed " << seed;
  }
}

TEST(OtlpMetricsRoundTrip, ProtobufByWayOfJsonIsTheSameProtobuf) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    const std::string bytes = Encoded(kProtobuf, RandomMetrics({.seed = seed, .json_safe = true}));
    auto first = DecodeOtlpMetrics(kProtobuf, bytes, OtlpSource::kStored);
    ASSERT_TRUE(first) << first.error().message;
    auto second = DecodeOtlpMetrics(kJson, Encoded(kJson, *first), OtlpSource::kStored);
    ASSERT_TRUE(second) << second.error().message;
    EXPECT_EQ(Encoded(kProtobuf, *second), bytes) << "seed " << seed;
  }
}

// JSON, in which broken text cannot stand, is the reference.
TEST(OtlpMetricsRoundTrip, SoundTextIsWhatJsonMakesOfIt) {
  int mended = 0;
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    const MetricBatch batch = RandomMetrics({.seed = seed});
    std::string sound;
    EncodeSoundOtlpMetrics(kProtobuf, batch, &sound);
    mended += sound != Encoded(kProtobuf, batch);
    auto decoded = DecodeOtlpMetrics(kProtobuf, sound, OtlpSource::kStored);
    ASSERT_TRUE(decoded) << decoded.error().message << " seed " << seed;
    EXPECT_EQ(Encoded(kJson, *decoded), Encoded(kJson, batch)) << "seed " << seed;
  }
  EXPECT_GT(mended, 50);
}

TEST(OtlpMetricsRoundTrip, ACopyOutlivesItsSource) {
  MetricBatch copy;
  std::string expected;
  {
    const MetricBatch source = Decoded(kProtobuf, Encoded(kProtobuf, RandomMetrics({.seed = 5})));
    expected = Encoded(kProtobuf, source);
    for (const Resource& resource : source.resources)
      copy.resources.push_back(CopyResource(resource, &copy.arena));
    for (const Scope& scope : source.scopes) copy.scopes.push_back(CopyScope(scope, &copy.arena));
    for (const Metric& metric : source.metrics)
      copy.metrics.push_back(CopyMetric(metric, &copy.arena));
  }
  EXPECT_TRUE(Encoded(kProtobuf, copy) == expected);
}

// The shortest of requests too, whose bytes a string could keep within itself.
TEST(OtlpMetricsRoundTrip, ViewsPointIntoABatchThatWasMoved) {
  const MetricBatch batch = Decoded(kProtobuf, OneMetric(Wrap(1, "name")));
  ASSERT_EQ(batch.metrics.size(), 1u);
  EXPECT_EQ(batch.metrics[0].name, "name");
  const char* const begin = batch.received.data();
  EXPECT_TRUE(std::greater_equal<>()(batch.metrics[0].name.data(), begin));
  EXPECT_TRUE(std::less<>()(batch.metrics[0].name.data(), begin + batch.received.size()));
}

TEST(OtlpMetricsRoundTrip, EmptyMeansSuccessWithNothing) {
  const MetricBatch proto = Decoded(kProtobuf, ""), json = Decoded(kJson, "{}");
  EXPECT_TRUE(proto.empty() && json.empty());
  EXPECT_TRUE(proto.received_is_content);
  EXPECT_EQ(Encoded(kProtobuf, proto), "");
  EXPECT_EQ(Encoded(kJson, json), R"({"resourceMetrics":[]})");
}

// ---- what may be absent

TEST(OtlpMetrics, AMetricWithoutDataAndDataWithoutPointsSurvive) {
  MetricBatch batch;
  batch.resources.resize(1);
  batch.scopes.resize(1);
  for (int kind = 0; kind <= 5; ++kind)
    batch.metrics.push_back({.name = "m", .kind = static_cast<MetricKind>(kind)});
  batch.metrics.emplace_back();  // nothing at all
  for (OtlpFormat format : {kProtobuf, kJson}) {
    const MetricBatch decoded = Decoded(format, Encoded(format, batch));
    EXPECT_EQ(MetricDifference(batch, decoded), "");
    EXPECT_EQ(decoded.metrics.size(), 7u);
    EXPECT_EQ(decoded.point_count(), 0u);
    EXPECT_FALSE(decoded.empty());
  }
}

TEST(OtlpMetrics, ZeroIsToldFromAbsent) {
  MetricBatch batch;
  batch.resources.resize(1);
  batch.scopes.resize(1);
  std::span<NumberPoint> numbers = batch.arena.NewArray<NumberPoint>(4);
  numbers[0].value = Value::Int(0);
  numbers[1].value = Value::Double(0);
  numbers[2].value = Value::Double(-0.0);
  numbers[3].flags = kNoRecordedValue;
  std::span<HistogramPoint> histograms = batch.arena.NewArray<HistogramPoint>(3);
  histograms[1].sum = histograms[1].min = histograms[1].max = 0.0;
  histograms[2].sum = -0.0;
  auto exponential = batch.arena.NewArray<ExponentialHistogramPoint>(4);
  exponential[1].sum = exponential[1].min = exponential[1].max = 0.0;
  exponential[1].positive.present = true;
  exponential[2].negative.present = true;
  exponential[3].zero_threshold = -0.0;
  std::span<SummaryPoint> summaries = batch.arena.NewArray<SummaryPoint>(2);
  summaries[1].sum = -0.0;
  summaries[1].quantiles = batch.arena.NewArray<QuantileValue>(1);
  batch.metrics.push_back({.kind = MetricKind::kGauge, .numbers = numbers});
  batch.metrics.push_back({.kind = MetricKind::kHistogram, .histograms = histograms});
  batch.metrics.push_back(
      {.kind = MetricKind::kExponentialHistogram, .exponential_histograms = exponential});
  batch.metrics.push_back({.kind = MetricKind::kSummary, .summaries = summaries});

  for (OtlpFormat format : {kProtobuf, kJson}) {
    const MetricBatch decoded = Decoded(format, Encoded(format, batch));
    ASSERT_EQ(MetricDifference(batch, decoded), "");
    EXPECT_EQ(decoded.metrics[0].numbers[0].value.type, ValueType::kInt);
    EXPECT_EQ(decoded.metrics[0].numbers[3].value.type, ValueType::kEmpty);
    EXPECT_FALSE(decoded.metrics[1].histograms[0].sum.has_value());
    EXPECT_EQ(decoded.metrics[1].histograms[1].sum, 0.0);
    EXPECT_TRUE(std::signbit(*decoded.metrics[1].histograms[2].sum));
    EXPECT_FALSE(decoded.metrics[2].exponential_histograms[0].positive.present);
    EXPECT_TRUE(decoded.metrics[2].exponential_histograms[1].positive.present);
    EXPECT_TRUE(std::signbit(decoded.metrics[3].summaries[1].sum));
  }
}

TEST(OtlpMetrics, NumbersAtTheirEndsSurvive) {
  const double kReals[] = {std::numeric_limits<double>::max(),
                           std::numeric_limits<double>::lowest(),
                           std::numeric_limits<double>::min(),
                           std::numeric_limits<double>::denorm_min(),
                           -std::numeric_limits<double>::denorm_min(),
                           HUGE_VAL,
                           -HUGE_VAL,
                           std::numeric_limits<double>::quiet_NaN(),
                           0.1,
                           1e21,
                           9007199254740993.0};
  const int64_t kIntegers[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 1, (1LL << 53) + 1, INT64_MAX};
  MetricBatch batch;
  batch.resources.resize(1);
  batch.scopes.resize(1);
  auto numbers = batch.arena.NewArray<NumberPoint>(std::size(kReals) + std::size(kIntegers));
  size_t at = 0;
  for (double real : kReals) numbers[at++].value = Value::Double(real);
  for (int64_t integer : kIntegers) numbers[at++].value = Value::Int(integer);
  auto exponential = batch.arena.NewArray<ExponentialHistogramPoint>(2);
  exponential[0].scale = INT32_MIN;
  exponential[0].positive = {.present = true, .offset = INT32_MAX, .counts = {}};
  exponential[1].scale = INT32_MAX;
  exponential[1].negative = {.present = true, .offset = INT32_MIN, .counts = {}};
  exponential[1].count = exponential[1].zero_count = exponential[1].time_ns = UINT64_MAX;
  exponential[1].flags = UINT32_MAX;
  batch.metrics.push_back({.kind = MetricKind::kSum,
                           .temporality = static_cast<AggregationTemporality>(-1),
                           .numbers = numbers});
  batch.metrics.push_back(
      {.kind = MetricKind::kExponentialHistogram, .exponential_histograms = exponential});
  for (OtlpFormat format : {kProtobuf, kJson})
    EXPECT_EQ(MetricDifference(batch, Decoded(format, Encoded(format, batch))), "");

  // What JSON has one word for: protobuf keeps the bits.
  numbers[0].value = Value::Double(std::bit_cast<double>(0xFFF0'0000'0000'0001u));
  EXPECT_EQ(MetricDifference(batch, Decoded(kProtobuf, Encoded(kProtobuf, batch))), "");
  EXPECT_TRUE(std::isnan(Decoded(kJson, Encoded(kJson, batch)).metrics[0].numbers[0].value.real));
}

// ---- forms of the wire

TEST(OtlpMetrics, RepeatedNumbersAreReadPackedAndOneByOneAndInPieces) {
  const std::string packed = Wrap(6, Fixed64s({1, 2})) + Wrap(7, RealBits(0.5)),
                    singles = "\x31"s + Fixed64s({3}) + "\x39"s + RealBits(1.5) + "\x31"s +
                              Fixed64s({UINT64_MAX}) + Wrap(6, "") + Wrap(7, RealBits(-0.0));
  const MetricBatch batch = Decoded(kProtobuf, OneMetric(Wrap(9, Wrap(1, packed + singles))));
  const HistogramPoint& point = batch.metrics[0].histograms[0];
  EXPECT_THAT(point.bucket_counts, ElementsAre(1, 2, 3, UINT64_MAX));
  EXPECT_THAT(point.explicit_bounds, ElementsAre(0.5, 1.5, -0.0));
  EXPECT_TRUE(std::signbit(point.explicit_bounds[2]));

  // Varints, in a message that comes in two pieces with the other buckets between.
  const std::string positive = Wrap(8, "\x08\x03"s + Wrap(2, "\x01\xac\x02"s)),
                    more = Wrap(8, "\x10\x05\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s),
                    negative = Wrap(9, "\x08\x04"s + Wrap(2, "\x07"s));
  const MetricBatch exponential =
      Decoded(kProtobuf, OneMetric(Wrap(10, Wrap(1, positive + negative + more))));
  const auto& buckets = exponential.metrics[0].exponential_histograms[0];
  EXPECT_THAT(buckets.positive.counts, ElementsAre(1, 300, 5, UINT64_MAX));
  EXPECT_EQ(buckets.positive.offset, -2);
  EXPECT_THAT(buckets.negative.counts, ElementsAre(7));
  EXPECT_EQ(buckets.negative.offset, 2);
}

TEST(OtlpMetrics, OneKindTwiceIsMergedAndOfTwoKindsTheLastCounts) {
  const std::string gauge = Wrap(5, Wrap(1, "") + Wrap(1, "")),
                    sum = Wrap(7, Wrap(1, "") + "\x18\x01"s);
  const MetricBatch merged = Decoded(kProtobuf, OneMetric(sum + gauge + gauge));
  ASSERT_EQ(merged.metrics.size(), 1u);
  EXPECT_EQ(merged.metrics[0].kind, MetricKind::kGauge);
  EXPECT_EQ(merged.metrics[0].numbers.size(), 4u);
  EXPECT_FALSE(merged.metrics[0].monotonic);
  EXPECT_EQ(merged.rejected_points.count, 1u);
  EXPECT_EQ(merged.rejected_points.message,
            "resource_metrics[0].scope_metrics[0].metrics[0]: has sum and gauge data, of which the "
            "last counts");
  EXPECT_FALSE(merged.received_is_content);

  const MetricBatch json = Decoded(
      kJson, OneMetricJson(R"("gauge":{"dataPoints":[{},{}]},"summary":{"dataPoints":[{}]},)"
                           R"("gauge":null,"summary":{"dataPoints":[{"count":2}]})"));
  ASSERT_EQ(json.metrics.size(), 1u);
  EXPECT_EQ(json.metrics[0].kind, MetricKind::kSummary);
  EXPECT_EQ(json.metrics[0].summaries.size(), 2u);
  EXPECT_TRUE(json.metrics[0].numbers.empty());
  EXPECT_EQ(json.rejected_points.count, 2u);
}

TEST(OtlpMetrics, TheLastOfANumbersTwoTypesCounts) {
  const std::string integer = "\x31"s + Fixed64s({5}), real = "\x21"s + RealBits(0.5);
  const MetricBatch batch =
      Decoded(kProtobuf, OneMetric(Wrap(5, Wrap(1, integer + real) + Wrap(1, real + integer))));
  EXPECT_TRUE(batch.metrics[0].numbers[0].value == Value::Double(0.5));
  EXPECT_TRUE(batch.metrics[0].numbers[1].value == Value::Int(5));
}

TEST(OtlpMetrics, FormerNamesAndNumbersOfTheLevelsAreRead) {
  const std::string metrics = Wrap(2, Wrap(1, "m") + Wrap(5, Wrap(1, "")));
  const MetricBatch proto = Decoded(
      kProtobuf,
      Wrap(1, "\xc2\x3e"s + static_cast<char>(Wrap(1, Wrap(1, "lib")).size() + metrics.size()) +
                  Wrap(1, Wrap(1, "lib")) + metrics));
  const MetricBatch json = Decoded(
      kJson, R"({"resource_metrics":[{"instrumentationLibraryMetrics":[{"instrumentationLibrary":)"
             R"({"name":"lib"},"metrics":[{"name":"m","gauge":{"data_points":[{}]}}]}]}]})");
  for (const MetricBatch* batch : {&proto, &json}) {
    ASSERT_EQ(batch->point_count(), 1u);
    EXPECT_EQ(batch->metrics[0].name, "m");
    EXPECT_EQ(batch->scopes[batch->metrics[0].scope].name, "lib");
  }
  // Both names: the new one has it all.
  const MetricBatch both = Decoded(
      kJson,
      R"({"resourceMetrics":[{"instrumentationLibraryMetrics":[{"metrics":[{"name":"old"},7]}],)"
      R"("scopeMetrics":[{"metrics":[{"name":"new"}]}]}]})");
  ASSERT_EQ(both.metrics.size(), 1u);
  EXPECT_EQ(both.metrics[0].name, "new");
  EXPECT_EQ(both.rejected_points.count, 0u);
}

TEST(OtlpMetrics, UnknownFieldsInPlaceOfDataAreTold) {
  // IntGauge, which was field 4; a gauge whose points have another number; unknown fields beside
  // data are nobody's loss.
  const std::pair<std::string, std::string> kProto[] = {
      {Wrap(4, Wrap(1, "")), R"(not understood: found "field 4")"},
      {Wrap(5, Wrap(9, "x")), R"(not understood: found "field 9", expected "data_points")"},
      {Wrap(4, "x") + Wrap(5, Wrap(9, "x") + Wrap(1, "")), ""}};
  for (const auto& [fields, message] : kProto) {
    const MetricBatch batch = Decoded(kProtobuf, OneMetric(fields));
    EXPECT_EQ(batch.not_understood.count, message.empty() ? 0u : 1u) << message;
    EXPECT_THAT(batch.not_understood.message, HasSubstr(message));
    EXPECT_EQ(batch.metrics.size(), 1u);
  }
  const MetricBatch batch =
      Decoded(kJson, OneMetricJson(R"("name":"m","guage":{"dataPoints":[{}]})"));
  EXPECT_EQ(batch.not_understood.count, 1u);
  EXPECT_EQ(batch.not_understood.message,
            "resourceMetrics[0].scopeMetrics[0].metrics[0]: not understood: found \"guage\": did "
            "you mean \"gauge\"?");
}

TEST(OtlpMetrics, WhatWritersInTheFieldMeanIsTaken) {
  const MetricBatch batch = Decoded(
      kJson,
      "\xEF\xBB\xBF" +
          OneMetricJson(
              R"("name":"caf)"
              "\xe9"
              R"(","unit":null,"sum":{"aggregationTemporality":"AGGREGATION_TEMPORALITY_DELTA",)"
              R"("is_monotonic":"true","dataPoints":[{"asInt":"-9223372036854775808"},{"asInt":7},)"
              R"({"asInt":1e3},{"asDouble":"-Infinity"},{"as_double":"0.5"},{"asDouble":NaN },)"
              R"({"asDouble":null,"start_time_unix_nano":"5","timeUnixNano":6,"flags":"1",)"
              R"("exemplars":[{"traceId":"W47/95gDgQPSabYzgT/GDA==","spanId":"EEE19B7EC3C1B174",)"
              R"("future":[nope]}]}]})"));
  ASSERT_EQ(batch.metrics.size(), 1u);
  EXPECT_EQ(batch.rejected_points.message + batch.left_out.message, "");
  const Metric& metric = batch.metrics[0];
  EXPECT_EQ(metric.name, "caf\xe9");
  EXPECT_EQ(metric.temporality, AggregationTemporality::kDelta);
  EXPECT_TRUE(metric.monotonic);
  ASSERT_EQ(metric.numbers.size(), 7u);
  EXPECT_TRUE(metric.numbers[0].value == Value::Int(INT64_MIN));
  EXPECT_TRUE(metric.numbers[1].value == Value::Int(7));
  EXPECT_TRUE(metric.numbers[2].value == Value::Int(1000));
  EXPECT_TRUE(metric.numbers[3].value == Value::Double(-HUGE_VAL));
  EXPECT_TRUE(metric.numbers[4].value == Value::Double(0.5));
  EXPECT_TRUE(std::isnan(metric.numbers[5].value.real));
  const NumberPoint& last = metric.numbers[6];
  EXPECT_EQ(last.value.type, ValueType::kEmpty);
  EXPECT_EQ(last.start_ns, 5u);
  EXPECT_EQ(last.time_ns, 6u);
  EXPECT_EQ(last.flags, kNoRecordedValue);
  ASSERT_EQ(last.exemplars.size(), 1u);
  EXPECT_EQ(last.exemplars[0].trace_id.ToHex(), "5b8efff798038103d269b633813fc60c");
  EXPECT_EQ(last.exemplars[0].span_id.ToHex(), "eee19b7ec3c1b174");
}

// ---- cuts and growth

// What a cut took is an error or is counted: never is a shorter batch called sound.
TEST(OtlpMetrics, EveryCutIsAnErrorOrACountedLoss) {
  const MetricBatch batch = RandomMetrics({.seed = 3, .metrics = 12, .json_safe = true});
  for (OtlpFormat format : {kProtobuf, kJson}) {
    const std::string whole = Encoded(format, batch);
    size_t refused = 0, shorter = 0;
    // Long texts are cut in some places only.
    const size_t step = whole.size() / 4000 + 1;
    for (size_t i = 0; i < whole.size(); i += step) {
      auto cut = DecodeOtlpMetrics(format, whole.substr(0, i), OtlpSource::kStored);
      if (!cut) {
        EXPECT_FALSE(cut.error().message.empty());
        ++refused;
      } else if (cut->rejected_points.count + cut->left_out.count == 0) {
        // Only between two resources is a message cut off unseen.
        EXPECT_EQ(Encoded(format, *cut).size(), i);
        ++shorter;
      }
    }
    EXPECT_GT(refused, 1000u);
    EXPECT_LE(shorter, 13u);
    if (format == kJson) {
      EXPECT_EQ(shorter, 0u);
    }
  }
}

// Inside a metric whose length is right, a cut costs what it cut.
TEST(OtlpMetrics, ACutInsideAMetricCostsIt) {
  const std::string point = Wrap(1, "\x11"s + Fixed64s({1}) + "\x31"s + Fixed64s({7})),
                    sum = Wrap(7, point + point), good = Wrap(1, "good") + Wrap(5, point);
  for (size_t i = 1; i < sum.size(); ++i) {
    const MetricBatch batch = Decoded(
        kProtobuf, Wrap(1, Wrap(2, Wrap(2, good) + Wrap(2, sum.substr(0, i)) + Wrap(2, good))));
    ASSERT_EQ(batch.metrics.size(), 2u) << i;
    EXPECT_EQ(batch.metrics[1].name, "good");
    EXPECT_EQ(batch.rejected_points.count, 1u) << i;
    EXPECT_THAT(batch.rejected_points.message,
                HasSubstr("resource_metrics[0].scope_metrics[0].metrics[1].sum: byte"));
  }
}

TEST(OtlpMetrics, DecodingIsOutOfProportionForNobody) {
  // Two bytes ask for a point each.
  std::string points;
  for (int i = 0; i < 200'000; ++i) points += Wrap(1, "");
  auto proto = DecodeOtlpMetrics(kProtobuf, OneMetric(Wrap(10, points)));
  ASSERT_FALSE(proto);
  EXPECT_EQ(proto.error().code, ErrorCode::kTooLarge);
  EXPECT_THAT(proto.error().message, HasSubstr("exponential_histogram.data_points["));
  EXPECT_TRUE(DecodeOtlpMetrics(kProtobuf, OneMetric(Wrap(10, points)), OtlpSource::kStored));
  // A packed varint is one byte for eight, and is in proportion.
  const MetricBatch counts = Decoded(
      kProtobuf, OneMetric(Wrap(10, Wrap(1, Wrap(8, Wrap(2, std::string(1 << 20, '\x01')))))));
  EXPECT_EQ(counts.metrics[0].exponential_histograms[0].positive.counts.size(), size_t{1} << 20);
}

}  // namespace
}  // namespace weft::codec

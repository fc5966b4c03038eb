// SPDX-License-Identifier: Apache-2.0
#include "codec/otlp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/random_batch.h"

namespace weft::codec {
namespace {

using namespace std::string_literals;

constexpr auto kProtobuf = OtlpFormat::kProtobuf;
constexpr auto kJson = OtlpFormat::kJson;

std::string Traces(OtlpFormat format, const SpanBatch& batch) {
  std::string out;
  EncodeOtlpTraces(format, batch, &out);
  return out;
}
std::string Logs(OtlpFormat format, const SpanBatch& batch) {
  std::string out;
  EncodeOtlpLogs(format, batch, &out);
  return out;
}

SpanBatch OnlySpans(SpanBatch batch) {
  batch.logs.clear();
  return batch;
}
SpanBatch OnlyLogs(SpanBatch batch) {
  batch.spans.clear();
  return batch;
}

TEST(OtlpRoundTrip, EveryFieldSurvivesProtobuf) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    SpanBatch spans = OnlySpans(testing::RandomBatch({.seed = seed}));
    auto decoded = DecodeOtlpTraces(kProtobuf, Traces(kProtobuf, spans));
    ASSERT_TRUE(decoded) << decoded.error().message << " seed " << seed;
    EXPECT_EQ(testing::BatchDifference(spans, *decoded), "") << "seed " << seed;
    EXPECT_EQ(decoded->rejected_spans.count, 0u);
    EXPECT_TRUE(decoded->received_is_content);
    // The second encoding is the first, byte for byte.
    EXPECT_EQ(Traces(kProtobuf, *decoded), decoded->received);

    SpanBatch logs = OnlyLogs(testing::RandomBatch({.seed = seed}));
    auto decoded_logs = DecodeOtlpLogs(kProtobuf, Logs(kProtobuf, logs));
    ASSERT_TRUE(decoded_logs) << decoded_logs.error().message << " seed " << seed;
    EXPECT_EQ(testing::BatchDifference(logs, *decoded_logs), "") << "seed " << seed;
  }
}

// JSON, in which broken text cannot stand, is the reference.
TEST(OtlpRoundTrip, SoundTextIsWhatJsonMakesOfIt) {
  int mended = 0;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    SpanBatch spans = OnlySpans(testing::RandomBatch({.seed = seed}));
    std::string sound;
    EncodeSoundOtlpTraces(kProtobuf, spans, &sound);
    mended += sound != Traces(kProtobuf, spans);
    auto decoded = DecodeOtlpTraces(kProtobuf, sound);
    ASSERT_TRUE(decoded) << decoded.error().message << " seed " << seed;
    EXPECT_EQ(Traces(kJson, *decoded), Traces(kJson, spans)) << "seed " << seed;
    std::string again;
    EncodeSoundOtlpTraces(kProtobuf, *decoded, &again);
    EXPECT_EQ(again, Traces(kProtobuf, *decoded)) << "nothing is left to mend, seed " << seed;
  }
  EXPECT_GT(mended, 100);
}

TEST(OtlpRoundTrip, EveryFieldSurvivesJson) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    SpanBatch spans = OnlySpans(testing::RandomBatch({.seed = seed, .json_safe = true}));
    auto decoded = DecodeOtlpTraces(kJson, Traces(kJson, spans));
    ASSERT_TRUE(decoded) << decoded.error().message << " seed " << seed;
    EXPECT_EQ(testing::BatchDifference(spans, *decoded), "") << "seed " << seed;
    EXPECT_FALSE(decoded->received_is_content);

    SpanBatch logs = OnlyLogs(testing::RandomBatch({.seed = seed, .json_safe = true}));
    auto decoded_logs = DecodeOtlpLogs(kJson, Logs(kJson, logs));
    ASSERT_TRUE(decoded_logs) << decoded_logs.error().message << " seed " << seed;
    EXPECT_EQ(testing::BatchDifference(logs, *decoded_logs), "") << "seed " << seed;
  }
}

TEST(OtlpRoundTrip, EmptyMeansSuccessWithNothing) {
  auto proto = DecodeOtlpTraces(kProtobuf, "");
  ASSERT_TRUE(proto);
  EXPECT_TRUE(proto->empty());
  auto json = DecodeOtlpTraces(kJson, "{}");
  ASSERT_TRUE(json) << json.error().message;
  EXPECT_TRUE(json->empty());
  EXPECT_EQ(Traces(kProtobuf, *proto), "");
  EXPECT_EQ(Traces(kJson, *proto), R"({"resourceSpans":[]})");
}

TEST(OtlpRoundTrip, RunsOfEqualIndexesShareTheirLevels) {
  SpanBatch batch;
  batch.resources.resize(2);
  batch.scopes.resize(2);
  batch.scopes[1].name = "s1";
  for (auto [resource, scope] : {std::pair{0, 0}, {0, 0}, {0, 1}, {1, 1}, {0, 0}}) {
    Span& span = batch.spans.emplace_back();
    span.trace_id.bytes[0] = span.span_id.bytes[0] = 1;
    span.resource = resource;
    span.scope = scope;
  }
  auto decoded = DecodeOtlpTraces(kProtobuf, Traces(kProtobuf, batch));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->resources.size(), 3u);
  EXPECT_EQ(decoded->scopes.size(), 4u);
  EXPECT_EQ(testing::BatchDifference(batch, *decoded), "");
}

// What writers in the field send: names in snake case, enum names, numbers as strings and the other
// way round, ids in upper case and in base64, null for what is not there.
TEST(OtlpJson, ReadsWhatTheFieldWrites) {
  auto batch = DecodeOtlpTraces(kJson, R"({
    "resource_spans": [{
      "scope_spans": [{"scope": {"name": "lib"}, "spans": [{
        "trace_id": "5B8EFFF798038103D269B633813FC60C", "spanId": "7s2/lG9aBkM=",
        "parent_span_id": null, "kind": "SPAN_KIND_CLIENT", "name": "a\u00e9\ud83d\ude00\n\/",
        "start_time_unix_nano": 1544712660000000000, "endTimeUnixNano": "1544712661000000000",
        "status": {"code": "STATUS_CODE_ERROR"}, "droppedEventsCount": "7", "flags": 1e2,
        "unknown": {"deep": [1, {"x": [null, true]}]},
        "attributes": [
          {"key": "i", "value": {"intValue": 15070}},
          {"key": "j", "value": {"int_value": "-9223372036854775808"}},
          {"key": "d", "value": {"doubleValue": "NaN"}},
          {"key": "e", "value": {"doubleValue": 3}},
          {"key": "f", "value": {"doubleValue": "-Infinity"}},
          {"key": "b", "value": {"bytesValue": "_-8"}},
          {"key": "t", "value": {"boolValue": true}},
          {"key": "n", "value": {}},
          {"key": "a", "value": {"arrayValue": {"values": [{"stringValue": "x"}, {}]}}},
          {"key": "m", "value": {"kvlistValue": {"values": [{"key": "k", "value": {"intValue": "1"}}]}}}
        ]}]}],
      "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}
    }]})");
  ASSERT_TRUE(batch) << batch.error().message;
  ASSERT_EQ(batch->spans.size(), 1u) << batch->rejected_spans.message;
  const Span& span = batch->spans[0];
  EXPECT_EQ(span.trace_id.ToHex(), "5b8efff798038103d269b633813fc60c");
  EXPECT_EQ(span.span_id.ToHex(), "eecdbf946f5a0643");
  EXPECT_TRUE(span.parent_span_id.empty());
  EXPECT_EQ(span.kind, SpanKind::kClient);
  EXPECT_EQ(span.name, "a\xC3\xA9\xF0\x9F\x98\x80\n/");
  EXPECT_EQ(span.start_ns, 1544712660000000000u);
  EXPECT_EQ(span.end_ns, 1544712661000000000u);
  EXPECT_EQ(span.status, StatusCode::kError);
  EXPECT_EQ(span.dropped_events, 7u);
  EXPECT_EQ(span.flags, 100u);
  EXPECT_EQ(batch->scopes[span.scope].name, "lib");
  EXPECT_EQ(ServiceName(batch->resources[span.resource]), "shop");
  std::string text;
  for (const KeyValue& entry : span.attributes) {
    text += std::string(entry.key) + "=";
    AppendValueJson(entry.value, &text);
    text += " ";
  }
  EXPECT_EQ(text,
            "i=15070 j=-9223372036854775808 d=\"NaN\" e=3 f=\"-Infinity\" b=\"/+8=\" t=true n=null "
            "a=[\"x\",null] m={\"k\":1} ");
}

TEST(OtlpJson, HalfASurrogatePairBecomesTheReplacementCharacter) {
  auto value = DecodeOtlpTraces(kJson, R"({"resourceSpans":[{"scopeSpans":[{"spans":[{
    "traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"\ud800x\udc00"}]}]}]})");
  ASSERT_TRUE(value) << value.error().message;
  EXPECT_EQ(value->spans[0].name, "\xEF\xBF\xBDx\xEF\xBF\xBD");
}

// Spans that are invalid by themselves.

std::string SpanJson(std::string_view fields) {
  return R"({"resourceSpans":[{},{"scopeSpans":[{"spans":[{"traceId":"5b8efff798038103d269b633813fc60c",
    "spanId":"eee19b7ec3c1b174"},{)" +
         std::string(fields) + "}]}]}]}";
}

TEST(OtlpRejection, JsonNamesTheFirstReason) {
  const char* trace = R"("traceId":"5b8efff798038103d269b633813fc60c")";
  const char* span = R"("spanId":"eee19b7ec3c1b174")";
  auto both = [&](const char* more) { return std::string(trace) + "," + span + "," + more; };
  const std::pair<std::string, std::string> kCases[] = {
      {span, "traceId: missing"},
      {std::string(span) + R"(,"traceId":"")", "traceId: missing"},
      {std::string(span) + R"(,"traceId":"5b8efff798038103d269b633813fc60")",
       "traceId: 31 characters, expected 32 hexadecimal digits"},
      {std::string(span) + R"(,"traceId":"xb8efff798038103d269b633813fc60c")",
       "traceId: not a hexadecimal number"},
      {std::string(span) + R"(,"traceId":"00000000000000000000000000000000")", "traceId: all zero"},
      {trace, "spanId: missing"},
      {both(R"("parentSpanId":"abc")"),
       "parentSpanId: 3 characters, expected 16 hexadecimal digits"},
      {both(R"("links":[{},{"spanId":"abc"}])"),
       "links[1].spanId: 3 characters, expected 16 hexadecimal digits"}};
  for (const auto& [fields, reason] : kCases) {
    auto batch = DecodeOtlpTraces(kJson, SpanJson(fields));
    ASSERT_TRUE(batch) << batch.error().message;
    EXPECT_EQ(batch->spans.size(), 1u);
    EXPECT_EQ(batch->rejected_spans.count, 1u);
    EXPECT_EQ(batch->rejected_spans.message, "resourceSpans[1].scopeSpans[0].spans[1]." + reason);
  }
}

TEST(OtlpRejection, ProtobufKeepsTheRestAndCountsExactly) {
  SpanBatch source = OnlySpans(testing::RandomBatch({.seed = 7, .spans = 30}));
  for (size_t i = 0; i < source.spans.size(); ++i) {
    source.spans[i].resource = source.spans[i].scope = 0;
    if (i % 3 == 1) source.spans[i].span_id = {};
  }
  auto batch = DecodeOtlpTraces(kProtobuf, Traces(kProtobuf, source));
  ASSERT_TRUE(batch) << batch.error().message;
  EXPECT_EQ(batch->rejected_spans.count, 10u);
  EXPECT_EQ(batch->rejected_spans.message,
            "resource_spans[0].scope_spans[0].spans[1].span_id: missing");
  EXPECT_FALSE(batch->received_is_content);
  std::erase_if(source.spans, [](const Span& span) { return span.span_id.empty(); });
  EXPECT_EQ(testing::BatchDifference(source, *batch), "");
}

TEST(OtlpRejection, LogsWithoutATraceAreKeptUntilSomebodyRejectsThem) {
  SpanBatch source = OnlyLogs(testing::RandomBatch({.seed = 8, .logs = 4}));
  for (LogRecord& log : source.logs) log.resource = log.scope = 0;
  source.logs[2].trace_id = {};
  for (OtlpFormat format : {kProtobuf, kJson}) {
    auto batch = DecodeOtlpLogs(format, Logs(format, source));
    ASSERT_TRUE(batch) << batch.error().message;
    EXPECT_EQ(batch->rejected_logs.count, 0u);
    EXPECT_EQ(testing::BatchDifference(source, *batch), "");
    EXPECT_EQ(RejectTracelessLogs(&*batch), 1u);
    EXPECT_EQ(batch->logs.size(), 3u);
    EXPECT_EQ(batch->rejected_logs.count, 1u);
    EXPECT_EQ(batch->rejected_logs.no_trace, 1u);
    EXPECT_EQ(RejectTracelessLogs(&*batch), 0u);
  }
}

TEST(OtlpRejection, LevelsWithoutAnyItemLeaveNothingBehind) {
  auto batch =
      DecodeOtlpTraces(kJson, R"({"resourceSpans":[{"resource":{"droppedAttributesCount":1},
    "scopeSpans":[{"scope":{"name":"x"},"spans":[{}]},{}]},{}]})");
  ASSERT_TRUE(batch) << batch.error().message;
  EXPECT_EQ(batch->rejected_spans.count, 1u);
  EXPECT_TRUE(batch->resources.empty());
  EXPECT_TRUE(batch->scopes.empty());
}

// Answers.

TEST(OtlpResponse, SuccessIsEmptyAndPartialSuccessSaysWhy) {
  EXPECT_EQ(EncodeOtlpResponse(kProtobuf, "rejectedSpans", 0, ""), "");
  EXPECT_EQ(EncodeOtlpResponse(kJson, "rejectedSpans", 0, ""), "{}");
  EXPECT_EQ(EncodeOtlpResponse(kProtobuf, "rejectedSpans", 3, "why"),
            "\x0a\x07\x08\x03\x12\x03why");
  EXPECT_EQ(EncodeOtlpResponse(kJson, "rejectedSpans", 3, "why"),
            R"({"partialSuccess":{"rejectedSpans":"3","errorMessage":"why"}})");
  EXPECT_EQ(EncodeOtlpResponse(kJson, "rejectedDataPoints", 0, "a warning"),
            R"({"partialSuccess":{"errorMessage":"a warning"}})");
}

TEST(OtlpResponse, StatusCarriesRetryInfo) {
  EXPECT_EQ(
      EncodeRpcStatus(kJson, 14, "full", 5),
      R"({"code":14,"message":"full","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo",)"
      R"("retryDelay":"5s"}]})");
  EXPECT_EQ(EncodeRpcStatus(kJson, 3, "bad", 0), R"({"code":3,"message":"bad"})");
  EXPECT_EQ(EncodeRpcStatus(kProtobuf, 3, "bad", 0),
            "\x08\x03\x12\x03"
            "bad");
  EXPECT_EQ(EncodeRpcStatus(kProtobuf, 14, "full", 5),
            std::string("\x08\x0e\x12\x04"
                        "full\x1a\x30\x0a\x28") +
                "type.googleapis.com/google.rpc.RetryInfo" + "\x12\x04\x0a\x02\x08\x05");
}

TEST(OtlpMetrics, DataPointsAreCountedInEveryKind) {
  // resource_metrics > scope_metrics > metrics > {gauge: 2 points}, {summary: 1}
  std::string gauge = "\x2a\x04\x0a\x00\x0a\x00"s, summary = "\x5a\x02\x0a\x00"s;
  std::string metrics = "\x12\x06"s + gauge + "\x12\x04"s + summary;
  std::string body = "\x0a\x10\x12\x0e"s + metrics;
  auto points = CountOtlpMetricPoints(kProtobuf, body);
  ASSERT_TRUE(points) << points.error().message;
  EXPECT_EQ(*points, 3u);
  auto json = CountOtlpMetricPoints(
      kJson, R"({"resourceMetrics":[{"resource":{},"scopeMetrics":[{"scope":{},
    "metrics":[{"name":"a","sum":{"isMonotonic":true,"dataPoints":[{},{"x":1}]}},
    {"exponential_histogram":{"data_points":[{}]}}]}]}]})");
  ASSERT_TRUE(json) << json.error().message;
  EXPECT_EQ(*json, 3u);
  EXPECT_EQ(*CountOtlpMetricPoints(kProtobuf, ""), 0u);
}

TEST(OtlpValue, RoundTripsAlone) {
  SpanBatch batch = testing::RandomBatch({.seed = 11, .spans = 100});
  Arena arena;
  for (const Span& span : batch.spans) {
    for (const KeyValue& entry : span.attributes) {
      std::string bytes;
      EncodeOtlpValue(entry.value, &bytes);
      auto value = DecodeOtlpValue(bytes, &arena);
      ASSERT_TRUE(value) << value.error().message;
      EXPECT_TRUE(*value == entry.value);
    }
  }
}

}  // namespace
}  // namespace weft::codec

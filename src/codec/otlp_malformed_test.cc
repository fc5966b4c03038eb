// SPDX-License-Identifier: Apache-2.0
//
// Bytes that are not the message: each is refused, or what it belongs to is, with the place and the
// field, and without growth.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/otlp.h"
#include "codec/test_protobuf.h"
#include "wire/limits.h"
#include "wire_core/protobuf_writer.h"

namespace weft::codec {
namespace {

using ::testing::HasSubstr;
using namespace std::string_literals;

struct Case {
  std::string body;
  std::string message;
};

// Of the whole, of an item, or of a value around items.
std::string Complaint(const Result<SpanBatch>& batch) {
  if (!batch) return batch.error().message;
  EXPECT_TRUE(batch->spans.empty());
  return batch->rejected_spans.message + batch->left_out.message;
}
std::string InSpan(const std::string& fields) { return Wrap(1, Wrap(2, Wrap(2, fields))); }

TEST(OtlpMalformed, ProtobufNamesTheFieldAndTheByte) {
  const std::string in_span = "resource_spans[0].scope_spans[0].spans[0]";
  const Case kCases[] = {
      {"\x0a"s, "resource_spans: byte 0: the message ends inside the field"},
      {"\x0a\x05\x00"s, "resource_spans: byte 0: the length runs past the end of the message"},
      {"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s,
       "resource_spans: byte 0: the length runs past the end of the message"},
      {"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"s,
       "resource_spans: byte 0: varint of more than 64 bits"},
      {"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s,
       "resource_spans: byte 0: varint of more than 64 bits"},
      {"\x08\x01"s, "resource_spans: byte 0: wrong wire type for this field"},
      {"\x00\x01"s, "byte 0: no valid field number"},
      {"\xff\xff\xff\xff\x7f\x01"s, "byte 0: no valid field number"},
      {"\x0a\x00\x0e"s, "byte 2: no valid wire type"},
      {"\x0a\x00\x0c"s, "byte 2: group without its start or end, or nested too deep"},
      {"\x13\x08\x01"s, "byte 0: the message ends inside the field"},
      {"\x13\x1c"s, "byte 0: group without its start or end, or nested too deep"},
      {std::string(40, '\x13'), "byte 0: group without its start or end, or nested too deep"},
      {Wrap(1, "\x0a\x02\x0a\x09"s),
       "resource_spans[0].resource.attributes: byte 4: the length runs past the end"},
      {InSpan("\x0a\x09zzz"), in_span + ".trace_id: byte 6: the length runs past the end"},
      {InSpan("\x08\x01"s), in_span + ".trace_id: byte 6: wrong wire type for this field"},
      {InSpan("\x39\x01\x02"s), in_span + ".start_time_unix_nano: byte 6: the message ends"},
      {InSpan("\x4a\x00\x4a\x04\x12\x02\x0a\x09"s),
       in_span + ".attributes[1].value.string_value: byte 12: the length runs past the end"},
      {InSpan("\x5a\x02\x08\x01"s), in_span + ".events[0].time_unix_nano: byte 8: wrong wire type"},
      {InSpan("\x6a\x00\x6a\x02\x0a\x09"s),
       in_span + ".links[1].trace_id: byte 10: the length runs past the end"},
      {InSpan("\x7a\x02\x1a\x00"s), in_span + ".status.code: byte 8: wrong wire type"},
      {Wrap(1, Wrap(1, Wrap(3, "\x08\x01"s))),
       "resource_spans[0].resource.entity_refs.schema_url: byte 6: wrong wire type"}};
  for (const Case& one : kCases) {
    auto batch = DecodeOtlpTraces(OtlpFormat::kProtobuf, one.body);
    if (!batch) {
      EXPECT_EQ(batch.error().code, ErrorCode::kInvalidArgument);
    }
    EXPECT_THAT(Complaint(batch), HasSubstr(one.message));
  }
}

TEST(OtlpMalformed, UnknownProtobufFieldsAndGroupsAreSkipped) {
  std::string span = Wrap(1, std::string(16, 'a')) + Wrap(2, std::string(8, 'b'));
  // A varint field 100, a fixed64 field 101, and group 102 that holds a group.
  std::string unknown =
      "\xa0\x06\x01\xa9\x06\x01\x02\x03\x04\x05\x06\x07\x08"
      "\xb3\x06\x08\x01\x0b\x12\x01z\x0c\xb4\x06"s;
  auto batch = DecodeOtlpTraces(
      OtlpFormat::kProtobuf,
      Wrap(1, unknown + Wrap(2, unknown + Wrap(2, unknown + span + unknown)) + unknown));
  ASSERT_TRUE(batch) << batch.error().message;
  EXPECT_EQ(batch->spans.size(), 1u);
}

TEST(OtlpMalformed, ProtobufScalarsThatComeTwiceCountOnceAndMessagesMerge) {
  std::string ids = Wrap(1, std::string(16, 'a')) + Wrap(2, std::string(8, 'b'));
  std::string span = ids + Wrap(5, "first") + Wrap(5, "second") + Wrap(15, Wrap(2, "text")) +
                     Wrap(15, "\x18\x02"s) + Wrap(9, Wrap(1, "k")) + Wrap(9, Wrap(1, "k"));
  std::string resource = Wrap(1, Wrap(1, Wrap(1, "a"))) + Wrap(1, Wrap(1, Wrap(1, "b")));
  auto batch = DecodeOtlpTraces(OtlpFormat::kProtobuf, Wrap(1, Wrap(2, Wrap(2, span)) + resource));
  ASSERT_TRUE(batch) << batch.error().message;
  EXPECT_EQ(batch->spans[0].name, "second");
  EXPECT_EQ(batch->spans[0].status_message, "text");
  EXPECT_EQ(batch->spans[0].status, StatusCode::kError);
  EXPECT_EQ(batch->spans[0].attributes.size(), 2u);
  ASSERT_EQ(batch->resources[0].attributes.size(), 2u);
  EXPECT_EQ(batch->resources[0].attributes[1].key, "b");
}

std::string NestedArrays(int depth) {
  wire::ProtoWriter out;
  out.Varint(3, 1);
  for (int i = 1; i < depth; ++i) {
    out.CloseMessage(1, 0);
    out.CloseMessage(5, 0);
  }
  std::string text;
  out.AppendTo(&text);
  return text;
}

TEST(OtlpMalformed, NestingEndsAtTheLimit) {
  Arena arena;
  EXPECT_TRUE(DecodeOtlpValue(NestedArrays(wire::kValueDepthMax), &arena));
  auto deep = DecodeOtlpValue(NestedArrays(wire::kValueDepthMax + 1), &arena);
  ASSERT_FALSE(deep);
  EXPECT_THAT(deep.error().message, HasSubstr("values nested more than 32 deep"));
  EXPECT_FALSE(DecodeOtlpValue(NestedArrays(100000), &arena));

  for (int depth : {33, 1000000}) {
    std::string value = R"({"intValue":1})";
    std::string open, close;
    for (int i = 1; i < depth; ++i) {
      open += R"({"arrayValue":{"values":[)";
      close += "]}}";
    }
    auto json = DecodeOtlpTraces(
        OtlpFormat::kJson, R"({"resourceSpans":[{"resource":{"attributes":[{"key":"k","value":)" +
                               open + value + close + "}]}}]}");
    EXPECT_THAT(Complaint(json), HasSubstr("values nested more than 32 deep"));
  }
}

// Of a batch only the span is refused, and what it had half read leaves no trace in the others.
TEST(OtlpMalformed, AValueNestedTooDeepCostsItsSpan) {
  auto any = [](int depth) { return Wrap(9, Wrap(1, "deep") + Wrap(2, NestedArrays(depth))); };
  auto span = [](char id, const std::string& more) {
    return Wrap(2, Wrap(1, std::string(16, id)) + Wrap(2, std::string(8, id)) +
                       Wrap(9, Wrap(1, "k") + Wrap(2, Wrap(1, "v"))) + more);
  };
  auto proto = DecodeOtlpTraces(
      OtlpFormat::kProtobuf,
      Wrap(1, Wrap(2, span('a', "") + span('b', any(wire::kValueDepthMax + 1)) +
                          span('c', any(wire::kValueDepthMax)) + span('d', any(5000)))));
  ASSERT_TRUE(proto) << proto.error().message;
  ASSERT_EQ(proto->spans.size(), 2u);
  EXPECT_EQ(proto->spans[0].attributes.size(), 1u);
  EXPECT_EQ(proto->spans[1].attributes.size(), 2u);
  EXPECT_EQ(proto->rejected_spans.count, 2u);
  EXPECT_THAT(proto->rejected_spans.message,
              ::testing::StartsWith(
                  "resource_spans[0].scope_spans[0].spans[1].attributes[1].value.array_value."));
  EXPECT_THAT(proto->rejected_spans.message, HasSubstr(": values nested more than 32 deep"));

  auto json_span = [](char id, int depth) {
    std::string open, close;
    for (int i = 1; i < depth; ++i) {
      open += R"({"arrayValue":{"values":[)";
      close += "]}}";
    }
    return R"({"traceId":")" + std::string(32, id) + R"(","spanId":")" + std::string(16, id) +
           R"(","attributes":[{"key":"deep","value":)" + open + R"({"intValue":"1"})" + close +
           R"(},{"key":"k","value":{"stringValue":"v"}}]})";
  };
  auto json = DecodeOtlpTraces(OtlpFormat::kJson, R"({"resourceSpans":[{"scopeSpans":[{"spans":[)" +
                                                      json_span('a', 1) + "," + json_span('b', 33) +
                                                      "," + json_span('c', 32) + "]}]}]}");
  ASSERT_TRUE(json) << json.error().message;
  ASSERT_EQ(json->spans.size(), 2u);
  EXPECT_EQ(json->spans[1].attributes.size(), 2u);
  EXPECT_EQ(json->rejected_spans.count, 1u);
  EXPECT_THAT(json->rejected_spans.message,
              HasSubstr("spans[1].attributes[0].value.arrayValue.values[0]."));
}

// Two bytes of protobuf, or three of JSON, for a Link of 80: out of proportion soon, and refused
// long before the memory is.
TEST(OtlpMalformed, AmplificationIsRefused) {
  std::string links;
  for (int i = 0; i < 200000; ++i) links += "\x6a\x00"s;
  wire::ProtoWriter out;
  out.PutRaw(links);
  for (uint32_t number : {2, 2, 1}) out.CloseMessage(number, 0);
  std::string body;
  out.AppendTo(&body);
  auto batch = DecodeOtlpTraces(OtlpFormat::kProtobuf, body);
  ASSERT_FALSE(batch);
  EXPECT_EQ(batch.error().code, ErrorCode::kTooLarge);
  EXPECT_THAT(batch.error().message, HasSubstr("links"));
  // What weft stored itself it reads back.
  auto stored = DecodeOtlpTraces(OtlpFormat::kProtobuf, body, OtlpSource::kStored);
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->rejected_spans.count, 1u);

  std::string json = R"({"resourceSpans":[{"scopeSpans":[{"spans":[{"links":[{})";
  for (int i = 0; i < 200000; ++i) json += ",{}";
  auto json_batch = DecodeOtlpTraces(OtlpFormat::kJson, json + "]}]}]}]}");
  ASSERT_FALSE(json_batch);
  EXPECT_EQ(json_batch.error().code, ErrorCode::kTooLarge);
}

TEST(OtlpMalformed, AResourceInAMillionPiecesIsNotCopiedAMillionTimes) {
  std::string pieces;
  for (int i = 0; i < 1000000; ++i) pieces += "\x0a\x02\x0a\x00"s;
  wire::ProtoWriter out;
  out.PutRaw(pieces);
  out.CloseMessage(1, 0);
  std::string body;
  out.AppendTo(&body);
  auto batch = DecodeOtlpTraces(OtlpFormat::kProtobuf, body);
  ASSERT_FALSE(batch);
  EXPECT_EQ(batch.error().code, ErrorCode::kTooLarge);
}

TEST(OtlpMalformed, JsonNamesTheFieldAndTheByte) {
  auto in_span = [](const std::string& fields) {
    return R"({"resourceSpans":[{"scopeSpans":[{"spans":[{)" + fields + "}]}]}]}";
  };
  const std::string span = "resourceSpans[0].scopeSpans[0].spans[0]";
  const Case kCases[] = {
      {"", "byte 0: the body is empty"},
      {" \n", "byte 0: there is no JSON in it"},
      {"nonsense", "byte 0: expected an object"},
      {"[]", "byte 0: expected an object"},
      {"{", "byte 1: "},
      {"{} {}", "byte 3: text after the end of the document"},
      {"{}]", "byte 2: text after the end of the document"},
      {R"({"resourceSpans":{}})", "resourceSpans: byte 17: expected an array"},
      {R"({"resourceSpans":[1]})", "resourceSpans[0]: byte 18: expected an object"},
      {R"({"resourceSpans":[)", "byte 1"},
      {R"({"resourceSpans":nope})", "byte 17"},
      {"{\"resourceSpans\":\"\xff\"}", "byte 17: expected an array"},
      {"{\"resourceSpans\":\"\n\"}", "byte 17: expected an array"},
      {"{\"resourceSpans\":\xff}", "resourceSpans: byte 17: expected an array"},
      {R"({"resourceSpans":"abc)", "byte 17: string without an end"},
      {in_span(R"("name":5)"), span + ".name: byte 51: expected a string"},
      {in_span(R"("name":"\x")"), span + ".name: byte 52: no such escape"},
      {in_span(R"("name":"ab\u12")"), span + ".name: byte 54: expected four hex digits"},
      {in_span(R"("startTimeUnixNano":"-1")"),
       span + ".startTimeUnixNano: byte 64: expected an unsigned 64-bit integer"},
      {R"({"resource_spans":[1]})", "resourceSpans[0]: byte 19: expected an object"},
      {in_span(R"("startTimeUnixNano":1.5)"), "expected an unsigned 64-bit integer"},
      {in_span(R"("endTimeUnixNano":"18446744073709551616")"),
       "expected an unsigned 64-bit integer"},
      {in_span(R"("flags":4294967296)"), span + ".flags: byte 52: expected an unsigned 32-bit"},
      {in_span(R"("kind":"SPAN_KIND_ODD")"), span + ".kind: byte 51: expected a number or a name"},
      {in_span(R"("attributes":[{"key":"a"},{"value":{"intValue":"x"}}])"),
       span + ".attributes[1].value.intValue: byte 91: expected a whole number"},
      {in_span(R"("attributes":[{"value":{"doubleValue":"inf"}}])"), "expected a number"},
      {in_span(R"("attributes":[{"value":{"doubleValue":1e999}}])"), "doubleValue: byte 82: "},
      {in_span(R"("attributes":[{"value":{"boolValue":1}}])"), "expected a boolean"},
      {in_span(R"("attributes":[{"value":{"bytesValue":"*"}}])"), "expected base64"},
      {in_span(R"("attributes":[{"value":"x"}])"), ".value: byte 67: expected an object"},
      {in_span(R"("events":[{"name":[]}])"), span + ".events[0].name: byte 62: expected a string"},
      {in_span(R"("links":[{}{}])"), "links"}};
  for (const Case& one : kCases) {
    auto batch = DecodeOtlpTraces(OtlpFormat::kJson, one.body);
    if (!batch) {
      EXPECT_EQ(batch.error().code, ErrorCode::kInvalidArgument) << one.body;
    }
    EXPECT_THAT(Complaint(batch), HasSubstr(one.message)) << one.body;
  }
}

TEST(OtlpMalformed, MetricsToo) {
  auto proto = CountOtlpMetricPoints(OtlpFormat::kProtobuf, "\x0a\x02\x12\x05"s);
  ASSERT_FALSE(proto);
  EXPECT_THAT(proto.error().message, HasSubstr("scope_metrics: byte 2: the length runs past"));
  auto json = CountOtlpMetricPoints(OtlpFormat::kJson, R"({"resourceMetrics":[7]})");
  ASSERT_FALSE(json);
  EXPECT_THAT(json.error().message, HasSubstr("resourceMetrics[0]: byte 20: expected an object"));
}

TEST(OtlpMalformed, TimesAreKeptAsReceived) {
  std::string ids = R"("traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174")";
  auto batch = DecodeOtlpTraces(
      OtlpFormat::kJson, R"({"resourceSpans":[{"scopeSpans":[{"spans":[{)" + ids + "},{" + ids +
                             R"(,"startTimeUnixNano":"9","endTimeUnixNano":"3"},{)" + ids +
                             R"(,"startTimeUnixNano":18446744073709551615}]}]}]})");
  ASSERT_TRUE(batch) << batch.error().message;
  ASSERT_EQ(batch->spans.size(), 3u);
  EXPECT_EQ(batch->spans[0].start_ns, 0u);
  EXPECT_EQ(batch->spans[1].end_ns, 3u);
  EXPECT_EQ(DurationNs(batch->spans[1]), 0u);
  EXPECT_EQ(batch->spans[2].start_ns, UINT64_MAX);
}

}  // namespace
}  // namespace weft::codec

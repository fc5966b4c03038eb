// SPDX-License-Identifier: Apache-2.0
//
// What one wrong value costs, leaf by leaf, in OTLP/JSON and protobuf: its span or log record
// alone, or, around them, the value alone. And what is taken although it is not written as OTLP
// says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "codec/otlp.h"
#include "codec/test_protobuf.h"

namespace weft::codec {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using namespace std::string_literals;

constexpr char kTrace[] = R"("traceId":"5b8efff798038103d269b633813fc60c")";
constexpr char kSpan[] = R"("spanId":"eee19b7ec3c1b174")";

std::string Ids(std::string_view more = "") {
  return std::string(kTrace) + "," + kSpan + (more.empty() ? "" : ",") + std::string(more);
}
std::string Nested(int depth) {
  std::string open, close;
  for (int i = 1; i < depth; ++i) {
    open += R"({"arrayValue":{"values":[)";
    close += "]}}";
  }
  return open + R"({"intValue":1})" + close;
}
std::string AsValue(const std::string& value) {
  return R"("attributes":[{"key":"ok","value":{"boolValue":true}},{"key":"k","value":)" + value +
         "}]";
}

// The item in question between two good ones, in the second scope of the second resource.
std::string TracesAround(const std::string& item) {
  return R"({"resourceSpans":[{},{"resource":{"attributes":[{"key":"service.name",)"
         R"("value":{"stringValue":"svc"}}]},"scopeSpans":[{},{"spans":[{)" +
         Ids(R"("name":"before")") + "}," + item + ",{" + Ids(R"("name":"behind")") + "}]}]}]}";
}
std::string LogsAround(const std::string& item) {
  return R"({"resourceLogs":[{},{"scopeLogs":[{},{"logRecords":[{)" +
         Ids(R"("eventName":"before")") + "}," + item + ",{" + Ids(R"("eventName":"behind")") +
         "}]}]}]}";
}

struct Leaf {
  std::string item;
  const char* message;  // behind the item's place
};

const Leaf kSpanLeaves[] = {
    {"5", ": byte"},
    {"null", ": byte"},
    {"[]", ": byte"},
    {R"({"traceId":5,"spanId":"eee19b7ec3c1b174"})", ".traceId: byte"},
    {R"({"traceId":"W47/95gDgQPSabYzgT/GDA","spanId":"eee19b7ec3c1b174"})",
     ".traceId: 22 characters, expected 32 hexadecimal digits"},
    {"{" + Ids(R"("spanId":[])") + "}", ".spanId: byte"},
    {"{" + Ids(R"("parentSpanId":true)") + "}", ".parentSpanId: byte"},
    {"{" + Ids(R"("parentSpanId":"a1")") + "}", ".parentSpanId: 2 characters, expected 16"},
    {"{" + Ids(R"("traceState":7)") + "}", ".traceState: byte"},
    {"{" + Ids(R"("name":{})") + "}", ".name: byte"},
    {"{" + Ids(R"("name":"\x")") + "}", ".name: byte"},
    {"{" + Ids(R"("name":"\u12")") + "}", ".name: byte"},
    {"{" + Ids("\"name\":\"a\nb\"") + "}", "control character in a string"},
    {"{" + Ids(R"("name":nope)") + "}", ".name: byte"},
    {"{" + Ids(R"("na\me":"x")") + "}", "a key with a broken escape"},
    {"{" + Ids(R"("kind":"ODD")") + "}", ".kind: byte"},
    {"{" + Ids(R"("kind":"")") + "}", ".kind: byte"},
    {"{" + Ids(R"("kind":1.5)") + "}", ".kind: byte"},
    {"{" + Ids(R"("kind":[])") + "}", ".kind: byte"},
    {"{" + Ids(R"("startTimeUnixNano":"x")") + "}", ".startTimeUnixNano: byte"},
    {"{" + Ids(R"("startTimeUnixNano":"2026-11-30T13:00:00Z")") + "}", ".startTimeUnixNano: byte"},
    {"{" + Ids(R"("startTimeUnixNano":-1)") + "}", ".startTimeUnixNano: byte"},
    {"{" + Ids(R"("start_time_unix_nano":1.5)") + "}", ".start_time_unix_nano: byte"},
    {"{" + Ids(R"("endTimeUnixNano":"18446744073709551616")") + "}", ".endTimeUnixNano: byte"},
    {"{" + Ids(R"("endTimeUnixNano":{})") + "}", ".endTimeUnixNano: byte"},
    {"{" + Ids(R"("attributes":{})") + "}", ".attributes: byte"},
    {"{" + Ids(R"("attributes":{"a":"b"})") + "}", ".attributes: byte"},
    {"{" + Ids(R"("attributes":[1])") + "}", ".attributes[0]: byte"},
    {"{" + Ids(R"("attributes":[{"key":5}])") + "}", ".attributes[0].key: byte"},
    {"{" + Ids(AsValue(R"("x")")) + "}", ".attributes[1].value: byte"},
    {"{" + Ids(AsValue(R"({"stringValue":5})")) + "}", ".attributes[1].value.stringValue: byte"},
    {"{" + Ids(AsValue(R"({"boolValue":1})")) + "}", ".attributes[1].value.boolValue: byte"},
    {"{" + Ids(AsValue(R"({"boolValue":"yes"})")) + "}", ".attributes[1].value.boolValue: byte"},
    {"{" + Ids(AsValue(R"({"intValue":1.5})")) + "}", "expected a whole number"},
    {"{" + Ids(AsValue(R"({"intValue":"1.5"})")) + "}", ".attributes[1].value.intValue: byte"},
    {"{" + Ids(AsValue(R"({"intValue":""})")) + "}", ".attributes[1].value.intValue: byte"},
    {"{" + Ids(AsValue(R"({"intValue":true})")) + "}", ".attributes[1].value.intValue: byte"},
    {"{" + Ids(AsValue(R"({"intValue":1e400})")) + "}", ".attributes[1].value.intValue: byte"},
    {"{" + Ids(AsValue(R"({"intValue":NaN})")) + "}", ".attributes[1].value.intValue: byte"},
    {"{" + Ids(AsValue(R"({"doubleValue":"inf"})")) + "}",
     ".attributes[1].value.doubleValue: byte"},
    {"{" + Ids(AsValue(R"({"doubleValue":1e999})")) + "}",
     ".attributes[1].value.doubleValue: byte"},
    {"{" + Ids(AsValue(R"({"doubleValue":01})")) + "}", ".attributes[1].value.doubleValue: byte"},
    {"{" + Ids(AsValue(R"({"doubleValue":Nan})")) + "}", ".attributes[1].value.doubleValue: byte"},
    {"{" + Ids(AsValue(R"({"bytesValue":"*"})")) + "}", ".attributes[1].value.bytesValue: byte"},
    {"{" + Ids(AsValue(R"({"arrayValue":[]})")) + "}", ".attributes[1].value.arrayValue: byte"},
    {"{" + Ids(AsValue(R"({"arrayValue":{"values":[{"intValue":1},{"intValue":"x"}]}})")) + "}",
     ".attributes[1].value.arrayValue.values[1].intValue: byte"},
    {"{" + Ids(AsValue(R"({"kvlistValue":{"values":[{"key":"a","value":{"boolValue":3}}]}})")) +
         "}",
     ".attributes[1].value.kvlistValue.values[0].value.boolValue: byte"},
    {"{" + Ids(AsValue(Nested(33))) + "}", "values nested more than 32 deep"},
    {"{" + Ids(AsValue(Nested(5000))) + "}", ".attributes[1].value.arrayValue.values[0]."},
    {"{" + Ids(R"("droppedAttributesCount":-1)") + "}", ".droppedAttributesCount: byte"},
    {"{" + Ids(R"("droppedEventsCount":4294967296)") + "}", ".droppedEventsCount: byte"},
    {"{" + Ids(R"("droppedLinksCount":"many")") + "}", ".droppedLinksCount: byte"},
    {"{" + Ids(R"("events":5)") + "}", ".events: byte"},
    {"{" + Ids(R"("events":[{},7])") + "}", ".events[1]: byte"},
    {"{" + Ids(R"("events":[{"timeUnixNano":"x"}])") + "}", ".events[0].timeUnixNano: byte"},
    {"{" + Ids(R"("events":[{},{"name":[]}])") + "}", ".events[1].name: byte"},
    {"{" + Ids(R"("events":[{)" + AsValue(R"({"intValue":"x"})") + "}]") + "}",
     ".events[0].attributes[1].value.intValue: byte"},
    {"{" + Ids(R"("events":[{"droppedAttributesCount":1.5}])") + "}",
     ".events[0].droppedAttributesCount: byte"},
    {"{" + Ids(R"("links":{})") + "}", ".links: byte"},
    {"{" + Ids(R"("links":[{"traceId":1}])") + "}", ".links[0].traceId: byte"},
    {"{" + Ids(R"("links":[{},{"spanId":"abc"}])") + "}", ".links[1].spanId: 3 characters"},
    {"{" + Ids(R"("links":[{"traceState":1}])") + "}", ".links[0].traceState: byte"},
    {"{" + Ids(R"("links":[{"flags":"x"}])") + "}", ".links[0].flags: byte"},
    {"{" + Ids(R"("links":[{)" + AsValue("7") + "}]") + "}", ".links[0].attributes[1].value: byte"},
    {"{" + Ids(R"("status":5)") + "}", ".status: byte"},
    {"{" + Ids(R"("status":{"code":"BAD"})") + "}", ".status.code: byte"},
    {"{" + Ids(R"("status":{"message":5})") + "}", ".status.message: byte"},
    {"{" + Ids(R"("flags":-1)") + "}", ".flags: byte"}};

TEST(OtlpLeaf, AWrongValueInJsonCostsItsSpanAlone) {
  for (const Leaf& leaf : kSpanLeaves) {
    auto batch = DecodeOtlpTraces(OtlpFormat::kJson, TracesAround(leaf.item));
    ASSERT_TRUE(batch) << leaf.item << "\n" << batch.error().message;
    ASSERT_EQ(batch->spans.size(), 2u) << leaf.item;
    EXPECT_EQ(batch->spans[0].name, "before");
    EXPECT_EQ(batch->spans[1].name, "behind");
    EXPECT_EQ(ServiceName(batch->resources[batch->spans[1].resource]), "svc");
    // What was half read of it is in no other.
    EXPECT_TRUE(batch->spans[1].attributes.empty() && batch->spans[1].events.empty() &&
                batch->spans[1].links.empty())
        << leaf.item;
    EXPECT_EQ(batch->rejected_spans.count, 1u) << leaf.item;
    EXPECT_THAT(batch->rejected_spans.message,
                StartsWith("resourceSpans[1].scopeSpans[1].spans[1]"));
    EXPECT_THAT(batch->rejected_spans.message, HasSubstr(leaf.message));
    EXPECT_LT(batch->rejected_spans.message.size(), 400u);
  }
}

TEST(OtlpLeaf, AWrongValueInJsonCostsItsLogRecordAlone) {
  const Leaf kLeaves[] = {
      {"5", ": byte"},
      {"{" + Ids(R"("timeUnixNano":"x")") + "}", ".timeUnixNano: byte"},
      {"{" + Ids(R"("observedTimeUnixNano":[])") + "}", ".observedTimeUnixNano: byte"},
      {"{" + Ids(R"("severityNumber":"LOUD")") + "}", ".severityNumber: byte"},
      {"{" + Ids(R"("severityText":5)") + "}", ".severityText: byte"},
      {"{" + Ids(R"("body":"text")") + "}", ".body: byte"},
      {"{" + Ids(R"("body":{"intValue":"x"})") + "}", ".body.intValue: byte"},
      {"{" + Ids(AsValue(R"({"intValue":1.5})")) + "}", ".attributes[1].value.intValue: byte"},
      {"{" + Ids(R"("droppedAttributesCount":"x")") + "}", ".droppedAttributesCount: byte"},
      {"{" + Ids(R"("flags":"x")") + "}", ".flags: byte"},
      {"{" + Ids(R"("eventName":1)") + "}", ".eventName: byte"},
      {R"({"traceId":7,"spanId":"eee19b7ec3c1b174"})", ".traceId: byte"},
      {"{" + std::string(kTrace) + R"(,"spanId":"abc"})", ".spanId: 3 characters"}};
  for (const Leaf& leaf : kLeaves) {
    auto batch = DecodeOtlpLogs(OtlpFormat::kJson, LogsAround(leaf.item));
    ASSERT_TRUE(batch) << leaf.item << "\n" << batch.error().message;
    ASSERT_EQ(batch->logs.size(), 2u) << leaf.item;
    EXPECT_EQ(batch->logs[1].event_name, "behind");
    EXPECT_EQ(batch->rejected_logs.count, 1u) << leaf.item;
    EXPECT_THAT(batch->rejected_logs.message,
                StartsWith("resourceLogs[1].scopeLogs[1].logRecords[1]"));
    EXPECT_THAT(batch->rejected_logs.message, HasSubstr(leaf.message));
  }
  auto batch = DecodeOtlpLogs(OtlpFormat::kJson, LogsAround(R"({"body":{"stringValue":"x"}})"));
  ASSERT_TRUE(batch);
  // One without a trace id is whole; the store does not take it.
  ASSERT_EQ(batch->logs.size(), 3u);
  EXPECT_EQ(batch->rejected_logs.count, 0u);
  EXPECT_EQ(RejectTracelessLogs(&*batch), 1u);
  EXPECT_EQ(batch->logs.size(), 2u);
  EXPECT_EQ(batch->rejected_logs.no_trace, 1u);
}

TEST(OtlpLeaf, EachWrongSpanIsCounted) {
  std::string items = "7";
  for (const Leaf& leaf : kSpanLeaves) items += "," + leaf.item;
  auto batch = DecodeOtlpTraces(OtlpFormat::kJson, TracesAround(items));
  ASSERT_TRUE(batch) << batch.error().message;
  EXPECT_EQ(batch->spans.size(), 2u);
  EXPECT_EQ(batch->rejected_spans.count, 1 + std::size(kSpanLeaves));
}

TEST(OtlpLeaf, WhatWritersInTheFieldMeanIsTaken) {
  struct Case {
    std::string fields;
    std::function<bool(const Span&)> holds;
  };
  auto kind = [](SpanKind is) { return [is](const Span& span) { return span.kind == is; }; };
  auto status = [](StatusCode is) { return [is](const Span& span) { return span.status == is; }; };
  auto value = [](const Span& span) { return span.attributes[1].value; };
  auto integer = [&](int64_t is) {
    return [=](const Span& span) {
      return value(span).type == ValueType::kInt && value(span).integer == is;
    };
  };
  auto real = [&](double is) {
    return [=](const Span& span) {
      return value(span).type == ValueType::kDouble && value(span).real == is;
    };
  };
  auto not_a_number = [&](const Span& span) {
    return value(span).type == ValueType::kDouble && std::isnan(value(span).real);
  };
  const Case kCases[] = {
      {R"("kind":"SERVER")", kind(SpanKind::kServer)},
      {R"("kind":"server")", kind(SpanKind::kServer)},
      {R"("kind":"SPAN_KIND_CLIENT")", kind(SpanKind::kClient)},
      {R"("kind":"Span_Kind_Producer")", kind(SpanKind::kProducer)},
      {R"("kind":"UNSPECIFIED")", kind(SpanKind::kUnspecified)},
      {R"("kind":"5")", kind(SpanKind::kConsumer)},
      {R"("kind":2.0)", kind(SpanKind::kServer)},
      {R"("kind":null)", kind(SpanKind::kUnspecified)},
      {R"("kind":3,"kind":2)", kind(SpanKind::kServer)},
      {R"("status":{"code":"ERROR"})", status(StatusCode::kError)},
      {R"("status":{"code":"STATUS_CODE_OK"})", status(StatusCode::kOk)},
      {R"("status":{"code":"error"})", status(StatusCode::kError)},
      {R"("status":{"code":"2"})", status(StatusCode::kError)},
      {R"("status":null)", status(StatusCode::kUnset)},
      {AsValue(R"({"intValue":"-7"})"), integer(-7)},
      {AsValue(R"({"intValue":7})"), integer(7)},
      {AsValue(R"({"intValue":1e3})"), integer(1000)},
      {AsValue(R"({"intValue":9223372036854775807})"), integer(INT64_MAX)},
      {AsValue(R"({"intValue":"-9223372036854775808"})"), integer(INT64_MIN)},
      {AsValue(R"({"intValue":9223372036854775808})"), real(9223372036854775808.0)},
      {AsValue(R"({"intValue":18446744073709552000})"), real(18446744073709552000.0)},
      {AsValue(R"({"intValue":"18446744073709552000"})"), real(18446744073709552000.0)},
      {AsValue(R"({"intValue":-1.5e+300})"), real(-1.5e300)},
      {AsValue(R"({"int_value":"-1.5e300"})"), real(-1.5e300)},
      {AsValue(R"({"doubleValue":"0.5"})"), real(0.5)},
      {AsValue(R"({"doubleValue":"Infinity"})"), real(HUGE_VAL)},
      {AsValue(R"({"doubleValue":-Infinity})"), real(-HUGE_VAL)},
      {AsValue(R"({"doubleValue":"NaN"})"), not_a_number},
      {AsValue(R"({"doubleValue":NaN })"), not_a_number},
      {AsValue(R"({"stringValue":"x","boolValue":true,"intValue":3})"), integer(3)},
      {AsValue("null"), [&](const Span& span) { return value(span).type == ValueType::kEmpty; }},
      {R"("name":"a","name":"b")", [](const Span& span) { return span.name == "b"; }},
      {R"("name":null)", [](const Span& span) { return span.name.empty(); }},
      {R"("name":"\ud83d")", [](const Span& span) { return span.name == "\xEF\xBF\xBD"; }},
      {"\"name\":\"\xff\xc3\x28 \xED\xA0\x80\"",
       [](const Span& span) { return span.name == "\xff\xc3\x28 \xED\xA0\x80"; }},
      {"\"name\":\"\xff\\n\"", [](const Span& span) { return span.name == "\xff\n"; }},
      {R"("start_time_unix_nano":"7","end_time_unix_nano":9e0,"dropped_events_count":"3")",
       [](const Span& span) {
         return span.start_ns == 7 && span.end_ns == 9 && span.dropped_events == 3;
       }},
      {R"("attributes":null,"events":null,"links":null,"flags":null)",
       [](const Span& span) { return span.attributes.empty(); }},
      {R"("futureField":{"deep":[nope,1.2.3]},"another":"\q")", [](const Span&) { return true; }}};
  for (const Case& one : kCases) {
    auto batch = DecodeOtlpTraces(OtlpFormat::kJson, TracesAround("{" + Ids(one.fields) + "}"));
    ASSERT_TRUE(batch) << one.fields << "\n" << batch.error().message;
    EXPECT_EQ(batch->rejected_spans.message, "") << one.fields;
    ASSERT_EQ(batch->spans.size(), 3u) << one.fields;
    EXPECT_TRUE(one.holds(batch->spans[1])) << one.fields;
    EXPECT_EQ(batch->spans[2].name, "behind");
  }
}

// In both formats the bytes are the same.
TEST(OtlpLeaf, TextThatIsNoUtf8IsKeptAsProtobufKeepsIt) {
  const std::string text = "caf\xe9 \x80 \xf0\x9f\x98\x80";
  auto json = DecodeOtlpTraces(
      OtlpFormat::kJson,
      TracesAround(
          "{" + Ids("\"name\":\"" + text + "\"," + AsValue("{\"stringValue\":\"" + text + "\"}")) +
          "}"));
  ASSERT_TRUE(json) << json.error().message;
  ASSERT_EQ(json->spans.size(), 3u);
  std::string encoded;
  EncodeOtlpTraces(OtlpFormat::kProtobuf, *json, &encoded);
  auto proto = DecodeOtlpTraces(OtlpFormat::kProtobuf, encoded);
  ASSERT_TRUE(proto);
  for (const SpanBatch* batch : {&*json, &*proto}) {
    EXPECT_EQ(batch->spans[1].name, text);
    EXPECT_EQ(batch->spans[1].attributes[1].value.string(), text);
  }
}

TEST(OtlpLeaf, AByteOrderMarkIsSteppedOver) {
  const std::string mark = "\xEF\xBB\xBF";
  auto traces = DecodeOtlpTraces(OtlpFormat::kJson, mark + TracesAround("7"));
  ASSERT_TRUE(traces) << traces.error().message;
  EXPECT_EQ(traces->spans.size(), 2u);
  auto plain = DecodeOtlpTraces(OtlpFormat::kJson, "   " + TracesAround("7"));
  EXPECT_EQ(traces->rejected_spans.message, plain->rejected_spans.message);  // the byte counts
  auto broken_text = DecodeOtlpTraces(OtlpFormat::kJson,
                                      mark + TracesAround("{" + Ids("\"name\":\"\xff\"") + "}"));
  ASSERT_TRUE(broken_text) << broken_text.error().message;
  EXPECT_EQ(broken_text->spans.size(), 3u);
  EXPECT_TRUE(DecodeOtlpLogs(OtlpFormat::kJson, mark + LogsAround("7")));
  EXPECT_TRUE(CountOtlpMetricPoints(OtlpFormat::kJson, mark + "{}"));
  EXPECT_FALSE(DecodeOtlpTraces(OtlpFormat::kJson, mark));
}

// ---- protobuf

TEST(OtlpLeaf, AWrongValueInProtobufCostsItsSpanAlone) {
  const Leaf kLeaves[] = {
      {"\x08\x01"s, ".trace_id: byte"},            // a varint
      {ProtoIds() + "\x28\x01"s, ".name: byte"},   // a varint
      {ProtoIds() + Wrap(6, "x"), ".kind: byte"},  // bytes
      {ProtoIds() + Wrap(7, "12345678"), ".start_time_unix_nano: byte"},
      {ProtoIds() + "\x39\x01\x02"s, ".start_time_unix_nano: byte"},  // ends inside
      {ProtoIds() + "\x5a\x09z"s, ".events: byte"},                   // runs past the end
      {ProtoIds() + Wrap(9, Wrap(2, "\x08\x01"s)), ".attributes[0].value.string_value: byte"},
      {ProtoIds() + Wrap(9, Wrap(1, "k")) + Wrap(9, "\x0a\x09"s), ".attributes[1].key: byte"},
      {ProtoIds() + Wrap(11, "\x08\x01"s), ".events[0].time_unix_nano: byte"},
      {ProtoIds() + Wrap(13, Wrap(1, "short")), ".links[0].trace_id: 5 bytes, expected 16"},
      {ProtoIds() + Wrap(13, "\x08\x01"s), ".links[0].trace_id: byte"},
      {ProtoIds() + Wrap(15, "\x1a\x00"s), ".status.code: byte"},
      {ProtoIds() + "\x00"s, ": byte"},  // no field number
      {ProtoIds() + Wrap(4, "short"), ".parent_span_id: 5 bytes, expected 8"},
      {Wrap(1, "short") + Wrap(2, std::string(8, 'b')), ".trace_id: 5 bytes, expected 16"}};
  for (const Leaf& leaf : kLeaves) {
    const std::string body =
        Wrap(1, "") + Wrap(1, Wrap(2, Wrap(2, ProtoIds() + Wrap(5, "before")) + Wrap(2, leaf.item) +
                                          Wrap(2, ProtoIds() + Wrap(5, "behind"))));
    auto batch = DecodeOtlpTraces(OtlpFormat::kProtobuf, body);
    ASSERT_TRUE(batch) << leaf.message << "\n" << batch.error().message;
    ASSERT_EQ(batch->spans.size(), 2u) << leaf.message;
    EXPECT_EQ(batch->spans[1].name, "behind");
    EXPECT_TRUE(batch->spans[1].attributes.empty() && batch->spans[1].events.empty() &&
                batch->spans[1].links.empty());
    EXPECT_EQ(batch->rejected_spans.count, 1u);
    EXPECT_THAT(batch->rejected_spans.message,
                StartsWith("resource_spans[1].scope_spans[0].spans[1]"));
    EXPECT_THAT(batch->rejected_spans.message, HasSubstr(leaf.message));
    EXPECT_FALSE(batch->received_is_content);
    // The log is written from what was kept, and is sound.
    std::string encoded;
    EncodeOtlpTraces(OtlpFormat::kProtobuf, *batch, &encoded);
    EXPECT_EQ(DecodeOtlpTraces(OtlpFormat::kProtobuf, encoded)->rejected_spans.count, 0u);
  }
}

TEST(OtlpLeaf, AWrongValueInProtobufCostsItsLogRecordAlone) {
  const std::string ids = Wrap(9, std::string(16, 'a')) + Wrap(10, std::string(8, 'b'));
  for (const std::string& wrong : {Wrap(1, "x"), Wrap(2, "x"), "\x18\x01"s, Wrap(5, "\x08\x01"s),
                                   Wrap(6, "\x0a\x09"s), "\x5a\x09"s}) {
    auto batch =
        DecodeOtlpLogs(OtlpFormat::kProtobuf,
                       Wrap(1, Wrap(2, Wrap(2, ids) + Wrap(2, ids + wrong) + Wrap(2, ids))));
    ASSERT_TRUE(batch) << batch.error().message;
    EXPECT_EQ(batch->logs.size(), 2u);
    EXPECT_EQ(batch->rejected_logs.count, 1u);
    EXPECT_THAT(batch->rejected_logs.message,
                StartsWith("resource_logs[0].scope_logs[0].log_records[1]"));
  }
}

// ---- what is around items

TEST(OtlpLeaf, AWrongValueAroundSpansIsLeftOutAlone) {
  const std::string spans = R"("spans":[{)" + Ids() + "}]";
  struct Case {
    std::string resource_fields, scope_fields;
    const char* message;
    uint32_t dropped = 0;
  };
  const Case kCases[] = {
      {R"("resource":5,)", "", "resourceSpans[0].resource: byte"},
      {R"("resource":{"attributes":{}},)", "", "resourceSpans[0].resource.attributes: byte"},
      {R"("resource":{"attributes":[{"key":"a","value":{"intValue":"x"}},{"key":"service.name",)"
       R"("value":{"stringValue":"svc"}}]},)",
       "", "resourceSpans[0].resource.attributes[0].value.intValue: byte", 1},
      {R"("resource":{"attributes":[{"key":7},{"key":8}],"droppedAttributesCount":2},)", "",
       "resourceSpans[0].resource.attributes[0].key: byte", 4},
      {R"("resource":{"droppedAttributesCount":"x"},)", "",
       "resourceSpans[0].resource.droppedAttributesCount: byte"},
      {R"("resource":{"entityRefs":5},)", "", "resourceSpans[0].resource.entityRefs: byte"},
      {R"("schemaUrl":5,)", "", "resourceSpans[0].schemaUrl: byte"},
      {"", R"("scope":[],)", "resourceSpans[0].scopeSpans[0].scope: byte"},
      {"", R"("scope":{"name":5,"version":"1"},)", "scopeSpans[0].scope.name: byte"},
      {"", R"("scope":{"version":{}},)", "scopeSpans[0].scope.version: byte"},
      {"", R"("scope":{"attributes":[7]},)", "scopeSpans[0].scope.attributes[0]: byte"},
      {"", R"("schemaUrl":[],)", "resourceSpans[0].scopeSpans[0].schemaUrl: byte"}};
  for (const Case& one : kCases) {
    const std::string good = R"({"scopeSpans":[{)" + spans + "}]}";
    auto batch = DecodeOtlpTraces(
        OtlpFormat::kJson, R"({"resourceSpans":[{)" + one.resource_fields + R"("scopeSpans":[{)" +
                               one.scope_fields + spans + "}]}," + good + "]}");
    ASSERT_TRUE(batch) << one.message << "\n" << batch.error().message;
    EXPECT_EQ(batch->spans.size(), 2u) << one.message;
    EXPECT_EQ(batch->rejected_spans.count, 0u);
    EXPECT_GE(batch->left_out.count, 1u) << one.message;
    EXPECT_THAT(batch->left_out.message, HasSubstr(one.message));
    EXPECT_EQ(batch->resources[0].dropped_attributes, one.dropped) << one.message;
  }
}

TEST(OtlpLeaf, InProtobufToo) {
  const std::string spans = Wrap(2, ProtoIds());
  for (const std::string& resource :
       {Wrap(1, "\x0a\x09"s), Wrap(1, Wrap(1, "\x08\x01"s)), Wrap(1, Wrap(2, "x")),
        Wrap(1, Wrap(3, "\x08\x01"s)), "\x18\x01"s}) {
    auto batch = DecodeOtlpTraces(OtlpFormat::kProtobuf,
                                  Wrap(1, resource + Wrap(2, spans)) + Wrap(1, Wrap(2, spans)));
    ASSERT_TRUE(batch) << batch.error().message;
    EXPECT_EQ(batch->spans.size(), 2u);
    EXPECT_EQ(batch->left_out.count, 1u);
    EXPECT_THAT(batch->left_out.message, StartsWith("resource_spans[0]."));
    EXPECT_FALSE(batch->received_is_content);
  }
  for (const std::string& scope :
       {Wrap(1, "\x08\x01"s), Wrap(1, Wrap(3, "\x08\x01"s)), "\x18\x01"s}) {
    auto batch =
        DecodeOtlpTraces(OtlpFormat::kProtobuf, Wrap(1, Wrap(2, scope + spans) + Wrap(2, spans)));
    ASSERT_TRUE(batch) << batch.error().message;
    EXPECT_EQ(batch->spans.size(), 2u);
    EXPECT_EQ(batch->left_out.count, 1u);
    EXPECT_THAT(batch->left_out.message, StartsWith("resource_spans[0].scope_spans[0]."));
  }
}

TEST(OtlpLeaf, WhatStandsInPlaceOfAListCountsAsOne) {
  const std::string good = R"({"scopeSpans":[{"spans":[{)" + Ids() + "}]}]}";
  const std::pair<std::string, const char*> kCases[] = {
      {"5", "resourceSpans[0]: byte"},
      {R"({"scopeSpans":{}})", "resourceSpans[0].scopeSpans: byte"},
      {R"({"scopeSpans":[5]})", "resourceSpans[0].scopeSpans[0]: byte"},
      {R"({"scopeSpans":[{"spans":"x"}]})", "resourceSpans[0].scopeSpans[0].spans: byte"}};
  for (const auto& [resource, message] : kCases) {
    auto batch =
        DecodeOtlpTraces(OtlpFormat::kJson, R"({"resourceSpans":[)" + resource + "," + good + "]}");
    ASSERT_TRUE(batch) << resource << batch.error().message;
    EXPECT_EQ(batch->spans.size(), 1u) << resource;
    EXPECT_EQ(batch->rejected_spans.count, 1u) << resource;
    EXPECT_THAT(batch->rejected_spans.message, StartsWith(message));
  }
}

}  // namespace
}  // namespace weft::codec

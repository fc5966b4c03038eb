// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/jaeger_json_encode.h"
#include "codec/otlp.h"
#include "codec/span_list.h"
#include "codec/test_attributes.h"
#include "testing/random_batch.h"

namespace weft::codec {
namespace {

using ::testing::HasSubstr;

SpanBatch Decode(JaegerItem item, const std::string& body) {
  auto batch = DecodeJaegerJson(item, body);
  EXPECT_TRUE(batch) << batch.error().message;
  return batch ? std::move(*batch) : SpanBatch{};
}

// What the query API and the UI's download hold.
TEST(JaegerJson, ReadsATraceOfTheQueryApi) {
  SpanBatch batch = Decode(JaegerItem::kTrace, R"([{"traceID":"5c0ffee","spans":[
    {"traceID":"5c0ffee","spanID":"1","flags":1,"operationName":"GET /cart",
     "references":[{"refType":"FOLLOWS_FROM","traceID":"5c0ffee","spanID":"9"},
                   {"refType":"CHILD_OF","traceID":"ab","spanID":"7"},
                   {"refType":"CHILD_OF","traceID":"5c0ffee","spanID":"2",
                    "span":{"spanID":7,"operationName":["nested", {"parent":null}]}}],
     "startTime":1695943858153000,"duration":5303,
     "tags":[{"key":"span.kind","type":"string","value":"server"},
             {"key":"http.status_code","type":"int64","value":200},
             {"key":"big","type":"int64","value":"9223372036854775807"},
             {"key":"ratio","type":"float64","value":1},
             {"key":"cached","type":"bool","value":false},
             {"key":"raw","type":"binary","value":"/+8="},
             {"key":"error","type":"bool","value":true},
             {"key":"otel.status_description","type":"string","value":"boom"},
             {"key":"otel.library.name","type":"string","value":"net/http"},
             {"key":"otel.scope.version","type":"string","value":"1.2"},
             {"key":"w3c.tracestate","type":"string","value":"a=b"}],
     "logs":[{"timestamp":1695943858153001,"fields":[{"key":"level","type":"string","value":"info"},
              {"key":"event","type":"string","value":"miss"},{"key":"n","type":"int64","value":3}]}],
     "processID":"p1","warnings":["clock"]},
    {"traceID":"5c0ffee","spanID":"2","operationName":"root","references":[],"startTime":5,
     "duration":0,"tags":null,"logs":[],"processID":"p2"}],
    "processes":{"p1":{"serviceName":"cart","tags":[{"key":"ip","type":"string","value":"::1"}]},
                 "p2":{"serviceName":"web"}},"warnings":null}])");
  ASSERT_EQ(batch.spans.size(), 2u) << batch.rejected_spans.message;
  const Span& span = batch.spans[0];
  EXPECT_EQ(span.trace_id.ToHex(), "00000000000000000000000005c0ffee");
  EXPECT_EQ(span.span_id.ToHex(), "0000000000000001");
  EXPECT_EQ(span.parent_span_id.ToHex(), "0000000000000002");
  EXPECT_EQ(span.name, "GET /cart");
  EXPECT_EQ(span.flags, 1u);
  EXPECT_EQ(span.start_ns, 1695943858153000000u);
  EXPECT_EQ(span.end_ns, 1695943858158303000u);
  EXPECT_EQ(span.kind, SpanKind::kServer);
  EXPECT_EQ(span.status, StatusCode::kError);
  EXPECT_EQ(span.status_message, "boom");
  EXPECT_EQ(span.trace_state, "a=b");
  EXPECT_EQ(batch.scopes[span.scope].name, "net/http");
  EXPECT_EQ(batch.scopes[span.scope].version, "1.2");
  EXPECT_EQ(Text(span.attributes),
            "http.status_code=200 big=9223372036854775807 ratio=1 cached=false raw=\"/+8=\" ");
  EXPECT_EQ(span.attributes[2].value.type, ValueType::kDouble);
  ASSERT_EQ(span.links.size(), 2u);
  EXPECT_EQ(span.links[0].span_id.ToHex(), "0000000000000009");
  EXPECT_EQ(Text(span.links[0].attributes), "");
  EXPECT_EQ(span.links[1].trace_id.ToHex(), "000000000000000000000000000000ab");
  EXPECT_EQ(Text(span.links[1].attributes), "opentracing.ref_type=\"child_of\" ");
  ASSERT_EQ(span.events.size(), 1u);
  EXPECT_EQ(span.events[0].name, "miss");
  EXPECT_EQ(Text(span.events[0].attributes), "level=\"info\" n=3 ");
  EXPECT_EQ(Text(batch.resources[span.resource].attributes), "service.name=\"cart\" ip=\"::1\" ");
  EXPECT_EQ(ServiceName(batch.resources[batch.spans[1].resource]), "web");
  EXPECT_TRUE(batch.spans[1].parent_span_id.empty());
}

// Elasticsearch: process inside, tags as an object with '@' for dots. api_v2: base64 and text
// times.
TEST(JaegerJson, ReadsSingleSpans) {
  SpanBatch batch = Decode(JaegerItem::kSpan, R"([
    {"traceID":"4376effce3c2d72d","spanID":"71582afe25d7dec2","parentSpanID":"6e0702854e85deb9",
     "operationName":"q","references":[],"startTime":1674578014920566,"duration":389644,"tags":[],
     "tag":{"http@status_code":200,"span@kind":"client","error":"true","x":1.5},"logs":[],
     "process":{"serviceName":"customer","tags":[],"tag":{"jaeger@version":"Go-2.30.0"}}},
    {"traceId":"AAAAAAAAAABwFXEaW1Z7SQ==","spanId":"FGib8xRPt7o=","operationName":"find",
     "references":[{"traceId":"AAAAAAAAAABwFXEaW1Z7SQ==","spanId":"HY96h+/JKdI="}],
     "startTime":"2022-05-16T07:58:41.432091Z","duration":"0.209603s",
     "tags":[{"key":"a","vType":"INT64","vInt64":"42"},{"key":"b","vStr":"t"}]},
    {"traceID":"1","spanID":"2","references":[{"refType":"FOLLOWS_FROM","spanID":"3"}]}])");
  ASSERT_EQ(batch.spans.size(), 3u) << batch.rejected_spans.message;
  const Span &es = batch.spans[0], &v2 = batch.spans[1], &late = batch.spans[2];
  EXPECT_EQ(es.parent_span_id.ToHex(), "6e0702854e85deb9");
  EXPECT_EQ(es.kind, SpanKind::kClient);
  EXPECT_EQ(es.status, StatusCode::kError);
  EXPECT_EQ(Text(es.attributes), "http.status_code=200 x=1.5 ");
  EXPECT_EQ(Text(batch.resources[es.resource].attributes),
            "service.name=\"customer\" jaeger.version=\"Go-2.30.0\" ");
  EXPECT_EQ(v2.trace_id.ToHex(), "00000000000000007015711a5b567b49");
  EXPECT_EQ(v2.parent_span_id.ToHex(), "1d8f7a87efc929d2");
  EXPECT_EQ(v2.start_ns, 1652687921432091000u);
  EXPECT_EQ(DurationNs(v2), 209603000u);
  EXPECT_EQ(Text(v2.attributes), "a=42 b=\"t\" ");
  EXPECT_EQ(ServiceName(batch.resources[v2.resource]), "unknown_service");
  // Without a CHILD_OF the span hangs on what it follows, and says that it is no child of it.
  EXPECT_EQ(late.parent_span_id.ToHex(), "0000000000000003");
  ASSERT_EQ(late.links.size(), 1u);
  EXPECT_EQ(late.links[0].trace_id, late.trace_id);
  EXPECT_EQ(Text(late.links[0].attributes), "opentracing.ref_type=\"follows_from\" ");
  EXPECT_TRUE(FollowsFromParent(late));
  EXPECT_FALSE(FollowsFromParent(v2));
}

// "type trace/span" of each reference of the first span that is written.
std::string References(const SpanBatch& batch) {
  std::string body;
  wire::JsonWriter json(&body);
  WriteJaegerTrace(batch.spans[0].trace_id, batch, &json);
  const size_t begin = body.find("\"references\":[") + 14;
  return body.substr(begin, body.find(']', begin) - begin);
}
std::string Reference(const char* type, const char* trace, const char* span) {
  return std::string(R"({"refType":")") + type + R"(","traceID":"000000000000000)" + trace +
         R"(","spanID":"000000000000000)" + span + "\"}";
}

TEST(JaegerJson, ReferencesComeBackAsTheyWere) {
  const std::string child = Reference("CHILD_OF", "1", "3"),
                    follows = Reference("FOLLOWS_FROM", "1", "3"),
                    other = Reference("FOLLOWS_FROM", "2", "3"),
                    sibling = Reference("FOLLOWS_FROM", "1", "4"),
                    second = Reference("CHILD_OF", "2", "5");
  for (const std::string& list :
       {std::string(), child, follows, other, child + "," + follows, child + "," + sibling,
        child + "," + second + "," + other, follows + "," + sibling}) {
    SpanBatch batch =
        Decode(JaegerItem::kSpan, R"([{"traceID":"1","spanID":"2","references":[)" + list + "]}]");
    EXPECT_EQ(References(batch), list);
  }
}

TEST(JaegerJson, AReferenceToTraceZeroOrSpanZeroIsNone) {
  for (const char* list :
       {R"({"refType":"CHILD_OF","traceID":"0","spanID":"0"})",
        R"({"refType":"CHILD_OF","traceID":"0","spanID":"7"})",
        R"({"refType":"FOLLOWS_FROM","traceID":"00000000000000000000000000000000","spanID":"7"})",
        R"({"refType":"FOLLOWS_FROM","traceID":"1","spanID":"0000000000000000"})",
        R"({"refType":"CHILD_OF","spanID":"0"})"}) {
    SpanBatch batch =
        Decode(JaegerItem::kSpan,
               std::string(R"([{"traceID":"1","spanID":"2","references":[)") + list + "]}]");
    ASSERT_EQ(batch.spans.size(), 1u) << list << batch.rejected_spans.message;
    EXPECT_TRUE(batch.spans[0].parent_span_id.empty()) << list;
    EXPECT_TRUE(batch.spans[0].links.empty()) << list;
    EXPECT_EQ(References(batch), "");
  }
}

// As OpenTelemetry's OpenTracing shim sends them: every reference is a link with its type, the
// parent too. Links to nothing are kept, and are no references.
TEST(JaegerJson, ReferencesOfOtlpLinks) {
  auto references = [](const std::string& parent, const std::string& links) {
    auto batch = DecodeOtlpTraces(OtlpFormat::kJson,
                                  R"({"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":
      "00000000000000000000000000000001","spanId":"0000000000000002","parentSpanId":")" +
                                      parent + R"(","links":[)" + links + "]}]}]}]}");
    EXPECT_TRUE(batch) << batch.error().message;
    return References(*batch);
  };
  auto link = [](const char* trace, const char* span, const std::string& type) {
    return std::string(R"({"traceId":"0000000000000000000000000000000)") + trace +
           R"(","spanId":"000000000000000)" + span +
           R"(","attributes":[{"key":"opentracing.ref_type","value":{"stringValue":")" + type +
           "\"}}]}";
  };
  constexpr char kParent[] = "0000000000000003";
  EXPECT_EQ(references(kParent, link("1", "3", "follows_from")),
            Reference("FOLLOWS_FROM", "1", "3"));
  EXPECT_EQ(references(kParent, link("1", "3", "child_of")), Reference("CHILD_OF", "1", "3"));
  EXPECT_EQ(references(kParent, link("1", "3", "other")),
            Reference("CHILD_OF", "1", "3") + "," + Reference("FOLLOWS_FROM", "1", "3"));
  EXPECT_EQ(references("", link("1", "3", "follows_from")), Reference("FOLLOWS_FROM", "1", "3"));
  EXPECT_EQ(references(kParent, link("0", "0", "follows_from")), Reference("CHILD_OF", "1", "3"));
}

// One wrong value costs one span, whatever and wherever it is.
TEST(JaegerJson, AWrongValueCostsItsSpanAndIsNamed) {
  const std::pair<const char*, const char*> kCases[] = {
      {R"("traceID":"1")", "spans[1]: spanID: missing or all zero"},
      {R"("traceID":"1","spanID":"xyz")",
       "spans[1].spanID: expected an id of up to 16 hexadecimal digits"},
      {R"("traceID":"1","spanID":"00000000000000001")",
       "spans[1].spanID: expected an id of up to 16 hexadecimal digits"},
      {R"("traceID":"1","spanID":7)", "spans[1].spanID: expected a string"},
      {R"("traceID":"1","spanID":"1","startTime":"yesterday")",
       "spans[1].startTime: expected microseconds or a time such as 2022-05-16T07:58:38.5Z"},
      {R"("traceID":"1","spanID":"1","startTime":-5)",
       "spans[1].startTime: expected microseconds or a time such as 2022-05-16T07:58:38.5Z"},
      {R"("traceID":"1","spanID":"1","startTime":18446744073709551,"duration":18446744073709551)",
       "spans[1]: duration: ends beyond the year 2554"},
      {R"("traceID":"1","spanID":"1","tags":{"a":1})", "spans[1].tags: expected an array"},
      {R"("traceID":"1","spanID":"1","tags":[{"key":"n","type":"int64","value":"many"},{"key":"m"}])",
       "spans[1].tags[0].value: expected a whole number"},
      {R"("traceID":"1","spanID":"1","logs":[{},{"fields":[{"key":[]}]}])",
       "spans[1].logs[1].fields[0].key: expected a string"},
      {R"("traceID":"1","spanID":"1","references":[{"refType":"UNCLE"}])",
       "spans[1].references[0].refType: expected a number or a name of the enum"}};
  for (const auto& [fields, reason] : kCases) {
    SpanBatch batch = Decode(JaegerItem::kTrace, std::string(R"([{"spans":[
{"traceID":"1","spanID":"1","processID":"p"},
{"operationName":"bad","tags":[{"key":"k","value":"v"}],)") +
                                                     fields + R"(},
{"traceID":"1","spanID":"3","tags":[{"key":"k","value":"v"}]}],"processes":{"p":{"serviceName":"s"}}}])");
    ASSERT_EQ(batch.spans.size(), 2u) << reason;
    EXPECT_EQ(batch.rejected_spans.count, 1u);
    EXPECT_THAT(batch.rejected_spans.message, HasSubstr(std::string("[0].") + reason));
    EXPECT_THAT(batch.rejected_spans.message, HasSubstr("line 3, byte "));
    EXPECT_EQ(Text(batch.spans[0].attributes), "");
    EXPECT_EQ(Text(batch.spans[1].attributes), "k=\"v\" ");
    EXPECT_EQ(ServiceName(batch.resources[batch.spans[0].resource]), "s");
  }
}

TEST(JaegerJson, AWrongProcessCostsNoSpan) {
  struct Case {
    const char* processes;
    const char* message;
    const char* service;
  };
  const Case kCases[] = {
      {R"({"p":7})", "[0].processes.p: expected an object", ""},
      {R"({"q":7,"p":{"serviceName":"svc"}})", "[0].processes.q: expected an object", "svc"},
      {R"({"p":{"serviceName":5}})", "[0].processes.p.serviceName: expected a string", ""},
      {R"({"p":{"serviceName":"svc","tags":[{"key":"a","type":"int64","value":"x"}]}})",
       "[0].processes.p.tags[0].value: expected a whole number", "svc"},
      {R"([])", "[0].processes: expected an object", ""}};
  for (const Case& one : kCases) {
    SpanBatch batch = Decode(
        JaegerItem::kTrace,
        R"([{"traceID":"1","spans":[{"traceID":"1","spanID":"2","operationName":"a","processID":"p"},
            {"traceID":"1","spanID":"3","operationName":"b","processID":"p"}],"processes":)" +
            std::string(one.processes) + "}]");
    ASSERT_EQ(batch.spans.size(), 2u) << one.message << batch.rejected_spans.message;
    EXPECT_EQ(batch.rejected_spans.count, 0u);
    EXPECT_EQ(batch.left_out.count, 1u) << one.message;
    EXPECT_THAT(batch.left_out.message, HasSubstr(one.message));
    const std::string_view service = ServiceName(batch.resources[batch.spans[0].resource]);
    EXPECT_EQ(service, *one.service == 0 ? "unknown_service" : one.service) << one.message;
  }
}

TEST(JaegerJson, WhatStandsInPlaceOfSpansCountsAsOne) {
  SpanBatch batch =
      Decode(JaegerItem::kTrace, R"([{"spans":5},7,{"spans":[{"traceID":"1","spanID":"2"}]}])");
  EXPECT_EQ(batch.spans.size(), 1u);
  EXPECT_EQ(batch.rejected_spans.count, 2u);
  EXPECT_THAT(batch.rejected_spans.message, HasSubstr("[0].spans: expected an array"));
}

TEST(JaegerJson, WholeNumbersBeyond64BitsBecomeDoubles) {
  SpanBatch batch = Decode(JaegerItem::kSpan, R"([{"traceID":"1","spanID":"2","operationName":"a",
      "tags":[{"key":"a","type":"int64","value":"18446744073709552000"},
              {"key":"b","vInt64":-1.5e300},{"key":"c","type":"int64","value":7}]}])");
  ASSERT_EQ(batch.spans.size(), 1u) << batch.rejected_spans.message;
  Attributes tags = batch.spans[0].attributes;
  EXPECT_EQ(tags[0].value.real, 18446744073709552000.0);
  EXPECT_EQ(tags[1].value.real, -1.5e300);
  EXPECT_EQ(tags[2].value.integer, 7);
}

TEST(JaegerJson, TextThatIsNoJsonIsAnError) {
  for (const char* body : {"", "[", "[{]", R"([{"spans":[{"traceID":"1" "spanID":"2"}]}])", "[1,]",
                           R"([{"spans":[{"traceID":"1","spanID":"\u00zz"]})"}) {
    auto batch = DecodeJaegerJson(JaegerItem::kTrace, body, {.line = 7, .offset = 100});
    ASSERT_FALSE(batch) << body;
    EXPECT_THAT(batch.error().message, HasSubstr("line 7, byte 1"));
  }
}

TEST(JaegerJson, EveryTruncationIsSurvived) {
  SpanBatch source = testing::RandomBatch({.seed = 5, .spans = 2, .logs = 0, .json_safe = true});
  std::string body = "[";
  wire::JsonWriter json(&body);
  WriteJaegerTrace(TraceId{}, source, &json);
  body += "]";
  ASSERT_TRUE(DecodeJaegerJson(JaegerItem::kTrace, body));
  const size_t step = 1 + body.size() / 2000;
  for (size_t i = 0; i < body.size(); i += step)
    EXPECT_FALSE(DecodeJaegerJson(JaegerItem::kTrace, body.substr(0, i)));
}

// What Jaeger's JSON can say survives: everything here but nested values, which become text.
TEST(JaegerJson, WhatIsWrittenIsReadAgain) {
  constexpr char kOtlp[] = R"({"resourceSpans":[{"resource":{"attributes":[
    {"key":"service.name","value":{"stringValue":"s"}},{"key":"pid","value":{"intValue":"7"}}]},
    "scopeSpans":[{"scope":{"name":"lib","version":"2"},"spans":[
    {"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"n","kind":3,
     "parentSpanId":"eee19b7ec3c1b173","startTimeUnixNano":"1544712660000001000","flags":1,
     "endTimeUnixNano":"1544712661000000000","status":{"code":2,"message":"m"},"traceState":"t=1",
     "attributes":[{"key":"i","value":{"intValue":"-9223372036854775808"}},
       {"key":"d","value":{"doubleValue":0.1}},{"key":"b","value":{"boolValue":true}},
       {"key":"x","value":{"bytesValue":"AAE="}}],
     "events":[{"timeUnixNano":"1544712660000002000","name":"e",
                "attributes":[{"key":"k","value":{"stringValue":"v"}}]}],
     "links":[{"traceId":"5b8efff798038103d269b633813fc60d","spanId":"eee19b7ec3c1b175"}]},
    {"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b173","name":"p",
     "startTimeUnixNano":"1544712660000000000","endTimeUnixNano":"1544712662000000000",
     "status":{"code":1}}]}]}]})";
  auto source = DecodeOtlpTraces(OtlpFormat::kJson, kOtlp);
  ASSERT_TRUE(source) << source.error().message;
  std::string body = "[";
  wire::JsonWriter json(&body);
  WriteJaegerTrace(source->spans[0].trace_id, *source, &json);
  body += "]";
  SpanBatch back = Decode(JaegerItem::kTrace, body);
  EXPECT_EQ(testing::BatchDifference(*source, back), "");
}

}  // namespace
}  // namespace weft::codec

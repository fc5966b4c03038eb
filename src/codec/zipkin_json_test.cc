// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/otlp.h"
#include "codec/span_list.h"
#include "codec/test_attributes.h"
#include "codec/zipkin_json_encode.h"
#include "testing/random_batch.h"

namespace weft::codec {
namespace {

using ::testing::HasSubstr;

SpanBatch Decode(const std::string& body) {
  auto batch = DecodeZipkinJson(body);
  EXPECT_TRUE(batch) << batch.error().message;
  return batch ? std::move(*batch) : SpanBatch{};
}

TEST(ZipkinJson, ReadsVersionTwo) {
  SpanBatch batch = Decode(R"([
    {"traceId":"d7c9f80b2f5b6a8c","id":"e00a","parentId":"1","kind":"CLIENT","name":"get /a",
     "timestamp":1502787600000000,"duration":381000,
     "localEndpoint":{"serviceName":"front","ipv4":"10.1.2.3","port":8080},
     "remoteEndpoint":{"serviceName":"back","ipv6":"2001:db8::1","ipv4":"10.1.2.4"},
     "annotations":[{"timestamp":1502787600000005,"value":"ws"}],
     "tags":{"http.path":"/a","error":"timed out","otel.scope.name":"brave","w3c.tracestate":"x=y"}},
    {"traceId":"d7c9f80b2f5b6a8c","id":"e00a","parentId":"1","kind":"SERVER","shared":true,
     "timestamp":1502787600000010,"localEndpoint":{"serviceName":"back"},"debug":true},
    [{"traceId":"463ac35c9f6413ad48485a3953bb6124","id":"2","tags":{"error":"","otel.status_code":"ERROR"}},
     {"traceId":"463ac35c9f6413ad48485a3953bb6124","id":"3","tags":{"error":"false","otel.status_code":"OK"}}]])");
  ASSERT_EQ(batch.spans.size(), 4u) << batch.rejected_spans.message;
  const Span &client = batch.spans[0], &server = batch.spans[1];
  EXPECT_EQ(client.trace_id.ToHex(), "0000000000000000d7c9f80b2f5b6a8c");
  EXPECT_EQ(client.span_id.ToHex(), "000000000000e00a");
  EXPECT_EQ(client.parent_span_id.ToHex(), "0000000000000001");
  EXPECT_EQ(client.kind, SpanKind::kClient);
  EXPECT_EQ(client.start_ns, 1502787600000000000u);
  EXPECT_EQ(DurationNs(client), 381000000u);
  EXPECT_EQ(client.status, StatusCode::kError);
  EXPECT_EQ(client.status_message, "timed out");
  EXPECT_EQ(client.trace_state, "x=y");
  EXPECT_EQ(batch.scopes[client.scope].name, "brave");
  EXPECT_EQ(Text(client.attributes),
            "http.path=\"/a\" net.host.ip=\"10.1.2.3\" net.host.port=8080 peer.service=\"back\" "
            "net.peer.ip=\"10.1.2.4\" net.peer.ipv6=\"2001:db8::1\" ");
  ASSERT_EQ(client.events.size(), 1u);
  EXPECT_EQ(client.events[0].name, "ws");
  EXPECT_EQ(ServiceName(batch.resources[client.resource]), "front");
  EXPECT_EQ(server.span_id, client.span_id);
  EXPECT_EQ(server.end_ns, server.start_ns);
  EXPECT_EQ(Text(server.attributes), "zipkin.shared=true zipkin.debug=true ");
  EXPECT_EQ(batch.spans[2].status, StatusCode::kError);
  EXPECT_EQ(batch.spans[2].status_message, "");
  EXPECT_EQ(batch.spans[3].status, StatusCode::kOk);
}

TEST(ZipkinJson, ReadsVersionOne) {
  SpanBatch batch = Decode(R"([
    {"traceId":"28","id":"1","name":"root","timestamp":1000,"duration":500,
     "annotations":[{"timestamp":1000,"value":"sr","endpoint":{"serviceName":"a","ipv4":"1.2.3.4","port":80}},
                    {"timestamp":1500,"value":"ss","endpoint":{"serviceName":"a"}},
                    {"timestamp":1100,"value":"cache miss","endpoint":{"serviceName":"a"}}],
     "binaryAnnotations":[{"key":"lc","value":"","endpoint":{"serviceName":"a"}},
       {"key":"ca","value":true,"endpoint":{"serviceName":"caller","ipv4":"9.9.9.9"}},
       {"key":"n","value":7,"type":"I32"},{"key":"x","value":"y"}]},
    {"traceId":"28","id":"2","parentId":"1","name":"call",
     "annotations":[{"timestamp":1010,"value":"cs","endpoint":{"serviceName":"a"}},
                    {"timestamp":1020,"value":"sr","endpoint":{"serviceName":"b"}},
                    {"timestamp":1030,"value":"ss","endpoint":{"serviceName":"b"}},
                    {"timestamp":1040,"value":"cr","endpoint":{"serviceName":"a"}}],
     "binaryAnnotations":[{"key":"error","value":"500"}]},
    {"traceId":"28","id":"3","parentId":"1","binaryAnnotations":[
       {"key":"sa","value":true,"endpoint":{"serviceName":"mysql","port":3306}},
       {"key":"lc","value":"jdbc","endpoint":{"serviceName":"a"}}]}])");
  ASSERT_EQ(batch.spans.size(), 3u) << batch.rejected_spans.message;
  const Span &root = batch.spans[0], &both = batch.spans[1], &database = batch.spans[2];
  EXPECT_EQ(root.kind, SpanKind::kServer);
  EXPECT_EQ(Text(root.attributes),
            "n=7 x=\"y\" net.host.ip=\"1.2.3.4\" net.host.port=80 peer.service=\"caller\" "
            "net.peer.ip=\"9.9.9.9\" ");
  ASSERT_EQ(root.events.size(), 1u);
  EXPECT_EQ(root.events[0].name, "cache miss");
  // Both sides of a call in one span: the server's, with the whole call's time.
  EXPECT_EQ(both.kind, SpanKind::kServer);
  EXPECT_EQ(ServiceName(batch.resources[both.resource]), "b");
  EXPECT_EQ(both.start_ns, 1010000u);
  EXPECT_EQ(both.end_ns, 1040000u);
  EXPECT_EQ(both.events.size(), 4u);
  EXPECT_EQ(both.status, StatusCode::kError);
  EXPECT_EQ(both.status_message, "500");
  EXPECT_EQ(database.kind, SpanKind::kClient);
  EXPECT_EQ(ServiceName(batch.resources[database.resource]), "a");
  // No time at all: its parent's.
  EXPECT_EQ(database.start_ns, root.start_ns);
  EXPECT_EQ(Text(database.attributes),
            "lc=\"jdbc\" peer.service=\"mysql\" net.peer.port=3306 "
            "otel.zipkin.absentField.startTime=true ");
}

TEST(ZipkinJson, AnAbsentStartComesFromTheNearestSpan) {
  SpanBatch batch = Decode(R"([
    {"traceId":"1","id":"5","parentId":"4","shared":true,"kind":"SERVER"},
    {"traceId":"1","id":"5","parentId":"4","kind":"CLIENT","timestamp":70},
    {"traceId":"1","id":"9","parentId":"8"}, {"traceId":"1","id":"1","timestamp":50},
    {"traceId":"2","id":"1","duration":3}])");
  ASSERT_EQ(batch.spans.size(), 5u);
  EXPECT_EQ(batch.spans[0].start_ns, 70'000u);
  EXPECT_EQ(batch.spans[2].start_ns, 50'000u);
  EXPECT_EQ(batch.spans[4].start_ns, 0u);
  EXPECT_EQ(batch.spans[4].end_ns, 3'000u);
}

TEST(ZipkinJson, AWrongValueCostsItsSpanAndIsNamed) {
  const std::pair<const char*, const char*> kCases[] = {
      {R"({"id":"1"})", "[1]: traceId: missing or all zero"},
      {R"({"traceId":"1","id":"0000"})", "[1]: id: missing or all zero"},
      {R"({"traceId":"1","id":"g"})", "[1].id: expected an id of up to 16 hexadecimal digits"},
      {R"({"traceId":"1","id":"1","kind":"SIDE"})",
       "[1].kind: expected CLIENT, SERVER, PRODUCER or CONSUMER"},
      {R"({"traceId":"1","id":"1","duration":-1})",
       "[1].duration: expected microseconds or a duration such as 0.5s"},
      {R"({"traceId":"1","id":"1","tags":[]})", "[1].tags: expected an object"},
      {R"({"traceId":"1","id":"1","localEndpoint":{"port":"http"}})",
       "[1].localEndpoint.port: expected an unsigned 32-bit integer"},
      {R"({"traceId":"1","id":"1","annotations":[{"timestamp":1,"value":7}],"name":"later"})",
       "[1].annotations[0].value: expected a string"},
      {R"("text")", "[1]: expected an object"}};
  for (const auto& [item, reason] : kCases) {
    SpanBatch batch = Decode("[{\"traceId\":\"1\",\"id\":\"1\"},\n\n" + std::string(item) +
                             ",{\"traceId\":\"1\",\"id\":\"2\"}]");
    EXPECT_EQ(batch.spans.size(), 2u) << reason;
    EXPECT_EQ(batch.rejected_spans.count, 1u);
    EXPECT_THAT(batch.rejected_spans.message, HasSubstr(reason));
    EXPECT_THAT(batch.rejected_spans.message, HasSubstr("line 3, byte "));
  }
}

TEST(ZipkinJson, NumbersMayBeTextAndFractions) {
  struct Case {
    const char* fields;
    uint64_t start_ns, duration_ns;
  };
  const Case kCases[] = {
      {R"("timestamp":7,"duration":1234)", 7'000, 1'234'000},
      {R"("timestamp":"7","duration":"1234")", 7'000, 1'234'000},
      {R"("timestamp":"1502787600000000","duration":"0")", 1'502'787'600'000'000'000, 0},
      {R"("timestamp":7.5,"duration":0.25)", 7'500, 250},
      {R"("timestamp":"7e3","duration":"1e3")", 7'000'000, 1'000'000},
      {R"("timestamp":"1970-01-01T00:00:01Z","duration":"0.5s")", 1'000'000'000, 500'000'000},
      {R"("timestamp":7,"duration":null)", 7'000, 0}};
  for (const Case& one : kCases) {
    SpanBatch batch = Decode(R"([{"traceId":"1","id":"2",)" + std::string(one.fields) + "}]");
    ASSERT_EQ(batch.spans.size(), 1u) << one.fields << batch.rejected_spans.message;
    EXPECT_EQ(batch.spans[0].start_ns, one.start_ns) << one.fields;
    EXPECT_EQ(DurationNs(batch.spans[0]), one.duration_ns) << one.fields;
  }
  for (const char* wrong : {R"("duration":"soon")", R"("duration":"")", R"("duration":-1)",
                            R"("duration":"-1")", R"("duration":[1])", R"("duration":1e300)",
                            R"("timestamp":"nan")", R"("timestamp":true)"}) {
    SpanBatch batch = Decode(R"([{"traceId":"1","id":"2",)" + std::string(wrong) +
                             R"(},{"traceId":"1","id":"3"}])");
    EXPECT_EQ(batch.spans.size(), 1u) << wrong;
    EXPECT_EQ(batch.rejected_spans.count, 1u) << wrong;
    const bool duration = std::string_view(wrong).starts_with("\"d");
    EXPECT_THAT(batch.rejected_spans.message,
                HasSubstr(duration ? "[0].duration: " : "[0].timestamp: "));
  }
}

TEST(ZipkinJson, KindsAreReadInAnyCase) {
  for (auto [text, kind] : {std::pair{"SERVER", SpanKind::kServer},
                            {"client", SpanKind::kClient},
                            {"SPAN_KIND_PRODUCER", SpanKind::kProducer},
                            {"INTERNAL", SpanKind::kInternal},
                            {"", SpanKind::kUnspecified}}) {
    SpanBatch batch = Decode(R"([{"traceId":"1","id":"2","kind":")" + std::string(text) + R"("}])");
    ASSERT_EQ(batch.spans.size(), 1u) << text << batch.rejected_spans.message;
    EXPECT_EQ(batch.spans[0].kind, kind) << text;
  }
}

TEST(ZipkinJson, TextThatIsNoUtf8IsKept) {
  SpanBatch batch = Decode(
      "[{\"traceId\":\"1\",\"id\":\"2\",\"timestamp\":1,\"name\":\"\xff\",\"tags\":{\"k\xe9y\\n\":"
      "\"\xe9\"}},"
      "{\"traceId\":\"1\",\"id\":\"3\",\"name\":\"a\nb\"}]");
  ASSERT_EQ(batch.spans.size(), 1u) << batch.rejected_spans.message;
  EXPECT_EQ(batch.spans[0].name, "\xff");
  ASSERT_EQ(batch.spans[0].attributes.size(), 1u);
  EXPECT_EQ(batch.spans[0].attributes[0].key, "k\xe9y\n");
  EXPECT_EQ(batch.spans[0].attributes[0].value.string(), "\xe9");
  EXPECT_THAT(batch.rejected_spans.message, HasSubstr("[1].name: control character in a string"));
}

TEST(ZipkinJson, AnnotationsOfV2AreWhatTheySay) {
  SpanBatch batch = Decode(
      R"([{"traceId":"1","id":"2","timestamp":5,"duration":9,"localEndpoint":{"serviceName":"s"},)"
      R"("annotations":[{"timestamp":6,"value":"cs"},{"timestamp":7,"value":"cr"}]},)"
      R"({"traceId":"1","id":"3","annotations":[{"timestamp":6,"value":"cs"},)"
      R"({"timestamp":7,"value":"cr"}]}])");
  ASSERT_EQ(batch.spans.size(), 2u);
  EXPECT_EQ(batch.spans[0].kind, SpanKind::kUnspecified);
  ASSERT_EQ(batch.spans[0].events.size(), 2u);
  EXPECT_EQ(batch.spans[0].events[1].name, "cr");
  EXPECT_EQ(batch.spans[0].end_ns, 14'000u);
  EXPECT_EQ(batch.spans[1].kind, SpanKind::kClient);
  EXPECT_EQ(batch.spans[1].events.size(), 0u);
  EXPECT_EQ(batch.spans[1].end_ns, 7'000u);
}

TEST(ZipkinJson, WhatIsWrittenIsReadAgain) {
  constexpr char kSpans[] =
      R"([{"traceId":"000000000000000000000000000000a1","parentId":"00000000000000b2",)"
      R"("id":"00000000000000c3","kind":"CLIENT","name":"n","timestamp":5,"duration":7,)"
      R"("tags":{"a":"1","error":"bad","otel.status_code":"ERROR"},)"
      R"("localEndpoint":{"serviceName":"s","ipv4":"1.2.3.4","port":9},)"
      R"("remoteEndpoint":{"serviceName":"r","ipv6":"::1"},)"
      R"("annotations":[{"timestamp":6,"value":"x"}],"shared":true,"debug":true}])";
  auto write = [](const SpanBatch& batch) {
    std::string text;
    wire::JsonWriter json(&text);
    json.BeginArray();
    WriteZipkinSpans(batch, &json);
    json.EndArray();
    return text;
  };
  SpanBatch first = Decode(kSpans);
  EXPECT_EQ(write(first), kSpans);
  constexpr char kWithoutStart[] =
      R"([{"traceId":"000000000000000000000000000000a1","id":"00000000000000b2","timestamp":5},)"
      R"({"traceId":"000000000000000000000000000000a1","parentId":"00000000000000b2",)"
      R"("id":"00000000000000c3","tags":{"z":"","a":"1"}}])";
  SpanBatch filled = Decode(kWithoutStart);
  EXPECT_EQ(filled.spans[1].start_ns, 5'000u);
  EXPECT_EQ(write(filled), kWithoutStart);
  // Spans of OTLP lose types, links and the resource's place; the second time nothing more is lost.
  SpanBatch source = testing::RandomBatch({.seed = 3, .json_safe = true});
  SpanBatch once = Decode(write(source));
  EXPECT_EQ(once.rejected_spans.message, "");
  ASSERT_EQ(once.spans.size(), source.spans.size());
  for (size_t i = 0; i < source.spans.size(); ++i) {
    EXPECT_EQ(once.spans[i].trace_id, source.spans[i].trace_id);
    EXPECT_EQ(once.spans[i].span_id, source.spans[i].span_id);
    EXPECT_EQ(once.spans[i].parent_span_id, source.spans[i].parent_span_id);
    EXPECT_EQ(once.spans[i].name, source.spans[i].name);
  }
}

}  // namespace
}  // namespace weft::codec

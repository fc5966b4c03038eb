// SPDX-License-Identifier: Apache-2.0
//
// What answers about a trace say of time: corrected clocks, followers, spans without a time. The
// same traces in several protocols.
#include <fmt/format.h>

#include "api/api_fixture.h"
#include "codec/span_list.h"

namespace weft::api {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kPath[] = "/api/weft/v1/trace/";

// A page and three calls, stamped 50 ms early by the clock of "api".
SpanBatch EarlySiblings(std::string_view protocol) {
  struct Row {
    const char *name, *service;
    int id, start_ms, end_ms;
  };
  constexpr Row kRows[] = {{"page", "web", 1, 0, 100},
                           {"a", "api", 2, -40, -30},
                           {"b", "api", 3, -20, -10},
                           {"c", "api", 4, 10, 40}};
  std::string out;
  for (const Row& row : kRows) {
    const uint64_t start = kStart + static_cast<uint64_t>(row.start_ms) * kMs;
    const uint64_t end = kStart + static_cast<uint64_t>(row.end_ms) * kMs;
    if (!out.empty()) out += ",";
    if (protocol == "otlp") {
      out += fmt::format(
          R"({{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"{}"}}}}]}},
          "scopeSpans":[{{"spans":[{{"traceId":"{}","spanId":"000000000000000{}","name":"{}",
          "kind":2,"parentSpanId":"{}","startTimeUnixNano":"{}","endTimeUnixNano":"{}"}}]}}]}})",
          row.service, kTrace, row.id, row.name, row.id == 1 ? "" : "0000000000000001", start, end);
    } else if (protocol == "jaeger") {
      out += fmt::format(
          R"({{"traceID":"{}","spanID":"{}","operationName":"{}","startTime":{},"duration":{},
          "tags":[{{"key":"span.kind","type":"string","value":"server"}}],
          "process":{{"serviceName":"{}"}},"references":[{}]}})",
          kTrace, row.id, row.name, start / 1000, (end - start) / 1000, row.service,
          row.id == 1
              ? ""
              : fmt::format(R"({{"refType":"CHILD_OF","traceID":"{}","spanID":"1"}})", kTrace));
    } else {
      out += fmt::format(
          R"({{"traceId":"{}","id":"{}","name":"{}","kind":"SERVER","timestamp":{},"duration":{},
          "localEndpoint":{{"serviceName":"{}"}}{}}})",
          kTrace, row.id, row.name, start / 1000, (end - start) / 1000, row.service,
          row.id == 1 ? "" : R"(,"parentId":"1")");
    }
  }
  auto batch =
      protocol == "otlp"
          ? codec::DecodeOtlpTraces(codec::OtlpFormat::kJson, R"({"resourceSpans":[)" + out + "]}")
      : protocol == "jaeger" ? codec::DecodeJaegerJson(codec::JaegerItem::kSpan, "[" + out + "]")
                             : codec::DecodeZipkinJson("[" + out + "]");
  EXPECT_TRUE(batch) << batch.error().message;
  return std::move(*batch);
}

class TraceTimesTest : public ApiTest, public ::testing::WithParamInterface<const char*> {};

TEST_P(TraceTimesTest, OneShiftForTheCallsOfAClock) {
  Begin();
  Put(EarlySiblings(GetParam()));
  std::vector<std::string> lines = Lines(std::string(kPath) + kTrace);
  ASSERT_EQ(lines.size(), 3u);
  for (const char* part :
       {R"("startNs":"1699999999960000000")", R"("endNs":"1700000000100000000")",
        R"("skewCorrected":3)", R"("shown":[40000000,140000000])",
        R"("clocks":[{"row":1,"service":"api","host":"","spans":3,"shiftNs":40000000,)"
        R"("wantedNs":40000000,"early":2,"late":0,"inconsistent":false,"beyondLimit":false,)"
        R"("text":"api: 3 spans moved by +40 ms, because 2 calls start before their callers"}])",
        R"("selfByService":[[0,50000000],[1,50000000]])",
        R"("asReceived":{"criticalPath":[[0,40000000,50000000],[3,50000000,80000000],)"
        R"([0,80000000,140000000]],"selfByService":[[0,70000000],[1,30000000]]})"})
    EXPECT_THAT(lines[0], HasSubstr(part));
  for (const char* part : {R"("start":[40000000,0,20000000,50000000])",
                           R"("self":[50000000,10000000,10000000,30000000])",
                           R"("critical":[50000000,10000000,10000000,30000000])",
                           R"("selfReceived":[70000000,10000000,10000000,30000000])",
                           R"("criticalReceived":[70000000,0,0,30000000])",
                           R"("skew":[0,40000000,40000000,40000000])"})
    EXPECT_THAT(lines[1], HasSubstr(part));
  // Jaeger's API and search answer with the times as received.
  const std::string jaeger = Json(std::string("/api/traces/") + kTrace);
  EXPECT_THAT(jaeger, HasSubstr(R"("startTime":1699999999960000)"));
  EXPECT_THAT(Json("/api/weft/v1/search"), HasSubstr(R"("startNs":"1699999999960000000")"));
}
INSTANTIATE_TEST_SUITE_P(Protocols, TraceTimesTest, ::testing::Values("otlp", "jaeger", "zipkin"),
                         [](const auto& info) { return std::string(info.param); });

TEST_F(ApiTest, AgreeingClocksAreNotMentioned) {
  Begin();
  Put(ShopTrace());
  std::vector<std::string> lines = Lines(std::string(kPath) + kTrace);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_THAT(lines[0], HasSubstr(R"("skewCorrected":0,"shown":[0,100000000],"clocks":[])"));
  EXPECT_THAT(lines[0], HasSubstr(R"("asReceived":null)"));
  EXPECT_THAT(lines[1], Not(HasSubstr("Received")));
}

// From Jaeger, and as OpenTelemetry's shim sends it.
TEST_F(ApiTest, AFollowerIsNotWaitedFor) {
  const std::string trace_of[] = {std::string(32, 'b'), std::string(32, 'a')};
  const std::string jaeger = fmt::format(
      R"([{{"traceID":"{0}","spanID":"01","operationName":"producer","startTime":1700000000000000,
      "duration":100000}},{{"traceID":"{0}","spanID":"02","operationName":"follower",
      "startTime":1700000000020000,"duration":60000,
      "references":[{{"refType":"FOLLOWS_FROM","traceID":"{0}","spanID":"01"}}]}}])",
      trace_of[1]);
  const std::string otlp = fmt::format(
      R"({{"resourceSpans":[{{"scopeSpans":[{{"spans":[
      {{"traceId":"{0}","spanId":"0000000000000001","name":"producer",
        "startTimeUnixNano":"1700000000000000000","endTimeUnixNano":"1700000000100000000"}},
      {{"traceId":"{0}","spanId":"0000000000000002","parentSpanId":"0000000000000001",
        "name":"follower","startTimeUnixNano":"1700000000020000000",
        "endTimeUnixNano":"1700000000080000000","links":[{{"traceId":"{0}",
        "spanId":"0000000000000001","attributes":[{{"key":"opentracing.ref_type",
        "value":{{"stringValue":"follows_from"}}}}]}}]}}]}}]}}]}})",
      trace_of[0]);
  Begin();
  for (bool from_jaeger : {true, false}) {
    Put(from_jaeger ? *codec::DecodeJaegerJson(codec::JaegerItem::kSpan, jaeger)
                    : *codec::DecodeOtlpTraces(codec::OtlpFormat::kJson, otlp));
    std::vector<std::string> lines = Lines(std::string(kPath) + trace_of[from_jaeger]);
    ASSERT_EQ(lines.size(), 3u);
    EXPECT_THAT(lines[0], HasSubstr(R"("criticalPath":[[0,0,100000000]])"));
    EXPECT_THAT(lines[1], HasSubstr(R"("parent":[-1,0])"));
    EXPECT_THAT(lines[1], HasSubstr(R"("flags":[0,12],"self":[100000000,60000000],)"
                                    R"("critical":[100000000,0])"));
    const std::string v1 = Json(std::string("/api/traces/") + trace_of[from_jaeger]);
    EXPECT_THAT(v1,
                HasSubstr(fmt::format(R"("references":[{{"refType":"FOLLOWS_FROM","traceID":"{}",)"
                                      R"("spanID":"0000000000000001"}}])",
                                      trace_of[from_jaeger])));
    EXPECT_THAT(v1, Not(HasSubstr("CHILD_OF")));
  }
}

TEST_F(ApiTest, ASpanWithoutATimeIsInNoRange) {
  Begin();
  SpanBatch batch = ShopTrace();
  batch.spans[1].start_ns = 0;  // the end alone is no time
  batch.received_is_content = false;
  Put(std::move(batch));
  std::vector<std::string> lines = Lines(std::string(kPath) + kTrace);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_THAT(lines[0], HasSubstr(R"("startNs":"1700000000000000000")"));
  EXPECT_THAT(lines[0], HasSubstr(R"("shown":[0,100000000])"));
  EXPECT_THAT(lines[1], HasSubstr(R"("start":[0,0],"duration":[100000000,0])"));
  EXPECT_THAT(lines[1], HasSubstr(R"("flags":[0,38])"));
  EXPECT_THAT(Json("/api/weft/v1/status"),
              HasSubstr(R"("dataRange":{"startNs":"1700000000000000000",)"
                        R"("endNs":"1700000000000000000"})"));
  EXPECT_THAT(Json("/api/weft/v1/search"),
              HasSubstr(R"("startNs":"1700000000000000000","durationNs":100000000)"));
}

}  // namespace
}  // namespace weft::api

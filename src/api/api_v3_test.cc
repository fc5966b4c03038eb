// SPDX-License-Identifier: Apache-2.0
//
// Jaeger's api_v3 over HTTP and gRPC: the request shapes of jaeger-ui and Grafana's Jaeger source,
// and messages as a generated client makes them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/api_fixture.h"
#include "api/api_v3_messages.h"
#include "api/parameters.h"
#include "api/trace_chunks.h"
#include "testing/random_batch.h"
#include "wire/protobuf_reader.h"
#include "wire_core/protobuf_writer.h"

namespace weft::api {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kRange[] =
    "query.startTimeMin=2023-11-14T22%3A13%3A19Z&query.startTimeMax=2023-11-14T22%3A13%3A21.5Z";

using ApiV3Test = ApiTest;

TEST_F(ApiV3Test, ServicesAndOperations) {
  Begin();
  EXPECT_EQ(Json("/api/v3/services"), R"({"services":[]})");
  Put(ShopTrace());
  EXPECT_EQ(Json("/api/v3/services"), R"({"services":["checkout","gateway"]})");
  EXPECT_EQ(Json("/api/v3/operations?service=checkout"),
            R"({"operations":[{"name":"POST /pay","spanKind":"client"}]})");
  EXPECT_EQ(Json("/api/v3/operations?service=checkout&spanKind=server"), R"({"operations":[]})");
  EXPECT_EQ(Json("/api/v3/operations?service=checkout&span_kind=client"),
            R"({"operations":[{"name":"POST /pay","spanKind":"client"}]})");
}

TEST_F(ApiV3Test, OneTrace) {
  Begin();
  Put(ShopTrace());
  std::string trace = Json(std::string("/api/v3/traces/") + kTrace);
  std::string otlp = Json(std::string("/api/weft/v1/trace/") + kTrace + "/otlp");
  EXPECT_EQ(trace, R"({"result":)" + otlp + "}");
  // Grafana appends times to the URL as they are, and a plus sign becomes a space.
  for (const char* hints : {"?startTime=2023-11-14T22:13:19+01:00&endTime=2023-11-14T23:13:19.123Z",
                            "?start_time=2023-11-14T22:13:19Z&rawTraces=true", "?raw_traces=0"})
    EXPECT_EQ(Json(std::string("/api/v3/traces/") + kTrace + hints), trace) << hints;
  EXPECT_EQ(Json("/api/v3/traces/1", 404),
            R"({"error":{"httpCode":404,"message":"trace not found"}})");
  EXPECT_THAT(Json("/api/v3/traces/xyz", 400),
              StartsWith(R"({"error":{"httpCode":400,"message":"cannot parse trace id xyz)"));
  EXPECT_THAT(Json(std::string("/api/v3/traces/") + kTrace + "?startTime=yesterday", 400),
              HasSubstr("startTime is yesterday: it must be a time from 1970 to 2262"));
}

TEST_F(ApiV3Test, FindTracesAndSummaries) {
  Begin();
  Put(ShopTrace());
  auto found = [&](const std::string& more) {
    return Json(std::string("/api/v3/trace-summaries?") + kRange + more).find(kTrace) !=
           std::string::npos;
  };
  EXPECT_TRUE(found(""));  // without a service
  EXPECT_TRUE(found("&query.serviceName=checkout&query.operationName=POST+/pay"));
  EXPECT_TRUE(found("&query.service_name=checkout&query.num_traces=5"));
  EXPECT_FALSE(found("&query.serviceName=gateway&query.operationName=POST+/pay"));
  EXPECT_TRUE(found("&query.attributes=%7B%22retries%22%3A%223%22%2C%22error%22%3A%22true%22%7D"));
  EXPECT_TRUE(found("&query.attributes=%7B%22exception.type%22%3A%22CardError%22%7D"));
  EXPECT_TRUE(found("&query.attributes=%7B%22host.name%22%3A%22a1%22%7D"));
  EXPECT_FALSE(found("&query.attributes=%7B%22retries%22%3A%224%22%7D"));
  EXPECT_TRUE(found("&query.durationMin=79ms&query.durationMax=81ms"));
  EXPECT_FALSE(found("&query.duration_min=200ms"));
  EXPECT_EQ(
      Json(std::string("/api/v3/trace-summaries?") + kRange + "&query.searchDepth=20"),
      R"({"summaries":[{"traceId":"0102030405060708090a0b0c0d0e0f10","rootServiceName":"gateway",)"
      R"("rootOperationName":"GET /","minStartTimeUnixNano":"1700000000000000000",)"
      R"("maxEndTimeUnixNano":"1700000000100000000","spanCount":2,"errorSpanCount":1,)"
      R"("orphanSpanCount":0,"services":[{"name":"checkout","spanCount":1,"errorSpanCount":1},)"
      R"({"name":"gateway","spanCount":1,"errorSpanCount":0}]}]})");
  EXPECT_EQ(Json(std::string("/api/v3/traces?") + kRange + "&query.serviceName=checkout"),
            Json(std::string("/api/v3/traces/") + kTrace));
  EXPECT_EQ(Json(std::string("/api/v3/traces?") + kRange + "&query.serviceName=nobody", 404),
            R"({"error":{"httpCode":404,"message":"No traces found"}})");
  // The end is exclusive.
  EXPECT_EQ(Json("/api/v3/trace-summaries?query.startTimeMin=2023-11-14T22:13:19Z&"
                 "query.startTimeMax=2023-11-14T22:13:20Z"),
            R"({"summaries":[]})");
}

TEST_F(ApiV3Test, AMissingRootIsSaidAsJaegerSaysIt) {
  Begin();
  SpanBatch batch = ShopTrace();
  batch.spans.erase(batch.spans.begin());
  Put(std::move(batch));
  std::string summary = Json(std::string("/api/v3/trace-summaries?") + kRange);
  EXPECT_THAT(summary, HasSubstr(R"("rootServiceName":"","rootOperationName":"")"));
  EXPECT_THAT(summary, HasSubstr(R"("spanCount":1,"errorSpanCount":1,"orphanSpanCount":1)"));
}

TEST_F(ApiV3Test, LimitsNameWhatIsAllowed) {
  Begin();
  struct Case {
    std::string query;
    const char* says;
  };
  const std::string range = kRange;
  for (const Case& test :
       {Case{"", "query.startTimeMin and query.startTimeMax are required"},
        Case{"query.startTimeMin=2023-11-14T22:13:19Z", "are required"},
        Case{"query.startTimeMin=2023-11-14T22:13:19Z&query.startTimeMax=2023-11-14T22:13:19Z",
             "must be before"},
        Case{"query.startTimeMin=1969-11-14T22:13:19Z&query.startTimeMax=2023-11-14T22:13:19Z",
             "from 1970 to 2262"},
        Case{range + "&query.searchDepth=0", "from 1 to 10000"},
        Case{range + "&query.search_depth=10001", "search_depth is 10001: it must be a whole"},
        Case{range + "&query.num_traces=x", "num_traces is x"},
        Case{range + "&query.durationMin=5", "it must be a duration"},
        Case{range + "&query.durationMin=2s&query.durationMax=1s", "durationMax must not be less"},
        Case{range + "&query.attributes=%5B%5D", "query.attributes must be a JSON object"},
        Case{range + "&query.rawTraces=maybe", "must be true or false"},
        Case{range + "&query.filter=%7B%7D", "query.filter is not understood"}})
    for (const char* path : {"/api/v3/traces?", "/api/v3/trace-summaries?"}) {
      std::string answer = Json(path + test.query, 400);
      EXPECT_THAT(answer, StartsWith(R"({"error":{"httpCode":400,"message":")"));
      EXPECT_THAT(answer, HasSubstr(test.says));
    }
}

// ---------------------------------------------------------------- gRPC

void PutTime(uint32_t field, uint64_t seconds, wire::ProtoWriter* out) {
  size_t mark = out->bytes();
  out->Varint(1, seconds);
  out->CloseMessage(field, mark);
}
std::string Message(const wire::ProtoWriter& out) {
  std::string message;
  out.AppendTo(&message);
  return message;
}

struct FindFields {
  std::string service;
  std::vector<std::pair<std::string, std::string>> attributes = {};
  uint64_t start_s = 1'699'999'990, end_s = 1'700'000'010;
  int64_t depth = 0;
};
std::string FindRequest(const FindFields& fields) {
  wire::ProtoWriter out;
  if (fields.depth != 0) out.Varint(8, static_cast<uint64_t>(fields.depth));
  PutTime(5, fields.end_s, &out);
  PutTime(4, fields.start_s, &out);
  for (const auto& [key, value] : fields.attributes) {
    size_t mark = out.bytes();
    out.Bytes(2, value);
    out.Bytes(1, key);
    out.CloseMessage(3, mark);
  }
  out.Bytes(1, fields.service);
  out.CloseMessage(1, 0);
  return Message(out);
}
std::string GetTraceRequest(std::string_view id) {
  wire::ProtoWriter out;
  out.Bytes(1, id);
  return Message(out);
}
std::vector<std::string> TextsOf(std::string_view message, uint32_t field) {
  std::vector<std::string> texts;
  wire::ProtoReader in(message);
  while (in.Next())
    if (in.tag() == wire::LengthTag(field)) texts.emplace_back(in.bytes());
  EXPECT_EQ(in.error(), wire::ProtoError::kNone);
  return texts;
}

TEST_F(ApiV3Test, GrpcOnBothPorts) {
  Begin({.grpc_endpoint = http::Endpoint{"127.0.0.1", 0}});
  Put(ShopTrace());
  ASSERT_NE(query_->grpc_port(), 0);
  for (uint16_t port : {query_->port(), query_->grpc_port()}) {
    GrpcAnswer services = CallApiV3("GetServices", "", port);
    EXPECT_EQ(services.status, "0");
    ASSERT_EQ(services.messages.size(), 1u);
    EXPECT_THAT(TextsOf(services.messages[0], 1), ::testing::ElementsAre("checkout", "gateway"));
  }
  // The second port has nothing but gRPC.
  outgoing::HttpClient client;
  EXPECT_EQ(client.Get("http://127.0.0.1:" + std::to_string(query_->grpc_port()) + "/")->status,
            404);
}

TEST_F(ApiV3Test, GrpcIsForThisMachinesNamesWhereOnlyTheyAreTold) {
  QueryServerOptions options{.grpc_endpoint = http::Endpoint{"127.0.0.1", 0}};
  options.listen.hosts = options.grpc_listen.hosts =
      http::HostRule{.allowed = {}, .setting = "extensions::query::allowed_hosts"};
  Begin(options);
  Put(ShopTrace());
  for (uint16_t port : {query_->port(), query_->grpc_port()}) {
    EXPECT_EQ(CallApiV3("GetServices", "", port, {{"host", "localhost"}}).status, "0");
    GrpcAnswer refused = CallApiV3("GetServices", "", port, {{"host", "evil.example"}});
    EXPECT_EQ(refused.status, "7");
    EXPECT_THAT(refused.message, HasSubstr("allowed_hosts"));
    EXPECT_TRUE(refused.messages.empty());
  }
}

TEST_F(ApiV3Test, GrpcOperationsAndDependencies) {
  Begin();
  Put(ShopTrace());
  wire::ProtoWriter request;
  request.Bytes(1, "checkout");
  GrpcAnswer operations = CallApiV3("GetOperations", Message(request));
  ASSERT_EQ(operations.messages.size(), 1u);
  std::vector<std::string> entries = TextsOf(operations.messages[0], 1);
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_THAT(TextsOf(entries[0], 1), ::testing::ElementsAre("POST /pay"));
  EXPECT_THAT(TextsOf(entries[0], 2), ::testing::ElementsAre("client"));
  wire::ProtoWriter range;
  PutTime(2, 1'700'000'010, &range);
  PutTime(1, 1'699'999'990, &range);
  GrpcAnswer links = CallApiV3("GetDependencies", Message(range));
  EXPECT_EQ(links.status, "0");
  ASSERT_EQ(links.messages.size(), 1u);
  entries = TextsOf(links.messages[0], 1);
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0],
            "\x0A\x07gateway\x12\x08"
            "checkout\x18\x01");
  EXPECT_EQ(CallApiV3("GetDependencies", "").status, "3");
}

TEST_F(ApiV3Test, GrpcTraces) {
  Begin();
  Put(ShopTrace());
  GrpcAnswer trace = CallApiV3("GetTrace", GetTraceRequest(kTrace));
  EXPECT_EQ(trace.status, "0");
  ASSERT_EQ(trace.messages.size(), 1u);
  SpanBatch got = codec::DecodeOtlpTraces(codec::OtlpFormat::kProtobuf, trace.messages[0]).value();
  EXPECT_EQ(testing::BatchDifference(ShopTrace(), got), "");
  GrpcAnswer found = CallApiV3(
      "FindTraces", FindRequest({.service = "checkout", .attributes = {{"retries", "3"}}}));
  EXPECT_EQ(found.status, "0");
  EXPECT_EQ(found.messages, trace.messages);
  found = CallApiV3("FindTraces", FindRequest({.service = "nobody"}));
  EXPECT_EQ(found.status, "0");
  EXPECT_TRUE(found.messages.empty());
  GrpcAnswer missing = CallApiV3("GetTrace", GetTraceRequest("1"));
  EXPECT_EQ(missing.status, "5");
  EXPECT_EQ(missing.message, "trace not found");
}

TEST_F(ApiV3Test, GrpcSummaries) {
  Begin();
  Put(ShopTrace());
  GrpcAnswer found = CallApiV3("FindTraceSummaries", FindRequest({.service = "gateway"}));
  EXPECT_EQ(found.status, "0");
  ASSERT_EQ(found.messages.size(), 1u);
  std::vector<std::string> summaries = TextsOf(found.messages[0], 1);
  ASSERT_EQ(summaries.size(), 1u);
  EXPECT_THAT(TextsOf(summaries[0], 1), ::testing::ElementsAre(kTrace));
  EXPECT_THAT(TextsOf(summaries[0], 3), ::testing::ElementsAre("GET /"));
  wire::ProtoReader in(summaries[0]);
  uint64_t start = 0, end = 0, spans = 0, errors = 0, orphans = 0;
  while (in.Next()) {
    if (in.tag() == wire::Fixed64Tag(4)) start = in.value();
    if (in.tag() == wire::Fixed64Tag(5)) end = in.value();
    if (in.tag() == wire::VarintTag(6)) spans = in.value();
    if (in.tag() == wire::VarintTag(7)) errors = in.value();
    if (in.tag() == wire::VarintTag(8)) orphans = in.value();
  }
  EXPECT_EQ(start, kStart);
  EXPECT_EQ(end, kStart + 100 * kMs);
  EXPECT_EQ(spans, 2u);
  EXPECT_EQ(errors, 1u);
  EXPECT_EQ(orphans, 0u);
  EXPECT_EQ(TextsOf(summaries[0], 9).size(), 2u);
}

TEST_F(ApiV3Test, ALargeTraceComesInMessagesThatEveryClientTakes) {
  Begin();
  SpanBatch batch = testing::RandomBatch({.seed = 7, .spans = 12'000, .logs = 0, .traces = 1});
  std::string id = batch.spans[0].trace_id.ToHex();
  std::string whole;
  codec::EncodeOtlpTraces(codec::OtlpFormat::kProtobuf, batch, &whole);
  ASSERT_GT(whole.size(), 4u << 20);
  Put(codec::DecodeOtlpTraces(codec::OtlpFormat::kProtobuf, whole).value());
  GrpcAnswer trace = CallApiV3("GetTrace", GetTraceRequest(id));
  EXPECT_EQ(trace.status, "0");
  size_t spans = 0;
  for (const std::string& message : trace.messages) {
    EXPECT_LE(message.size(), 2 * TraceChunks::kBytesWanted);
    spans +=
        codec::DecodeOtlpTraces(codec::OtlpFormat::kProtobuf, message, codec::OtlpSource::kStored)
            ->spans.size();
  }
  std::string partial;
  EXPECT_EQ(
      spans,
      store_.get()->TakeSnapshot("")->ReadTrace(*TraceId::FromHex(id), &partial)->spans.size());
  EXPECT_GT(trace.messages.size(), 3u);
}

TEST_F(ApiV3Test, MalformedMessagesNameFieldAndByte) {
  Begin();
  struct Case {
    std::string method, message;
    const char* says;
  };
  std::string good = FindRequest({.service = "a"});
  for (const Case& test :
       {Case{"FindTraces", "", "query.start_time_min and query.start_time_max are required"},
        Case{"FindTraces", std::string("\x0A\x05\x0A", 3), "query: byte 0: the length runs past"},
        Case{"FindTraces", std::string("\x0A\x02\x0A\x05", 4),
             "query.service_name: byte 2: the length"},
        Case{"FindTraces", std::string("\x0A\x02\x08\x05", 4), "query.service_name: byte 2: "},
        Case{"FindTraces", std::string("\x0A\x03\x0A\x01\xFF", 5),
             "query.service_name: byte 4: the text is not UTF-8"},
        Case{"FindTraces", std::string("\x0A\x04\x22\x02\x10\x80", 6),
             "query.start_time_min.nanos: byte 4: "},
        Case{"FindTraces", FindRequest({.service = "a", .depth = 10'001}),
             "query.search_depth: is 10001: it must be from 1 to 10000"},
        Case{"FindTraceSummaries", FindRequest({.service = "a", .start_s = 9, .end_s = 9}),
             "must be before"},
        Case{"FindTraces", FindRequest({.service = "a", .attributes = {{"", "x"}}}),
             "an attribute must have a name"},
        Case{"FindTraces", std::string("\x0A\x02\x52\x00", 4), "query.filter: structured filters"},
        Case{"GetTrace", "", "trace_id: cannot parse trace id"},
        Case{"GetOperations", std::string("\x0D", 1), "service: byte 0: "}}) {
    GrpcAnswer answer = CallApiV3(test.method, test.message);
    EXPECT_EQ(answer.status, "3") << answer.message;
    EXPECT_THAT(answer.message, HasSubstr(test.says));
    EXPECT_TRUE(answer.messages.empty());
  }
  // Fields of later versions are passed over; a depth of 0 or less means the default.
  EXPECT_EQ(CallApiV3("FindTraces", good + std::string("\xF8\x07\x01", 3)).status, "0");
  EXPECT_EQ(CallApiV3("FindTraces", FindRequest({.service = "a", .depth = -1})).status, "0");
}

TEST(ApiV3Times, Rfc3339) {
  EXPECT_EQ(ParseRfc3339("1970-01-01T00:00:00Z").value(), 0u);
  EXPECT_EQ(ParseRfc3339("2023-11-14T22:13:20Z").value(), kStart);
  EXPECT_EQ(ParseRfc3339("2023-11-14T22:13:20.000000001Z").value(), kStart + 1);
  EXPECT_EQ(ParseRfc3339("2023-11-14T22:13:20.1234567891Z").value(), kStart + 123'456'789);
  EXPECT_EQ(ParseRfc3339("2023-11-14T23:13:20.5+01:00").value(), kStart + 500 * kMs);
  EXPECT_EQ(ParseRfc3339("2023-11-14T17:43:20-04:30").value(), kStart);
  EXPECT_EQ(ParseRfc3339("2024-02-29T00:00:00Z").value(), 1'709'164'800'000'000'000u);
  for (const char* bad :
       {"", "2023", "2023-11-14", "2023-11-14T22:13:20", "2023-02-29T00:00:00Z",
        "2023-13-01T00:00:00Z", "2023-11-14T24:00:00Z", "2023-11-14T22:60:00Z",
        "2023-11-14T22:13:20.Z", "2023-11-14T22:13:20Zx", "1969-12-31T23:59:59Z",
        "2263-01-01T00:00:00Z", "1700000000", "2023-11-14T22:13:20+1:00", "20231-1-14T22:13:20Z"})
    EXPECT_FALSE(ParseRfc3339(bad)) << bad;
}

}  // namespace
}  // namespace weft::api

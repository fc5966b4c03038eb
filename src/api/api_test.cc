// SPDX-License-Identifier: Apache-2.0
//
// The query server over real sockets and a store in memory: docs/api.md and Jaeger's shapes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include <atomic>
#include <thread>

#include "api/answers.h"
#include "api/api_fixture.h"
#include "api/jaeger_search.h"
#include "api/query_server.h"
#include "codec/otlp.h"
#include "net/raw_client.h"
#include "outgoing/client.h"
#include "testing/random_batch.h"

namespace weft::api {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST_F(ApiTest, StatusNamesEverything) {
  Begin();
  std::string empty = Json("/api/weft/v1/status");
  EXPECT_THAT(empty, HasSubstr(R"("dataRange":null)"));
  Put(ShopTrace());
  std::string status = Json("/api/weft/v1/status");
  for (const char* part :
       {R"("version":"1.2.3")", R"("startedNs":"5")", R"("durability":"durable")",
        R"("dataDir":"/data")", R"("readOnly":false)", R"("retention":{"ageNs":7,"bytes":8})",
        R"("spans":2)", R"("headSpans":0)",
        R"("dataRange":{"startNs":"1700000000000000000","endNs":"1700000000010000000"})",
        R"("listeners":[{"name":"otlp/grpc","address":"localhost:4317","tls":false},)"
        R"({"name":"otlp/http","address":"0.0.0.0:4318","tls":true}])"})
    EXPECT_THAT(status, HasSubstr(part));
  Put(ShopTrace());
  status = Json("/api/weft/v1/status");
  EXPECT_THAT(status, HasSubstr(R"("spans":4)")) << "stored twice, and counted as stored";
  EXPECT_THAT(status, HasSubstr(R"("headSpans":2)"));
}

TEST_F(ApiTest, ServicesOperationsTags) {
  Begin();
  Put(ShopTrace());
  EXPECT_EQ(Json("/api/weft/v1/services"),
            R"({"services":[{"name":"checkout","spans":1},{"name":"gateway","spans":1}],)"
            R"("partial":""})");
  EXPECT_EQ(Json("/api/weft/v1/operations?service=checkout"),
            R"({"operations":[{"name":"POST /pay","kind":"client"}],"partial":""})");
  EXPECT_THAT(Json("/api/weft/v1/tags"),
              HasSubstr(R"({"scope":"span","key":"retries","field":"span.retries"})"));
  EXPECT_THAT(Json("/api/weft/v1/tags?scope=intrinsic"),
              HasSubstr(R"({"scope":"intrinsic","key":"name","field":"name"})"));
  EXPECT_EQ(
      Json("/api/weft/v1/tags?scope=resource&q=%7Bkind%3Dclient%7D&limit=5"),
      R"({"tags":[{"scope":"resource","key":"service.name","field":"resource.service.name"}],)"
      R"("truncated":false,"partial":""})");
  EXPECT_EQ(Json("/api/weft/v1/tag-values?scope=resource&key=host.name"),
            R"({"values":[{"type":"string","value":"a1"}],"truncated":false,"partial":""})");
  EXPECT_THAT(Json("/api/weft/v1/tag-values?scope=resource&key=service.name&limit=1"),
              HasSubstr(R"("truncated":true)"));
  EXPECT_THAT(Json("/api/weft/v1/tag-values?tag=kind&q=%7Bstatus%3Derror%7D"),
              HasSubstr(R"("values":[{"type":"keyword","value":"client"}])"));
  EXPECT_THAT(Json("/api/weft/v1/tag-values?tag=span.retries&start=1&end=2"),
              HasSubstr(R"("values":[])"));
}

TEST_F(ApiTest, WrongQuestionsAboutTags) {
  Begin();
  std::string values = "/api/weft/v1/tag-values";
  EXPECT_THAT(Json(values + "?scope=span", 400), HasSubstr("key is required"));
  EXPECT_THAT(Json(values + "?tag=1%3D1", 400), HasSubstr("field of TraceQL"));
  EXPECT_THAT(Json(values + "?tag=.a&limit=0", 400), HasSubstr("from 1 to 100000"));
  EXPECT_THAT(Json(values + "?tag=.a&start=5&end=5", 400), HasSubstr("later than start"));
  EXPECT_THAT(Json(values + "?tag=.a&q=%7B.a%3D%7D", 400), HasSubstr(R"("column":)"));
  EXPECT_THAT(Json("/api/weft/v1/tags?scope=blub", 400), HasSubstr("unknown scope"));
}

TEST_F(ApiTest, SearchAnswersSummariesAndMatches) {
  Begin();
  Put(ShopTrace());
  std::string found = Json("/api/weft/v1/search?q=%7B.retries%3D3%7D");
  for (const char* part :
       {R"("traceId":"0102030405060708090a0b0c0d0e0f10")", R"("rootService":"gateway")",
        R"("rootName":"GET /")", R"("rootMissing":false)", R"("startNs":"1700000000000000000")",
        R"("durationNs":100000000)", R"("spans":2)", R"("errors":1)", R"("matched":1)",
        R"("spanId":"0000000000000002")", R"("service":"checkout")", R"("error":true)",
        R"("partial":"")", R"("spansTotal":2)", R"("cursor":"")"})
    EXPECT_THAT(found, HasSubstr(part));
  std::string nothing = Json("/api/weft/v1/search?q=%7B.retries%3D4%7D");
  EXPECT_THAT(nothing, HasSubstr(R"("traces":[])"));
  EXPECT_THAT(nothing, HasSubstr(R"("dataRange":{"startNs":"1700000000000000000")"));
}

TEST_F(ApiTest, LimitsNameTheAllowedRange) {
  Begin();
  struct Case {
    const char* query;
    const char* says;
  };
  for (const Case& test :
       {Case{"limit=0", "limit is 0: it must be a whole number from 1 to 10000"},
        Case{"limit=10001", "from 1 to 10000"}, Case{"limit=x", "from 1 to 10000"},
        Case{"limit=-1", "from 1 to 10000"}, Case{"limit=99999999999999999999", "from 1 to 10000"},
        Case{"spss=10001", "spss is 10001: it must be a whole number from 0 to"},
        Case{"start=5&end=5", "end must be later than start"}}) {
    std::string error = Json(std::string("/api/weft/v1/search?") + test.query, 400);
    EXPECT_THAT(error, HasSubstr(test.says));
    EXPECT_THAT(error, StartsWith(R"({"error":{"code":"invalid_argument")"));
  }
}

TEST_F(ApiTest, TheReportedRangeIsTakenAsParameters) {
  Begin();
  SpanBatch batch = ShopTrace();
  for (Span& span : batch.spans) span.start_ns = span.end_ns = UINT64_MAX;
  Put(std::move(batch));
  EXPECT_THAT(Json("/api/weft/v1/status"),
              HasSubstr(R"("dataRange":{"startNs":"18446744073709551615",)"
                        R"("endNs":"18446744073709551615"})"));
  for (const char* range : {"", "start=18446744073709551615", "start=1"})
    EXPECT_THAT(Json(std::string("/api/weft/v1/search?") + range), HasSubstr(kTrace)) << range;
  EXPECT_THAT(Json("/api/weft/v1/search?end=18446744073709551615"), HasSubstr(R"("traces":[])"));
  EXPECT_THAT(Json("/api/weft/v1/tag-values?tag=name&end=18446744073709551615"),
              HasSubstr(R"("values":[])"));
  EXPECT_THAT(Json("/api/weft/v1/search?end=18446744073709551616", 400), HasSubstr("from 0 to"));
}

TEST_F(ApiTest, TraceQlErrorsPointAtTheText) {
  Begin();
  std::string error = Json("/api/weft/v1/search?q=%7B%20.a%20%3D%20%7D", 400);
  EXPECT_THAT(error, HasSubstr(R"("line":1)"));
  EXPECT_THAT(error, HasSubstr(R"("column":8)"));
  EXPECT_THAT(error, HasSubstr(R"("hint":)"));
  EXPECT_THAT(error, HasSubstr(R"(\n{ .a = }\n       ^")"));
}

TEST_F(ApiTest, ATraceStreamsHeaderRowsEnd) {
  Begin();
  Put(ShopTrace());
  Put(ShopTrace());  // delivered twice
  Put(ShopLogs());
  std::vector<std::string> lines = Lines(std::string("/api/weft/v1/trace/") + kTrace);
  ASSERT_EQ(lines.size(), 3u);
  for (const char* part :
       {R"("traceId":"0102030405060708090a0b0c0d0e0f10")", R"("spans":2)",
        R"("startNs":"1700000000000000000")", R"("endNs":"1700000000100000000")",
        R"("rootService":"gateway")", R"("rootName":"GET /")", R"("rootMissing":false)",
        R"("errors":1)", R"("logs":3)", R"("duplicates":2)", R"("services":["gateway","checkout"])",
        R"("names":["GET /","POST /pay"])",
        R"("criticalPath":[[0,0,10000000],[1,10000000,90000000],[0,90000000,100000000]])",
        R"("selfByService":[[1,80000000],[0,20000000]])"})
    EXPECT_THAT(lines[0], HasSubstr(part));
  EXPECT_EQ(lines[1],
            R"({"from":0,"id":["0000000000000001","0000000000000002"],"parent":[-1,0],)"
            R"("start":[0,10000000],"duration":[100000000,80000000],"service":[0,1],"name":[0,1],)"
            R"("kind":[2,3],"status":[0,2],"flags":[0,6],"self":[20000000,80000000],)"
            R"("critical":[20000000,80000000],"skew":[0,0],"logs":[1,2],"events":[0,1]})");
  EXPECT_EQ(lines[2], R"({"end": true})");
}

TEST_F(ApiTest, AMissingRootIsSaidOnceInTheHeader) {
  Begin();
  SpanBatch batch = ShopTrace();
  batch.spans.erase(batch.spans.begin());
  batch.received_is_content = false;
  Put(std::move(batch));
  std::vector<std::string> lines = Lines(std::string("/api/weft/v1/trace/") + kTrace);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_THAT(lines[0], HasSubstr(R"("rootMissing":true)"));
  EXPECT_THAT(lines[0], HasSubstr(R"("warnings":[])"));
}

TEST_F(ApiTest, UnknownAndMalformedTraces) {
  Begin();
  EXPECT_THAT(Json("/api/weft/v1/trace/00000000000000000000000000000001", 404),
              HasSubstr(R"("code":"not_found")"));
  EXPECT_THAT(Json("/api/weft/v1/trace/xyz", 400), HasSubstr("1 to 32 hex digits"));
  EXPECT_THAT(Json("/api/weft/v1/trace/1/nonsense", 404), HasSubstr("nonsense"));
  EXPECT_THAT(Json("/api/weft/v1/nothing", 404), HasSubstr("no such path"));
}

TEST_F(ApiTest, RowsSayEverything) {
  Begin();
  Put(ShopTrace());
  Put(ShopLogs());
  std::string row = Json(std::string("/api/weft/v1/trace/") + kTrace + "/spans?row=1");
  for (
      const char* part :
      {R"("row":1)", R"("spanId":"0000000000000002")", R"("parentSpanId":"0000000000000001")",
       R"("name":"POST /pay")", R"("service":"checkout")", R"("kind":"client")",
       R"("status":"error")", R"("statusMessage":"card declined")",
       R"({"key":"retries","type":"int","value":"3"})",
       R"({"key":"ok","type":"bool","value":false})",
       R"({"key":"raw","type":"bytes","value":"AAEC"})",
       R"({"key":"ratio","type":"double","value":0.5})",
       R"("resource":[{"key":"service.name","type":"string","value":"checkout"}])",
       R"("events":[{"timeNs":"1700000000020000000","name":"exception","attributes":[{"key":"exception.type","type":"string","value":"CardError"}]}])",
       R"("links":[{"traceId":"00000000000000000000000000000abc","spanId":"0000000000000def","attributes":[]}])",
       R"("severity":"INFO","severityNumber":9,"body":"charging")",
       R"("severity":"ERROR","severityNumber":17,"body":"Timeout at bank")"})
    EXPECT_THAT(row, HasSubstr(part));
  // By time: the earlier record comes first.
  EXPECT_LT(row.find("charging"), row.find("Timeout at bank"));
  std::string both = Json(std::string("/api/weft/v1/trace/") + kTrace + "/spans?from=0&count=100");
  EXPECT_THAT(both, HasSubstr(R"("scope":{"name":"lib","version":"1.2","attributes":[]})"));
  EXPECT_THAT(both, HasSubstr(R"({"key":"list","type":"array","value":[)"));
  EXPECT_THAT(both, HasSubstr(R"("body":"no span")"));
  EXPECT_EQ(Json(std::string("/api/weft/v1/trace/") + kTrace + "/spans?row=77"),
            R"({"spans":[],"partial":""})");
  EXPECT_THAT(Json(std::string("/api/weft/v1/trace/") + kTrace + "/spans?count=1001", 400),
              HasSubstr("from 1 to 1000"));
}

TEST_F(ApiTest, FindLooksEverywhere) {
  Begin();
  Put(ShopTrace());
  Put(ShopLogs());
  auto find = [&](const std::string& text) {
    return Json(std::string("/api/weft/v1/trace/") + kTrace + "/find?text=" + text);
  };
  EXPECT_EQ(find("TIMEOUT"),
            R"({"rows":[1],"counts":{"name":0,"attribute":0,"event":0,"log":1},"partial":""})");
  EXPECT_EQ(find("gateway"),
            R"({"rows":[0],"counts":{"name":1,"attribute":1,"event":0,"log":0},"partial":""})");
  EXPECT_EQ(find("carderror"),
            R"({"rows":[1],"counts":{"name":0,"attribute":0,"event":1,"log":0},"partial":""})");
  EXPECT_EQ(find("9007199254740993"),
            R"({"rows":[0],"counts":{"name":0,"attribute":1,"event":0,"log":0},"partial":""})");
  EXPECT_EQ(find("absent"),
            R"({"rows":[],"counts":{"name":0,"attribute":0,"event":0,"log":0},"partial":""})");
  Json(std::string("/api/weft/v1/trace/") + kTrace + "/find?text=", 400);
}

TEST_F(ApiTest, OtlpInEqualsOtlpOut) {
  Begin();
  SpanBatch sent = testing::RandomBatch({.seed = 11, .spans = 30, .logs = 5, .traces = 1});
  TraceId id = sent.spans[0].trace_id;
  std::string body;
  codec::EncodeOtlpTraces(codec::OtlpFormat::kProtobuf, sent, &body);
  SpanBatch copy = codec::DecodeOtlpTraces(codec::OtlpFormat::kProtobuf, body).value();
  std::multiset<ContentHash> expected, got;
  for (const Span& span : copy.spans) expected.insert(HashSpan(copy, span));
  Put(std::move(copy));
  outgoing::ClientResponse response =
      Get("/api/weft/v1/trace/" + id.ToHex() + "/otlp", {{"accept", "application/x-protobuf"}});
  EXPECT_EQ(http::FindHeader(response.headers, "content-type"), "application/x-protobuf");
  SpanBatch back = codec::DecodeOtlpTraces(codec::OtlpFormat::kProtobuf, response.body).value();
  for (const Span& span : back.spans) got.insert(HashSpan(back, span));
  EXPECT_EQ(got, expected);
  Put(ShopLogs());
  EXPECT_THAT(Json(std::string("/api/weft/v1/trace/") + kTrace + "/otlp?logs=true"),
              HasSubstr("Timeout at bank"));
}

TEST_F(ApiTest, ALargeTraceStreamsWholeToASlowReader) {
  Begin();
  constexpr size_t kSpans = 12'000;  // several times what the server buffers for a reader
  SpanBatch batch = testing::RandomBatch({.seed = 3, .spans = kSpans, .logs = 0, .traces = 1});
  TraceId id = batch.spans[0].trace_id;
  Put(std::move(batch));
  net::RawClient slow(query_->port(), 4096);
  slow.Send("GET /api/weft/v1/trace/" + id.ToHex() + " HTTP/1.1\r\nhost: localhost\r\n\r\n");
  // The answer is far over what the server buffers; other questions are answered meanwhile.
  ASSERT_TRUE(slow.ReadSome(60'000, 1000));
  EXPECT_THAT(Json("/api/weft/v1/services"), HasSubstr("services"));
  slow.ReadUntil("{\"end\": true}\n");
  EXPECT_THAT(slow.Take(), HasSubstr("{\"end\": true}\n"));
  outgoing::ClientResponse whole = Get("/api/weft/v1/trace/" + id.ToHex());
  EXPECT_EQ(std::ranges::count(whole.body, '\n'), 1 + (kSpans + 8191) / 8192 + 1);
}

TEST_F(ApiTest, ReadersThatLeaveCostNothing) {
  Begin();
  SpanBatch batch = testing::RandomBatch({.seed = 3, .spans = 12'000, .logs = 0, .traces = 1});
  TraceId id = batch.spans[0].trace_id;
  Put(std::move(batch));
  for (int i = 0; i < 5; ++i) {
    net::RawClient client(query_->port(), 4096);
    client.Send("GET /api/weft/v1/trace/" + id.ToHex() + " HTTP/1.1\r\nhost: localhost\r\n\r\n");
    ASSERT_TRUE(client.ReadSome(60'000, 100));
    client.Reset();
  }
  EXPECT_THAT(Json("/api/weft/v1/services"), HasSubstr("services"));
}

TEST_F(ApiTest, ImportCountsExactly) {
  Begin();
  std::string body;
  SpanBatch shop = ShopTrace();
  codec::EncodeOtlpTraces(codec::OtlpFormat::kProtobuf, shop, &body);
  outgoing::HttpClient client;
  auto post = [&](const std::string& path, std::string_view bytes, const std::string& type) {
    return client.Post(Url(path), type, bytes).value();
  };
  EXPECT_THAT(post("/api/weft/v1/import", body, "application/x-protobuf").body,
              HasSubstr(R"("kept":2,"duplicates":0,"rejected":0)"));
  EXPECT_THAT(post("/api/weft/v1/import", body + body, "application/x-protobuf").body,
              HasSubstr(R"("kept":0,"duplicates":4,"rejected":0)"));
  // No web page can send this without being asked for permission first.
  EXPECT_EQ(post("/api/weft/v1/import", body, "text/plain").status, 400);
  EXPECT_EQ(post("/api/weft/v1/import", "\xFF", "application/x-protobuf").status, 400);
}

TEST_F(ApiTest, UploadsHoldNoMoreThanTheirBudget) {
  QueryServerOptions options;
  options.limits.upload_bytes_max = 2 << 20;
  Begin(options);
  outgoing::HttpClient client;
  auto post = [&](const std::string& path, size_t bytes) {
    return client.Post(Url(path), "application/x-protobuf", std::string(bytes, '\xFF')).value();
  };
  // An upload that stops a little before its end: what has come of it is charged. What a request
  // before it held may be given back a little after that was answered.
  auto upload_head = [&](const std::string& path) {
    auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    for (;;) {
      auto slow = std::make_unique<net::RawClient>(query_->port());
      slow->Send("POST " + path +
                 " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\n"
                 "Content-Length: 1500000\r\nExpect: 100-continue\r\n\r\n");
      const std::string& answer = slow->ReadUntil("\r\n\r\n");
      if (!answer.starts_with("HTTP/1.1 503 ") || std::chrono::steady_clock::now() > end) {
        EXPECT_EQ(answer, "HTTP/1.1 100 Continue\r\n\r\n");
        EXPECT_TRUE(slow->Send(std::string(1'400'000, 'x')));
        return slow;
      }
    }
  };
  constexpr size_t kBytes = 1 << 20;
  for (const char* path : {"/api/weft/v1/import", "/api/transform"}) {
    SCOPED_TRACE(path);
    EXPECT_EQ(post(path, 3 << 20).status, 413) << "more than all together: no retry can help";
    std::unique_ptr<net::RawClient> slow = upload_head(path);
    for (const char* other : {"/api/weft/v1/import", "/api/transform"}) {
      outgoing::ClientResponse refused = post(other, kBytes);
      while (refused.status == 400) refused = post(other, kBytes);  // it is still coming
      EXPECT_EQ(refused.status, 503);
      EXPECT_NE(http::FindHeader(refused.headers, "retry-after"), "");
      // By the account's limit or by the peer's share, whichever it meets first.
      EXPECT_THAT(refused.body, ::testing::AnyOf(HasSubstr("requests under way hold 14"),
                                                 HasSubstr("one peer holds its share")));
      bool jaeger = std::string_view(other).ends_with("transform");
      EXPECT_THAT(refused.body, StartsWith(jaeger ? R"({"data":null)" : R"({"error":)"));
    }
    EXPECT_EQ(Get("/api/services").status, 200) << "questions are not charged";
    slow->Close();
    // Until the server has seen the end of what was begun.
    auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    outgoing::ClientResponse taken = post(path, kBytes);
    while (taken.status == 503 && std::chrono::steady_clock::now() < end)
      taken = post(path, kBytes);
    EXPECT_EQ(taken.status, 400) << taken.body;
  }
}

TEST_F(ApiTest, UploadsOfUndeclaredLengthAreChargedAsTheyGrow) {
  QueryServerOptions options;
  options.limits.upload_bytes_max = 2 << 20;
  Begin(options);
  for (const char* path : {"/api/weft/v1/import", "/api/transform"}) {
    net::RawClient raw(query_->port());
    ASSERT_TRUE(raw.Send("POST " + std::string(path) +
                         " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf"
                         "\r\nTransfer-Encoding: chunked\r\n\r\n200001\r\n" +
                         std::string((2 << 20) + 1, '\xFF')));
    EXPECT_THAT(raw.ReadAll(), StartsWith("HTTP/1.1 413 ")) << path;
  }
}

TEST_F(ApiTest, JaegerServicesAndOperations) {
  Begin();
  EXPECT_EQ(Json("/api/services"), R"({"data":[],"total":0,"limit":0,"offset":0,"errors":null})");
  Put(ShopTrace());
  EXPECT_EQ(Json("/api/services"),
            R"({"data":["checkout","gateway"],"total":2,"limit":0,"offset":0,"errors":null})");
  EXPECT_EQ(Json("/api/operations?service=gateway"),
            R"({"data":[{"name":"GET /","spanKind":"server"}],"total":1,"limit":0,"offset":0,)"
            R"("errors":null})");
  EXPECT_THAT(Json("/api/operations?service=gateway&spanKind=client"), HasSubstr(R"("data":[])"));
  EXPECT_THAT(Json("/api/operations", 400), HasSubstr("parameter 'service' is required"));
  EXPECT_THAT(Json("/api/services/check%6Fut/operations"), HasSubstr(R"("data":["POST /pay"])"));
}

TEST_F(ApiTest, JaegerTrace) {
  Begin();
  Put(ShopTrace());
  Put(ShopLogs());
  std::string trace = Json(std::string("/api/traces/") + kTrace);
  for (
      const char* part :
      {R"("traceID":"0102030405060708090a0b0c0d0e0f10")", R"("spanID":"0000000000000002")",
       R"("operationName":"POST /pay")", R"("startTime":1700000000010000,"duration":80000)",
       R"({"refType":"CHILD_OF","traceID":"0102030405060708090a0b0c0d0e0f10","spanID":"0000000000000001"})",
       R"({"refType":"FOLLOWS_FROM","traceID":"0000000000000abc","spanID":"0000000000000def"})",
       R"({"key":"http.status_code","type":"int64","value":200})",
       R"({"key":"big","type":"int64","value":"9007199254740993"})",
       R"({"key":"ok","type":"bool","value":false})",
       R"({"key":"ratio","type":"float64","value":0.5})",
       R"({"key":"raw","type":"binary","value":"AAEC"})",
       R"({"key":"span.kind","type":"string","value":"client"})",
       R"({"key":"error","type":"bool","value":true})",
       R"({"key":"otel.status_description","type":"string","value":"card declined"})",
       R"({"key":"otel.scope.name","type":"string","value":"lib"})",
       R"({"timestamp":1700000000020000,"fields":[{"key":"event","type":"string","value":"exception"})",
       R"({"key":"message","type":"string","value":"Timeout at bank"})",
       R"({"serviceName":"gateway","tags":[{"key":"host.name","type":"string","value":"a1"}]})",
       R"("warnings":null)"})
    EXPECT_THAT(trace, HasSubstr(part));
  EXPECT_EQ(Json("/api/traces/00000000000000000000000000000001", 404),
            R"({"data":null,"total":0,"limit":0,"offset":0,"errors":[{"code":404,)"
            R"("msg":"trace not found"}]})");
  EXPECT_THAT(Json(std::string("/api/traces?traceID=") + kTrace + "&traceID=1"),
              HasSubstr(R"("errors":[{"code":404,"msg":)"));
}

TEST_F(ApiTest, JaegerSearch) {
  Begin();
  Put(ShopTrace());
  auto found = [&](const std::string& parameters) {
    return Json("/api/traces?start=1699999990000000&end=1700000010000000&" + parameters)
               .find(kTrace) != std::string::npos;
  };
  EXPECT_TRUE(found("service=checkout"));
  EXPECT_FALSE(found("service=nobody"));
  EXPECT_TRUE(found("service=checkout&operation=POST%20%2Fpay"));
  EXPECT_TRUE(found("service=checkout&tag=retries:3"));
  EXPECT_TRUE(
      found("service=checkout&tags=%7B%22retries%22%3A%223%22%2C%22error%22%3A%22true%22%7D"));
  EXPECT_FALSE(found("service=checkout&tag=retries:4"));
  EXPECT_TRUE(found("service=checkout&minDuration=79ms&maxDuration=0.081s"));
  EXPECT_FALSE(found("service=checkout&minDuration=81ms"));
  EXPECT_THAT(Json("/api/traces", 400), HasSubstr("parameter 'service' is required"));
  EXPECT_THAT(Json("/api/traces?service=a&minDuration=2s&maxDuration=1s", 400),
              HasSubstr("maxDuration must not be less"));
  EXPECT_THAT(Json("/api/traces?service=a&minDuration=2x", 400), HasSubstr("duration such as"));
  EXPECT_THAT(Json("/api/traces?service=a&limit=0", 400), HasSubstr("from 1 to 10000"));
  EXPECT_THAT(Json("/api/traces?service=a&tags=7", 400), HasSubstr("JSON object"));
}

TEST(JaegerSearchTest, ParametersBecomeTraceQl) {
  auto traceql = [](const std::string& query) {
    return ReadJaegerSearch(query, kStart).value().traceql;
  };
  EXPECT_EQ(traceql("service=a%22b"), R"({ resource.service.name = "a\"b" })");
  EXPECT_EQ(traceql("service=a&operation=op&minDuration=1ms"),
            R"({ resource.service.name = "a" && name = "op" && duration >= 1000000ns })");
  EXPECT_THAT(traceql("service=a&tag=error:true"), HasSubstr("&& (status = error || span.error"));
  EXPECT_THAT(traceql("service=a&tag=k:true"), HasSubstr("span.k = true"));
  query::SearchRequest request = ReadJaegerSearch("service=a", kStart).value();
  EXPECT_EQ(request.end_ns, kStart + 1000);
  EXPECT_EQ(kStart - request.start_ns, 48ull * 3600 * 1000 * kMs);
  EXPECT_EQ(request.limit, 100u);
  // Whatever a client sends as a name or tag parses.
  for (const char* query : {"service=a&tag=k%22:v%5C", "service=%0A%09%01", "service=a&tag=a%20b:",
                            "service=a&tag=x:-1.5", "service=a&tag=x:--", "service=%C3%A9"}) {
    std::string text = traceql(query);
    EXPECT_TRUE(traceql::Parse(text)) << text;
  }
}

TEST_F(ApiTest, HealthReadinessMetrics) {
  Begin();
  EXPECT_EQ(Get("/healthz").status, 200);
  EXPECT_EQ(Get("/readyz").status, 200);
  why_not_ready_ = "the disk is full";
  outgoing::ClientResponse not_ready = Get("/readyz");
  EXPECT_EQ(not_ready.status, 503);
  EXPECT_EQ(not_ready.body, "the disk is full\n");
  Json("/api/weft/v1/services");
  // A question is counted when its worker is done with it, which is after the answer.
  const std::string counted = "weft_query_seconds_count{kind=\"services\"} 1\n";
  outgoing::ClientResponse metrics = Get("/metrics");
  for (int i = 0; i < 1000 && metrics.body.find(counted) == std::string::npos; ++i)
    metrics = Get("/metrics");
  EXPECT_TRUE(metrics.body.find(counted) != std::string::npos);
  EXPECT_TRUE(metrics.body.find("# EOF") == std::string::npos);
  metrics = Get("/metrics", {{"accept", "application/openmetrics-text"}});
  EXPECT_THAT(metrics.body, HasSubstr("# EOF\n"));
  EXPECT_THAT(std::string(http::FindHeader(metrics.headers, "content-type")),
              StartsWith("application/openmetrics-text"));
}

TEST_F(ApiTest, OnlyLoopbackNamesReachALoopbackServer) {
  QueryServerOptions options;
  options.listen.hosts = http::HostRule{.allowed = {"traces.example.com"}, .setting = "a::setting"};
  Begin(options);
  auto status = [&](const std::string& host, const std::string& path) {
    return Get(path, {{"host", host}}).status;
  };
  for (const char* path : {"/", "/api/services", "/api/weft/v1/services", "/metrics"}) {
    EXPECT_EQ(status("localhost:16686", path), 200) << path;
    EXPECT_EQ(status("127.0.0.1", path), 200) << path;
    EXPECT_EQ(status("[::1]:16686", path), 200) << path;
    EXPECT_EQ(status("traces.example.com", path), 200) << path;
    EXPECT_EQ(status("evil.example", path), 403) << path;
    EXPECT_EQ(status("127.0.0.1.evil.example", path), 403) << path;
  }
  // Probes are told nothing but yes or no.
  EXPECT_EQ(status("evil.example", "/readyz"), 200);
}

TEST_F(ApiTest, UnknownPathsAndForeignHostsAreRefusedAsEachApiRefuses) {
  QueryServerOptions options{.tempo_endpoint = http::Endpoint{"127.0.0.1", 0}};
  options.listen.hosts = options.tempo_listen.hosts =
      http::HostRule{.allowed = {}, .setting = "extensions::query::allowed_hosts"};
  Begin(options);
  auto refused = [&](int status, const std::string& path, uint16_t port = 0) {
    outgoing::HttpClient client;
    std::string host = status == 403 ? "evil.example" : "localhost";
    auto answer = client.Send(
        {.url = "http://127.0.0.1:" + std::to_string(port != 0 ? port : query_->port()) + path,
         .headers = {{"host", host}}});
    EXPECT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->status, status) << path;
    return std::string(http::FindHeader(answer->headers, "content-type")) + " " + answer->body;
  };
  for (auto [status, code] : {std::pair(404, "not_found"), std::pair(403, "permission_denied")}) {
    const std::string number = std::to_string(status);
    for (const char* path : {"/api/v3/x", "/api/v3/trace", "/api/v3/x.js"})
      EXPECT_THAT(refused(status, path),
                  StartsWith(R"(application/json {"error":{"httpCode":)" + number + ","))
          << path;
    for (const char* path : {"/api/x", "/api/v2/traces", "/api/x.json"})
      EXPECT_THAT(refused(status, path),
                  StartsWith(R"(application/json {"data":null,"total":0,"limit":0,"offset":0,)"
                             R"("errors":[{"code":)" +
                             number + ","))
          << path;
    EXPECT_THAT(refused(status, "/api/weft/v1/x"),
                StartsWith(std::string(R"(application/json {"error":{"code":")") + code));
  }
  EXPECT_THAT(refused(403, "/api/search", query_->tempo_port()), StartsWith("text/plain"));
  EXPECT_THAT(refused(403, "/tempo/api/search"), StartsWith("text/plain"));
  EXPECT_THAT(refused(403, "/search"), HasSubstr("allowed_hosts"));
}

TEST_F(ApiTest, TheUiAnswersItsOwnAddressesOnly) {
  Begin();
  // jaeger-ui's too: links to them lie about, and the page says what there is.
  for (const char* path :
       {"/", "/search", "/search?service=a", "/trace/0102", "/dependencies", "/compare",
        "/compare?cohort=0102", "/monitor", "/deep-dependencies?service=a", "/quality-metrics",
        "/trace/0102...0304", "/trace/0102...0304?cohort=0102", "/trace/..."}) {
    outgoing::ClientResponse page = Get(path);
    EXPECT_EQ(page.status, 200) << path;
    EXPECT_THAT(std::string(http::FindHeader(page.headers, "content-type")),
                StartsWith("text/html"));
    EXPECT_THAT(std::string(http::FindHeader(page.headers, "content-security-policy")),
                HasSubstr("frame-ancestors 'none'"));
  }
  for (const char* path : {"/api/nothing", "/missing.js", "/api"}) EXPECT_EQ(Get(path).status, 404);
}

TEST_F(ApiTest, SearchesNameWhatNoDataHas) {
  Begin();
  auto hints = [&](const std::string& parameters) {
    std::string answer = Json("/api/weft/v1/search?" + parameters);
    return answer.substr(answer.find(R"("hints":)"));
  };
  EXPECT_EQ(hints("q=%7Bname%3D%22x%22%7D"), R"("hints":[]})");  // there is no data at all
  Put(ShopTrace());
  EXPECT_EQ(hints("q=%7B.retries%3D4%7D"), R"("hints":[]})");
  EXPECT_EQ(hints("q=%7Bresource.service.name%3D%22chekout%22%7D"),
            R"("hints":[{"kind":"service","name":"chekout","nearest":"checkout",)"
            R"("text":"no data has the service \"chekout\": did you mean \"checkout\"?"}]})");
  EXPECT_EQ(hints("q=%7Bname%3D%22POST+%2Fpya%22%26%26span.retrys%3D3%7D"),
            R"("hints":[{"kind":"operation","name":"POST /pya","nearest":"POST /pay",)"
            R"("text":"no data has the operation \"POST /pya\": did you mean \"POST /pay\"?"},)"
            R"({"kind":"attribute","name":"span.retrys","nearest":"span.retries",)"
            R"("text":"no data has the attribute span.retrys: did you mean span.retries?"}]})");
  // Also where something was found.
  EXPECT_THAT(hints("q=%7B.retries%3D3%7C%7C.zzzzzzzz%3D1%7D"),
              HasSubstr(R"("name":".zzzzzzzz","nearest":"")"));
}

TEST_F(ApiTest, PastedIdsAreIds) {
  Begin();
  Put(ShopTrace());
  for (const char* id :
       {"01020304-0506-0708-090a-0b0c0d0e0f10", "0x0102030405060708090A0B0C0D0E0F10",
        "00-0102030405060708090a0b0c0d0e0f10-0000000000000001-01",
        "%200102030405060708090a0b0c0d0e0f10%20",
        "AQIDBAUGBwgJCgsMDQ4PEA==", "00000102030405060708090a0b0c0d0e0f10"})
    for (const char* root : {"/api/weft/v1/trace/", "/api/traces/", "/api/v3/traces/",
                             "/tempo/api/traces/", "/tempo/api/v2/traces/"})
      EXPECT_EQ(Get(std::string(root) + id).status, 200) << root << id;
  for (const char* root : {"/api/weft/v1/trace/", "/api/traces/", "/api/v3/traces/",
                           "/tempo/api/traces/", "/tempo/api/v2/traces/"})
    for (const char* id : {"0", "xyz", "1102030405060708090a0b0c0d0e0f101"})
      EXPECT_EQ(Get(std::string(root) + id).status, 400) << root << id;
}

TEST_F(ApiTest, ManyQuestionsAtOnce) {
  Begin();
  Put(ShopTrace());
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      outgoing::HttpClient client;
      for (int n = 0; n < 25; ++n) {
        auto response =
            client.Get(Url(n % 2 == 0 ? std::string("/api/weft/v1/trace/") + kTrace
                                      : std::string("/api/weft/v1/search?q=%7Bstatus%3Derror%7D")));
        good += response && response->status == 200;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 100);
}

// A snapshot whose reading blocks until the query is cancelled or the test lets go.
TEST(QueryRunnerTest, RefusesWhatDoesNotFitAndCancelsOnStop) {
  testing::SimStore store;
  Metrics metrics;
  struct FakeExchange : http::Exchange {
    void Respond(http::Response response) override { status = response.status; }
    void Start(int, std::string, http::Headers) override {}
    http::WriteState Write(std::string) override { return http::WriteState::kGo; }
    void Finish() override {}
    void OnWritable(std::function<void()>) override {}
    bool cancelled() const override { return gone; }
    std::atomic<int> status{0};
    std::atomic<bool> gone{false};
  };
  QueryRunner runner(store.get(), {.workers = 1, .waiting_max = 1}, &metrics, SystemClock());
  auto blocking = std::make_shared<FakeExchange>();
  std::atomic<bool> running{false}, saw_cancel{false};
  runner.Run(
      "t", blocking,
      [&](const SnapshotPtr&, const query::Budget& budget, const http::ExchangePtr&) {
        running = true;
        while (!budget.cancelled->load()) std::this_thread::yield();
        saw_cancel = true;
      },
      ErrorResponse);
  while (!running) std::this_thread::yield();
  auto waits = std::make_shared<FakeExchange>(), refused = std::make_shared<FakeExchange>();
  auto answer = [](const store::Snapshot&, const query::Budget&) { return http::Response{}; };
  runner.Answer("t", waits, answer);
  runner.Answer("t", refused, answer);
  EXPECT_EQ(refused->status, 503);
  EXPECT_EQ(waits->status, 0);
  // A client that leaves cancels its query, and the next one runs.
  blocking->gone = true;
  auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (waits->status == 0 && std::chrono::steady_clock::now() < deadline)
    std::this_thread::yield();
  EXPECT_TRUE(saw_cancel);
  EXPECT_EQ(waits->status, 200);
  runner.Stop();
  auto late = std::make_shared<FakeExchange>();
  runner.Answer("t", late, answer);
  EXPECT_EQ(late->status, 503);
}

}  // namespace
}  // namespace weft::api

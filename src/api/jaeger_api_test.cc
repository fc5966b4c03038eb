// SPDX-License-Identifier: Apache-2.0
//
// Jaeger's v1 API: the shapes that jaeger-ui and Grafana's Jaeger source ask for and expect.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/api_fixture.h"
#include "api/jaeger_search.h"
#include "traceql/tag_condition.h"
#include "traceql/traceql.h"

namespace weft::api {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class JaegerApiTest : public ApiTest {
 protected:
  outgoing::ClientResponse Post(const std::string& path, std::string_view body) {
    outgoing::HttpClient client;
    auto response = client.Post(Url(path), "application/json", body);
    EXPECT_TRUE(response) << response.error().message;
    return response ? *response : outgoing::ClientResponse{};
  }
};

std::string WithTraceId(std::string json, const std::string& id) {
  for (size_t at; (at = json.find(kTrace)) != std::string::npos;)
    json.replace(at, sizeof(kTrace) - 1, id);
  return json;
}

SpanBatch ShopTraceAs(const std::string& id) {
  std::string json;
  codec::EncodeOtlpTraces(codec::OtlpFormat::kJson, ShopTrace(), &json);
  return codec::DecodeOtlpTraces(codec::OtlpFormat::kJson, WithTraceId(json, id)).value();
}

TEST_F(JaegerApiTest, GrafanasRequests) {
  Begin();
  Put(ShopTrace());
  EXPECT_EQ(Json("/api/services"),
            R"({"data":["checkout","gateway"],"total":2,"limit":0,"offset":0,"errors":null})");
  EXPECT_EQ(Json("/api/services/checkout/operations"),
            R"({"data":["POST /pay"],"total":1,"limit":0,"offset":0,"errors":null})");
  EXPECT_THAT(Json("/api/traces?service=checkout&operation=POST+%2Fpay&"
                   "tags=%7B%22retries%22%3A%223%22%7D&minDuration=1ms&maxDuration=5s&limit=20&"
                   "start=1699999990000000&end=1700000010000000"),
              HasSubstr(kTrace));
  EXPECT_THAT(
      Json(std::string("/api/traces/") + kTrace + "?start=1699999990000000&end=1700000010000000"),
      HasSubstr(R"("operationName":"POST /pay")"));
  EXPECT_THAT(Json("/api/dependencies?endTs=1700000010000&lookback=60000"),
              HasSubstr(R"({"parent":"gateway","child":"checkout","callCount":1})"));
}

TEST_F(JaegerApiTest, TracesToCompare) {
  Begin();
  const std::string other = "000000000000000000000000000000ff";
  Put(ShopTrace());
  Put(ShopTraceAs(other));
  std::string both = Json(std::string("/api/traces?traceID=") + kTrace +
                          "&traceID=ff&traceID=1&traceID=" + kTrace + "&raw=true");
  EXPECT_THAT(both, HasSubstr(R"("traceID":"00000000000000ff","spans")"));
  EXPECT_THAT(both, HasSubstr(std::string(R"("traceID":")") + kTrace + R"(","spans")"));
  EXPECT_THAT(both, HasSubstr(R"("total":2,)"));
  EXPECT_THAT(
      both,
      HasSubstr(R"("errors":[{"code":404,"msg":"trace not found","traceID":"0000000000000001"}])"));
  std::string many = "/api/traces?traceID=1";
  for (int i = 0; i < 1000; ++i) many += "&traceID=1";
  EXPECT_THAT(Json(many, 400), HasSubstr("at most 1000 are allowed"));
  EXPECT_THAT(Json("/api/traces?traceID=xyz", 400), HasSubstr("cannot parse trace id xyz"));
  // No trace at all is an answer too.
  EXPECT_THAT(Json("/api/traces?traceID=1"), StartsWith(R"({"data":[],"total":0)"));
}

TEST_F(JaegerApiTest, IdsMayBeBase64) {
  Begin();
  Put(ShopTrace());
  for (const char* id : {"AQIDBAUGBwgJCgsMDQ4PEA==", "AQIDBAUGBwgJCgsMDQ4PEA",
                         "0102030405060708090A0B0C0D0E0F10", "AQIDBAUGBwgJCgsMDQ4PEA%3D%3D"})
    EXPECT_THAT(Json(std::string("/api/traces/") + id), HasSubstr(kTrace)) << id;
  for (const char* id :
       {"0", "AQID", "AAAAAAAAAAAAAAAAAAAAAA==", "0102030405060708090a0b0c0d0e0f1011", "g"})
    EXPECT_THAT(Json(std::string("/api/traces/") + id, 400), HasSubstr("cannot parse trace id"))
        << id;
}

TEST_F(JaegerApiTest, PrettyPrintIndents) {
  Begin();
  Put(ShopTrace());
  for (const std::string& path : {std::string("/api/traces/") + kTrace + "?x=1",
                                  std::string("/api/traces?traceID=") + kTrace}) {
    std::string plain = Json(path);
    EXPECT_EQ(Json(path + "&prettyPrint=true"), plain);
    EXPECT_THAT(Get(path + "&prettyPrint=true").body, HasSubstr("{\n    \"data\": [\n        {\n"));
    EXPECT_THAT(Get(path + "&prettyPrint=false").body, Not(HasSubstr("\n")));
  }
}

TEST_F(JaegerApiTest, Dependencies) {
  Begin();
  EXPECT_EQ(Json("/api/dependencies"),
            R"({"data":[],"total":0,"limit":0,"offset":0,"errors":null})");
  Put(ShopTrace());
  Put(ShopTrace());  // delivered twice
  const std::string range = "endTs=1700000000010&lookback=10";
  EXPECT_EQ(Json("/api/dependencies?" + range),
            R"({"data":[{"parent":"gateway","child":"checkout","callCount":1}],"total":1,)"
            R"("limit":0,"offset":0,"errors":null})");
  EXPECT_THAT(Json("/api/dependencies?" + range + "&service=gateway"), HasSubstr("callCount"));
  EXPECT_THAT(Json("/api/dependencies?" + range + "&service=other"), HasSubstr(R"("data":[])"));
  EXPECT_THAT(Json("/api/dependencies?endTs=1700000000009&lookback=9"), HasSubstr(R"("data":[])"));
  EXPECT_THAT(Json("/api/dependencies?lookback=0", 400),
              HasSubstr("it must be a whole number from 1 to"));
  EXPECT_THAT(Json("/api/dependencies?endTs=now", 400), HasSubstr("endTs is now"));
}

TEST_F(JaegerApiTest, WhatNeedsOtherStoragesIsRefusedInTheEnvelope) {
  Begin();
  struct Case {
    const char* path;
    int status;
    const char* says;
  };
  for (const Case& test :
       {Case{"/api/metrics/calls?service=a&groupByOperation=true", 501, "keeps no metrics"},
        Case{"/api/metrics/errors?service=a", 501, "keeps no metrics"},
        Case{"/api/metrics/latencies?service=a&quantile=0.95", 501, "keeps no metrics"},
        Case{"/api/metrics/latencies?service=a", 400, "quantile is required"},
        Case{"/api/metrics/calls", 400, "'service' is required"},
        Case{"/api/quality-metrics?service=a", 501, "does not compute"},
        Case{"/api/deep-dependencies?service=a", 501, "does not compute"}}) {
    std::string answer = Json(test.path, test.status);
    EXPECT_THAT(answer, StartsWith(R"({"data":null,"total":0,"limit":0,"offset":0,"errors":[)"));
    EXPECT_THAT(answer, HasSubstr(test.says));
  }
  outgoing::ClientResponse archive = Post(std::string("/api/archive/") + kTrace, "");
  EXPECT_EQ(archive.status, 500);
  EXPECT_THAT(archive.body, HasSubstr(R"("errors":[{"code":500,"msg":"weft has no archive)"));
  EXPECT_EQ(Post("/api/archive/x", "").status, 400);
  EXPECT_EQ(Get("/api/metrics/minstep").status, 404);
  EXPECT_EQ(Get("/api/throughput").status, 404);
}

TEST_F(JaegerApiTest, LimitsNameWhatIsAllowed) {
  Begin();
  struct Case {
    std::string query;
    const char* says;
  };
  std::string many_tags, long_tags = "&tags=%7B%22a%22%3A%22" + std::string(33'000, 'x') + "%22%7D";
  for (int i = 0; i < 65; ++i) many_tags += "&tag=a:b";
  for (const Case& test :
       {Case{"&limit=0", "limit is 0: it must be a whole number from 1 to 10000"},
        Case{"&limit=10001", "from 1 to 10000"}, Case{"&start=5&end=4", "must not be earlier"},
        Case{"&start=99999999999999999", "whole number from 0 to 9223372036854774"},
        Case{"&minDuration=1", "it must be a duration"},
        Case{"&minDuration=2s&maxDuration=1s", "maxDuration must not be less"},
        Case{"&tag=novalue", "tag must be key:value"}, Case{"&tag=:v", "tag must be key:value"},
        Case{"&tags=%5B1%5D", "must be a JSON object of strings"},
        Case{"&tags=%7B%22a%22%3A%7B%7D%7D", "must be a JSON object of strings"},
        Case{"&tags=%7B%22%22%3A%22a%22%7D", "an attribute must have a name"},
        Case{long_tags, "it may have at most 32768"}, Case{many_tags, "at most 64 are allowed"},
        Case{"&operation=" + std::string(5000, 'o'),
             "the operation has 5000 bytes: it may have at "
             "most 4096"},
        Case{"&raw=maybe", "must be true or false"}})
    EXPECT_THAT(Json("/api/traces?service=a" + test.query, 400), HasSubstr(test.says));
  // Jaeger ignores parameters that it does not know, and so does weft.
  EXPECT_THAT(Json("/api/traces?service=a&loopback=1h&unknown=1"), HasSubstr(R"("data":[])"));
}

TEST_F(JaegerApiTest, TransformShowsUploadedOtlp) {
  Begin();
  std::string json;
  codec::EncodeOtlpTraces(codec::OtlpFormat::kJson, ShopTrace(), &json);
  Put(ShopTrace());
  std::string stored = Json(std::string("/api/traces/") + kTrace);
  outgoing::ClientResponse shown = Post("/api/transform", json);
  EXPECT_EQ(shown.status, 200);
  EXPECT_EQ(shown.body, stored);
  // Two documents, two traces.
  shown =
      Post("/api/transform", json + "\n" + WithTraceId(json, "000000000000000000000000000000ff"));
  EXPECT_THAT(shown.body, HasSubstr(R"("total":2,)"));
  EXPECT_THAT(shown.body, HasSubstr(R"({"traceID":"00000000000000ff","spans":[)"));
  EXPECT_EQ(Post("/api/transform", "{}").status, 200) << "a request without spans";
  EXPECT_EQ(Post("/api/transform", "nonsense").status, 400);
  shown = Post("/api/transform", WithTraceId(json, "00000000000000000000000000000000"));
  EXPECT_EQ(shown.status, 200);
  EXPECT_THAT(shown.body, HasSubstr(R"("msg":"2 spans were left out: )"));
}

// Each of these resources is one that ServiceName() names so, the last is not.
TEST_F(JaegerApiTest, TheUnknownServiceFindsWhatTheListsCallSo) {
  Begin();
  const std::vector<std::string> attributes = {
      "",
      R"({"key":"host.name","value":{"stringValue":"a1"}})",
      R"({"key":"service.name","value":{"stringValue":""}})",
      R"({"key":"service.name","value":{"intValue":"7"}})",
      R"({"key":"service.name","value":{}})",
      R"({"key":"service.name","value":{"kvlistValue":{}}})",
      R"({"key":"service.name","value":{"stringValue":"unknown_service"}})",
      R"({"key":"service.name","value":{"stringValue":"shop"}})"};
  std::string json;
  for (size_t i = 0; i < attributes.size(); ++i)
    json += fmt::format(
        R"({}{{"resource":{{"attributes":[{}]}},"scopeSpans":[{{"spans":[{{)"
        R"("traceId":"000000000000000000000000000000{:02}","spanId":"0000000000000001","name":"x",)"
        R"("startTimeUnixNano":"1700000000000000000","endTimeUnixNano":"1700000000000000001"}}]}}]}})",
        i == 0 ? "" : ",", attributes[i], i + 10);
  Put(codec::DecodeOtlpTraces(codec::OtlpFormat::kJson, R"({"resourceSpans":[)" + json + "]}")
          .value());
  EXPECT_THAT(Json("/api/services"), HasSubstr(R"("data":["shop","unknown_service"])"));
  const std::string v1 = Json(
      "/api/"
      "traces?service=unknown_service&operation=x&start=1699999990000000&end=1700000010000000");
  const std::string v3 = Json(
      "/api/v3/trace-summaries?query.serviceName=unknown_service&query.operationName=x&"
      "query.startTimeMin=2023-11-14T22%3A13%3A19Z&query.startTimeMax=2023-11-14T23%3A00%3A00Z");
  for (size_t i = 0; i < attributes.size(); ++i) {
    bool unknown = i + 1 < attributes.size();
    EXPECT_EQ(v1.find(fmt::format(R"("traceID":"00000000000000{:02}")", i + 10)) != v1.npos,
              unknown)
        << attributes[i];
    EXPECT_EQ(v3.find(fmt::format(R"(00000000000000{:02}")", i + 10)) != v3.npos, unknown)
        << attributes[i];
  }
  EXPECT_THAT(Json("/api/traces?service=shop&start=1699999990000000&end=1700000010000000"),
              HasSubstr(R"("total":1,)"));
}

TEST(JaegerSearchTest, AttributesAreTagsOfOneSpan) {
  auto traceql = [](const JaegerSearch& search) { return ToSearchRequest(search).value().traceql; };
  EXPECT_EQ(traceql({}), "{  }");
  EXPECT_EQ(traceql({.operation = "x", .attributes = {{"k", "7"}, {"error", "TRUE"}}}),
            "{ name = \"x\" && " + traceql::TagCondition("k", "7") + " && " +
                traceql::TagCondition("error", "TRUE") + " }");
  EXPECT_EQ(traceql({.either = {{{"a", "b:c"}, {"a:b", "c"}}, {{"k", "v"}}}}),
            "{ (" + traceql::TagCondition("a", "b:c") + " || " + traceql::TagCondition("a:b", "c") +
                ") && " + traceql::TagCondition("k", "v") + " }");
  for (const char* text : {"a\"b", "\\", "\n", "\x01\xFF", "`"}) {
    std::string query = traceql({.service = text, .attributes = {{text, text}}});
    EXPECT_TRUE(traceql::Parse(query)) << query;
  }
}

}  // namespace
}  // namespace weft::api

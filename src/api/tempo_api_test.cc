// SPDX-License-Identifier: Apache-2.0
//
// Tempo's API over real sockets: the requests that Grafana's Tempo source and Traces Drilldown
// send, the shapes of the answers, what is wrong and how that is said.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include <fstream>
#include <map>
#include <set>

#include "api/query_server.h"
#include "api/tempo_parameters.h"
#include "auth/bearer_auth.h"
#include "codec/otlp.h"
#include "outgoing/client.h"
#include "testing/sim_store.h"
#include "traceql/traceql.h"
#include "wire/protobuf_reader.h"

namespace weft::api {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;
using ::testing::StartsWith;

constexpr char kTrace[] = "0102030405060708090a0b0c0d0e0f10";
// All spans start in this second and the next one.
constexpr uint64_t kSecond = 1'700'000'000;

// gateway GET / [0, 1200 ms) -> checkout POST /pay [10, 90) with an error, an event and a link; a
// second trace, of `gateway` alone, a second later, with a short id.
SpanBatch ShopTraces() {
  std::string json = R"({"resourceSpans":[
    {"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"gateway"}},
                               {"key":"host.name","value":{"stringValue":"a1"}}]},
     "scopeSpans":[{"scope":{"name":"lib","version":"1.2"},"spans":[
       {"traceId":"TRACE","spanId":"0000000000000001","name":"GET /","kind":2,
        "startTimeUnixNano":"1700000000000000000","endTimeUnixNano":"1700000001200000000",
        "attributes":[{"key":"http.status_code","value":{"intValue":"200"}},
                      {"key":"http.url","value":{"stringValue":"http://Shop/API/cart"}},
                      {"key":"a/b c%","value":{"stringValue":"odd"}},
                      {"key":"list","value":{"arrayValue":{"values":[{"intValue":"1"},{"stringValue":"b"}]}}}]},
       {"traceId":"00000000000000000000000000000abc","spanId":"0000000000000009","name":"GET /health",
        "startTimeUnixNano":"1700000001000000000","endTimeUnixNano":"1700000001000500000",
        "attributes":[{"key":"http.status_code","value":{"intValue":"204"}}]}]}]},
    {"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"checkout"}}]},
     "scopeSpans":[{"spans":[
       {"traceId":"TRACE","spanId":"0000000000000002","parentSpanId":"0000000000000001",
        "name":"POST /pay","kind":3,"status":{"code":2,"message":"card declined"},
        "startTimeUnixNano":"1700000000010000000","endTimeUnixNano":"1700000000090000000",
        "attributes":[{"key":"retries","value":{"intValue":"3"}},{"key":"ok","value":{"boolValue":false}},
                      {"key":"raw","value":{"bytesValue":"AAEC"}},{"key":"ratio","value":{"doubleValue":0.5}}],
        "events":[{"timeUnixNano":"1700000000020000000","name":"exception",
                   "attributes":[{"key":"exception.type","value":{"stringValue":"CardError"}}]}],
        "links":[{"traceId":"00000000000000000000000000000abc","spanId":"0000000000000def"}]}]}]}]})";
  for (size_t at; (at = json.find("TRACE")) != std::string::npos;) json.replace(at, 5, kTrace);
  return codec::DecodeOtlpTraces(codec::OtlpFormat::kJson, json).value();
}

std::string Escaped(std::string_view text) {
  std::string out;
  for (char c : text) {
    char hex[4];
    std::snprintf(hex, sizeof hex, "%%%02X", static_cast<unsigned char>(c));
    out += hex;
  }
  return out;
}
std::string Q(std::string_view traceql) { return "q=" + Escaped(traceql); }

class TempoApiTest : public ::testing::Test {
 protected:
  explicit TempoApiTest(http::ListenOptions tempo_listen = {}) {
    QueryServerOptions options;
    options.tempo_listen = std::move(tempo_listen);
    options.endpoint = {"127.0.0.1", 0};
    options.tempo_endpoint = http::Endpoint{"127.0.0.1", 0};
    ServerFacts facts{.version = "1.2.3",
                      .listeners = [] { return std::vector<ListenerAddress>(); }};
    query_.emplace(options, facts, store_.get(), &server_, &metrics_, SystemClock(),
                   [this] { return why_not_ready_; });
    EXPECT_TRUE(query_->Start());
    server_.Start();
    store_.Put(ShopTraces());
  }
  ~TempoApiTest() override {
    query_->Stop();
    server_.Stop();
  }
  outgoing::ClientResponse Get(const std::string& path, http::Headers headers = {}) {
    outgoing::HttpClient client;
    auto response =
        client.Send({.url = "http://127.0.0.1:" + std::to_string(query_->tempo_port()) + path,
                     .headers = std::move(headers)});
    EXPECT_TRUE(response) << response.error().message;
    return response ? *response : outgoing::ClientResponse{};
  }
  // The body as JSON, without white space.
  std::string Json(const std::string& path) {
    outgoing::ClientResponse response = Get(path, {{"accept", "application/json"}});
    EXPECT_EQ(response.status, 200) << path << ": " << response.body;
    EXPECT_EQ(http::FindHeader(response.headers, "content-type"), "application/json");
    simdjson::dom::element json;
    EXPECT_EQ(parser_.parse(response.body).get(json), simdjson::SUCCESS) << response.body;
    return simdjson::minify(json);
  }
  // Plain text, which Grafana shows as it is.
  std::string Refusal(const std::string& path, int status = 400) {
    outgoing::ClientResponse response = Get(path);
    EXPECT_EQ(response.status, status) << path << ": " << response.body;
    EXPECT_THAT(http::FindHeader(response.headers, "content-type"), StartsWith("text/plain"));
    return response.body;
  }
  std::string Search(const std::string& parameters) { return Json("/api/search?" + parameters); }

  testing::SimStore store_;
  Metrics metrics_;
  http::Server server_{{.drain_timeout_ms = 2000}, 2};
  std::optional<QueryServer> query_;
  std::string why_not_ready_;
  simdjson::dom::parser parser_;
};

// ---------------------------------------------------------------- probes

TEST_F(TempoApiTest, AnswersProbes) {
  EXPECT_EQ(Get("/api/echo").body, "echo");
  EXPECT_EQ(Get("/ready").body, "ready\n");
  why_not_ready_ = "starting";
  EXPECT_EQ(Get("/ready").status, 503);
  std::string build = Json("/api/status/buildinfo");
  for (const char* field : {"version", "revision", "branch", "buildDate", "buildUser", "goVersion"})
    EXPECT_THAT(build, HasSubstr("\"" + std::string(field) + "\":\""));
  EXPECT_THAT(build, HasSubstr("weft 1.2.3"));
  EXPECT_THAT(Get("/status/version").body, HasSubstr("1.2.3"));
  Search("");
  EXPECT_THAT(Get("/metrics").body, HasSubstr("weft_query_seconds"));
}

class ProtectedTempoApiTest : public TempoApiTest {
 protected:
  ProtectedTempoApiTest() : TempoApiTest(WithToken()) {}
  static http::ListenOptions WithToken() {
    auth::BearerAuthOptions options;
    options.tokens = {Secret("s3cret")};
    http::ListenOptions listen;
    listen.name = "query/tempo";
    listen.authenticator = auth::MakeBearerAuth(std::move(options)).value();
    return listen;
  }
};

TEST_F(ProtectedTempoApiTest, OnlyProbesAnswerWithoutCredentials) {
  EXPECT_EQ(Get("/ready").body, "ready\n");
  for (const char* path : {"/api/echo", "/api/search", "/api/v2/search/tags", "/api/traces/abc"}) {
    EXPECT_THAT(Refusal(path, 401), Not(HasSubstr("s3cret")));
    EXPECT_EQ(Get(path, {{"authorization", "Bearer wrong"}}).status, 401) << path;
    EXPECT_EQ(Get(path, {{"authorization", "Bearer s3cret"}}).status, 200) << path;
  }
}

TEST_F(TempoApiTest, SaysWhatItHasNot) {
  for (const char* path :
       {"/api/metrics/query_range?q=%7B%7D%7Crate()&start=1&end=2&step=30s",
        "/api/metrics/query?query=%7B%7D%7Crate()", "/api/metrics/summary?q=%7B%7D"})
    EXPECT_THAT(Refusal(path, 501), HasSubstr("TraceQL metrics"));
  EXPECT_THAT(Refusal("/api/search?" + Q("{ } | rate()"), 501), HasSubstr("pipeline"));
  for (const char* path : {"/api/overrides", "/api/mcp", "/", "/nothing", "/api/search/tag/x",
                           "/api/v2/search/tag//values"})
    EXPECT_EQ(Get(path).status, 404) << path;
  EXPECT_EQ(Get("/tempo/api/echo").status, 404);
}

TEST_F(TempoApiTest, TheMainPortHasItToo) {
  outgoing::HttpClient client;
  std::string root = "http://127.0.0.1:" + std::to_string(query_->port()) + "/tempo";
  EXPECT_EQ(client.Send({.url = root + "/api/echo"})->body, "echo");
  auto trace = client.Send({.url = root + "/api/v2/traces/" + kTrace});
  EXPECT_THAT(trace->body, HasSubstr("POST /pay"));
  auto values = client.Send({.url = root + "/api/v2/search/tag/span.retries/values"});
  EXPECT_THAT(values->body, HasSubstr(R"("value":"3")"));
  // Not the web UI's page.
  EXPECT_EQ(client.Send({.url = root + "/api/overrides"})->status, 404);
}

// ---------------------------------------------------------------- search

TEST_F(TempoApiTest, SearchHasTempoShapes) {
  std::string found = Search(Q("{ .retries = 3 && status = error }") +
                             "&limit=20&spss=3&start=1699999000&end=1700003600");
  EXPECT_THAT(
      found,
      HasSubstr(
          R"({"traces":[{"traceID":"0102030405060708090a0b0c0d0e0f10","rootServiceName":"gateway",)"
          R"("rootTraceName":"GET /","startTimeUnixNano":"1700000000000000000","durationMs":1200,)"));
  std::string span =
      R"({"spanID":"0000000000000002","name":"POST /pay","startTimeUnixNano":"1700000000010000000",)"
      R"("durationNanos":"80000000","attributes":[)";
  EXPECT_THAT(found, HasSubstr(R"("spanSet":{"spans":[)" + span));
  EXPECT_THAT(found, HasSubstr(R"("spanSets":[{"spans":[)" + span));
  EXPECT_THAT(found, HasSubstr(R"({"key":"retries","value":{"intValue":"3"}})"));
  EXPECT_THAT(found, HasSubstr(R"({"key":"status","value":{"stringValue":"error"}})"));
  EXPECT_THAT(found, HasSubstr(R"("matched":1})"));
  EXPECT_THAT(found, HasSubstr(R"("serviceStats":{"checkout":{"spanCount":1,"errorCount":1},)"
                               R"("gateway":{"spanCount":1}})"));
  EXPECT_THAT(found, HasSubstr(R"("completedJobs":1,"totalJobs":1)"));
}

TEST_F(TempoApiTest, SearchAsGrafanaAsks) {
  // Explore's search form, the TraceQL editor and Drilldown's lists.
  for (const char* q :
       {"{}", "{ }", "{resource.service.name=\"gateway\"}", "{nestedSetParent<0 && true}",
        "{resource.service.name=\"gateway\" && name=\"GET /\" && duration>1s}",
        "{nestedSetParent<0 && true && resource.service.name != nil}", "{kind=server && true}",
        "{nestedSetParent<0 && span.http.status_code=200}"})
    EXPECT_THAT(Search(Q(q) + "&limit=200&spss=10&start=1699999000&end=1700003600"),
                HasSubstr(kTrace))
        << q;
  EXPECT_THAT(Search(""), HasSubstr(kTrace));
  EXPECT_THAT(Search(Q("{ .http.status_code >= 204 }")), Not(HasSubstr(kTrace)));
  EXPECT_THAT(Search(Q("{ name = \"nobody\" }")), StartsWith(R"({"traces":[],"metrics":{)"));
}

TEST_F(TempoApiTest, SearchInATimeRange) {
  auto both = [](uint64_t start, uint64_t end) {
    return "start=" + std::to_string(start) + "&end=" + std::to_string(end);
  };
  EXPECT_THAT(Search(both(kSecond, kSecond + 5)), HasSubstr("0abc"));
  EXPECT_THAT(Search(both(kSecond - 5, kSecond)), Not(HasSubstr("0abc")));
  // The whole of the last second counts.
  EXPECT_THAT(Search(both(kSecond - 5, kSecond)), HasSubstr(kTrace));
  EXPECT_THAT(Search(both(kSecond - 5, kSecond - 1)), HasSubstr(R"("traces":[])"));
  EXPECT_THAT(Search("start=0&end=0"), HasSubstr(kTrace));
  EXPECT_THAT(Search("start=" + std::to_string(kSecond + 1)), Not(HasSubstr(kTrace)));
}

TEST_F(TempoApiTest, SearchByTags) {
  for (const char* tags :
       {"service.name=gateway", "service.name=GATE", "service.name=\"gateway\" http.url=api/cart",
        "http.status_code=200", "retries=3", "ok=false", "ratio=0.5", "error=true",
        "status.code=error", "name=pay", "root.name=\"get /\" root.service.name=gateway",
        " retries=3  service.name=check "})
    EXPECT_THAT(Search("tags=" + Escaped(tags)), HasSubstr(kTrace)) << tags;
  for (const char* tags : {"service.name=nobody", "http.status_code=204", "retries=4",
                           "service.name=gate.ay", "retries=3 service.name=gateway"})
    EXPECT_THAT(Search("tags=" + Escaped(tags)), Not(HasSubstr(kTrace))) << tags;
  EXPECT_THAT(Search("minDuration=1s"), Not(HasSubstr("0abc")));
  EXPECT_THAT(Search("tags=service.name%3Dgateway&maxDuration=1s"), HasSubstr("0abc"));
  EXPECT_THAT(Search("tags=service.name%3Dgateway&maxDuration=1s"), Not(HasSubstr(kTrace)));
  EXPECT_THAT(Search("tags=&minDuration=&maxDuration=&limit=20"), HasSubstr(kTrace));
}

TEST_F(TempoApiTest, WrongSearches) {
  auto wrong = [this](const std::string& parameters) {
    return Refusal("/api/search?" + parameters);
  };
  EXPECT_THAT(wrong("q=%7B%7D&tags=a%3Db"), HasSubstr("exclude each other"));
  EXPECT_THAT(wrong("limit=0"), HasSubstr("from 1 to 10000"));
  EXPECT_THAT(wrong("limit=10001"), HasSubstr("from 1 to 10000"));
  EXPECT_THAT(wrong("limit=-1"), HasSubstr("from 1 to 10000"));
  EXPECT_THAT(wrong("spss=10001"), HasSubstr("from 0 to 10000"));
  EXPECT_THAT(wrong("start=5&end=5"), HasSubstr("later than start"));
  EXPECT_THAT(wrong("start=1700000000000000000"), HasSubstr("from 0 to 9223372035"));
  EXPECT_THAT(wrong("start=1.5"), HasSubstr("whole number"));
  EXPECT_THAT(wrong("minDuration=fast"), HasSubstr("1.2s"));
  EXPECT_THAT(wrong("minDuration=2s&maxDuration=1s"), HasSubstr("maxDuration"));
  EXPECT_THAT(wrong("q=%7B%7D&minDuration=1s"), HasSubstr("traceDuration"));
  EXPECT_THAT(wrong("tags=a%3D%22b"), HasSubstr("no end"));
  EXPECT_THAT(wrong("tags=a%3Db%20a%3Dc"), HasSubstr("twice"));
  EXPECT_THAT(wrong("tags=" + std::string(17'000, 'a')), HasSubstr("at most 16384"));
  EXPECT_THAT(wrong("tags=a%3D%22" + Escaped(std::string(16'000, '\x01')) + "%22"),
              HasSubstr("at most 65536"));
  EXPECT_THAT(wrong("tags=a%3D%FF"), HasSubstr("not UTF-8"));
  EXPECT_EQ(wrong(Q("{ .a = }")),
            "invalid TraceQL query: parse error at line 1, col 8: expected a field or a value, "
            "found '}'\n");
  EXPECT_THAT(wrong(Q("{ name =~ \"(\" }")), HasSubstr("invalid TraceQL query"));
  EXPECT_THAT(wrong(Q("{ name =~ \"((((a{1000}){1000}){1000}){1000})\" }")),
              HasSubstr("invalid TraceQL query"));
  EXPECT_THAT(wrong(Q("{ name =~ `\\pL{1000}` }")), HasSubstr("may take 8 MiB"));
}

// ---------------------------------------------------------------- recorded answers

// The path and JSON type of every field. Names of services are keys of serviceStats.
void CollectFields(simdjson::dom::element at, const std::string& path,
                   std::map<std::string, std::string>* fields) {
  simdjson::dom::object object;
  simdjson::dom::array array;
  if (at.get(object) == simdjson::SUCCESS) {
    (*fields)[path] = "object";
    for (auto [key, value] : object)
      CollectFields(value, path + "." + (path.ends_with("serviceStats") ? "*" : std::string(key)),
                    fields);
  } else if (at.get(array) == simdjson::SUCCESS) {
    (*fields)[path] = "array";
    for (simdjson::dom::element item : array) CollectFields(item, path + "[]", fields);
  } else {
    (*fields)[path] = at.is_string() ? "text" : at.is_number() ? "number" : "other";
  }
}
std::map<std::string, std::string> FieldsOf(const std::string& json) {
  simdjson::dom::parser parser;
  simdjson::dom::element element;
  EXPECT_EQ(parser.parse(json).get(element), simdjson::SUCCESS);
  std::map<std::string, std::string> fields;
  CollectFields(element, "", &fields);
  return fields;
}
std::string Recorded(const std::string& name) {
  std::ifstream in(WEFT_SOURCE_DIR "/test/wire/tempo/" + name);
  EXPECT_TRUE(in) << name;
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST_F(TempoApiTest, HasEveryFieldThatTempoWrites) {
  for (auto& [file, path] :
       {std::pair<std::string, std::string>{"search.tempo.json", "/api/search"},
        {"search-ambient.tempo.json", "/api/search"},
        {"trace.tempo.json", "/api/traces/" + std::string(kTrace)}}) {
    SCOPED_TRACE(file);
    std::map<std::string, std::string> ours = FieldsOf(Get(path).body);
    for (const auto& [field, type] : FieldsOf(Recorded(file)))
      EXPECT_EQ(ours[field], type) << field;
  }
}

// ---------------------------------------------------------------- tags

TEST_F(TempoApiTest, TagsByScope) {
  std::string tags = Json("/api/v2/search/tags?limit=5000");
  EXPECT_THAT(tags, HasSubstr(R"({"name":"resource","tags":["host.name","service.name"]})"));
  EXPECT_THAT(
      tags, HasSubstr(R"({"name":"span","tags":["\"a/b c%\"","http.status_code","http.url","list",)"
                      R"("ok","ratio","raw","retries"]})"));
  EXPECT_THAT(tags, HasSubstr(R"({"name":"event","tags":["exception.type"]})"));
  for (const char* intrinsic : {"duration", "event:name", "kind", "name", "rootServiceName",
                                "span:status", "trace:rootName", "traceDuration"})
    EXPECT_THAT(tags, HasSubstr("\"" + std::string(intrinsic) + "\""));
  EXPECT_THAT(tags, Not(HasSubstr("nestedSet")));
  EXPECT_THAT(Json("/api/v2/search/tags?scope=resource&" + Q("{ status = error }")),
              StartsWith(R"({"scopes":[{"name":"resource","tags":["service.name"]}],)"));
  EXPECT_THAT(Json("/api/v2/search/tags?scope=trace"), StartsWith(R"({"scopes":[],)"));
  EXPECT_THAT(Json("/api/v2/search/tags?start=1&end=2"), Not(HasSubstr("retries")));
  EXPECT_THAT(Json("/api/search/tags?scope=span"),
              StartsWith(R"({"tagNames":["a/b c%","http.status_code","http.url","list","ok",)"));
  std::string all = Json("/api/search/tags?start=1699999000&end=1700003600");
  EXPECT_THAT(all, HasSubstr("\"root.service.name\""));
  EXPECT_THAT(all, HasSubstr("\"service.name\""));
  EXPECT_THAT(Refusal("/api/v2/search/tags?scope=log"), HasSubstr("invalid scope: log"));
  EXPECT_THAT(Refusal("/api/v2/search/tags?limit=100001"), HasSubstr("from 0 to 100000"));
}

TEST_F(TempoApiTest, ValuesAreTyped) {
  auto values = [this](const std::string& tag, const std::string& parameters = "") {
    std::string json = Json("/api/v2/search/tag/" + tag + "/values?" + parameters);
    return json.substr(0, json.find(",\"metrics\""));
  };
  EXPECT_EQ(values("resource.service.name", "q=%7B%7D&limit=5000"),
            R"({"tagValues":[{"type":"string","value":"checkout"},)"
            R"({"type":"string","value":"gateway"}])");
  EXPECT_EQ(values("span.http.status_code", "start=0&end=0"),
            R"({"tagValues":[{"type":"int","value":"200"},{"type":"int","value":"204"}])");
  EXPECT_EQ(values(".ratio"), R"({"tagValues":[{"type":"float","value":"0.5"}])");
  EXPECT_EQ(values(".ok"), R"({"tagValues":[{"type":"bool","value":"false"}])");
  EXPECT_EQ(values(".raw"), R"({"tagValues":[])");
  EXPECT_EQ(values("status"), R"({"tagValues":[{"type":"keyword","value":"error"},)"
                              R"({"type":"keyword","value":"unset"}])");
  EXPECT_EQ(values("span:kind", Q("{ status = error }")),
            R"({"tagValues":[{"type":"keyword","value":"client"}])");
  EXPECT_EQ(values("event.exception.type"),
            R"({"tagValues":[{"type":"string","value":"CardError"}])");
  EXPECT_EQ(values("rootServiceName", Q("{ .retries = 3 }")),
            R"({"tagValues":[{"type":"string","value":"gateway"}])");
  EXPECT_EQ(values("resource.undefined"), R"({"tagValues":[])");
  // Grafana escapes twice, a proxy on the way may undo one.
  std::string once = Escaped("span.\"a/b c%\"");
  for (const std::string& odd : {once, Escaped(once)})
    EXPECT_EQ(values(odd), R"({"tagValues":[{"type":"string","value":"odd"}])");
  EXPECT_THAT(Refusal("/api/v2/search/tag/service.name/values"), HasSubstr("invalid tag name"));
  EXPECT_THAT(Json("/api/search/tag/service.name/values"),
              StartsWith(R"({"tagValues":["checkout","gateway"],)"));
  EXPECT_THAT(Json("/api/search/tag/root.service.name/values"),
              StartsWith(R"({"tagValues":["gateway"],)"));
  // Version 1 lists attributes of all places, and has values for each.
  EXPECT_THAT(Json("/api/search/tag/exception.type/values"),
              StartsWith(R"({"tagValues":["CardError"],)"));
  EXPECT_THAT(Json("/api/search/tag/" + Escaped("a/b c%") + "/values"),
              StartsWith(R"({"tagValues":["odd"],)"));
  // A key that needs quotes, without them.
  EXPECT_EQ(values(Escaped("span.a/b c%")), R"({"tagValues":[{"type":"string","value":"odd"}])");
  EXPECT_THAT(Json("/api/search/tag/status.code/values"),
              StartsWith(R"({"tagValues":["error","unset"],)"));
}

// protobuf's strict readers refuse a field that a message lacks: these are MetadataMetrics.
TEST_F(TempoApiTest, AnswersAboutTagsHaveNoOtherFields) {
  for (const char* path : {"/api/search/tags", "/api/v2/search/tags", "/api/search/tag/name/values",
                           "/api/v2/search/tag/name/values", "/api/v2/search/tag/.none/values"}) {
    simdjson::dom::element json;
    std::string body = Get(path).body;
    ASSERT_EQ(parser_.parse(body).get(json), simdjson::SUCCESS) << body;
    for (auto [key, value] : simdjson::dom::object(json["metrics"]))
      EXPECT_THAT((std::set<std::string_view>{"inspectedBytes", "totalJobs", "completedJobs",
                                              "totalBlocks", "totalBlockBytes"}),
                  ::testing::Contains(key))
          << path;
    EXPECT_EQ(simdjson::dom::object(json).size(), 2u) << body;
  }
  EXPECT_THAT(Search(""), HasSubstr("inspectedSpans"));
}

TEST_F(TempoApiTest, FiltersMayBeUnfinished) {
  auto names = [this](const std::string& q) {
    std::string json = Json("/api/v2/search/tag/name/values?limit=5000&" + Q(q));
    return json.substr(0, json.find(",\"metrics\""));
  };
  std::string only_pay = R"({"tagValues":[{"type":"string","value":"POST /pay"}])";
  EXPECT_EQ(names("{ resource.service.name = \"checkout\" && span.x = }"), only_pay);
  EXPECT_EQ(names("{ resource.service.name = \"checkout\" && "), only_pay);
  EXPECT_EQ(names("{.retries=3 && .ok=false && kind=}"), only_pay);
  std::string all = names("{}");
  EXPECT_THAT(all, HasSubstr("GET /health"));
  for (const char* useless : {"{ span.x = }", "{ .a = 1 || .b = }", "nonsense", "{", "}{",
                              "{ .a = 1 } | rate()", "\"{span.http.method='GET'}\""})
    EXPECT_EQ(names(useless), all) << useless;
}

TEST_F(TempoApiTest, LimitsAreSaidToCut) {
  outgoing::ClientResponse response = Get("/api/v2/search/tag/name/values?limit=1");
  EXPECT_THAT(response.body, StartsWith(R"({"tagValues":[{"type":"string","value":"GET /"}],)"));
  EXPECT_THAT(http::FindHeader(response.headers, "weft-partial"), HasSubstr("more"));
  response = Get("/api/v2/search/tag/name/values");
  EXPECT_EQ(http::FindHeader(response.headers, "weft-partial"), "");
}

// ---------------------------------------------------------------- traces

TEST_F(TempoApiTest, TraceV1IsProtojson) {
  std::string trace = Json("/api/traces/" + std::string(kTrace));
  EXPECT_THAT(trace, StartsWith(R"({"batches":[{"resource":{"attributes":[)"));
  for (
      const char* part :
      {R"("traceId":"AQIDBAUGBwgJCgsMDQ4PEA==","spanId":"AAAAAAAAAAI=","parentSpanId":"AAAAAAAAAAE=")",
       R"("kind":"SPAN_KIND_SERVER")", R"("kind":"SPAN_KIND_CLIENT")",
       R"("startTimeUnixNano":"1700000000010000000")",
       R"("status":{"message":"card declined","code":"STATUS_CODE_ERROR"})",
       R"({"key":"retries","value":{"intValue":"3"}})",
       R"({"key":"raw","value":{"bytesValue":"AAEC"}})",
       R"("scope":{"name":"lib","version":"1.2"})"})
    EXPECT_THAT(trace, HasSubstr(part));
}

TEST_F(TempoApiTest, TraceV2AsGrafanaAsks) {
  std::string path = "/api/v2/traces/" + std::string(kTrace) + "?start=1699998200&end=1700001800";
  EXPECT_THAT(Json(path), StartsWith(R"({"trace":{"resourceSpans":[{"resource":)"));
  EXPECT_THAT(Json(path), Not(HasSubstr("PARTIAL")));
  outgoing::ClientResponse response = Get(path, {{"accept", "application/protobuf"}});
  EXPECT_EQ(http::FindHeader(response.headers, "content-type"), "application/protobuf");
  // Field 1 holds the trace, whole, and nothing follows it.
  wire::ProtoReader reader(response.body);
  ASSERT_TRUE(reader.Next());
  EXPECT_EQ(reader.tag(), wire::LengthTag(1));
  auto batch = codec::DecodeOtlpTraces(codec::OtlpFormat::kProtobuf, std::string(reader.bytes()));
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->spans.size(), 2u);
  EXPECT_FALSE(reader.Next());
  response = Get("/api/traces/" + std::string(kTrace), {{"accept", "application/protobuf"}});
  batch = codec::DecodeOtlpTraces(codec::OtlpFormat::kProtobuf, response.body);
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->spans.size(), 2u);
}

TEST_F(TempoApiTest, TracesByAnySpelling) {
  for (const char* id : {"abc", "0ABC", "0000000000000abc", "00000000000000000000000000000abc"})
    EXPECT_THAT(Json("/api/traces/" + std::string(id)), HasSubstr("GET /health")) << id;
  for (const char* root : {"/api/traces/", "/api/v2/traces/"}) {
    EXPECT_EQ(Refusal(root + std::string("123"), 404), "trace not found\n");
    EXPECT_EQ(Get(root + std::string("00000000-0000-0000-0000-000000000abc")).status, 200);
    EXPECT_THAT(Refusal(root + std::string("xyz")), HasSubstr("1 to 32 hex digits"));
    EXPECT_THAT(Refusal(std::string(root)), HasSubstr("1 to 32 hex digits"));
    EXPECT_THAT(Refusal(root + std::string("abc?start=9&end=8")), HasSubstr("later than start"));
    EXPECT_EQ(Get(root + std::string("abc?start=1&end=2")).status, 404);
    // A trace that began before the range and is still running in it is there, whole.
    EXPECT_EQ(Get(root + std::string(kTrace) + "?start=1700000001&end=1700000009").status, 200);
  }
}

TEST_F(TempoApiTest, TraceV2FiltersSpans) {
  std::string path = "/api/v2/traces/" + std::string(kTrace);
  std::string only = Json(path + "?keep_hierarchy=false&" + Q("{ status = error }"));
  EXPECT_THAT(only, HasSubstr("POST /pay"));
  EXPECT_THAT(only, Not(HasSubstr("GET /")));
  std::string tree = Json(path + "?" + Q("{ status = error }"));
  EXPECT_THAT(tree, HasSubstr("POST /pay"));
  EXPECT_THAT(tree, HasSubstr("GET /"));
  EXPECT_THAT(Json(path + "?" + Q("{ kind = server }")), Not(HasSubstr("POST /pay")));
  EXPECT_EQ(Json(path + "?q=%7B%7D"), Json(path));
  EXPECT_EQ(Json(path + "?" + Q("{ true }")), Json(path));
  EXPECT_THAT(Refusal(path + "?q=%7B"), HasSubstr("invalid TraceQL query"));
  // Tempo's own client always sends these.
  EXPECT_EQ(Json(path + "?match_depth=0&ancestor_depth=-1&span_pruning=false"), Json(path));
  EXPECT_THAT(Refusal(path + "?match_depth=1"), HasSubstr("match_depth is 1: only 0"));
  EXPECT_THAT(Refusal(path + "?ancestor_depth=0"), HasSubstr("ancestor_depth is 0: only -1"));
  EXPECT_THAT(Refusal(path + "?span_pruning=true"), HasSubstr("not supported"));
}

// ---------------------------------------------------------------- readers

TEST(TempoParameters, Logfmt) {
  auto pairs = ReadLogfmt(R"( a=b c="d e\"\\" flag empty= x==y j="App\Jobs\new" k=a\b )");
  ASSERT_TRUE(pairs);
  EXPECT_THAT(*pairs, ElementsAre(Pair("a", "b"), Pair("c", "d e\"\\"), Pair("flag", "true"),
                                  Pair("empty", ""), Pair("x", "=y"), Pair("j", R"(App\Jobs\new)"),
                                  Pair("k", R"(a\b)")));
  EXPECT_THAT(*ReadLogfmt(""), IsEmpty());
  for (const char* wrong : {"=a", "a=\"", "a=b a=c", "\"a\"=b"})
    EXPECT_FALSE(ReadLogfmt(wrong)) << wrong;
  std::string many;
  for (int i = 0; i < 65; ++i) many += "k" + std::to_string(i) + "=v ";
  EXPECT_FALSE(ReadLogfmt(many));
}

TEST(TempoParameters, HostileTagsBecomeTraceQl) {
  for (const char* tags :
       {"a\\\"b=\"x\\\"} || {\"", "k=\"\\\\E(.*\"", "k=\"line\nbreak\x01\"", "k=0x10", "k=1e5",
        "k=inf", "k=-", "k=.5", "k=9999999999999999999999", "caf\xC3\xA9=\xFF\xFE", "}=1"}) {
    auto search = ReadTempoSearch("tags=" + Escaped(tags));
    if (!search) continue;
    EXPECT_TRUE(traceql::Parse(search->traceql)) << tags << ": " << search->traceql;
  }
}

TEST(TempoParameters, UsableFilters) {
  EXPECT_EQ(UsableFilter(" { .a = 1 } "), "{ .a = 1 }");
  EXPECT_EQ(UsableFilter("{ .a = \"}&&\" && .b = }"), "{ ( .a = \"}&&\" ) }");
  EXPECT_EQ(UsableFilter("{ (.a = 1 && .b = 2) && .c }}"), "{}");
  EXPECT_EQ(UsableFilter("{ .a = 1 // && .b = 2\n && .c = }"), "{}");
  EXPECT_EQ(UsableFilter(std::string(100'000, ' ')), "{}");
}

}  // namespace
}  // namespace weft::api

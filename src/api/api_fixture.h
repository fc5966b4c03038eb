// SPDX-License-Identifier: Apache-2.0
//
// For tests of the API: the query server over real sockets and the store, and one small
// shop's trace to put into it.
//
// Thread rule: one thread.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "api/query_server.h"
#include "codec/otlp.h"
#include "outgoing/client.h"
#include "testing/sim_store.h"

namespace weft::api {

inline constexpr char kTrace[] = "0102030405060708090a0b0c0d0e0f10";
inline constexpr uint64_t kStart = 1'700'000'000'000'000'000;
inline constexpr uint64_t kMs = 1'000'000;

// gateway GET / [0, 100 ms) -> checkout POST /pay [10, 90) with an error, an event, a link, two log
// records; one more log record that names no span.
inline SpanBatch ShopTrace() {
  std::string json = R"({"resourceSpans":[
    {"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"gateway"}},
                               {"key":"host.name","value":{"stringValue":"a1"}}]},
     "scopeSpans":[{"scope":{"name":"lib","version":"1.2"},"spans":[
       {"traceId":"TRACE","spanId":"0000000000000001","name":"GET /","kind":2,
        "startTimeUnixNano":"1700000000000000000","endTimeUnixNano":"1700000000100000000",
        "attributes":[{"key":"http.status_code","value":{"intValue":"200"}},
                      {"key":"big","value":{"intValue":"9007199254740993"}},
                      {"key":"list","value":{"arrayValue":{"values":[{"intValue":"1"},{"stringValue":"b"}]}}}]}]}]},
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
inline SpanBatch ShopLogs() {
  std::string json = R"({"resourceLogs":[{"resource":{"attributes":[
      {"key":"service.name","value":{"stringValue":"checkout"}}]},"scopeLogs":[{"logRecords":[
    {"traceId":"TRACE","spanId":"0000000000000002","timeUnixNano":"1700000000030000000",
     "severityNumber":17,"severityText":"ERROR","body":{"stringValue":"Timeout at bank"},
     "attributes":[{"key":"bank","value":{"stringValue":"first"}}]},
    {"traceId":"TRACE","spanId":"0000000000000002","timeUnixNano":"1700000000020000000",
     "severityNumber":9,"body":{"stringValue":"charging"}},
    {"traceId":"TRACE","timeUnixNano":"1700000000000000000","body":{"stringValue":"no span"}}]}]}]})";
  for (size_t at; (at = json.find("TRACE")) != std::string::npos;) json.replace(at, 5, kTrace);
  return codec::DecodeOtlpLogs(codec::OtlpFormat::kJson, json).value();
}

class ApiTest : public ::testing::Test {
 protected:
  void Begin(QueryServerOptions options = {}) {
    options.endpoint = {"127.0.0.1", 0};
    ServerFacts facts{.version = "1.2.3",
                      .started_ns = 5,
                      .durability = "durable",
                      .data_directory = "/data",
                      .retention_age_ns = 7,
                      .retention_bytes = 8,
                      .listeners = [] {
                        return std::vector<ListenerAddress>{
                            {.name = "otlp/grpc", .address = "localhost:4317"},
                            {"otlp/http", "0.0.0.0:4318", true}};
                      }};
    query_.emplace(options, facts, store(), &server_, &metrics_, SystemClock(),
                   [this] { return why_not_ready_; });
    ASSERT_TRUE(query_->Start());
    server_.Start();
  }
  ~ApiTest() override {
    if (query_) query_->Stop();
    server_.Stop();
  }
  // What is asked.
  virtual store::Store* store() { return store_.get(); }
  void Put(SpanBatch batch) { store_.Put(std::move(batch)); }
  std::string Url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(query_->port()) + path;
  }
  outgoing::ClientResponse Get(const std::string& path, http::Headers headers = {}) {
    outgoing::HttpClient client;
    auto response = client.Send({.url = Url(path), .headers = std::move(headers)});
    EXPECT_TRUE(response) << response.error().message;
    return response ? *response : outgoing::ClientResponse{};
  }
  // The body as JSON, without white space; checks the status.
  std::string Json(const std::string& path, int status = 200) {
    outgoing::ClientResponse response = Get(path);
    EXPECT_EQ(response.status, status) << path << ": " << response.body;
    EXPECT_EQ(http::FindHeader(response.headers, "content-type"), "application/json");
    simdjson::dom::parser parser;
    simdjson::dom::element json;
    EXPECT_EQ(parser.parse(response.body).get(json), simdjson::SUCCESS) << response.body;
    return simdjson::minify(json);
  }
  struct GrpcAnswer {
    std::string status;  // grpc-status
    std::string message;
    std::vector<std::string> messages;
  };
  // A call of jaeger.api_v3.QueryService with any number of answers.
  GrpcAnswer CallApiV3(const std::string& method, std::string_view message, uint16_t port = 0,
                       http::Headers headers = {}) {
    std::string framed(5, '\0');
    for (int i = 0; i < 4; ++i) framed[4 - i] = static_cast<char>(message.size() >> (8 * i));
    framed += message;
    headers.emplace_back("content-type", "application/grpc");
    headers.emplace_back("te", "trailers");
    outgoing::HttpClient client({.http2 = true});
    auto response =
        client.Send({.method = "POST",
                     .url = "http://127.0.0.1:" + std::to_string(port ? port : query_->port()) +
                            "/jaeger.api_v3.QueryService/" + method,
                     .headers = std::move(headers),
                     .body = framed});
    EXPECT_TRUE(response) << response.error().message;
    if (!response) return {};
    GrpcAnswer answer{.status = std::string(http::FindHeader(response->headers, "grpc-status")),
                      .message = std::string(http::FindHeader(response->headers, "grpc-message")),
                      .messages = {}};
    for (std::string_view rest = response->body; rest.size() >= 5;) {
      size_t size = 0;
      for (int i = 1; i < 5; ++i) size = size << 8 | static_cast<uint8_t>(rest[i]);
      answer.messages.emplace_back(rest.substr(5, size));
      rest.remove_prefix(std::min(rest.size(), 5 + size));
    }
    return answer;
  }
  std::vector<std::string> Lines(const std::string& path) {
    outgoing::ClientResponse response = Get(path);
    EXPECT_EQ(response.status, 200) << response.body;
    std::vector<std::string> lines;
    std::istringstream in(response.body);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
  }

  testing::SimStore store_;
  Metrics metrics_;
  http::Server server_{{.drain_timeout_ms = 2000}, 2};
  std::optional<QueryServer> query_;
  std::string why_not_ready_;
};

}  // namespace weft::api

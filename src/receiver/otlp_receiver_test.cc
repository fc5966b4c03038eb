// SPDX-License-Identifier: Apache-2.0
//
// The receiver over real sockets: what a sender gets for every kind of request.
#include "receiver/otlp_receiver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "codec/otlp_metrics.h"
#include "net/raw_client.h"
#include "outgoing/client.h"
#include "testing/open_doors.h"
#include "testing/random_batch.h"
#include "testing/random_metrics.h"
#include "wire/compression.h"

namespace weft::receiver {
namespace {

using codec::OtlpFormat;
using ::testing::HasSubstr;
using ::testing::Not;

// Keeps what it gets; answers what it is told to.
class FakeConsumer : public pipeline::Consumer {
 public:
  Status Admit(uint64_t) override {
    std::lock_guard lock(mutex);
    return admit;
  }
  void Consume(pipeline::SharedSpans batch, pipeline::Ack ack) override {
    pipeline::Outcome answer;
    {
      std::lock_guard lock(mutex);
      batches.push_back(std::move(batch).Take());
      answer = outcome;
    }
    ack.Complete(std::move(answer));
  }
  void Consume(pipeline::SharedMetrics batch, pipeline::Ack ack) override {
    pipeline::Outcome answer;
    {
      std::lock_guard lock(mutex);
      metrics.push_back(std::move(batch).Take());
      answer = outcome;
    }
    ack.Complete(std::move(answer));
  }
  bool Keeps() const override { return true; }
  size_t spans() {
    std::lock_guard lock(mutex);
    size_t count = 0;
    for (const SpanBatch& batch : batches) count += batch.spans.size();
    return count;
  }
  size_t logs() {
    std::lock_guard lock(mutex);
    size_t count = 0;
    for (const SpanBatch& batch : batches) count += batch.logs.size();
    return count;
  }

  std::mutex mutex;
  Status admit;
  pipeline::Outcome outcome;
  std::vector<SpanBatch> batches;
  std::vector<MetricBatch> metrics;
};

class OtlpReceiverTest : public ::testing::Test {
 protected:
  void Begin(OtlpReceiverSettings settings = {}, uint64_t budget_bytes = 128 << 20) {
    if (!settings.http) settings.http.emplace();
    if (!settings.grpc) settings.grpc.emplace();
    settings.http->endpoint = settings.grpc->endpoint = {"127.0.0.1", 0};
    budget_.emplace(4 * budget_bytes);
    memory_.requests = budget_->Open("requests", {.bytes_max = budget_bytes});
    receiver_.emplace(
        config::ComponentId{"otlp", ""}, settings,
        pipeline::Inputs{.traces = &consumer_, .logs = &consumer_, .metrics = metrics_input_},
        pipeline::Deps{.env = PosixEnv(),
                       .clock = SystemClock(),
                       .metrics = &metrics_,
                       .memory = &memory_,
                       .doors = &doors_,
                       .services = &services_,
                       .not_ready = [] { return std::string(); }});
    ASSERT_TRUE(receiver_->Start());
    server_.Start();
    grpc_port_ = doors_.listeners()[0].endpoint.port;
    http_port_ = doors_.listeners()[1].endpoint.port;
  }
  ~OtlpReceiverTest() override { server_.Stop(); }

  outgoing::ClientResponse Post(const std::string& path, const std::string& type,
                                std::string_view body, const std::string& encoding = "",
                                const std::string& method = "POST") {
    outgoing::ClientRequest request;
    request.method = method;
    request.url = "http://127.0.0.1:" + std::to_string(http_port_) + path;
    if (!type.empty()) request.headers.emplace_back("content-type", type);
    if (!encoding.empty()) request.headers.emplace_back("content-encoding", encoding);
    request.body = body;
    auto response = client_.Send(request);
    EXPECT_TRUE(response) << response.error().message;
    return response ? *response : outgoing::ClientResponse{};
  }
  outgoing::ClientResponse PostProto(std::string_view body, const std::string& encoding = "") {
    return Post("/v1/traces", "application/x-protobuf", body, encoding);
  }
  outgoing::GrpcReply Grpc(const std::string& service, std::string_view message) {
    auto reply = client_.CallGrpc("http://127.0.0.1:" + std::to_string(grpc_port_) +
                                      "/opentelemetry.proto.collector." + service + "/Export",
                                  message);
    EXPECT_TRUE(reply) << reply.error().message;
    return reply ? *reply : outgoing::GrpcReply{};
  }
  // The trailer that carries RetryInfo, as it came.
  std::string GrpcStatusDetails(std::string_view message) {
    std::string framed(5, '\0');
    for (int i = 0; i < 4; ++i) framed[1 + i] = static_cast<char>(message.size() >> (24 - 8 * i));
    framed += message;
    outgoing::HttpClient http2({.http2 = true});
    auto response =
        http2.Send({.method = "POST",
                    .url = "http://127.0.0.1:" + std::to_string(grpc_port_) +
                           "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
                    .headers = {{"content-type", "application/grpc"}, {"te", "trailers"}},
                    .body = framed});
    EXPECT_TRUE(response) << response.error().message;
    return response ? std::string(http::FindHeader(response->headers, "grpc-status-details-bin"))
                    : "";
  }
  std::string metrics() const { return metrics_.Render(Metrics::Format::kPrometheus); }

  Metrics metrics_;
  FakeConsumer consumer_;
  pipeline::Consumer* metrics_input_ = nullptr;
  pipeline::Services services_;
  http::Server server_{{}, 2};
  testing::OpenDoors doors_{&server_};
  std::optional<MemoryBudget> budget_;
  pipeline::Memory memory_;
  std::optional<OtlpReceiver> receiver_;
  outgoing::HttpClient client_;
  uint16_t grpc_port_ = 0, http_port_ = 0;
};

std::string Traces(OtlpFormat format, size_t spans = 40) {
  SpanBatch batch = weft::testing::RandomBatch(
      {.seed = 7, .spans = spans, .logs = 0, .traces = 8, .json_safe = true});
  std::string out;
  codec::EncodeOtlpTraces(format, batch, &out);
  return out;
}

// One span whose trace id is `trace_id`, in JSON.
std::string JsonSpan(const std::string& trace_id, const std::string& span_id = "0102030405060708") {
  return R"({"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":")" + trace_id +
         R"(","spanId":")" + span_id + R"(","name":"n","startTimeUnixNano":"1"}]}]}]})";
}
constexpr char kTraceId[] = "0102030405060708090a0b0c0d0e0f10";

TEST_F(OtlpReceiverTest, ProtobufAndJsonAreKeptAndAnsweredInTheirOwnEncoding) {
  Begin();
  outgoing::ClientResponse proto = PostProto(Traces(OtlpFormat::kProtobuf));
  EXPECT_EQ(proto.status, 200);
  EXPECT_EQ(http::FindHeader(proto.headers, "content-type"), "application/x-protobuf");
  EXPECT_EQ(proto.body, "");
  EXPECT_EQ(consumer_.spans(), 40u);
  for (const char* type :
       {"application/json", "application/json; charset=utf-8", "Application/JSON"}) {
    outgoing::ClientResponse json = Post("/v1/traces", type, Traces(OtlpFormat::kJson));
    EXPECT_EQ(json.status, 200) << type;
    EXPECT_EQ(http::FindHeader(json.headers, "content-type"), "application/json");
    EXPECT_EQ(json.body, "{}");
  }
  EXPECT_EQ(consumer_.spans(), 160u);
  EXPECT_GT(consumer_.batches[0].received_ns, 0u);
  EXPECT_THAT(metrics(), HasSubstr("weft_receiver_accepted_items_total{receiver=\"otlp\",transport="
                                   "\"http\",signal=\"traces\"} 160\n"));
}

TEST_F(OtlpReceiverTest, EveryCompression) {
  Begin();
  std::string body = Traces(OtlpFormat::kProtobuf);
  struct Encoding {
    const char* name;
    wire::Compression kind;
  };
  for (const Encoding& encoding :
       {Encoding{"identity", wire::Compression::kNone}, Encoding{"gzip", wire::Compression::kGzip},
        Encoding{"zstd", wire::Compression::kZstd}, Encoding{"deflate", wire::Compression::kZlib},
        Encoding{"zlib", wire::Compression::kZlib}, Encoding{"snappy", wire::Compression::kSnappy},
        Encoding{"lz4", wire::Compression::kLz4}}) {
    size_t before = consumer_.spans();
    EXPECT_EQ(PostProto(wire::Compress(encoding.kind, body), encoding.name).status, 200)
        << encoding.name;
    EXPECT_EQ(consumer_.spans(), before + 40) << encoding.name;
  }
}

TEST_F(OtlpReceiverTest, BadRequestsHaveTheirStatus) {
  OtlpReceiverSettings settings;
  settings.http.emplace();
  settings.http->body_bytes_max = 1 << 20;
  Begin(settings);
  struct Case {
    const char* name;
    const char* method;
    const char* path;
    const char* type;
    const char* encoding;
    std::string body;
    int status;
    const char* says;
  };
  const Case kCases[] = {
      {"no protobuf", "POST", "/v1/traces", "application/x-protobuf", "", "\xFF\xFF\xFF", 400, ""},
      {"cut protobuf", "POST", "/v1/traces", "application/x-protobuf", "",
       Traces(OtlpFormat::kProtobuf).substr(0, 999), 400, ""},
      {"no JSON", "POST", "/v1/traces", "application/json", "", "{\"resourceSpans\": [", 400, ""},
      {"JSON of another shape", "POST", "/v1/traces", "application/json", "",
       "{\"resourceSpans\": 7}", 400, "resourceSpans: byte"},
      {"no gzip", "POST", "/v1/traces", "application/x-protobuf", "gzip", "plain", 400, ""},
      {"unknown encoding", "POST", "/v1/traces", "application/x-protobuf", "br", "x", 400, "br"},
      {"a bomb", "POST", "/v1/traces", "application/x-protobuf", "gzip",
       wire::Compress(wire::Compression::kGzip, std::string(8 << 20, '\0')), 413, ""},
      {"too large", "POST", "/v1/traces", "application/x-protobuf", "",
       std::string((1 << 20) + 1, 'x'), 413, ""},
      {"wrong type", "POST", "/v1/traces", "text/plain", "", "x", 415,
       "unsupported media type, supported: [application/json, application/x-protobuf]"},
      {"no type", "POST", "/v1/traces", "", "", "x", 415, "unsupported"},
      {"wrong method", "GET", "/v1/traces", "", "", "", 405, "method not allowed"},
      {"wrong path", "POST", "/v1/trace", "application/json", "", "{}", 404, ""},
  };
  for (const Case& test : kCases) {
    SCOPED_TRACE(test.name);
    outgoing::ClientResponse response =
        Post(test.path, test.type, test.body, test.encoding, test.method);
    EXPECT_EQ(response.status, test.status) << response.body;
    EXPECT_THAT(response.body, HasSubstr(test.says));
    EXPECT_NE(response.body, "");
  }
  EXPECT_EQ(consumer_.spans(), 0u);
  EXPECT_EQ(memory_.requests->used(), 0u);
  // After all of that it still works.
  EXPECT_EQ(PostProto(Traces(OtlpFormat::kProtobuf)).status, 200);
}

TEST_F(OtlpReceiverTest, ErrorsAreRpcStatusInTheRequestsEncoding) {
  Begin();
  outgoing::ClientResponse json = Post("/v1/traces", "application/json", "{]");
  EXPECT_EQ(http::FindHeader(json.headers, "content-type"), "application/json");
  EXPECT_THAT(json.body, HasSubstr("\"code\":3"));
  EXPECT_THAT(json.body, HasSubstr("\"message\":"));
  outgoing::ClientResponse proto = PostProto("\xFF\xFF\xFF");
  EXPECT_EQ(http::FindHeader(proto.headers, "content-type"), "application/x-protobuf");
  EXPECT_EQ(proto.body.substr(0, 2), std::string("\x08\x03"));  // field 1, code 3
}

TEST_F(OtlpReceiverTest, AnEmptyRequestIsASuccess) {
  Begin();
  EXPECT_EQ(PostProto("").status, 200);
  EXPECT_EQ(Post("/v1/traces", "application/json", "{}").status, 200);
  EXPECT_EQ(consumer_.batches.size(), 0u);
}

TEST_F(OtlpReceiverTest, InvalidSpansAreCountedAndTheRestKept) {
  Begin();
  std::string zero(32, '0');
  std::string body = R"({"resourceSpans":[{"scopeSpans":[{"spans":[)"
                     R"({"traceId":")" +
                     std::string(kTraceId) +
                     R"(","spanId":"0102030405060708","name":"a"},)"
                     R"({"traceId":")" +
                     zero +
                     R"(","spanId":"0102030405060708","name":"b"},)"
                     R"({"traceId":"0102","spanId":"0102030405060708","name":"c"}]}]}]})";
  outgoing::ClientResponse response = Post("/v1/traces", "application/json", body);
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.body, HasSubstr("\"rejectedSpans\":\"2\""));
  EXPECT_THAT(response.body, HasSubstr("\"errorMessage\":"));
  EXPECT_EQ(consumer_.spans(), 1u);
  EXPECT_THAT(metrics(),
              HasSubstr("weft_dropped_spans_total{room=\"receiver\",reason=\"invalid\"} 2\n"));
}

// Wrong in one leaf, on every transport: the rest is kept, the sender and the metrics are told.
TEST_F(OtlpReceiverTest, AWrongValueCostsItsSpanAndIsTold) {
  Begin();
  auto span = [](const std::string& more) {
    return R"({"traceId":")" + std::string(kTraceId) + R"(","spanId":"0102030405060708")" + more +
           "}";
  };
  outgoing::ClientResponse json = Post("/v1/traces", "application/json",
                                       R"({"resourceSpans":[{"scopeSpans":[{"spans":[)" + span("") +
                                           "," + span(R"(,"kind":"ODD")") + "," +
                                           span(R"(,"attributes":[{"value":{"intValue":1.5}}])") +
                                           "," + span(R"(,"kind":"SERVER")") + "]}]}]}");
  EXPECT_EQ(json.status, 200);
  EXPECT_THAT(json.body, HasSubstr("\"rejectedSpans\":\"2\""));
  EXPECT_THAT(json.body, HasSubstr("resourceSpans[0].scopeSpans[0].spans[1].kind: byte "));
  EXPECT_THAT(json.body, HasSubstr("(and 1 more)"));
  EXPECT_EQ(consumer_.spans(), 2u);

  auto wrap = [](uint32_t number, const std::string& content) {
    std::string text(1, static_cast<char>(number << 3 | 2));
    text += static_cast<char>(content.size());
    return text + content;
  };
  const std::string ids = wrap(1, std::string(16, 'a')) + wrap(2, std::string(8, 'b'));
  const std::string body =
      wrap(1, wrap(2, wrap(2, ids) + wrap(2, ids + "\x28\x01") + wrap(2, ids)));
  outgoing::ClientResponse proto = PostProto(body);
  EXPECT_EQ(proto.status, 200);
  EXPECT_THAT(proto.body, HasSubstr("resource_spans[0].scope_spans[0].spans[1].name: byte "));
  EXPECT_EQ(consumer_.spans(), 4u);
  outgoing::GrpcReply grpc = Grpc("trace.v1.TraceService", body);
  EXPECT_EQ(grpc.status.code, http::GrpcCode::kOk);
  EXPECT_THAT(grpc.message, HasSubstr("resource_spans[0].scope_spans[0].spans[1].name: byte "));
  EXPECT_EQ(consumer_.spans(), 6u);
  EXPECT_THAT(metrics(),
              HasSubstr("weft_dropped_spans_total{room=\"receiver\",reason=\"invalid\"} 4\n"));

  outgoing::ClientResponse logs = Post("/v1/logs", "application/json",
                                       R"({"resourceLogs":[{"scopeLogs":[{"logRecords":[)" +
                                           span("") + "," + span(R"(,"severityNumber":"LOUD")") +
                                           R"(,{"body":{"stringValue":"no trace"}}]}]}]})");
  EXPECT_THAT(logs.body, HasSubstr("\"rejectedLogRecords\":\"1\""));
  EXPECT_EQ(consumer_.logs(), 2u) << "one without a trace is for the exporters to judge";
  EXPECT_THAT(metrics(),
              HasSubstr("weft_dropped_logs_total{room=\"receiver\",reason=\"invalid\"} 1\n"));
}

TEST_F(OtlpReceiverTest, WhatIsNotUnderstoodIsAnsweredWithAWarning) {
  Begin();
  const std::string span =
      R"({"traceId":")" + std::string(kTraceId) + R"(","spanId":"0102030405060708"})";
  struct Case {
    const char* path;
    const char* type;
    std::string body;
    const char* says;
    size_t spans;
  };
  const std::string log_record(
      "\x0a\x0f\x12\x0d\x12\x0b\x09"
      "12345678"
      "\x10\x01",
      17);
  const Case kCases[] = {
      {"/v1/traces", "application/json", R"({"spans":[]})", "expected \\\"resourceSpans\\\"", 0},
      {"/v1/traces", "application/json", R"({"resourceLogs":[{}]})", "log records go to /v1/logs",
       0},
      {"/v1/logs", "application/json", R"({"resourceSpans":[{}]})", "spans go to /v1/traces", 0},
      {"/v1/traces", "application/x-protobuf", std::string("\x3a\x01x"), "field 7", 0},
      {"/v1/traces", "application/x-protobuf", log_record, "these are log records", 0},
      {"/v1/traces", "application/json",
       R"({"resourceSpans":[{"resource":{"attributes":[{"key":"a","value":{"intValue":"x"}}]},)"
       R"("scopeSpans":[{"spans":[)" +
           span + "]}]}]}",
       "left out: resourceSpans[0].resource.attributes[0].value.intValue: byte", 1},
      {"/v1/traces", "application/json", "{}", "", 0},
      {"/v1/traces", "application/json",
       R"({"batches":[{"instrumentationLibrarySpans":[{"spans":[)" + span + "]}]}]}", "", 1}};
  size_t kept = 0;
  for (const Case& test : kCases) {
    SCOPED_TRACE(test.body);
    outgoing::ClientResponse response = Post(test.path, test.type, test.body);
    EXPECT_EQ(response.status, 200);
    EXPECT_THAT(response.body, HasSubstr(test.says));
    if (*test.says == 0) {
      EXPECT_EQ(response.body, "{}");
    }
    // A warning rejects nothing.
    if (std::string_view(test.type) == "application/json") {
      EXPECT_THAT(response.body, Not(HasSubstr("rejectedSpans")));
    }
    EXPECT_EQ(consumer_.spans(), kept += test.spans);
  }
  EXPECT_THAT(metrics(),
              HasSubstr("weft_receiver_warned_requests_total{receiver=\"otlp\",transport="
                        "\"http\",signal=\"traces\"} 4\n"));
  outgoing::ClientResponse wrong_type = PostProto("{}");
  EXPECT_EQ(wrong_type.status, 400);
  EXPECT_THAT(wrong_type.body, HasSubstr("this is JSON"));
}

TEST_F(OtlpReceiverTest, WhatExportersRejectIsToldAndMetricsAreNotKept) {
  Begin();
  consumer_.outcome = {.status = {}, .rejected = 1, .message = "one has no trace"};
  std::string logs = R"({"resourceLogs":[{"scopeLogs":[{"logRecords":[)"
                     R"({"traceId":")" +
                     std::string(kTraceId) +
                     R"(","body":{"stringValue":"kept"}},)"
                     R"({"body":{"stringValue":"no trace"}}]}]}]})";
  outgoing::ClientResponse response = Post("/v1/logs", "application/json", logs);
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.body, HasSubstr("\"rejectedLogRecords\":\"1\""));
  EXPECT_THAT(response.body, HasSubstr("one has no trace"));
  EXPECT_EQ(consumer_.logs(), 2u);
  EXPECT_THAT(metrics(), HasSubstr("weft_receiver_accepted_items_total{receiver=\"otlp\",transport="
                                   "\"http\",signal=\"logs\"} 1\n"));
  std::string points = R"({"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"m","gauge":)"
                       R"({"dataPoints":[{"asInt":"1"},{"asInt":"2"}]}}]}]}]})";
  response = Post("/v1/metrics", "application/json", points);
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.body, HasSubstr("\"rejectedDataPoints\":\"2\""));
  EXPECT_THAT(response.body, HasSubstr("no metrics"));
}

TEST_F(OtlpReceiverTest, BatchesSayWhoSentThem) {
  OtlpReceiverSettings settings;
  settings.http.emplace().include_metadata = true;
  Begin(settings);
  ASSERT_EQ(PostProto(Traces(OtlpFormat::kProtobuf)).status, 200);
  ASSERT_EQ(Grpc("trace.v1.TraceService", Traces(OtlpFormat::kProtobuf)).status.code,
            http::GrpcCode::kOk);
  ASSERT_EQ(consumer_.batches.size(), 2u);
  for (const SpanBatch& batch : consumer_.batches)
    EXPECT_THAT(batch.client->address, ::testing::StartsWith("127.0.0.1:"));
  EXPECT_EQ(http::FindHeader(consumer_.batches[0].client->metadata, "content-type"),
            "application/x-protobuf");
  // Headers may hold credentials: they are kept where that is asked for.
  EXPECT_THAT(consumer_.batches[1].client->metadata, ::testing::IsEmpty());
}

TEST_F(OtlpReceiverTest, MetricsGoToAPipelineThatTakesThem) {
  metrics_input_ = &consumer_;
  Begin();
  MetricBatch sent = weft::testing::RandomMetrics({.seed = 4, .json_safe = true});
  for (OtlpFormat format : {OtlpFormat::kProtobuf, OtlpFormat::kJson}) {
    std::string body;
    codec::EncodeOtlpMetrics(format, sent, &body);
    outgoing::ClientResponse response =
        Post("/v1/metrics",
             format == OtlpFormat::kJson ? "application/json" : "application/x-protobuf", body);
    EXPECT_EQ(response.status, 200) << response.body;
    ASSERT_EQ(consumer_.metrics.size(), 1u);
    EXPECT_EQ(weft::testing::MetricDifference(sent, consumer_.metrics[0]), "");
    consumer_.metrics.clear();
  }
  std::string body;
  codec::EncodeOtlpMetrics(OtlpFormat::kProtobuf, sent, &body);
  EXPECT_EQ(Grpc("metrics.v1.MetricsService", body).status.code, http::GrpcCode::kOk);
  EXPECT_EQ(consumer_.metrics.size(), 1u);
  // Wrong points are left out, and the exporter's word is added.
  consumer_.outcome = {.status = {}, .rejected = 1, .message = "too old"};
  outgoing::ClientResponse response =
      Post("/v1/metrics", "application/json",
           R"({"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"m","gauge":{"dataPoints":)"
           R"([{"asInt":"1"},{"asInt":"x"},{"asInt":"2"}]}}]}]}]})");
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.body, HasSubstr("\"rejectedDataPoints\":\"2\""));
  EXPECT_THAT(response.body, HasSubstr("dataPoints[1].asInt"));
  EXPECT_THAT(response.body, HasSubstr("too old"));
  EXPECT_EQ(consumer_.metrics.back().point_count(), 2u);
  // Refusals reach the sender.
  consumer_.outcome = {.status = Fail(Error{ErrorCode::kUnavailable, "full", 9})};
  response = Post("/v1/metrics", "application/x-protobuf", body);
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(http::FindHeader(response.headers, "retry-after"), "9");
}

TEST_F(OtlpReceiverTest, ARefusalCarriesARetryHintOnBothTransports) {
  Begin();
  struct Case {
    Error error;
    int http;
    http::GrpcCode grpc;
  };
  const Case kCases[] = {
      {{ErrorCode::kUnavailable, "the head is full", 3}, 503, http::GrpcCode::kUnavailable},
      {{ErrorCode::kNoSpace, "the disk is full", 7}, 503, http::GrpcCode::kUnavailable},
      {{ErrorCode::kResourceExhausted, "a limit", 2}, 429, http::GrpcCode::kResourceExhausted},
  };
  for (bool before_reading : {true, false}) {
    for (const Case& test : kCases) {
      SCOPED_TRACE(test.error.message);
      {
        std::lock_guard lock(consumer_.mutex);
        consumer_.admit = consumer_.outcome.status = Status();
        (before_reading ? consumer_.admit : consumer_.outcome.status) = Fail(test.error);
      }
      outgoing::ClientResponse response =
          Post("/v1/traces", "application/json", JsonSpan(kTraceId));
      EXPECT_EQ(response.status, test.http);
      EXPECT_EQ(http::FindHeader(response.headers, "retry-after"),
                std::to_string(test.error.retry_after_s));
      EXPECT_THAT(response.body, HasSubstr(test.error.message));
      outgoing::GrpcReply reply = Grpc("trace.v1.TraceService", Traces(OtlpFormat::kProtobuf));
      EXPECT_EQ(reply.status.code, test.grpc);
      EXPECT_EQ(reply.status.message, test.error.message);
      EXPECT_THAT(GrpcStatusDetails(Traces(OtlpFormat::kProtobuf)), Not(::testing::IsEmpty()));
    }
  }
  EXPECT_EQ(memory_.requests->used(), 0u);
}

TEST_F(OtlpReceiverTest, WhatCannotBeHeldIsRefusedBeforeItIsRead) {
  Begin({}, 1000);
  auto held = memory_.requests->Take(900);
  ASSERT_TRUE(held);
  outgoing::ClientResponse response = PostProto(std::string(500, 'x'));
  EXPECT_EQ(response.status, 503);
  EXPECT_NE(http::FindHeader(response.headers, "retry-after"), "");
  // More than all requests may hold together: no retry can help.
  EXPECT_EQ(PostProto(std::string(1001, 'x')).status, 413);
  held->Release();
  EXPECT_EQ(memory_.requests->used(), 0u);
}

TEST_F(OtlpReceiverTest, WhatHasComeOfABodyIsCharged) {
  Begin({}, 3 << 20);
  auto used_becomes = [this](uint64_t bytes) {
    auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    auto covers = [&](uint64_t used) {
      return bytes == 0 ? used == 0 : used >= bytes && used < bytes + MemoryAccount::kStepBytes;
    };
    while (!covers(memory_.requests->used()) && std::chrono::steady_clock::now() < end)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    EXPECT_TRUE(covers(memory_.requests->used())) << memory_.requests->used() << " for " << bytes;
  };
  const std::string head =
      "POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
  for (bool chunked : {true, false}) {
    SCOPED_TRACE(chunked);
    const std::string begin =
        head + (chunked ? "Transfer-Encoding: chunked\r\n\r\n" : "Content-Length: 1572864\r\n\r\n");
    const std::string part = "180000\r\n" + std::string(0x180000, ' ') + "\r\n";
    net::RawClient first(http_port_), second(http_port_);
    ASSERT_TRUE(first.Send(begin + (chunked ? "2\r\n{}\r\n" : "{}")));
    used_becomes(2);
    if (chunked) {
      ASSERT_TRUE(first.Send(part));
      used_becomes(0x180000 + 2);
      // The rest suffices for its beginning.
      ASSERT_TRUE(second.Send(begin));
      (void)second.Send(part);  // refused in the middle
      const std::string& refused = second.ReadAll();
      EXPECT_THAT(refused, ::testing::StartsWith("HTTP/1.1 503 "));
      EXPECT_THAT(refused, ::testing::ContainsRegex("[Rr]etry-[Aa]fter: [1-4]\r"));
      EXPECT_THAT(refused, HasSubstr("\"code\":14"));
      used_becomes(0x180000 + 2);
      EXPECT_THAT(metrics(), HasSubstr("weft_receiver_refused_requests_total{receiver=\"otlp\","
                                       "transport=\"http\",signal=\"traces\",reason=\"unavailable\""
                                       "} 1\n"));
      // What it becomes has to fit into what all have together.
      auto others =
          memory_.requests->TakeBeyond((4 * 3 << 20) - 0x180000 - MemoryAccount::kStepBytes);
      ASSERT_TRUE(others);
      ASSERT_TRUE(first.Send("0\r\n\r\n"));
      EXPECT_THAT(first.ReadUntil("\r\n\r\n"), ::testing::StartsWith("HTTP/1.1 503 "));
      others->Release();
    }
    first.Close();
    used_becomes(0);
  }
}

// Two peers that announce much and send little: they hold what they have sent.
TEST_F(OtlpReceiverTest, BodiesThatAreOnlyAnnouncedShutNobodyOut) {
  Begin();
  std::vector<std::unique_ptr<net::RawClient>> slow;
  for (const char* path : {"/v1/traces", "/v1/logs"}) {
    slow.push_back(std::make_unique<net::RawClient>(http_port_));
    ASSERT_TRUE(slow.back()->Send(std::string("POST ") + path +
                                  " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                                  "Content-Length: 67108864\r\n\r\n{"));
  }
  for (int round = 0; round < 70; ++round) {
    for (auto& client : slow) ASSERT_TRUE(client->Send(std::string(600, ' ')));
    ASSERT_EQ(PostProto(Traces(OtlpFormat::kProtobuf)).status, 200) << round;
  }
  EXPECT_LE(memory_.requests->used(), 2 * MemoryAccount::kStepBytes);
  EXPECT_EQ(Grpc("trace.v1.TraceService", Traces(OtlpFormat::kProtobuf)).status.code,
            http::GrpcCode::kOk);
}

// What a small body unpacks to is charged before it is there.
TEST_F(OtlpReceiverTest, UnpackedBytesAreCharged) {
  Begin({}, 4 << 20);
  const std::string bomb = wire::Compress(wire::Compression::kZstd, std::string(3 << 20, ' '));
  auto held = memory_.requests->Take(2 << 20);
  outgoing::ClientResponse refused = Post("/v1/traces", "application/json", bomb, "zstd");
  EXPECT_EQ(refused.status, 503);
  EXPECT_THAT(refused.body, HasSubstr("requests under way hold"));
  held->Release();
  EXPECT_EQ(memory_.requests->used(), 0u);
}

TEST_F(OtlpReceiverTest, GrpcKeepsAllThreeSignals) {
  Begin();
  outgoing::GrpcReply reply = Grpc("trace.v1.TraceService", Traces(OtlpFormat::kProtobuf));
  EXPECT_EQ(reply.status.code, http::GrpcCode::kOk) << reply.status.message;
  EXPECT_EQ(reply.message, "");
  EXPECT_EQ(consumer_.spans(), 40u);
  SpanBatch logs = weft::testing::RandomBatch({.seed = 3, .spans = 0, .logs = 12});
  std::string body;
  codec::EncodeOtlpLogs(OtlpFormat::kProtobuf, logs, &body);
  EXPECT_EQ(Grpc("logs.v1.LogsService", body).status.code, http::GrpcCode::kOk);
  EXPECT_EQ(consumer_.logs(), logs.logs.size());
  EXPECT_EQ(Grpc("metrics.v1.MetricsService", "").status.code, http::GrpcCode::kOk);
  EXPECT_EQ(Grpc("trace.v1.TraceService", "\xFF\xFF").status.code,
            http::GrpcCode::kInvalidArgument);
  EXPECT_EQ(Grpc("profiles.v1.ProfilesService", "").status.code, http::GrpcCode::kUnimplemented);
  // Half of the senders in the world mix the two ports up.
  http_port_ = grpc_port_;
  EXPECT_EQ(PostProto(Traces(OtlpFormat::kProtobuf)).status, 200);
}

TEST_F(OtlpReceiverTest, NoCorsUnlessConfigured) {
  Begin();
  outgoing::ClientRequest request;
  request.method = "POST";
  request.url = "http://127.0.0.1:" + std::to_string(http_port_) + "/v1/traces";
  request.headers = {{"origin", "https://evil.example"}, {"content-type", "application/json"}};
  request.body = "{}";
  auto response = client_.Send(request);
  ASSERT_TRUE(response);
  EXPECT_EQ(http::FindHeader(response->headers, "access-control-allow-origin"), "");
}

TEST_F(OtlpReceiverTest, OriginsWithSeveralStars) {
  OtlpReceiverSettings settings;
  settings.http.emplace();
  settings.http->cors_origins = {"https://*.*.example.com", "http://a*b*"};
  Begin(settings);
  const std::pair<std::string, bool> cases[] = {
      {"https://shop.eu.example.com", true},
      {"https://a.b.c.example.com", true},
      {"HTTPS://SHOP.EU.EXAMPLE.COM", true},
      {"https://..example.com", true},
      {"https://shop.example.com", false},
      {"https://shop.eu.example.com.evil", false},
      {"https://shop.eu.example.co", false},
      {"http://ab", true},
      {"http://axxbxxb", true},
      {"http://a", false},
      {"http://xab", false},
      // Ends soon, whatever it is.
      {"https://" + std::string(50'000, '.'), false},
  };
  for (const auto& [origin, allowed] : cases) {
    outgoing::ClientRequest request;
    request.method = "OPTIONS";
    request.url = "http://127.0.0.1:" + std::to_string(http_port_) + "/v1/traces";
    request.headers = {{"origin", origin}};
    auto response = client_.Send(request);
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(http::FindHeader(response->headers, "access-control-allow-origin"),
              allowed ? origin : "");
  }
}

TEST_F(OtlpReceiverTest, CorsForConfiguredOrigins) {
  OtlpReceiverSettings settings;
  settings.http.emplace();
  settings.http->cors_origins = {"https://*.example.com"};
  Begin(settings);
  outgoing::ClientRequest request;
  request.method = "OPTIONS";
  request.url = "http://127.0.0.1:" + std::to_string(http_port_) + "/v1/traces";
  request.headers = {{"origin", "https://shop.example.com"}};
  auto response = client_.Send(request);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 204);
  EXPECT_EQ(http::FindHeader(response->headers, "access-control-allow-origin"),
            "https://shop.example.com");
  EXPECT_THAT(std::string(http::FindHeader(response->headers, "access-control-allow-headers")),
              HasSubstr("content-type"));
  request.headers = {{"origin", "https://evil.example"}};
  response = client_.Send(request);
  ASSERT_TRUE(response);
  EXPECT_EQ(http::FindHeader(response->headers, "access-control-allow-origin"), "");
}

TEST_F(OtlpReceiverTest, CorsTakesWhatPagesSend) {
  OtlpReceiverSettings settings;
  settings.http.emplace();
  settings.http->cors_origins = {"http://page.example"};
  settings.http->cors_headers = {"*"};
  settings.http->cors_exposed_headers = {"retry-after", "x-id"};
  Begin(settings);
  outgoing::ClientRequest request;
  request.method = "OPTIONS";
  request.url = "http://127.0.0.1:" + std::to_string(http_port_) + "/v1/traces";
  request.headers = {{"origin", "http://page.example"},
                     {"access-control-request-method", "POST"},
                     {"access-control-request-headers", "content-type,x-team"}};
  auto header = [](const outgoing::ClientResponse& response, std::string_view name) {
    return std::string(http::FindHeader(response.headers, name));
  };
  auto asked = client_.Send(request);
  ASSERT_TRUE(asked);
  // A browser takes "*" for the name of a header where credentials come along.
  EXPECT_EQ(header(*asked, "access-control-allow-headers"), "content-type,x-team");
  EXPECT_EQ(header(*asked, "access-control-allow-credentials"), "true");
  EXPECT_EQ(header(*asked, "access-control-allow-origin"), "http://page.example");
  EXPECT_THAT(header(*asked, "vary"), HasSubstr("Access-Control-Request-Headers"));

  const std::string body = Traces(OtlpFormat::kJson);
  for (auto [type, sent, status] :
       {std::tuple<const char*, std::string, int>{"application/json", body, 200},
        {"application/json", "no JSON", 400},
        {"text/plain", "x", 415}}) {
    request.method = "POST";
    request.headers = {{"origin", "http://page.example"}, {"content-type", type}};
    request.body = sent;
    auto answer = client_.Send(request);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, status);
    EXPECT_EQ(header(*answer, "access-control-allow-origin"), "http://page.example");
    EXPECT_EQ(header(*answer, "access-control-allow-credentials"), "true");
    EXPECT_EQ(header(*answer, "access-control-expose-headers"), "retry-after, x-id");
  }
}

TEST_F(OtlpReceiverTest, ARefusedTypeIsAnsweredInWhatItsSenderReads) {
  Begin();
  for (auto [type, answered] : {std::pair{"text/json", "application/json"},
                                {"application/vnd.otlp+json; v=1", "application/json"},
                                {"application/x-google-protobuf", "application/x-protobuf"},
                                {"text/plain", "text/plain; charset=utf-8"},
                                {"application/x-www-form-urlencoded", "text/plain; charset=utf-8"},
                                {"", "text/plain; charset=utf-8"}}) {
    auto response =
        client_.Post("http://127.0.0.1:" + std::to_string(http_port_) + "/v1/traces", type, "x");
    ASSERT_TRUE(response);
    EXPECT_EQ(response->status, 415) << type;
    EXPECT_EQ(http::FindHeader(response->headers, "content-type"), answered) << type;
    EXPECT_THAT(response->body, HasSubstr("unsupported media type, supported: [")) << type;
  }
}

TEST_F(OtlpReceiverTest, ManySendersAtOnce) {
  Begin();
  std::string body = Traces(OtlpFormat::kProtobuf, 10);
  std::atomic<int> good{0};
  std::vector<std::thread> senders;
  for (int i = 0; i < 4; ++i)
    senders.emplace_back([&, i] {
      outgoing::HttpClient client;
      for (int n = 0; n < 25; ++n) {
        if (i % 2 == 0) {
          auto response =
              client.Post("http://127.0.0.1:" + std::to_string(http_port_) + "/v1/traces",
                          "application/x-protobuf", body);
          good += response && response->status == 200;
        } else {
          auto reply = client.CallGrpc("http://127.0.0.1:" + std::to_string(grpc_port_) +
                                           "/opentelemetry.proto.collector.trace.v1.TraceService/"
                                           "Export",
                                       body);
          good += reply && reply->status.code == http::GrpcCode::kOk;
        }
      }
    });
  for (std::thread& sender : senders) sender.join();
  EXPECT_EQ(good, 100);
  EXPECT_EQ(consumer_.spans(), 1000u);
  EXPECT_EQ(budget_->used(), 0u);
}

}  // namespace
}  // namespace weft::receiver

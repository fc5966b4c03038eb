// SPDX-License-Identifier: Apache-2.0
#include "load/load_sender.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <mutex>
#include <set>
#include <string>

#include "http/server.h"

namespace weft::load {
namespace {

using testing::HasSubstr;

constexpr char kTracePath[] = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
// An ExportTraceServiceResponse: partial_success { rejected_spans: 3, error_message: "bad" }.
const std::string kThreeRejected(
    "\x0a\x07\x08\x03\x12\x03"
    "bad",
    9);

std::vector<LoadRequest> Requests(size_t count) {
  auto shape = MakeLoadShape({.shape = "tracegen"});
  std::vector<LoadRequest> requests;
  for (size_t i = 0; i < count; ++i) requests.push_back(NextRequest(shape->get(), 20));
  return requests;
}

// A receiver that remembers the bodies it was sent and answers as it is told.
class FakeReceiver {
 public:
  using Answer = std::function<http::Response(size_t number)>;

  explicit FakeReceiver(Answer answers = [](size_t) { return http::Response{}; })
      : answer_(std::move(answers)), server_({}, 1) {
    auto router = std::make_shared<http::Router>();
    router->Add("POST", "/v1/traces", {.body_bytes_max = 64 << 20},
                [this](http::Request request, http::ExchangePtr exchange) {
                  exchange->Respond(answer_(Remember(std::move(request.body))));
                });
    router->AddGrpc(kTracePath, {}, [this](http::GrpcRequest request, http::GrpcCallPtr call) {
      http::Response answer = answer_(Remember(std::move(request.message)));
      if (answer.status == 200) call->Send(answer.body);
      call->Finish({answer.status == 200   ? http::GrpcCode::kOk
                    : answer.status == 503 ? http::GrpcCode::kUnavailable
                                           : http::GrpcCode::kInvalidArgument,
                    answer.body});
    });
    auto port = server_.Listen({"127.0.0.1", 0}, router);
    EXPECT_TRUE(port.has_value());
    url_ = "http://127.0.0.1:" + std::to_string(*port);
    server_.Start();
  }
  ~FakeReceiver() { server_.Stop(); }

  const std::string& url() const { return url_; }
  std::multiset<std::string> bodies() {
    std::lock_guard lock(mutex_);
    return bodies_;
  }

 private:
  size_t Remember(std::string body) {
    std::lock_guard lock(mutex_);
    bodies_.insert(std::move(body));
    return bodies_.size();
  }

  Answer answer_;
  std::mutex mutex_;
  std::multiset<std::string> bodies_;
  std::string url_;
  http::Server server_;
};

class LoadSenderTest : public testing::TestWithParam<OtlpProtocol> {
 protected:
  SendOptions Options(const std::string& url) {
    return {.url = url, .protocol = GetParam(), .connections = 2};
  }
};

TEST_P(LoadSenderTest, EveryRequestArrivesOnceAndIsCounted) {
  FakeReceiver receiver;
  std::vector<LoadRequest> requests = Requests(30);
  std::set<TraceId> acked;
  SendOptions options = Options(receiver.url());
  options.acked = [&](const LoadRequest& request) {
    for (const LoadRequest::Trace& trace : request.traces) acked.insert(trace.id);
  };
  SendReport report = Send(requests, options);
  EXPECT_EQ(report.error, "");
  EXPECT_EQ(report.requests, 30u);
  EXPECT_EQ(report.spans, 600u);
  EXPECT_EQ(report.latency_ns.size(), 30u);
  EXPECT_GT(report.LatencyNs(0.99), 0u);
  EXPECT_EQ(acked.size(), 60u);
  std::multiset<std::string> sent;
  for (const LoadRequest& request : requests) sent.insert(request.body);
  EXPECT_EQ(receiver.bodies(), sent);
}

TEST_P(LoadSenderTest, RejectedSpansAreNotCountedAsKept) {
  FakeReceiver receiver([](size_t) { return http::Response{.body = kThreeRejected}; });
  SendReport report = Send(Requests(4), Options(receiver.url()));
  EXPECT_EQ(report.error, "");
  EXPECT_EQ(report.rejected_spans, 12u);
  EXPECT_EQ(report.spans, 68u);
}

TEST_P(LoadSenderTest, ARefusalIsTriedAgain) {
  FakeReceiver receiver(
      [](size_t number) { return http::Response{.status = number <= 2 ? 503 : 200}; });
  SendReport report = Send(Requests(3), Options(receiver.url()));
  EXPECT_EQ(report.error, "");
  EXPECT_EQ(report.retries, 2u);
  EXPECT_EQ(report.spans, 60u);
}

TEST_P(LoadSenderTest, AnErrorEndsTheConnectionAndIsSaid) {
  FakeReceiver receiver([](size_t) { return http::Response{.status = 400}; });
  SendReport report = Send(Requests(3), Options(receiver.url()));
  EXPECT_EQ(report.spans, 0u);
  EXPECT_THAT(report.error, HasSubstr(receiver.url()));
}

TEST_P(LoadSenderTest, NobodyListening) {
  std::string url;
  {
    FakeReceiver receiver;
    url = receiver.url();
  }
  SendReport report = Send(Requests(3), Options(url));
  EXPECT_EQ(report.requests, 0u);
  EXPECT_THAT(report.error, HasSubstr(url));
}

TEST_P(LoadSenderTest, AnEvenPace) {
  FakeReceiver receiver;
  SendOptions options = Options(receiver.url());
  Pace pace(1000);
  options.pace = &pace;
  SendReport report = Send(Requests(11), options);  // the last is due after 200 spans: 200 ms
  EXPECT_EQ(report.spans, 220u);
  EXPECT_GE(report.elapsed_ns, 200'000'000u);
}

TEST_P(LoadSenderTest, ThePaceGoesOnFromCallToCall) {
  FakeReceiver receiver;
  SendOptions options = Options(receiver.url());
  Pace pace(200);
  options.pace = &pace;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Send(Requests(1), options).spans, 20u);
  EXPECT_GE(pace.ElapsedNs(), 200'000'000u);  // when the third was due
}

TEST_P(LoadSenderTest, StopEndsIt) {
  FakeReceiver receiver;
  std::atomic<bool> stop = true;
  SendOptions options = Options(receiver.url());
  options.stop = &stop;
  EXPECT_EQ(Send(Requests(3), options).requests, 0u);
}

std::string ProtocolName(const testing::TestParamInfo<OtlpProtocol>& test) {
  return test.param == OtlpProtocol::kHttp ? "Http" : "Grpc";
}
INSTANTIATE_TEST_SUITE_P(Protocols, LoadSenderTest,
                         testing::Values(OtlpProtocol::kHttp, OtlpProtocol::kGrpc), ProtocolName);

}  // namespace
}  // namespace weft::load

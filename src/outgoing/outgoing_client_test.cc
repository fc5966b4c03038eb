// SPDX-License-Identifier: Apache-2.0
#include "outgoing/outgoing_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <mutex>

#include "http/server.h"
#include "outgoing/outgoing_fixture.h"

namespace weft::outgoing {

using http::ExchangePtr;
using http::FindHeader;
using http::Request;
using http::Server;

namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Held {
  std::mutex mutex;
  std::vector<ExchangePtr> exchanges;
};

std::shared_ptr<http::Router> TestRoutes(const std::shared_ptr<Held>& held) {
  auto router = std::make_shared<http::Router>();
  http::RouteOptions large{.body_bytes_max = 64 << 20,
                           .admit = [](const http::RequestHead&) { return http::Admission{}; }};
  router->Add("POST", "/echo", large, [](Request request, ExchangePtr exchange) {
    exchange->Respond(
        {.status = 200,
         .content_type = "text/plain",
         .headers = {{"x-agent", std::string(FindHeader(request.headers, "user-agent"))},
                     {"x-host", std::string(FindHeader(request.headers, "host"))},
                     {"x-mine", std::string(FindHeader(request.headers, "x-mine"))},
                     {"x-http2", request.http2 ? "yes" : "no"}},
         .body = std::move(request.body)});
  });
  router->Add("GET", "/status", {}, [](Request request, ExchangePtr exchange) {
    exchange->Respond({.status = std::stoi(request.query), .body = {}});
  });
  router->Add("GET", "/bytes", {}, [](Request request, ExchangePtr exchange) {
    exchange->Respond({.status = 200, .body = std::string(std::stoul(request.query), 'b')});
  });
  router->Add("GET", "/streamed", {}, [](Request, ExchangePtr exchange) {
    exchange->Start(200, "text/plain", {});
    for (int i = 0; i < 10; ++i) exchange->Write("piece " + std::to_string(i) + ";");
    exchange->Finish();
  });
  // Held, unanswered, until the server has stopped.
  router->Add("*", "/never", {}, [held](Request, ExchangePtr exchange) {
    std::lock_guard lock(held->mutex);
    held->exchanges.push_back(std::move(exchange));
  });
  return router;
}

struct ServerForTest {
  explicit ServerForTest(http::ServerLimits limits = {}, uint16_t at = 0) {
    limits.drain_timeout_ms = 100;  // what /never holds is never answered
    server = std::make_unique<Server>(limits, 1);
    auto bound = server->Listen({"127.0.0.1", at}, TestRoutes(held));
    EXPECT_TRUE(bound) << bound.error().message;
    port = bound.value_or(0);
    server->Start();
  }
  ~ServerForTest() {
    server->Stop();
    // Exchanges keep their connection, and that the routes.
    std::lock_guard lock(held->mutex);
    held->exchanges.clear();
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port); }
  const std::shared_ptr<Held> held = std::make_shared<Held>();
  std::unique_ptr<Server> server;
  uint16_t port = 0;
};

// Everything that both protocols do alike.
class OutgoingClientTest : public ::testing::TestWithParam<OutgoingProtocol> {
 protected:
  OutgoingOptions Options() const { return {.url = server_.url(), .protocol = GetParam()}; }
  bool http2() const { return GetParam() == OutgoingProtocol::kHttp2; }

  ServerForTest server_;
  TestLoops loops_;
};

INSTANTIATE_TEST_SUITE_P(Protocols, OutgoingClientTest,
                         ::testing::Values(OutgoingProtocol::kHttp1, OutgoingProtocol::kHttp2),
                         [](const auto& tested) {
                           return tested.param == OutgoingProtocol::kHttp1 ? "Http1" : "Http2";
                         });

TEST_P(OutgoingClientTest, ARequestIsAnswered) {
  auto client = MakeOutgoing(Options(), loops_);
  OutgoingResult result = Ask(
      *client, {.method = "POST", .path = "/echo", .headers = {{"X-Mine", "1"}}, .body = "hello"});
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->status, 200);
  EXPECT_EQ(result->body, "hello");
  EXPECT_EQ(FindHeader(result->headers, "content-type"), "text/plain");
  EXPECT_EQ(FindHeader(result->headers, "x-mine"), "1");
  EXPECT_EQ(FindHeader(result->headers, "x-agent"), "weft");
  EXPECT_EQ(FindHeader(result->headers, "x-http2"), http2() ? "yes" : "no");
  EXPECT_EQ(FindHeader(result->headers, "x-host"), server_.url().substr(7));
  const OutgoingCounters& counters = client->counters();
  EXPECT_EQ(counters.requests, 1u);
  EXPECT_EQ(counters.answers, 1u);
  EXPECT_EQ(counters.failures, 0u);
  EXPECT_EQ(counters.connections_opened, 1u);
  EXPECT_EQ(counters.connections_reused, 0u);
  EXPECT_EQ(counters.requests_open, 0u);
  EXPECT_EQ(counters.request_bytes_open, 0u);
  EXPECT_GT(counters.bytes_out, 5u);
  EXPECT_GT(counters.bytes_in, 5u);
}

TEST_P(OutgoingClientTest, AThousandRequestsTakeOneConnection) {
  auto client = MakeOutgoing(Options(), loops_);
  for (int i = 0; i < 1000; ++i) {
    std::string body = std::to_string(i);
    ASSERT_EQ(TextOf(Ask(*client, {.method = "POST", .path = "/echo", .body = body})),
              "200 " + body);
  }
  EXPECT_EQ(client->counters().connections_opened, 1u);
  EXPECT_EQ(client->counters().connections_reused, 999u);
}

TEST_P(OutgoingClientTest, ManyAtOnceAreAllAnsweredEachWithItsOwn) {
  auto client = MakeOutgoing(Options(), loops_);
  std::vector<PendingAnswer> pending(500);
  for (size_t i = 0; i < pending.size(); ++i) {
    ASSERT_TRUE(client->Send({.method = "POST", .path = "/echo", .body = std::to_string(i)},
                             pending[i].done()));
  }
  for (size_t i = 0; i < pending.size(); ++i)
    EXPECT_EQ(TextOf(pending[i].Wait()), "200 " + std::to_string(i));
  EXPECT_LE(client->counters().connections_opened, http2() ? 1u : 8u);
}

TEST_P(OutgoingClientTest, LargeBodiesGoBothWays) {
  OutgoingOptions options = Options();
  options.answer_bytes_max = 32 << 20;
  auto client = MakeOutgoing(options, loops_);
  std::string body(20 << 20, 'x');
  for (size_t i = 0; i < body.size(); i += 997) body[i] = static_cast<char>('a' + i % 26);
  auto shared = std::make_shared<const std::string>(body);
  OutgoingResult result =
      Ask(*client, {.method = "POST", .path = "/echo", .body = net::SharedBytes(*shared, shared)});
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_TRUE(result->body == body);
}

TEST_P(OutgoingClientTest, AnswersOfAnyStatusAreAnswers) {
  auto client = MakeOutgoing(Options(), loops_);
  for (int status : {200, 204, 304, 400, 404, 429, 500, 503}) {
    EXPECT_EQ(TextOf(Ask(*client, {.path = "/status?" + std::to_string(status)})),
              std::to_string(status) + " ");
  }
  EXPECT_EQ(TextOf(Ask(*client, {.method = "HEAD", .path = "/bytes?100"})), "200 ");
  EXPECT_THAT(TextOf(Ask(*client, {.path = "/nowhere"})), StartsWith("404 "));
  EXPECT_EQ(client->counters().connections_opened, 1u);
}

TEST_P(OutgoingClientTest, AStreamedAnswerComesWhole) {
  auto client = MakeOutgoing(Options(), loops_);
  EXPECT_EQ(TextOf(Ask(*client, {.path = "/streamed"})),
            "200 piece 0;piece 1;piece 2;piece 3;piece 4;piece 5;piece 6;piece 7;piece 8;piece 9;");
}

TEST_P(OutgoingClientTest, AnAnswerOverItsLimitIsAnErrorAndTheNextOneIsFine) {
  OutgoingOptions options = Options();
  options.answer_bytes_max = 1000;
  auto client = MakeOutgoing(options, loops_);
  EXPECT_THAT(TextOf(Ask(*client, {.path = "/bytes?1000"})), StartsWith("200 bbb"));
  OutgoingResult result = Ask(*client, {.path = "/bytes?1001"});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().failure, OutgoingFailure::kTooLarge);
  EXPECT_EQ(result.error().code, ErrorCode::kTooLarge);
  EXPECT_TRUE(result.error().reached_peer);
  EXPECT_THAT(TextOf(Ask(*client, {.path = "/bytes?1000"})), StartsWith("200 bbb"));
}

TEST_P(OutgoingClientTest, ATimeoutEndsTheRequestAlone) {
  auto client = MakeOutgoing(Options(), loops_);
  PendingAnswer slow;
  ASSERT_TRUE(client->Send({.path = "/never", .timeout_ms = 300}, slow.done()));
  EXPECT_EQ(TextOf(Ask(*client, {.path = "/bytes?1"})), "200 b");
  OutgoingResult result = slow.Wait();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().failure, OutgoingFailure::kTimeout);
  EXPECT_EQ(result.error().code, ErrorCode::kDeadlineExceeded);
  EXPECT_TRUE(result.error().reached_peer);
  EXPECT_EQ(TextOf(Ask(*client, {.path = "/bytes?1"})), "200 b");
}

TEST_P(OutgoingClientTest, ACancelledRequestEndsOnce) {
  auto client = MakeOutgoing(Options(), loops_);
  PendingAnswer pending;
  auto call = client->Send({.path = "/never"}, pending.done());
  ASSERT_TRUE(call);
  ASSERT_TRUE(Eventually([&] { return client->counters().bytes_out > 0; }));
  (*call)->Cancel();
  (*call)->Cancel();
  OutgoingResult result = pending.Wait();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().failure, OutgoingFailure::kCancelled);
  EXPECT_EQ(result.error().code, ErrorCode::kCancelled);
  EXPECT_EQ(TextOf(Ask(*client, {.path = "/bytes?1"})), "200 b");
  (*call)->Cancel();
}

TEST_P(OutgoingClientTest, TheEndOfTheClientCompletesWhatIsOpen) {
  auto client = MakeOutgoing(Options(), loops_);
  std::vector<PendingAnswer> pending(20);
  std::vector<OutgoingCallPtr> calls;
  for (PendingAnswer& one : pending) {
    auto call = client->Send({.path = "/never"}, one.done());
    ASSERT_TRUE(call);
    calls.push_back(*call);
  }
  client.reset();
  for (PendingAnswer& one : pending) {
    ASSERT_TRUE(one.ready());
    EXPECT_THAT(TextOf(one.Wait()), StartsWith("cancelled: "));
  }
  for (const auto& call : calls) call->Cancel();
}

TEST_P(OutgoingClientTest, AClientMayBeDestroyedByACallbackOfItsOwn) {
  auto client = MakeOutgoing(Options(), loops_);
  PendingAnswer open;
  ASSERT_TRUE(client->Send({.path = "/never"}, open.done()));
  OutgoingClient* borrowed = client.get();
  auto holder = std::make_shared<std::unique_ptr<OutgoingClient>>(std::move(client));
  ASSERT_TRUE(borrowed->Send({.path = "/bytes?1"}, [holder](OutgoingResult) { holder->reset(); }));
  EXPECT_THAT(TextOf(open.Wait()), StartsWith("cancelled: "));
}

TEST_P(OutgoingClientTest, ACallbackMaySendTheNextRequest) {
  auto client = MakeOutgoing(Options(), loops_);
  PendingAnswer last;
  std::atomic<int> count{0};
  std::function<void(OutgoingResult)> next = [&](OutgoingResult result) {
    if (!result || ++count == 200) {
      last.done()(std::move(result));
      return;
    }
    EXPECT_TRUE(client->Send({.path = "/bytes?3"}, next));
  };
  ASSERT_TRUE(client->Send({.path = "/bytes?3"}, next));
  EXPECT_EQ(TextOf(last.Wait()), "200 bbb");
  EXPECT_EQ(count, 200);
}

TEST_P(OutgoingClientTest, BoundsRefuseAtOnce) {
  OutgoingOptions options = Options();
  options.requests_max = 3;
  options.request_bytes_max = 1000;
  auto client = MakeOutgoing(options, loops_);
  std::vector<PendingAnswer> pending(3);
  std::vector<OutgoingCallPtr> calls;
  for (PendingAnswer& one : pending) calls.push_back(*client->Send({.path = "/never"}, one.done()));
  auto over = client->Send({.path = "/never"}, [](OutgoingResult) { ADD_FAILURE(); });
  ASSERT_FALSE(over);
  EXPECT_EQ(over.error().code, ErrorCode::kUnavailable);
  calls[0]->Cancel();
  EXPECT_THAT(TextOf(pending[0].Wait()), StartsWith("cancelled: "));
  PendingAnswer large;
  ASSERT_TRUE(client->Send({.method = "POST", .path = "/never", .body = std::string(900, 'x')},
                           large.done()));
  calls[1]->Cancel();
  pending[1].Wait();
  over = client->Send({.method = "POST", .path = "/never", .body = std::string(101, 'x')},
                      [](OutgoingResult) { ADD_FAILURE(); });
  ASSERT_FALSE(over);
  EXPECT_THAT(over.error().message, HasSubstr("900 bytes are under way"));
  EXPECT_EQ(client->counters().requests_refused, 2u);
  client.reset();
}

TEST_P(OutgoingClientTest, AServerThatRestartsBetweenRequestsIsNotNoticed) {
  auto server = std::make_unique<ServerForTest>();
  const uint16_t port = server->port;
  auto client = MakeOutgoing({.url = server->url(), .protocol = GetParam()}, loops_);
  for (int i = 0; i < 5; ++i) {
    // POST: nothing here is sent twice.
    EXPECT_EQ(TextOf(Ask(*client, {.method = "POST", .path = "/echo", .body = "x"})), "200 x");
    server.reset();
    server = std::make_unique<ServerForTest>(http::ServerLimits{}, port);
  }
  EXPECT_EQ(client->counters().failures, 0u);
}

TEST_P(OutgoingClientTest, AConnectionThatNothingUsesIsClosed) {
  OutgoingOptions options = Options();
  options.idle_timeout_ms = 100;
  auto client = MakeOutgoing(options, loops_);
  EXPECT_EQ(TextOf(Ask(*client, {.path = "/bytes?1"})), "200 b");
  EXPECT_TRUE(Eventually([&] { return client->counters().connections_open == 0; }));
  EXPECT_EQ(TextOf(Ask(*client, {.path = "/bytes?1"})), "200 b");
  EXPECT_EQ(client->counters().connections_opened, 2u);
}

TEST_P(OutgoingClientTest, SeveralLoopsShareTheWork) {
  TestLoops loops(3);
  auto client = MakeOutgoing(Options(), loops);
  std::vector<PendingAnswer> pending(300);
  std::atomic<size_t> next{0};
  std::vector<std::thread> senders;
  for (int i = 0; i < 3; ++i) {
    senders.emplace_back([&] {
      for (size_t at; (at = next.fetch_add(1)) < pending.size();)
        EXPECT_TRUE(client->Send({.method = "POST", .path = "/echo", .body = std::to_string(at)},
                                 pending[at].done()));
    });
  }
  for (std::thread& sender : senders) sender.join();
  for (size_t i = 0; i < pending.size(); ++i)
    EXPECT_EQ(TextOf(pending[i].Wait()), "200 " + std::to_string(i));
  EXPECT_GE(client->counters().connections_opened, 3u);
}

TEST_P(OutgoingClientTest, AUnixSocketIsAnAddressToo) {
  std::string pattern = std::filesystem::temp_directory_path() / "weft-outgoing-XXXXXX";
  const std::string folder = mkdtemp(pattern.data());
  for (const std::string& path : {folder + "/weft.sock", "@weft-outgoing-" + folder.substr(5)}) {
    Server server({}, 1);
    ASSERT_TRUE(server.Listen({.path = path}, TestRoutes(std::make_shared<Held>())));
    server.Start();
    auto client = MakeOutgoing(
        {.url = "http://localhost", .unix_path = path, .protocol = GetParam()}, loops_);
    EXPECT_EQ(TextOf(Ask(*client, {.method = "POST", .path = "/echo", .body = "x"})), "200 x");
  }
  auto client = MakeOutgoing(
      {.url = "http://localhost", .unix_path = folder + "/none", .protocol = GetParam()}, loops_);
  EXPECT_THAT(TextOf(Ask(*client, {.path = "/"})), StartsWith("connect: "));
  client = MakeOutgoing(
      {.url = "http://localhost", .unix_path = "/" + std::string(200, 'x'), .protocol = GetParam()},
      loops_);
  EXPECT_THAT(TextOf(Ask(*client, {.path = "/"})), HasSubstr("too long"));
  std::filesystem::remove_all(folder);
}

TEST_P(OutgoingClientTest, TwoHundredStreamsObeyAServerThatAllowsTen) {
  ServerForTest server({.streams_per_connection_max = 10});
  auto client = MakeOutgoing({.url = server.url(), .protocol = GetParam()}, loops_);
  std::vector<PendingAnswer> pending(200);
  for (size_t i = 0; i < pending.size(); ++i)
    ASSERT_TRUE(client->Send({.method = "POST", .path = "/echo", .body = std::to_string(i)},
                             pending[i].done()));
  for (size_t i = 0; i < pending.size(); ++i)
    EXPECT_EQ(TextOf(pending[i].Wait()), "200 " + std::to_string(i));
  EXPECT_EQ(client->counters().retries, 0u);
}

// --------------------------------------------------------------------------------- one for both

TEST(OutgoingRequestTest, WhatNoRequestCanBeIsRefusedAtOnce) {
  TestLoops loops;
  auto client = MakeOutgoing({.url = "http://127.0.0.1:1"}, loops);
  auto refused = [&](OutgoingRequest request) {
    auto call = client->Send(std::move(request), [](OutgoingResult) { ADD_FAILURE(); });
    return !call && call.error().code == ErrorCode::kInvalidArgument;
  };
  EXPECT_TRUE(refused({.method = "GE T"}));
  EXPECT_TRUE(refused({.method = "CONNECT"}));
  EXPECT_TRUE(refused({.path = "x"}));
  EXPECT_TRUE(refused({.path = "/a b"}));
  EXPECT_TRUE(refused({.path = "/a\r\nX: y"}));
  EXPECT_TRUE(refused({.headers = {{"bad name", "x"}}}));
  EXPECT_TRUE(refused({.headers = {{"name", "x\r\nother: y"}}}));
  EXPECT_TRUE(refused({.headers = {{"Content-Length", "5"}}}));
  EXPECT_TRUE(refused({.headers = {{"Transfer-Encoding", "chunked"}}}));
}

TEST(OutgoingRequestTest, SettingsThatAreWrongAreNamed) {
  TestLoops loops;
  auto error = [&](OutgoingOptions options) {
    auto client = OutgoingClient::Make(std::move(options), loops.all());
    return client ? "" : client.error().message;
  };
  EXPECT_THAT(error({.url = "127.0.0.1:4317"}), HasSubstr("neither http:// nor https://"));
  EXPECT_THAT(error({.url = "http://"}), HasSubstr("names no host"));
  EXPECT_THAT(error({.url = "http://host:0"}), HasSubstr("no port"));
  EXPECT_THAT(error({.url = "http://host:70000"}), HasSubstr("no port"));
  EXPECT_THAT(error({.url = "http://host/path"}), HasSubstr("is no host"));
  EXPECT_THAT(error({.url = "http://[::1"}), HasSubstr("lacks a ]"));
  EXPECT_THAT(error({.url = "http://h", .stream_window_bytes = 5}), HasSubstr("window"));
  EXPECT_THAT(error({.url = "http://h", .proxy = {.http_proxy = "socks5://h:1"}}),
              HasSubstr("http_proxy: \"socks5://\""));
  EXPECT_EQ(error({.url = "https://[::1]:4317/"}), "");
}

TEST(OutgoingRequestTest, NobodyThereIsAConnectErrorThatNeverReached) {
  uint16_t port = 0;
  {
    ServerForTest server;
    port = server.port;
  }
  TestLoops loops;
  auto client = MakeOutgoing({.url = "http://127.0.0.1:" + std::to_string(port)}, loops);
  for (int i = 0; i < 3; ++i) {
    OutgoingResult result = Ask(*client, {.path = "/"});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().failure, OutgoingFailure::kConnect);
    EXPECT_EQ(result.error().code, ErrorCode::kUnavailable);
    EXPECT_FALSE(result.error().reached_peer);
    EXPECT_THAT(result.error().message, HasSubstr("Connection refused"));
  }
  EXPECT_EQ(client->counters().connections_failed, 3u);
}

TEST(OutgoingRequestTest, ANameWithoutAddressIsADnsError) {
  TestLoops loops;
  // RFC 6761: no resolver knows it.
  auto client = MakeOutgoing({.url = "http://nowhere.invalid:4318"}, loops);
  OutgoingResult result = Ask(*client, {.path = "/"});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().failure, OutgoingFailure::kDns);
  EXPECT_FALSE(result.error().reached_peer);
  EXPECT_THAT(result.error().message, HasSubstr("nowhere.invalid"));
}

TEST(OutgoingRequestTest, ANameWithTwoAddressesIsReachedByTheOneThatAnswers) {
  ServerForTest server;  // on 127.0.0.1 alone, not on ::1
  TestLoops loops;
  auto client = MakeOutgoing({.url = "http://localhost:" + std::to_string(server.port)}, loops);
  EXPECT_EQ(TextOf(Ask(*client, {.path = "/bytes?1"})), "200 b");
}

}  // namespace
}  // namespace weft::outgoing

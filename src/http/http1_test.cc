// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

#include "http/server.h"
#include "net/raw_client.h"

namespace weft::http {

using net::RawClient;

namespace {

using testing::HasSubstr;
using testing::StartsWith;

class Http1Test : public testing::Test {
 protected:
  void StartServer(ServerLimits limits = {}) {
    router_->Add("GET", "/hello", {}, [](Request, ExchangePtr exchange) {
      exchange->Respond({200, "text/plain", {}, "hello"});
    });
    router_->Add("POST", "/echo", {}, [](Request request, ExchangePtr exchange) {
      exchange->Respond({200, "text/plain", {}, request.body});
    });
    router_->Add("GET", "/stream", {}, [](Request, ExchangePtr exchange) {
      exchange->Start(200, "text/plain", {});
      exchange->Write("one,");
      exchange->Write("two");
      exchange->Finish();
    });
    router_->Add("GET", "/drop", {}, [](Request, ExchangePtr) {});
    server_ = std::make_unique<Server>(limits, 2);
    auto port = server_->Listen({"127.0.0.1", 0}, router_);
    ASSERT_TRUE(port.has_value()) << port.error().message;
    port_ = *port;
    server_->Start();
  }

  std::string Ask(std::string_view bytes) {
    RawClient client(port_);
    client.Send(bytes);
    client.ShutdownSend();
    return client.ReadAll();
  }

  // The loops end before what the handlers use.
  void TearDown() override {
    if (server_) server_->Stop();
  }

  std::shared_ptr<Router> router_ = std::make_shared<Router>();
  std::unique_ptr<Server> server_;
  uint16_t port_ = 0;
};

TEST_F(Http1Test, AnswersAndKeepsAlive) {
  StartServer();
  RawClient client(port_);
  for (int i = 0; i < 3; ++i) {
    client.Send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(client.ReadUntil("hello"), StartsWith("HTTP/1.1 200 OK\r\n"));
    client.Take();
  }
  EXPECT_FALSE(client.eof());
}

TEST_F(Http1Test, PipelinedRequestsAreAnsweredInOrder) {
  StartServer();
  std::string many;
  for (int i = 0; i < 50; ++i) {
    std::string body = "<" + std::to_string(i) + ">";
    many += "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) +
            "\r\n\r\n" + body;
  }
  std::string answer = Ask(many);
  size_t at = 0;
  for (int i = 0; i < 50; ++i) {
    at = answer.find("<" + std::to_string(i) + ">", at);
    ASSERT_NE(at, std::string::npos) << i;
  }
}

TEST_F(Http1Test, ChunkedBothWays) {
  StartServer();
  EXPECT_THAT(Ask("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                  "3;ext=1\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n"),
              HasSubstr("\r\n\r\nabc0123456789"));
  EXPECT_THAT(Ask("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n"),
              HasSubstr("\r\n\r\n4\r\none,\r\n3\r\ntwo\r\n0\r\n\r\n"));
  EXPECT_THAT(Ask("GET /stream HTTP/1.0\r\n\r\n"), HasSubstr("\r\n\r\none,two"));
}

TEST_F(Http1Test, DroppedExchangeIs500) {
  StartServer();
  EXPECT_THAT(Ask("GET /drop HTTP/1.1\r\nHost: x\r\n\r\n"), StartsWith("HTTP/1.1 500 "));
}

TEST_F(Http1Test, LargeBodyArrivesWhole) {
  router_->Add("POST", "/large", {.body_bytes_max = 64 << 20, .admit = nullptr},
               [](Request request, ExchangePtr exchange) {
                 uint64_t sum = 0;
                 for (char c : request.body) sum = sum * 31 + static_cast<unsigned char>(c);
                 exchange->Respond(
                     {.body = std::to_string(request.body.size()) + " " + std::to_string(sum)});
               });
  StartServer();
  std::string body(40'000'000, 0);
  uint64_t sum = 0;
  for (size_t i = 0; i < body.size(); ++i) {
    body[i] = static_cast<char>(i * 7919 >> 5);
    sum = sum * 31 + static_cast<unsigned char>(body[i]);
  }
  EXPECT_THAT(Ask("POST /large HTTP/1.1\r\nHost: x\r\nContent-Length: 40000000\r\n\r\n" + body),
              HasSubstr("\r\n\r\n40000000 " + std::to_string(sum)));
}

TEST_F(Http1Test, StreamToASlowReaderStaysBounded) {
  std::atomic<uint64_t> written{0};
  std::atomic<bool> done{false};
  router_->Add("GET", "/endless", {}, [&](Request, ExchangePtr exchange) {
    // Written from a thread of its own, 64 MiB, as fast as the door allows.
    std::thread([&, exchange] {
      exchange->Start(200, "application/octet-stream", {});
      while (written < 64u << 20) {
        WriteState state = exchange->Write(std::string(64 << 10, 'x'));
        written += 64 << 10;
        if (state == WriteState::kClosed) break;
        if (state == WriteState::kGo) continue;
        std::promise<void> writable;
        exchange->OnWritable([&writable] { writable.set_value(); });
        writable.get_future().wait();
      }
      exchange->Finish();
      done = true;
    }).detach();
  });
  StartServer();
  RawClient client(port_, 64 << 10);
  client.Send("GET /endless HTTP/1.1\r\nHost: x\r\n\r\n");
  client.ReadSome(5000, 100);
  // The writer stops when the buffer and the kernel are full.
  uint64_t before = 0;
  for (int i = 0; i < 100 && (before == 0 || before != written); ++i) {
    before = written;
    client.ReadSome(50, 1);
  }
  EXPECT_LT(written, 16u << 20);
  EXPECT_FALSE(done);
  client.ReadUntil([](const std::string& in) { return in.ends_with("\r\n0\r\n\r\n"); });
  EXPECT_GT(client.Take().size(), 64u << 20);
  EXPECT_TRUE(done);
}

TEST_F(Http1Test, LeavingReaderCancelsTheStream) {
  std::promise<void> seen;
  router_->Add("GET", "/endless", {}, [&](Request, ExchangePtr exchange) {
    std::thread([&, exchange] {
      exchange->Start(200, "", {});
      while (exchange->Write(std::string(4096, 'x')) != WriteState::kClosed) {
        std::this_thread::yield();
      }
      EXPECT_TRUE(exchange->cancelled());
      seen.set_value();
    }).detach();
  });
  StartServer();
  RawClient client(port_);
  client.Send("GET /endless HTTP/1.1\r\nHost: x\r\n\r\n");
  client.ReadUntil("xxxx");
  client.Reset();
  EXPECT_EQ(seen.get_future().wait_for(std::chrono::seconds(10)), std::future_status::ready);
}

TEST_F(Http1Test, AnswersFromOtherThreads) {
  router_->Add("GET", "/thread", {}, [](Request request, ExchangePtr exchange) {
    std::thread([query = request.query, exchange] {
      exchange->Respond({.body = "q=" + query});
    }).detach();
  });
  StartServer();
  std::string many;
  for (int i = 0; i < 100; ++i) {
    many += "GET /thread?" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\n\r\n";
  }
  std::string answer = Ask(many);
  size_t at = 0;
  for (int i = 0; i < 100; ++i) {
    at = answer.find("q=" + std::to_string(i), at);
    ASSERT_NE(at, std::string::npos) << i;
  }
}

TEST_F(Http1Test, ManyConnections) {
  StartServer();
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 400; ++i) clients.push_back(std::make_unique<RawClient>(port_));
  for (int round = 0; round < 3; ++round) {
    for (auto& client : clients) client->Send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    for (auto& client : clients) {
      EXPECT_THAT(client->ReadUntil("hello"), HasSubstr("hello"));
      client->Take();
    }
  }
  EXPECT_EQ(server_->connections(), 400u);
}

TEST_F(Http1Test, ConnectionLimitAnswers503) {
  StartServer({.connections_max = 2});
  RawClient one(port_);
  RawClient two(port_);
  for (RawClient* client : {&one, &two}) {
    client->Send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    client->ReadUntil("hello");
  }
  RawClient three(port_);
  EXPECT_THAT(three.ReadAll(), StartsWith("HTTP/1.1 503 "));
  one.Close();
  // The place is free again as soon as the server has seen the end of the first one.
  std::string answer;
  for (int i = 0; i < 200 && answer.find("200") == std::string::npos; ++i) {
    answer = Ask("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 "));
}

TEST_F(Http1Test, SlowHeadIsTimedOut) {
  StartServer({.header_timeout_ms = 100});
  RawClient client(port_);
  client.Send("GET /hello HT");
  EXPECT_THAT(client.ReadAll(), StartsWith("HTTP/1.1 408 "));
  EXPECT_TRUE(client.eof());
}

TEST_F(Http1Test, DrainFinishesTheAnswerUnderWay) {
  std::promise<ExchangePtr> promised;
  router_->Add("GET", "/hold", {},
               [&](Request, ExchangePtr exchange) { promised.set_value(std::move(exchange)); });
  StartServer();
  RawClient idle(port_);
  idle.Send("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  idle.ReadUntil("hello");
  RawClient busy(port_);
  busy.Send("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
  ExchangePtr exchange = promised.get_future().get();
  std::thread stopper([&] { server_->Stop(); });
  idle.ReadAll();
  EXPECT_TRUE(idle.eof());
  EXPECT_FALSE(RawClient(port_).connected());
  exchange->Respond({.body = "finished"});
  exchange.reset();
  EXPECT_THAT(busy.ReadAll(), HasSubstr("finished"));
  EXPECT_TRUE(busy.eof());
  stopper.join();
  EXPECT_EQ(server_->connections(), 0u);
}

TEST_F(Http1Test, DrainGivesUpAfterItsTime) {
  std::promise<ExchangePtr> promised;
  router_->Add("GET", "/hold", {},
               [&](Request, ExchangePtr exchange) { promised.set_value(std::move(exchange)); });
  StartServer({.drain_timeout_ms = 50});
  RawClient busy(port_);
  busy.Send("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
  ExchangePtr exchange = promised.get_future().get();
  server_->Stop();
  EXPECT_TRUE(exchange->cancelled());
  server_.reset();
  // An exchange that outlives its server is a door to nowhere.
  exchange->Start(200, "", {});
  EXPECT_EQ(exchange->Write("x"), WriteState::kClosed);
}

// ----------------------------------------------------------------------------------------
// listening

TEST(ListenTest, PortInUseNamesTheHolder) {
  Server first({}, 1);
  auto port = first.Listen({"127.0.0.1", 0}, std::make_shared<Router>());
  ASSERT_TRUE(port.has_value());
  Server second({}, 1);
  auto again = second.Listen({"127.0.0.1", *port}, std::make_shared<Router>());
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(again.error().message,
              HasSubstr("127.0.0.1:" + std::to_string(*port) + " is already in use"));
  EXPECT_THAT(again.error().message,
              HasSubstr("http_test (pid " + std::to_string(::getpid()) + ")"));
}

TEST(ListenTest, LocalhostIsBothLoopbacks) {
  Server server({}, 1);
  auto port = server.Listen({"localhost", 0}, std::make_shared<Router>());
  ASSERT_TRUE(port.has_value()) << port.error().message;
  Server other({}, 1);
  EXPECT_FALSE(other.Listen({"127.0.0.1", *port}, std::make_shared<Router>()).has_value());
  auto six = other.Listen({"::1", *port}, std::make_shared<Router>());
  EXPECT_FALSE(six.has_value());
}

TEST(ListenTest, AHostRuleHoldsForEveryPathButTheOpenOnes) {
  auto router = std::make_shared<Router>();
  auto answer = [](Request, ExchangePtr exchange) {
    exchange->Respond({.status = 200, .content_type = "", .headers = {}, .body = "here"});
  };
  router->Add("GET", "/open", {.open = true}, answer);
  router->Add("GET", "/data", {}, answer);
  router->SetFallback(answer);
  Metrics metrics;
  Server server({}, 1);
  auto port = server.Listen(
      {"127.0.0.1", 0}, router,
      {.name = "door",
       .metrics = &metrics,
       .hosts = HostRule{.allowed = {"traces.example.com"}, .setting = "the::setting"}});
  ASSERT_TRUE(port);
  server.Start();
  auto ask = [&](const std::string& path, const std::string& host) {
    RawClient client(*port);
    client.Send("GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n");
    return client.ReadAll();
  };
  for (const char* path : {"/data", "/any/page"}) {
    for (const char* host : {"localhost:1", "LOCALHOST", "localhost.", "a.localhost", "127.0.0.1",
                             "127.9.9.9:5", "[::1]:5", "traces.example.com:443"})
      EXPECT_THAT(ask(path, host), HasSubstr(" 200 ")) << host;
    for (const char* host :
         {"evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1",
          "[fe80::1]", "evil.example:127", "[::1].evil.example", "[::1]evil.example",
          "localhost:80@evil.example", "localhost:abc", "[::1"})
      EXPECT_THAT(ask(path, host), testing::AllOf(HasSubstr(" 403 "), HasSubstr("the::setting")))
          << host;
  }
  // The target says who is meant, too.
  EXPECT_THAT(ask("http://evil.example/data", "evil.example"), HasSubstr(" 403 "));
  EXPECT_THAT(ask("http://evil.example/data", "localhost"), HasSubstr(" 400 "));
  EXPECT_THAT(ask("/open", "evil.example"), HasSubstr(" 200 "));
  EXPECT_THAT(metrics.Render(MetricsFormat::kPrometheus),
              HasSubstr("weft_host_refused_total{listener=\"door\"} 23"));
}

TEST(ListenTest, ABasePathMayBeThereOrNot) {
  auto router = std::make_shared<Router>();
  router->SetBasePath("/weft");
  router->SetFallback([](Request request, ExchangePtr exchange) {
    exchange->Respond({.status = 200,
                       .content_type = "",
                       .headers = {},
                       .body = "[" + request.path + " " + request.raw_path + "]"});
  });
  Server server({}, 1);
  auto port = server.Listen({"127.0.0.1", 0}, router);
  ASSERT_TRUE(port);
  server.Start();
  for (auto [asked, shown] : {std::pair{"/weft/api/a%2Fb", "[/api/a/b /api/a%2Fb]"},
                              {"/api/x", "[/api/x /api/x]"},
                              {"/weft", "[/ /]"},
                              {"/weft/", "[/ /]"},
                              {"/weftless", "[/weftless /weftless]"}}) {
    RawClient client(*port);
    client.Send("GET " + std::string(asked) + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(client.ReadAll(), HasSubstr(shown)) << asked;
  }
}

TEST(ListenTest, BadHostIsAnError) {
  Server server({}, 1);
  auto port = server.Listen({"example.invalid", 0}, std::make_shared<Router>());
  ASSERT_FALSE(port.has_value());
  EXPECT_EQ(port.error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace weft::http

// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

#include "net/raw_client.h"
#include "net/server.h"
#include "net/session_driver.h"

namespace weft::net {
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
              HasSubstr("net_test (pid " + std::to_string(::getpid()) + ")"));
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

TEST(ListenTest, BadHostIsAnError) {
  Server server({}, 1);
  auto port = server.Listen({"example.invalid", 0}, std::make_shared<Router>());
  ASSERT_FALSE(port.has_value());
  EXPECT_EQ(port.error().code, ErrorCode::kInvalidArgument);
}

// ------------------------------------------------------------------- the session alone, without
// I/O

class Http1SessionTest : public testing::Test {
 protected:
  Http1SessionTest() {
    router_.Add("GET", "/hello", {}, [](Request, ExchangePtr exchange) {
      exchange->Respond({200, "text/plain", {{"X-Evil", "a\r\nSet-Cookie: b"}}, "hello"});
    });
    RouteOptions echo{.body_bytes_max = 1000, .admit = [this](const RequestHead& head) {
                        ++admitted_;
                        Admission admission;
                        admission.token = std::shared_ptr<void>(&tokens_, [](int* n) { --*n; });
                        ++tokens_;
                        if (!FindHeader(head.headers, "x-busy").empty()) {
                          admission.refusal = std::make_unique<Response>(
                              Response{503, "", {{"Retry-After", "3"}}, "busy"});
                        }
                        return admission;
                      }};
    router_.Add("POST", "/echo", echo, [this](Request request, ExchangePtr exchange) {
      tokens_at_handler_ = tokens_;
      exchange->Respond({200, "", {}, "<" + request.body + ">"});
    });
    router_.Add("GET", "/hold", {},
                [this](Request, ExchangePtr exchange) { held_.push_back(std::move(exchange)); });
    router_.Add("GET", "/big", {}, [](Request, ExchangePtr exchange) {
      exchange->Respond({.body = std::string(700'000, 'b')});
    });
    Restart();
  }
  ~Http1SessionTest() override { driver_->Close(); }

  void Restart() {
    if (driver_) driver_->Close();
    driver_ = SessionDriver::Make(limits_, router_);
  }
  // A new connection for each question.
  std::string Ask(std::string_view bytes) {
    Restart();
    driver_->Feed(bytes);
    return driver_->Take();
  }

  ServerLimits limits_;
  Router router_;
  int admitted_ = 0;
  int tokens_ = 0;
  int tokens_at_handler_ = 0;
  std::vector<ExchangePtr> held_;
  std::shared_ptr<SessionDriver> driver_;
};

TEST_F(Http1SessionTest, BadRequests) {
  struct {
    const char* name;
    std::string bytes;
    const char* status;
  } cases[] = {
      {"no host", "GET /hello HTTP/1.1\r\n\r\n", "400"},
      {"two hosts", "GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400"},
      {"length and chunked",
       "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
       "400"},
      {"chunked and length",
       "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
       "400"},
      {"two lengths",
       "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
       "400"},
      {"negative length", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", "400"},
      {"signed length", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: +3\r\n\r\nabc", "400"},
      {"hex length", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 0x3\r\n\r\nabc", "400"},
      {"length over 2^64",
       "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n", "400"},
      {"length over 2^63",
       "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 18446744073709551615\r\n\r\n", "413"},
      {"two codings", "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
       "501"},
      {"coding twice",
       "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
       "chunked\r\n\r\n",
       "400"},
      {"unknown coding", "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n",
       "501"},
      {"coding in 1.0", "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       "400"},
      {"bad chunk size",
       "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n", "400"},
      {"chunk size overflow",
       "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
       "400"},
      {"chunk size near 2^64",
       "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
       "413"},
      {"chunk without its end",
       "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcXX0\r\n\r\n",
       "400"},
      {"chunks over the limit",
       "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n" +
           std::string(1000, 'x') + "\r\n1\r\nx\r\n0\r\n\r\n",
       "413"},
      {"bare line feeds", "GET /hello HTTP/1.1\nHost: x\n\n" + std::string(70'000, 'x'), "505"},
      {"space before colon", "GET /hello HTTP/1.1\r\nHost : x\r\n\r\n", "400"},
      {"no colon", "GET /hello HTTP/1.1\r\nHost x\r\n\r\n", "400"},
      {"control in header", std::string("GET /hello HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n", 40),
       "400"},
      {"version 2.0", "GET /hello HTTP/2.0\r\nHost: x\r\n\r\n", "505"},
      {"version 1.2", "GET /hello HTTP/1.2\r\nHost: x\r\n\r\n", "505"},
      {"no version", "GET /hello\r\nHost: x\r\n\r\n", "400"},
      {"garbage", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", "400"},
      {"bad method", "G@T /hello HTTP/1.1\r\nHost: x\r\n\r\n", "400"},
      {"bad escape", "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", "400"},
      {"nul in path", "GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n", "400"},
      {"connect", "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
      {"endless head", "GET /hello HTTP/1.1\r\nHost: x\r\nA: " + std::string(70'000, 'x'), "431"},
      {"endless line", "GET /" + std::string(70'000, 'x'), "431"},
      {"unknown expectation", "POST /echo HTTP/1.1\r\nHost: x\r\nExpect: tea\r\n\r\n", "417"},
      {"declared too large", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n",
       "413"},
      {"not found", "GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n", "404"},
      {"wrong method", "PUT /echo HTTP/1.1\r\nHost: x\r\n\r\n", "405"},
  };
  for (const auto& c : cases) {
    EXPECT_THAT(Ask(c.bytes), StartsWith(std::string("HTTP/1.1 ") + c.status + " ")) << c.name;
  }
  EXPECT_EQ(tokens_, 0);
}

TEST_F(Http1SessionTest, NothingIsReadBehindABadRequest) {
  std::string answer =
      Ask("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: "
          "chunked\r\n\r\n0\r\n\r\nGET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(answer, testing::Not(HasSubstr("hello")));
  EXPECT_TRUE(driver_->finished());
  EXPECT_TRUE(driver_->session().lingers());
}

TEST_F(Http1SessionTest, HeaderValuesCannotSplitTheAnswer) {
  EXPECT_THAT(Ask("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"),
              HasSubstr("X-Evil: a  Set-Cookie: b\r\n"));
}

TEST_F(Http1SessionTest, OneByteAtATime) {
  std::string bytes =
      "\r\nPOST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
      "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
      "2\r\nab\r\n1\r\nc\r\n0\r\n\r\nGET /hello HTTP/1.0\r\n\r\n";
  for (char c : bytes) driver_->Feed({&c, 1});
  std::string out = driver_->Take();
  EXPECT_THAT(out, HasSubstr("<hello>"));
  EXPECT_THAT(out, HasSubstr("<abc>"));
  EXPECT_THAT(out, HasSubstr("\r\n\r\nhello"));
  EXPECT_TRUE(driver_->finished());
}

TEST_F(Http1SessionTest, ContinueAndRefusal) {
  EXPECT_EQ(
      Ask("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"),
      "HTTP/1.1 100 Continue\r\n\r\n");
  driver_->Feed("abc");
  EXPECT_THAT(driver_->Take(), HasSubstr("<abc>"));
  EXPECT_EQ(tokens_at_handler_, 1);
  EXPECT_EQ(tokens_, 0);
  EXPECT_THAT(Ask("POST /echo HTTP/1.1\r\nHost: x\r\nX-Busy: 1\r\nContent-Length: 3\r\nExpect: "
                  "100-continue\r\n\r\n"),
              testing::AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("Retry-After: 3\r\n"),
                             HasSubstr("Connection: close\r\n")));
}

TEST_F(Http1SessionTest, RefusedBodyIsDroppedAndTheConnectionKept) {
  std::string answer =
      Ask("POST /echo HTTP/1.1\r\nHost: x\r\nX-Busy: 1\r\nContent-Length: 3\r\n\r\nabc"
          "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(answer, HasSubstr("\r\n\r\nhello"));
  EXPECT_FALSE(driver_->finished());
}

TEST_F(Http1SessionTest, SlowBodies) {
  Ask("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n");
  driver_->Advance(9'000);
  EXPECT_EQ(driver_->out(), "");
  driver_->Advance(2'000);
  EXPECT_THAT(driver_->Take(), StartsWith("HTTP/1.1 408 "));
  EXPECT_EQ(tokens_, 0);
}

TEST_F(Http1SessionTest, IdleConnectionIsClosedInSilence) {
  Ask("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
  driver_->Advance(limits_.idle_timeout_ms - 1);
  EXPECT_FALSE(driver_->finished());
  driver_->Advance(1);
  EXPECT_TRUE(driver_->finished());
  EXPECT_EQ(driver_->Take(), "");
}

TEST_F(Http1SessionTest, PipelinedRequestsWaitForAReader) {
  driver_->set_reading(false);
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "GET /big HTTP/1.1\r\nHost: x\r\n\r\n";
  driver_->Feed(many);
  EXPECT_LT(driver_->session().output().bytes(), 3u << 20);
  driver_->Advance(limits_.body_timeout_ms + 1);
  EXPECT_TRUE(driver_->finished());
}

TEST_F(Http1SessionTest, HalfClosedPeerGetsItsAnswer) {
  Ask("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
  driver_->Eof();
  ASSERT_EQ(held_.size(), 1u);
  EXPECT_TRUE(held_[0]->cancelled());
  held_[0]->Respond({.body = "still here"});
  EXPECT_THAT(driver_->Take(), HasSubstr("still here"));
  EXPECT_TRUE(driver_->finished());
}

TEST_F(Http1SessionTest, CutStreamLacksItsLastChunk) {
  Ask("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
  held_[0]->Start(200, "", {});
  held_[0]->Write("part");
  held_.clear();
  EXPECT_THAT(driver_->Take(), testing::EndsWith("4\r\npart\r\n"));
  EXPECT_TRUE(driver_->finished());
}

TEST_F(Http1SessionTest, HeadAnswersHaveNoBody) {
  EXPECT_THAT(Ask("HEAD /hello HTTP/1.1\r\nHost: x\r\n\r\n"),
              testing::AllOf(HasSubstr("Content-Length: 5\r\n"), testing::EndsWith("\r\n\r\n")));
}

}  // namespace
}  // namespace weft::net

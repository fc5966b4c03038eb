// SPDX-License-Identifier: Apache-2.0
//
// The HTTP/1.1 state machine alone, without sockets and with a clock that is moved by hand.
#include "http/http1_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/session_driver.h"

namespace weft::http {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

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
    router_.Add("POST", "/plain", {.body_bytes_max = 1 << 20},
                [](Request request, ExchangePtr exchange) {
                  exchange->Respond({200, "", {}, std::to_string(request.body.size())});
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
      {"target of another server", "GET http://b/hello HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
      {"target of another port", "GET http://a:1/hello HTTP/1.1\r\nHost: a:2\r\n\r\n", "400"},
      {"target with a user", "GET http://a@a/hello HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
      {"target without a server", "GET http:///hello HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
      {"target of another scheme", "GET ftp://a/hello HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
      {"absolute target", "GET HTTP://A:80/hello HTTP/1.1\r\nHost: a\r\n\r\n", "200"},
      {"absolute target in 1.0", "GET http://a/hello HTTP/1.0\r\n\r\n", "200"},
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

// Room for a body grows in steps: none of them may reach into the next request.
TEST_F(Http1SessionTest, ARequestBehindALargeBodyStaysWhole) {
  for (size_t size : {size_t{300'000}, size_t{524'287}, size_t{600'001}}) {
    for (size_t first : {size_t{0}, size_t{1000}, size_t{262'144}}) {
      Restart();
      driver_->Feed("POST /plain HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(size) +
                    "\r\n\r\n" + std::string(first, 'a'));
      driver_->Feed(std::string(size - first, 'b') + "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
      std::string answer = driver_->Take();
      EXPECT_THAT(answer, HasSubstr("\r\n\r\n" + std::to_string(size) + "HTTP/1.1 200"));
      EXPECT_THAT(answer, testing::EndsWith("\r\n\r\nhello"));
    }
  }
}

TEST_F(Http1SessionTest, ChunkedBodiesPayForTheirTimeAsOthersDo) {
  limits_.body_bytes_per_second_min = 10;
  Ask("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n12c\r\n" +
      std::string(300, 'a') + "\r\n");
  driver_->Advance(29'000);
  EXPECT_EQ(driver_->out(), "");
  driver_->Feed("1\r\nb\r\n0\r\n\r\n");
  EXPECT_THAT(driver_->Take(), HasSubstr("ab>"));
  Ask("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n12c\r\n" +
      std::string(300, 'a') + "\r\n");
  driver_->Advance(31'000);
  EXPECT_THAT(driver_->Take(), StartsWith("HTTP/1.1 408 "));
}

TEST_F(Http1SessionTest, SlowBodies) {
  Ask("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n");
  driver_->Advance(9'000);
  EXPECT_EQ(driver_->out(), "");
  driver_->Advance(2'000);
  EXPECT_THAT(driver_->Take(), StartsWith("HTTP/1.1 408 "));
  EXPECT_EQ(tokens_, 0);
}

TEST_F(Http1SessionTest, ABodyIsAskedForAsItGrows) {
  std::vector<uint64_t> asked;
  RouteOptions options{.body_bytes_max = 1000, .admit = [&](const RequestHead&) {
                         Admission admission;
                         admission.token = std::shared_ptr<void>(&tokens_, [](int* n) { --*n; });
                         ++tokens_;
                         admission.grow = [&](const RequestHead& head, uint64_t bytes) {
                           EXPECT_EQ(head.path, "/grow");
                           asked.push_back(bytes);
                           return bytes <= 100 ? nullptr
                                               : std::make_unique<Response>(Response{
                                                     503, "", {{"Retry-After", "2"}}, "full"});
                         };
                         return admission;
                       }};
  router_.Add("POST", "/grow", options, [](Request request, ExchangePtr exchange) {
    exchange->Respond({200, "", {}, "<" + request.body + ">"});
  });
  std::string head = "POST /grow HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  std::string half = "32\r\n" + std::string(50, 'x') + "\r\n";
  Ask(head + half);
  ASSERT_FALSE(asked.empty());
  EXPECT_EQ(asked.back(), 50u);
  driver_->Feed(half + "0\r\n\r\n");
  EXPECT_THAT(driver_->Take(), HasSubstr("<" + std::string(100, 'x') + ">"));
  EXPECT_EQ(asked.back(), 100u);
  EXPECT_FALSE(driver_->finished());
  driver_->Feed(head + half + half);
  EXPECT_EQ(driver_->out(), "");
  driver_->Feed("1\r\nx\r\n");
  EXPECT_THAT(driver_->Take(),
              testing::AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("Retry-After: 2\r\n"),
                             HasSubstr("Connection: close\r\n"), testing::EndsWith("full")));
  EXPECT_TRUE(driver_->finished());
  EXPECT_TRUE(driver_->session().lingers()) << "what the peer still sends must not reset it";
  EXPECT_EQ(tokens_, 0);
}

TEST_F(Http1SessionTest, ABodyOfDeclaredLengthIsAskedForAsItComes) {
  std::vector<uint64_t> asked;
  int tokens = 0;
  RouteOptions options{.body_bytes_max = 1 << 20, .admit = [&](const RequestHead&) {
                         Admission admission;
                         admission.token = std::shared_ptr<void>(&tokens, [](int* n) { --*n; });
                         ++tokens;
                         admission.grow = [&](const RequestHead&, uint64_t bytes) {
                           asked.push_back(bytes);
                           return bytes <= 100'000 ? nullptr
                                                   : std::make_unique<Response>(Response{
                                                         503, "", {{"Retry-After", "2"}}, "full"});
                         };
                         return admission;
                       }};
  router_.Add("POST", "/grow", options, [](Request request, ExchangePtr exchange) {
    exchange->Respond({200, "", {}, "<" + std::to_string(request.body.size()) + ">"});
  });
  std::string head = "POST /grow HTTP/1.1\r\nHost: x\r\nContent-Length: ";
  Ask(head + "100000\r\n\r\n");
  EXPECT_TRUE(asked.empty()) << "what is announced costs nothing";
  driver_->Feed(std::string(60'000, 'x'));
  ASSERT_FALSE(asked.empty());
  EXPECT_EQ(asked.back(), 60'000u);
  driver_->Feed(std::string(40'000, 'x'));
  EXPECT_THAT(driver_->Take(), HasSubstr("<100000>"));
  // A moderate rest of a refused body is read, and the connection goes on.
  driver_->Feed(head + "150000\r\n\r\n" + std::string(110'000, 'x'));
  EXPECT_THAT(driver_->Take(),
              testing::AllOf(StartsWith("HTTP/1.1 503 "), HasSubstr("Retry-After: 2\r\n"),
                             testing::EndsWith("full")));
  EXPECT_EQ(tokens, 0) << "nothing is held for a refused body that still comes";
  driver_->Feed(std::string(40'000, 'x'));
  EXPECT_THAT(Ask("GET /hello HTTP/1.1\r\nHost: x\r\n\r\n"), StartsWith("HTTP/1.1 200 "));
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
  driver_->Advance(limits_.reader_timeout_ms + 1);
  EXPECT_TRUE(driver_->finished());
}

TEST_F(Http1SessionTest, WhatWaitsForAReaderIsCharged) {
  MemoryBudget budget(1 << 30);
  limits_.answers = budget.Open("answers");
  Ask("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
  driver_->set_reading(false);
  ASSERT_EQ(held_.size(), 1u);
  held_[0]->Start(200, "", {});
  EXPECT_EQ(held_[0]->Write(std::string(1000, 'x')), WriteState::kGo);
  EXPECT_EQ(budget.charged(), 0u) << "little is not counted";
  EXPECT_EQ(held_[0]->Write(std::string(400'000, 'x')), WriteState::kWait);
  EXPECT_GE(budget.charged(), 400'000u);
  driver_->set_reading(true);
  EXPECT_EQ(budget.charged(), 0u);
  driver_->set_reading(false);
  held_[0]->Write(std::string(400'000, 'x'));
  // A trickle does not keep it.
  driver_->Advance(limits_.reader_timeout_ms + 1);
  EXPECT_TRUE(driver_->finished());
  EXPECT_TRUE(held_[0]->cancelled());
  EXPECT_EQ(budget.charged(), 0u);
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
}  // namespace weft::http

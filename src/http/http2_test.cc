// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/grpc_call.h"
#include "http/h2_peer.h"
#include "http/session_driver.h"

namespace weft::http {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Pair;

constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

class Http2Test : public testing::Test {
 protected:
  Http2Test() {
    router_.Add("GET", "/hello", {}, [this](Request request, ExchangePtr exchange) {
      ++handled_;
      exchange->Respond({200, "text/plain", {{"X-Query", request.query}}, "hello"});
    });
    RouteOptions echo{.body_bytes_max = 100'000, .admit = [](const RequestHead& head) {
                        Admission admission;
                        if (!FindHeader(head.headers, "x-busy").empty()) {
                          admission.refusal =
                              std::make_unique<Response>(Response{.status = 429, .body = "busy"});
                        }
                        return admission;
                      }};
    router_.Add("POST", "/echo", echo, [](Request request, ExchangePtr exchange) {
      exchange->Respond({200, "", {}, std::move(request.body)});
    });
    router_.Add("GET", "/hold", {},
                [this](Request, ExchangePtr exchange) { held_.push_back(std::move(exchange)); });
    GrpcOptions options;
    options.message_bytes_max = 1 << 20;
    options.decompress = [](std::string_view encoding, std::string_view bytes, uint64_t,
                            void*) -> Result<std::string> {
      if (encoding != "gzip") return Fail(ErrorCode::kUnimplemented, "no " + std::string(encoding));
      return "plain:" + std::string(bytes);
    };
    router_.AddGrpc("/t.E/Say", options, [](GrpcRequest request, GrpcCallPtr call) {
      call->Send(std::move(request.message));
      call->Finish({});
    });
    router_.AddGrpc("/t.E/Stream", options, [](GrpcRequest, GrpcCallPtr call) {
      for (int i = 0; i < 5; ++i) call->Send(std::to_string(i));
      call->Finish({GrpcCode::kAborted, "enough", 0});
    });
    router_.AddGrpc("/t.E/Hold", options, [this](GrpcRequest, GrpcCallPtr call) {
      held_calls_.push_back(std::move(call));
    });
    AddGrpcHealth(&router_, [this] { return serving_; });
    driver_ = SessionDriver::Make(limits_, router_);
  }
  ~Http2Test() override { driver_->Close(); }

  // Lets both sides talk until neither has more to say.
  void Talk() {
    for (int i = 0; i < 1000; ++i) {
      std::string to_server = peer_.Output();
      std::string to_client = driver_->Take();
      if (to_server.empty() && to_client.empty()) return;
      driver_->Feed(to_server);
      driver_->RunPosted();
      EXPECT_TRUE(peer_.Input(to_client));
    }
    ADD_FAILURE() << "the two do not stop talking";
  }
  std::string GrpcStatusOf(int32_t id) {
    return std::string(FindHeader(peer_.answer(id).headers, "grpc-status"));
  }

  // GET / with a header of 4000 bytes, the first of the dynamic table, and `times` repetitions of
  // it in one byte each.
  static std::string LargeHeaderBlock(size_t times) {
    return "\x82\x84\x86\x41\x01h\x40\x01x\x7f\x81\x1e" + std::string(3968, 'v') +
           std::string(times, '\xbe');
  }

  ServerLimits limits_;
  Router router_;
  bool serving_ = true;
  int handled_ = 0;
  std::vector<ExchangePtr> held_;
  std::vector<GrpcCallPtr> held_calls_;
  std::shared_ptr<SessionDriver> driver_;
  H2Peer peer_;
};

TEST_F(Http2Test, PrefaceIsRecognisedByteByByte) {
  peer_.Get("/hello?a=1");
  for (char c : peer_.Output()) driver_->Feed({&c, 1});
  Talk();
  EXPECT_EQ(peer_.answer(1).body, "hello");
  EXPECT_THAT(peer_.answer(1).headers, Contains(Pair("x-query", "a=1")));
  EXPECT_THAT(peer_.answer(1).headers, Contains(Pair(":status", "200")));
}

TEST_F(Http2Test, ManyStreamsAtOnce) {
  std::vector<int32_t> ids;
  for (int i = 0; i < 100; ++i) ids.push_back(peer_.Get("/hello"));
  Talk();
  for (int32_t id : ids) EXPECT_EQ(peer_.answer(id).body, "hello") << id;
}

TEST_F(Http2Test, StreamLimitRefusesTheRest) {
  Talk();
  for (int i = 0; i < 200; ++i) peer_.Get("/hold");
  Talk();
  EXPECT_EQ(held_.size(), limits_.streams_per_connection_max);
  for (auto& exchange : std::exchange(held_, {})) exchange->Respond({.body = "x"});
  Talk();
  EXPECT_EQ(held_.size(), 200 - limits_.streams_per_connection_max);
}

TEST_F(Http2Test, EarlyAnswers) {
  auto post = [&](Headers more, std::string body) {
    Headers headers{
        {":method", "POST"}, {":scheme", "http"}, {":path", "/echo"}, {":authority", "x"}};
    headers.insert(headers.end(), more.begin(), more.end());
    int32_t id = peer_.Request(headers, std::move(body));
    Talk();
    return id;
  };
  EXPECT_EQ(peer_.answer(post({}, "abc")).body, "abc");
  EXPECT_THAT(peer_.answer(post({{"x-busy", "1"}}, "abc")).headers,
              Contains(Pair(":status", "429")));
  EXPECT_THAT(peer_.answer(post({}, std::string(100'001, 'x'))).headers,
              Contains(Pair(":status", "413")));
  int32_t huge = post({{"content-length", "5000000"}}, std::string(5'000'000, 'x'));
  EXPECT_THAT(peer_.answer(huge).headers, Contains(Pair(":status", "413")));
  EXPECT_TRUE(peer_.answer(huge).ended);
  int32_t missing = peer_.Get("/nowhere");
  int32_t wrong = peer_.Get("/echo");
  int32_t bad = peer_.Get("/%zz");
  Talk();
  EXPECT_THAT(peer_.answer(missing).headers, Contains(Pair(":status", "404")));
  EXPECT_THAT(peer_.answer(wrong).headers, Contains(Pair("allow", "POST")));
  EXPECT_THAT(peer_.answer(bad).headers, Contains(Pair(":status", "400")));
  EXPECT_FALSE(peer_.goaway());
}

TEST_F(Http2Test, ABodyIsAskedForAsItGrows) {
  int tokens = 0;
  uint64_t asked = 0;
  RouteOptions options{.body_bytes_max = 100'000, .admit = [&](const RequestHead&) {
                         Admission admission;
                         admission.token = std::shared_ptr<void>(&tokens, [](int* n) { --*n; });
                         ++tokens;
                         admission.grow = [&](const RequestHead& head, uint64_t bytes) {
                           EXPECT_EQ(head.path, "/grow");
                           asked = bytes;
                           return bytes <= 40'000 ? nullptr
                                                  : std::make_unique<Response>(Response{
                                                        503, "", {{"Retry-After", "2"}}, "full"});
                         };
                         return admission;
                       }};
  router_.Add("POST", "/grow", options, [](Request request, ExchangePtr exchange) {
    exchange->Respond({200, "", {}, std::to_string(request.body.size())});
  });
  Headers head = {
      {":method", "POST"}, {":scheme", "http"}, {":authority", "x"}, {":path", "/grow"}};
  int32_t fits = peer_.Request(head, std::string(40'000, 'x'));
  Talk();
  EXPECT_EQ(peer_.answer(fits).body, "40000");
  EXPECT_EQ(asked, 40'000u);
  int32_t grows = peer_.Request(head, std::string(40'001, 'x'), false);
  Talk();
  EXPECT_EQ(tokens, 0) << "nothing is held for a refused body that still comes";
  peer_.SendBody(grows, "", true);
  Talk();
  EXPECT_THAT(peer_.answer(grows).headers, Contains(Pair(":status", "503")));
  EXPECT_THAT(peer_.answer(grows).headers, Contains(Pair("retry-after", "2")));
  asked = 0;
  head.emplace_back("content-length", "50000");
  int32_t declared = peer_.Request(head, std::string(30'000, 'x'), false);
  Talk();
  EXPECT_EQ(asked, 30'000u) << "by what has come, not by what was announced";
  peer_.SendBody(declared, std::string(20'000, 'x'), true);
  Talk();
  EXPECT_THAT(peer_.answer(declared).headers, Contains(Pair(":status", "503")));
}

TEST_F(Http2Test, ContinueIsSentBeforeTheBody) {
  int32_t id = peer_.Request({{":method", "POST"},
                              {":scheme", "http"},
                              {":path", "/echo"},
                              {":authority", "x"},
                              {"expect", "100-continue"}},
                             "", false);
  Talk();
  EXPECT_THAT(peer_.answer(id).headers, Contains(Pair(":status", "100")));
  peer_.SendBody(id, "late", true);
  Talk();
  EXPECT_EQ(peer_.answer(id).body, "late");
}

TEST_F(Http2Test, LargeHeadIs431) {
  // One large entry in the dynamic table, then references of one byte to it.
  Talk();
  driver_->Feed(RawFrame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM | NGHTTP2_FLAG_END_HEADERS, 1,
                         LargeHeaderBlock(20)));
  std::string out = driver_->Take();
  EXPECT_THAT(out, HasSubstr("431 request head is over the limit"));
  EXPECT_EQ(handled_, 0);
}

TEST_F(Http2Test, ResetCancelsTheExchange) {
  int32_t id = peer_.Get("/hold");
  Talk();
  ASSERT_EQ(held_.size(), 1u);
  EXPECT_FALSE(held_[0]->cancelled());
  peer_.Reset(id);
  Talk();
  EXPECT_TRUE(held_[0]->cancelled());
  held_[0]->Start(200, "", {});
  EXPECT_EQ(held_[0]->Write("x"), WriteState::kClosed);
}

TEST_F(Http2Test, SlowReaderIsHeldBack) {
  int32_t id = peer_.Get("/hold");
  Talk();
  ASSERT_EQ(held_.size(), 1u);
  auto exchange = std::move(held_[0]);
  exchange->Start(200, "", {});
  // The peer's windows hold 64 KiB; the rest waits with us, and after 256 KiB the writer is told.
  int writes = 0;
  while (exchange->Write(std::string(10'000, 'x')) == WriteState::kGo) ++writes;
  EXPECT_GT(writes, 25);
  EXPECT_LT(writes, 45);
  int wakes = 0;
  exchange->OnWritable([&] { ++wakes; });
  Talk();
  EXPECT_EQ(wakes, 0);
  for (int i = 0; i < 100; ++i) {
    peer_.OpenWindows();
    Talk();
  }
  EXPECT_EQ(wakes, 1);
  exchange->Finish();
  Talk();
  EXPECT_EQ(peer_.answer(id).body.size(), 10'000u * static_cast<size_t>(writes + 1));
  EXPECT_TRUE(peer_.answer(id).ended);
}

TEST_F(Http2Test, StalledReaderIsReset) {
  int32_t id = peer_.Get("/hold");
  Talk();
  held_[0]->Start(200, "", {});
  held_[0]->Write(std::string(200'000, 'x'));
  Talk();
  driver_->Advance(limits_.reader_timeout_ms + 1);
  Talk();
  EXPECT_TRUE(peer_.answer(id).was_reset);
  EXPECT_TRUE(held_[0]->cancelled());
}

TEST_F(Http2Test, SlowBodyIsTimedOut) {
  int32_t http = peer_.Request(
      {{":method", "POST"}, {":scheme", "http"}, {":path", "/echo"}, {":authority", "x"}}, "abc",
      false);
  int32_t grpc = peer_.Grpc("/t.E/Say", GrpcFrame("abc").substr(0, 6), {}, false);
  Talk();
  driver_->Advance(10'001);
  Talk();
  EXPECT_THAT(peer_.answer(http).headers, Contains(Pair(":status", "408")));
  EXPECT_EQ(GrpcStatusOf(grpc), "1");
}

TEST_F(Http2Test, UnfinishedHeadIsTimedOut) {
  Talk();
  driver_->Feed(RawFrame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM, 1, "\x82"));
  driver_->Advance(limits_.header_timeout_ms + 1);
  EXPECT_TRUE(peer_.Input(driver_->Take()));
  EXPECT_TRUE(peer_.goaway());
  EXPECT_TRUE(driver_->finished());
}

TEST_F(Http2Test, ARefusedHeadLeavesTheOtherStreamsAlone) {
  peer_.Get("/hold");
  Talk();
  // A header name in upper case: the stream is reset before its head is whole.
  driver_->Feed(RawFrame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM | NGHTTP2_FLAG_END_HEADERS, 3,
                         std::string("\x82\x84\x86\x41\x01h\x40\x01X\x01v", 11)));
  driver_->Advance(limits_.header_timeout_ms + 1);
  EXPECT_FALSE(driver_->finished());
  ASSERT_EQ(held_.size(), 1u);
  held_[0]->Respond({.body = "still here"});
  EXPECT_THAT(driver_->Take(), HasSubstr("still here"));
}

TEST_F(Http2Test, IdleConnectionIsSentAway) {
  peer_.Get("/hello");
  Talk();
  driver_->Advance(limits_.idle_timeout_ms + 1);
  Talk();
  EXPECT_TRUE(peer_.goaway());
  EXPECT_EQ(peer_.goaway_code(), static_cast<uint32_t>(NGHTTP2_NO_ERROR));
  EXPECT_TRUE(driver_->finished());
}

TEST_F(Http2Test, DrainFinishesWhatIsUnderWay) {
  int32_t id = peer_.Get("/hold");
  Talk();
  driver_->BeginDrain();
  Talk();
  EXPECT_TRUE(peer_.goaway());
  EXPECT_FALSE(driver_->finished());
  held_[0]->Respond({.body = "done"});
  Talk();
  EXPECT_EQ(peer_.answer(id).body, "done");
  EXPECT_TRUE(driver_->finished());
}

TEST_F(Http2Test, UpgradeFromHttp1) {
  std::string settings = "AAQAAP__";
  driver_->Feed(
      "GET /hello?up=1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\n"
      "Upgrade: h2c\r\nHTTP2-Settings: " +
      settings + "\r\n\r\n");
  std::string out = driver_->Take();
  EXPECT_THAT(out, testing::StartsWith("HTTP/1.1 101 "));
  EXPECT_EQ(handled_, 1);
  // SETTINGS, then the answer on stream 1.
  size_t frames = out.find("\r\n\r\n") + 4;
  EXPECT_EQ(out[frames + 3], NGHTTP2_SETTINGS);
  EXPECT_THAT(out.substr(frames), HasSubstr("hello"));
  driver_->Feed(std::string(kPreface) + RawFrame(NGHTTP2_SETTINGS, 0, 0, "") +
                RawFrame(NGHTTP2_PING, 0, 0, "12345678"));
  EXPECT_THAT(driver_->Take(), HasSubstr("12345678"));
}

// ------------------------------------------------------------------------------------------ floods

class Http2FloodTest : public Http2Test {
 protected:
  // Sends `frames` many times; true when the server has ended the connection.
  bool FloodEnds(const std::string& frames, int times) {
    Talk();
    for (int i = 0; i < times && !driver_->finished(); ++i) driver_->Feed(frames);
    return GoAwayCode(driver_->Take()) == NGHTTP2_ENHANCE_YOUR_CALM && driver_->finished();
  }
  // Of the last GOAWAY among these frames. A peer over nghttp2 would not get that far: it takes an
  // answer to what it did not ask for an error.
  static int64_t GoAwayCode(std::string_view frames) {
    int64_t code = -1;
    ForEachFrame(frames, [&](const FrameView& frame) {
      if (frame.type == NGHTTP2_GOAWAY && frame.payload.size() >= 8) code = frame.payload[7];
    });
    return code;
  }
};

TEST_F(Http2FloodTest, RapidReset) {
  Talk();
  for (int i = 0; i < 5000 && !driver_->finished(); ++i) {
    int32_t id = peer_.Get("/hold");
    driver_->Feed(peer_.Output());
    peer_.Reset(id);
    driver_->Feed(peer_.Output());
  }
  peer_.Input(driver_->Take());
  EXPECT_TRUE(peer_.goaway());
  EXPECT_EQ(peer_.goaway_code(), static_cast<uint32_t>(NGHTTP2_ENHANCE_YOUR_CALM));
  EXPECT_TRUE(driver_->finished());
  EXPECT_LT(held_.size(), 300u);
}

TEST_F(Http2FloodTest, Ping) {
  EXPECT_TRUE(FloodEnds(RawFrame(NGHTTP2_PING, 0, 0, "12345678"), 5000));
}
TEST_F(Http2FloodTest, PingWithoutReading) {
  Talk();
  driver_->set_reading(false);
  std::string pings;
  for (int i = 0; i < 500; ++i) pings += RawFrame(NGHTTP2_PING, 0, 0, "12345678");
  size_t taken = 0;
  for (int i = 0; i < 100; ++i) taken += driver_->Feed(pings);
  EXPECT_LT(taken, pings.size() * 10);
}
TEST_F(Http2FloodTest, Settings) {
  EXPECT_TRUE(FloodEnds(RawFrame(NGHTTP2_SETTINGS, 0, 0, ""), 5000));
}
TEST_F(Http2FloodTest, Priority) {
  EXPECT_TRUE(FloodEnds(RawFrame(NGHTTP2_PRIORITY, 0, 1, std::string_view("\0\0\0\3\1", 5)), 5000));
}
TEST_F(Http2FloodTest, Continuation) {
  std::string frames = RawFrame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM, 1, "\x82");
  for (int i = 0; i < 1000; ++i) frames += RawFrame(NGHTTP2_CONTINUATION, 0, 1, "");
  EXPECT_TRUE(FloodEnds(frames, 1));
}
TEST_F(Http2FloodTest, EmptyData) {
  int32_t id = peer_.Request(
      {{":method", "POST"}, {":scheme", "http"}, {":path", "/echo"}, {":authority", "x"}}, "a",
      false);
  EXPECT_TRUE(FloodEnds(RawFrame(NGHTTP2_DATA, 0, static_cast<uint32_t>(id), ""), 5000));
}
TEST_F(Http2FloodTest, HpackBomb) {
  Talk();
  for (uint32_t id = 1; id < 20; id += 2) {
    driver_->Feed(RawFrame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM | NGHTTP2_FLAG_END_HEADERS, id,
                           LargeHeaderBlock(12'000)));
  }
  EXPECT_EQ(handled_, 0);
  EXPECT_THAT(driver_->Take(), testing::Not(HasSubstr("200")));
}
TEST_F(Http2FloodTest, BusyClientIsNoFlood) {
  // A gRPC client pings about once per answer; it goes on for as long as it likes.
  Talk();
  for (int i = 0; i < 20'000; ++i) {
    peer_.Grpc("/t.E/Say", GrpcFrame("x"));
    driver_->Feed(peer_.Output() + RawFrame(NGHTTP2_PING, 0, 0, "12345678"));
    ASSERT_TRUE(peer_.Input(driver_->Take()));
    if (i % 100 == 0) peer_.OpenWindows();
  }
  EXPECT_FALSE(peer_.goaway());
}

TEST_F(Http2FloodTest, ResetsBehindTheAnswerAreNoFlood) {
  Talk();
  for (int i = 0; i < 5000; ++i) {
    int32_t id = peer_.Get("/hello");
    driver_->Feed(peer_.Output());
    ASSERT_TRUE(peer_.Input(driver_->Take()));
    ASSERT_TRUE(peer_.answer(id).ended);
    driver_->Feed(RawFrame(NGHTTP2_RST_STREAM, 0, static_cast<uint32_t>(id),
                           std::string_view("\0\0\0\5", 4)));
    if (i % 100 == 0) peer_.OpenWindows();
  }
  ASSERT_TRUE(peer_.Input(driver_->Take()));
  EXPECT_FALSE(peer_.goaway()) << "code " << peer_.goaway_code() << " after " << handled_;
}

// -------------------------------------------------------------------------------------------- gRPC

class Http2GrpcTest : public Http2Test {};

TEST_F(Http2GrpcTest, MessageInSmallPieces) {
  std::string frame = GrpcFrame("hello");
  int32_t id = peer_.Grpc("/t.E/Say", frame.substr(0, 2), {}, false);
  for (size_t i = 2; i < frame.size(); ++i) {
    Talk();
    peer_.SendBody(id, frame.substr(i, 1), i + 1 == frame.size());
  }
  Talk();
  EXPECT_EQ(peer_.answer(id).body, GrpcFrame("hello"));
  EXPECT_EQ(GrpcStatusOf(id), "0");
  EXPECT_THAT(peer_.answer(id).headers, Contains(Pair("content-type", "application/grpc")));
}

TEST_F(Http2GrpcTest, ServerStreaming) {
  int32_t id = peer_.Grpc("/t.E/Stream", GrpcFrame(""));
  Talk();
  std::string all;
  for (int i = 0; i < 5; ++i) all += GrpcFrame(std::to_string(i));
  EXPECT_EQ(peer_.answer(id).body, all);
  EXPECT_EQ(GrpcStatusOf(id), "10");
  EXPECT_TRUE(peer_.answer(id).ended);
}

TEST_F(Http2GrpcTest, BadMessages) {
  struct {
    const char* name;
    std::string body;
    Headers headers;
    const char* status;
  } cases[] = {
      {"none", "", {}, "13"},
      {"half a prefix", std::string("\0\0", 2), {}, "13"},
      {"half a message", GrpcFrame("abc").substr(0, 7), {}, "13"},
      {"two messages", GrpcFrame("abc") + GrpcFrame("d"), {}, "13"},
      {"bad flag", std::string("\2\0\0\0\0", 5), {}, "13"},
      {"declared too large", std::string("\0\xff\xff\xff\xff", 5), {}, "8"},
      {"compressed without encoding", GrpcFrame("x", true), {}, "13"},
      {"unknown encoding", GrpcFrame("x", true), {{"grpc-encoding", "brotli"}}, "12"},
      {"encoding declared and not used", GrpcFrame("x"), {{"grpc-encoding", "gzip"}}, "0"},
      {"compressed", GrpcFrame("x", true), {{"grpc-encoding", "gzip"}}, "0"},
  };
  for (const auto& c : cases) {
    int32_t id = peer_.Grpc("/t.E/Say", c.body, c.headers);
    Talk();
    EXPECT_EQ(GrpcStatusOf(id), c.status) << c.name;
    EXPECT_TRUE(peer_.answer(id).ended) << c.name;
  }
}

TEST_F(Http2GrpcTest, GrpcWebIsNotGrpc) {
  int32_t id = peer_.Request({{":method", "POST"},
                              {":scheme", "http"},
                              {":path", "/t.E/Say"},
                              {":authority", "x"},
                              {"content-type", "application/grpc-web"}},
                             GrpcFrame("x"));
  Talk();
  EXPECT_THAT(peer_.answer(id).headers, Contains(Pair(":status", "404")));
}

TEST_F(Http2GrpcTest, DeadlineAndCancel) {
  int32_t late = peer_.Grpc("/t.E/Hold", GrpcFrame(""), {{"grpc-timeout", "2S"}});
  int32_t gone = peer_.Grpc("/t.E/Hold", GrpcFrame(""));
  Talk();
  driver_->Advance(1999);
  EXPECT_FALSE(held_calls_[0]->cancelled());
  driver_->Advance(1);
  Talk();
  EXPECT_EQ(GrpcStatusOf(late), "4");
  EXPECT_TRUE(held_calls_[0]->cancelled());
  EXPECT_FALSE(held_calls_[1]->cancelled());
  peer_.Reset(gone);
  Talk();
  EXPECT_TRUE(held_calls_[1]->cancelled());
}

TEST_F(Http2GrpcTest, HealthWatchTellsChanges) {
  int32_t id = peer_.Grpc("/grpc.health.v1.Health/Watch", GrpcFrame(""));
  Talk();
  EXPECT_EQ(peer_.answer(id).body, GrpcFrame("\x08\x01"));
  driver_->Advance(5000);
  Talk();
  EXPECT_EQ(peer_.answer(id).body, GrpcFrame("\x08\x01"));
  serving_ = false;
  driver_->Advance(1000);
  Talk();
  EXPECT_EQ(peer_.answer(id).body, GrpcFrame("\x08\x01") + GrpcFrame("\x08\x02"));
  driver_->BeginDrain();
  Talk();
  EXPECT_EQ(GrpcStatusOf(id), "14");
  EXPECT_TRUE(driver_->finished());
}

TEST_F(Http2GrpcTest, WatchOfUnknownServiceStaysOpen) {
  int32_t id = peer_.Grpc("/grpc.health.v1.Health/Watch", GrpcFrame("\x0a\x01z"));
  Talk();
  EXPECT_EQ(peer_.answer(id).body, GrpcFrame("\x08\x03"));
  EXPECT_FALSE(peer_.answer(id).ended);
}

}  // namespace
}  // namespace weft::http

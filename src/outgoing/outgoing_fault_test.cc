// SPDX-License-Identifier: Apache-2.0
//
// What the outgoing client makes of peers that break off, break rules, or say nothing.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>

#include <deque>

#include "http/raw_frames.h"
#include "http/raw_peer.h"
#include "outgoing/outgoing_fixture.h"

namespace weft::outgoing {

using http::RawFrame;
using http::RawPeer;
using net::RawClient;

namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

// The request's head, with its body of `bytes`.
bool ReadRequest(RawClient& peer, size_t bytes = 0) {
  peer.ReadUntil([&](const std::string& in) {
    size_t end = in.find("\r\n\r\n");
    return end != in.npos && in.size() >= end + 4 + bytes;
  });
  return peer.Take().find("\r\n\r\n") != std::string::npos;
}

struct Client1 {
  explicit Client1(const std::string& url, int64_t timeout_ms = 10'000)
      : client(MakeOutgoing(
            {.url = url, .protocol = OutgoingProtocol::kHttp1, .timeout_ms = timeout_ms}, loops)) {}
  OutgoingResult Get() { return Ask(*client, {.path = "/x"}); }
  OutgoingResult Post() { return Ask(*client, {.method = "POST", .path = "/x", .body = "body"}); }
  const OutgoingCounters& counters() const { return client->counters(); }

  TestLoops loops;
  std::unique_ptr<OutgoingClient> client;
};

TEST(OutgoingFault1Test, AnAnswerCutAtAnyByteIsAResetThatReached) {
  RawPeer peer([](RawClient& wire, int number) {
    ReadRequest(wire, 4);
    wire.Send(kAnswer.substr(0, static_cast<size_t>(number)));
    if (number % 2 == 1) wire.Reset();
  });
  Client1 client(peer.url());
  for (size_t at = 0; at < kAnswer.size(); ++at) {
    OutgoingResult result = client.Post();
    ASSERT_FALSE(result) << at;
    EXPECT_EQ(result.error().failure, OutgoingFailure::kReset) << result.error().message;
    EXPECT_TRUE(result.error().reached_peer);
  }
  EXPECT_EQ(TextOf(client.Post()), "200 hello");
  EXPECT_EQ(client.counters().retries, 0u);
}

TEST(OutgoingFault1Test, AnAnswerThatComesByteByByteIsWhole) {
  RawPeer peer([](RawClient& wire, int) {
    while (ReadRequest(wire))
      for (char c : kAnswer) wire.Send({&c, 1});
  });
  Client1 client(peer.url());
  for (int i = 0; i < 5; ++i) EXPECT_EQ(TextOf(client.Get()), "200 hello");
  EXPECT_EQ(peer.accepted(), 1);
}

TEST(OutgoingFault1Test, AHeadThatNeverEndsIsAnError) {
  RawPeer peer([](RawClient& wire, int) {
    ReadRequest(wire);
    wire.Send("HTTP/1.1 200 OK\r\n");
    while (wire.Send("X-More: " + std::string(1000, 'x') + "\r\n")) {
    }
  });
  Client1 client(peer.url());
  OutgoingResult result = client.Get();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().failure, OutgoingFailure::kProtocol);
  EXPECT_THAT(result.error().message, HasSubstr("a head of more than 65536 bytes"));
}

TEST(OutgoingFault1Test, ABodyThatNeverEndsIsTooLarge) {
  RawPeer peer([](RawClient& wire, int) {
    ReadRequest(wire);
    wire.Send("HTTP/1.1 200 OK\r\n\r\n");
    while (wire.Send(std::string(10'000, 'x'))) {
    }
  });
  Client1 client(peer.url());
  EXPECT_THAT(TextOf(client.Get()), HasSubstr("over the limit of 4194304 bytes"));
}

TEST(OutgoingFault1Test, SilenceIsATimeout) {
  RawPeer peer([](RawClient& wire, int) { wire.ReadAll(); });
  Client1 client(peer.url(), 200);
  OutgoingResult result = client.Get();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().failure, OutgoingFailure::kTimeout);
  EXPECT_TRUE(result.error().reached_peer);
}

TEST(OutgoingFault1Test, WhatComesBehindAnAnswerIsNobodysAnswer) {
  RawPeer peer([](RawClient& wire, int number) {
    ReadRequest(wire);
    wire.Send(std::string(kAnswer) + (number == 0 ? std::string(kAnswer) : ""));
    ReadRequest(wire);
    wire.Send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond");
    wire.ReadAll();
  });
  Client1 client(peer.url());
  EXPECT_EQ(TextOf(client.Get()), "200 hello");
  EXPECT_EQ(TextOf(client.Get()), "200 hello");
  EXPECT_EQ(peer.accepted(), 2);
}

TEST(OutgoingFault1Test, AKeptConnectionThatClosesOnARequestIsRetriedWhereThatIsSafe) {
  // Answers once, then closes in the face of the second request.
  RawPeer peer([](RawClient& wire, int) {
    ReadRequest(wire);
    wire.Send(kAnswer);
    ReadRequest(wire);
  });
  Client1 client(peer.url());
  EXPECT_EQ(TextOf(client.Get()), "200 hello");
  EXPECT_EQ(TextOf(client.Get()), "200 hello");
  EXPECT_EQ(client.counters().retries, 1u);
  EXPECT_EQ(peer.accepted(), 2);
  // The second of these two is not idempotent, and the peer has read it.
  OutgoingResult result = client.Post();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().failure, OutgoingFailure::kReset);
  EXPECT_TRUE(result.error().reached_peer);
  EXPECT_EQ(client.counters().retries, 1u);
}

TEST(OutgoingFault1Test, AFirstConnectionThatClosesIsNotRetried) {
  RawPeer peer([](RawClient& wire, int) { ReadRequest(wire); });
  Client1 client(peer.url());
  EXPECT_THAT(TextOf(client.Get()), StartsWith("reset: "));
  EXPECT_EQ(peer.accepted(), 1);
}

TEST(OutgoingFault1Test, AnAnswerBeforeTheRequestsEndIsTaken) {
  RawPeer peer([](RawClient& wire, int) {
    wire.ReadUntil("\r\n\r\n");
    wire.Send(
        "HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno!");
    wire.ShutdownSend();
    wire.ReadAll();
  });
  Client1 client(peer.url());
  EXPECT_EQ(TextOf(Ask(*client.client,
                       {.method = "POST", .path = "/x", .body = std::string(30 << 20, 'x')})),
            "413 no!");
}

TEST(OutgoingFault1Test, AnAnswerBeforeAResetIsTaken) {
  RawPeer peer([](RawClient& wire, int) {
    wire.ReadUntil("\r\n\r\n");
    wire.Send(
        "HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno!");
    // Closing with bytes unread resets the connection.
    wire.WaitReadable(10'000);
  });
  Client1 client(peer.url());
  EXPECT_THAT(TextOf(Ask(*client.client,
                         {.method = "POST", .path = "/x", .body = std::string(30 << 20, 'x')})),
              AnyOf(StartsWith("413 no!"), StartsWith("reset: ")));
}

TEST(OutgoingFault1Test, TlsWhereHttpIsExpectedIsAProtocolError) {
  RawPeer peer([](RawClient& wire, int) {
    ReadRequest(wire);
    wire.Send(std::string_view("\x15\x03\x03\x00\x02\x02\x0a", 7));
    wire.ReadAll();
  });
  Client1 client(peer.url());
  EXPECT_THAT(TextOf(client.Get()), StartsWith("protocol: "));
}

// ------------------------------------------------------------------------------------------ HTTP/2

// Frames of a server, and what a client sent, both by hand.
class Wire2 {
 public:
  explicit Wire2(RawClient* wire) : wire_(wire) {}

  void Settings(std::string_view payload = {}) {
    wire_->Send(RawFrame(NGHTTP2_SETTINGS, 0, 0, payload));
  }
  void Headers(uint32_t stream, bool end, std::string_view block = "\x88") {  // :status 200
    wire_->Send(RawFrame(NGHTTP2_HEADERS, static_cast<uint8_t>(4 | (end ? 1 : 0)), stream, block));
  }
  void Data(uint32_t stream, std::string_view bytes, bool end) {
    wire_->Send(RawFrame(NGHTTP2_DATA, end ? 1 : 0, stream, bytes));
  }
  void Reset(uint32_t stream, uint8_t code) {
    wire_->Send(
        RawFrame(NGHTTP2_RST_STREAM, 0, stream, std::string{0, 0, 0, static_cast<char>(code)}));
  }
  void GoAway(uint32_t last, uint8_t code = 0, std::string_view words = {}) {
    std::string payload = {0, 0, 0, static_cast<char>(last), 0, 0, 0, static_cast<char>(code)};
    wire_->Send(RawFrame(NGHTTP2_GOAWAY, 0, 0, payload.append(words)));
  }
  void Answer(uint32_t stream, std::string_view body) {
    Headers(stream, false);
    Data(stream, body, true);
  }
  // NextStream() need not wait.
  bool has_stream() const { return seen_ < streams_.size(); }
  // The number of the next stream whose head has come; 0: the client has gone.
  uint32_t NextStream() {
    while (!has_stream())
      if (!Receive(10'000)) return 0;
    return streams_[seen_++];
  }
  // False: nothing has come within so long.
  bool Receive(int timeout_ms) {
    if (!wire_->ReadSome(timeout_ms)) return false;
    bytes_ += wire_->Take();
    streams_.clear();
    constexpr size_t kPreface = 24;
    http::ForEachFrame(std::string_view(bytes_).substr(std::min(bytes_.size(), kPreface)),
                       [&](const http::FrameView& frame) {
                         if (frame.type == NGHTTP2_HEADERS) streams_.push_back(frame.stream);
                       });
    return true;
  }
  // Until the client sends a frame of the type, or has gone.
  bool WaitFor(uint8_t type) {
    for (;;) {
      bool found = false;
      http::ForEachFrame(
          std::string_view(bytes_).substr(std::min<size_t>(bytes_.size(), 24)),
          [&](const http::FrameView& frame) { found |= frame.type == type && frame.flags == 0; });
      if (found) return true;
      if (!wire_->ReadSome(10'000)) return false;
      bytes_ += wire_->Take();
    }
  }

 private:
  RawClient* const wire_;
  std::string bytes_;
  std::vector<uint32_t> streams_;
  size_t seen_ = 0;
};

struct Client2 {
  explicit Client2(const std::string& url, OutgoingOptions options = {}) {
    options.url = url;
    options.protocol = OutgoingProtocol::kHttp2;
    client = MakeOutgoing(options, loops);
  }
  OutgoingResult Post(int64_t timeout_ms = 0) {
    return Ask(*client, {.method = "POST", .path = "/x", .body = "body", .timeout_ms = timeout_ms});
  }
  const OutgoingCounters& counters() const { return client->counters(); }

  TestLoops loops;
  std::unique_ptr<OutgoingClient> client;
};

TEST(OutgoingFault2Test, AnAnswerCutAtAnyByteIsAResetThatReached) {
  std::string whole = RawFrame(NGHTTP2_SETTINGS, 0, 0, {}) +
                      RawFrame(NGHTTP2_HEADERS, 4, 1, "\x88") +
                      RawFrame(NGHTTP2_DATA, 1, 1, "hello");
  RawPeer peer([&](RawClient& wire, int number) {
    Wire2(&wire).NextStream();
    wire.Send(whole.substr(0, static_cast<size_t>(number)));
    if (number % 2 == 1) wire.Reset();
  });
  Client2 client(peer.url());
  for (size_t at = 0; at < whole.size(); ++at) {
    OutgoingResult result = client.Post();
    ASSERT_FALSE(result) << at;
    EXPECT_EQ(result.error().failure, OutgoingFailure::kReset) << result.error().message;
    EXPECT_TRUE(result.error().reached_peer);
  }
  EXPECT_EQ(TextOf(client.Post()), "200 hello");
}

TEST(OutgoingFault2Test, AnAnswerThatComesByteByByteIsWhole) {
  std::string whole = RawFrame(NGHTTP2_SETTINGS, 0, 0, {}) + RawFrame(NGHTTP2_HEADERS, 0, 1, "") +
                      RawFrame(NGHTTP2_CONTINUATION, 4, 1, "\x88") +
                      RawFrame(NGHTTP2_DATA, 1, 1, "hello");
  RawPeer peer([&](RawClient& wire, int) {
    Wire2(&wire).NextStream();
    for (char c : whole) wire.Send({&c, 1});
    wire.ReadAll();
  });
  Client2 client(peer.url());
  EXPECT_EQ(TextOf(client.Post()), "200 hello");
}

TEST(OutgoingFault2Test, AGoAwayThatLeavesTheStreamOutSendsItElsewhere) {
  RawPeer peer([](RawClient& raw, int number) {
    Wire2 wire(&raw);
    wire.Settings();
    uint32_t stream = wire.NextStream();
    if (number == 0) wire.GoAway(0, 0, "max_age");
    if (number > 0) wire.Answer(stream, "hello");
    raw.ReadAll();
  });
  Client2 client(peer.url());
  // Not idempotent, and sent twice all the same: the peer says that it has not looked at it.
  EXPECT_EQ(TextOf(client.Post()), "200 hello");
  EXPECT_EQ(client.counters().retries, 1u);
  EXPECT_EQ(peer.accepted(), 2);
}

TEST(OutgoingFault2Test, AGoAwayThatCountsTheStreamInLetsItFinish) {
  RawPeer peer([](RawClient& raw, int number) {
    Wire2 wire(&raw);
    wire.Settings();
    uint32_t stream = wire.NextStream();
    wire.GoAway(stream);
    wire.Answer(stream, "from " + std::to_string(number));
    raw.ReadAll();
  });
  Client2 client(peer.url());
  EXPECT_EQ(TextOf(client.Post()), "200 from 0");
  EXPECT_EQ(TextOf(client.Post()), "200 from 1");
  EXPECT_EQ(client.counters().retries, 0u);
}

TEST(OutgoingFault2Test, AGoAwayWithoutAnAnswerIsAResetThatReachedAndSaysWhy) {
  RawPeer peer([](RawClient& raw, int) {
    Wire2 wire(&raw);
    wire.Settings();
    wire.GoAway(wire.NextStream(), NGHTTP2_ENHANCE_YOUR_CALM, "too_many_pings");
  });
  Client2 client(peer.url());
  OutgoingResult result = client.Post();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().failure, OutgoingFailure::kReset);
  EXPECT_TRUE(result.error().reached_peer);
  EXPECT_THAT(result.error().message, HasSubstr("ENHANCE_YOUR_CALM, \"too_many_pings\""));
}

TEST(OutgoingFault2Test, AServerThatAlwaysSaysGoodbyeIsNotAskedForEver) {
  RawPeer peer([](RawClient& raw, int) {
    Wire2 wire(&raw);
    wire.Settings();
    wire.NextStream();
    wire.GoAway(0);
    raw.ReadAll();
  });
  Client2 client(peer.url());
  OutgoingResult result = client.Post();
  ASSERT_FALSE(result);
  EXPECT_FALSE(result.error().reached_peer);
  EXPECT_EQ(peer.accepted(), 4);
}

TEST(OutgoingFault2Test, ResetsSayWhetherTheStreamWasSeen) {
  RawPeer peer([](RawClient& raw, int) {
    Wire2 wire(&raw);
    wire.Settings();
    wire.Reset(wire.NextStream(), NGHTTP2_REFUSED_STREAM);
    wire.Answer(wire.NextStream(), "hello");
    wire.Reset(wire.NextStream(), NGHTTP2_INTERNAL_ERROR);
    wire.Reset(wire.NextStream(), NGHTTP2_ENHANCE_YOUR_CALM);
    for (int i = 0; i < 4; ++i) wire.Reset(wire.NextStream(), NGHTTP2_REFUSED_STREAM);
    raw.ReadAll();
  });
  Client2 client(peer.url());
  EXPECT_EQ(TextOf(client.Post()), "200 hello");
  EXPECT_EQ(client.counters().retries, 1u);
  OutgoingResult result = client.Post();
  ASSERT_FALSE(result);
  EXPECT_TRUE(result.error().reached_peer);
  EXPECT_EQ(result.error().code, ErrorCode::kUnavailable);
  result = client.Post();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kResourceExhausted);
  result = client.Post();
  ASSERT_FALSE(result);
  EXPECT_FALSE(result.error().reached_peer);
  EXPECT_EQ(client.counters().retries, 4u);
  EXPECT_EQ(peer.accepted(), 1);
}

TEST(OutgoingFault2Test, AServerThatAllowsMoreThanItTakesIsAskedForLess) {
  // Says nothing of a limit and takes three at a time, as one that counts a stream longer than we.
  std::atomic<int> refused{0};
  RawPeer peer([&](RawClient& raw, int) {
    Wire2 wire(&raw);
    wire.Settings();
    std::deque<uint32_t> open;
    while (!raw.eof()) {
      while (wire.has_stream()) {
        uint32_t stream = wire.NextStream();
        if (open.size() < 3) {
          open.push_back(stream);
        } else {
          ++refused;
          wire.Reset(stream, NGHTTP2_REFUSED_STREAM);
        }
      }
      if (wire.Receive(20) || open.empty()) continue;
      wire.Answer(open.front(), "hello");
      open.pop_front();
    }
  });
  Client2 client(peer.url());
  // The first one alone: SETTINGS are known from here on.
  EXPECT_EQ(TextOf(client.Post()), "200 hello");
  std::vector<PendingAnswer> pending(12);
  for (PendingAnswer& one : pending)
    ASSERT_TRUE(client.client->Send({.method = "POST", .path = "/x"}, one.done()));
  for (PendingAnswer& one : pending) EXPECT_EQ(TextOf(one.Wait()), "200 hello");
  EXPECT_GE(refused, 1);
  EXPECT_EQ(client.counters().failures, 0u);
}

TEST(OutgoingFault2Test, AWindowThatStaysShutIsATimeoutAndTheConnectionLives) {
  RawPeer peer([](RawClient& raw, int) {
    Wire2 wire(&raw);
    // INITIAL_WINDOW_SIZE 0.
    const std::string_view shut("\0\4\0\0\0\0", 6);
    wire.Settings(shut);
    uint32_t stream = 0;
    while ((stream = wire.NextStream()) != 0) {
      if (stream > 1) wire.Answer(stream, "hello");
      // A sign of life: the connection is not the one to blame.
      wire.Settings(shut);
    }
  });
  Client2 client(peer.url());
  OutgoingResult result = client.Post(2000);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().failure, OutgoingFailure::kTimeout);
  EXPECT_TRUE(result.error().reached_peer);
  EXPECT_EQ(TextOf(client.Post()), "200 hello");
  EXPECT_EQ(peer.accepted(), 1);
}

TEST(OutgoingFault2Test, AConnectionThatHasGoneSilentIsLeft) {
  RawPeer peer([](RawClient& raw, int number) {
    Wire2 wire(&raw);
    wire.Settings();
    uint32_t stream = wire.NextStream();
    wire.Answer(stream, "from " + std::to_string(number));
    while ((stream = wire.NextStream()) != 0)
      if (number > 0) wire.Answer(stream, "from " + std::to_string(number));
  });
  Client2 client(peer.url());
  EXPECT_EQ(TextOf(client.Post()), "200 from 0");
  EXPECT_THAT(TextOf(client.Post(200)), StartsWith("timeout: "));
  EXPECT_EQ(TextOf(client.Post()), "200 from 1");
}

TEST(OutgoingFault2Test, APingWithoutAnAnswerEndsTheConnection) {
  RawPeer peer([](RawClient& raw, int) {
    Wire2 wire(&raw);
    wire.Settings();
    wire.NextStream();
    EXPECT_TRUE(wire.WaitFor(NGHTTP2_PING));
    raw.ReadAll();
  });
  Client2 client(peer.url(), {.ping_interval_ms = 100, .ping_timeout_ms = 100});
  OutgoingResult result = client.Post();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().failure, OutgoingFailure::kReset);
  EXPECT_THAT(result.error().message, HasSubstr("PING"));
}

TEST(OutgoingFault2Test, WhatIsNoHttp2IsAProtocolError) {
  for (std::string_view bytes :
       {"HTTP/1.1 400 Bad Request\r\n\r\n", "SSH-2.0-OpenSSH_9.2 and more and more and more\r\n"}) {
    RawPeer peer([&](RawClient& raw, int) {
      Wire2(&raw).NextStream();
      raw.Send(bytes);
      raw.ReadAll();
    });
    Client2 client(peer.url());
    OutgoingResult result = client.Post();
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().failure, OutgoingFailure::kProtocol) << result.error().message;
    if (bytes.starts_with("HTTP/1")) {
      EXPECT_THAT(result.error().message, HasSubstr("does not speak HTTP/2"));
    }
  }
}

TEST(OutgoingFault2Test, AHeadOverItsLimitIsTooLarge) {
  RawPeer peer([](RawClient& raw, int) {
    Wire2 wire(&raw);
    wire.Settings();
    uint32_t stream = wire.NextStream();
    // Literal headers without indexing, names and values of 60 bytes.
    std::string block = "\x88";
    for (int i = 0; i < 100; ++i)
      block += std::string("\0\x3c", 2) + std::string(60, 'n') + "\x3c" + std::string(60, 'v');
    wire.Headers(stream, true, block);
    wire.Answer(wire.NextStream(), "hello");
    raw.ReadAll();
  });
  Client2 client(peer.url(), {.header_bytes_max = 4096});
  EXPECT_THAT(TextOf(client.Post()), StartsWith("too_large: "));
  EXPECT_EQ(TextOf(client.Post()), "200 hello");
}

TEST(OutgoingFault2Test, HeadsOfInformationAreSkippedAndTrailersKept) {
  RawPeer peer([](RawClient& raw, int) {
    Wire2 wire(&raw);
    wire.Settings();
    uint32_t stream = wire.NextStream();
    // :status 103 and 200, as literals with the name of index 8.
    wire.Headers(stream, false,
                 "\x08\x03"
                 "103");
    wire.Headers(stream, false, "\x88");
    wire.Data(stream, "hello", false);
    wire.Headers(stream, true, std::string_view("\0\1t\1v", 5));
    raw.ReadAll();
  });
  Client2 client(peer.url());
  OutgoingResult result = client.Post();
  EXPECT_EQ(TextOf(result), "200 hello");
  ASSERT_TRUE(result);
  EXPECT_EQ(http::FindHeader(result->trailers, "t"), "v");
}

TEST(OutgoingFault2Test, AllowedStreamsAreObeyedFromTheFirstOn) {
  std::atomic<int> at_once{0};
  RawPeer peer([&](RawClient& raw, int) {
    Wire2 wire(&raw);
    uint32_t first = wire.NextStream();
    // Nothing more comes before our SETTINGS, and then no more than two at a time.
    if (raw.WaitReadable(100)) at_once = 99;
    wire.Settings(std::string_view("\0\3\0\0\0\2", 6));
    wire.Answer(first, "hello");
    for (int i = 0; i < 5; ++i) {
      uint32_t one = wire.NextStream(), other = i < 4 ? wire.NextStream() : 0;
      wire.Answer(one, "hello");
      if (other != 0) wire.Answer(other, "hello");
    }
    raw.ReadAll();
  });
  Client2 client(peer.url());
  std::vector<PendingAnswer> pending(10);
  for (PendingAnswer& one : pending) ASSERT_TRUE(client.client->Send({.path = "/x"}, one.done()));
  for (PendingAnswer& one : pending) EXPECT_EQ(TextOf(one.Wait()), "200 hello");
  EXPECT_EQ(at_once, 0);
}

}  // namespace
}  // namespace weft::outgoing

// SPDX-License-Identifier: Apache-2.0
//
// HTTP that is cut anywhere on its way, against the state machines without sockets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "http/fuzz_routes.h"
#include "http/h2_peer.h"
#include "testing/pieces.h"

namespace weft::http {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using weft::testing::CutDifference;
using weft::testing::CutEvery;
using weft::testing::CutOptions;
using weft::testing::Pieces;

ServerLimits SmallLimits() {
  ServerLimits limits;
  limits.header_bytes_max = 400;
  return limits;
}

std::string TextOf(const Outcome& outcome) { return outcome.log + "---\n" + outcome.out; }

std::string Http1Difference(std::string_view bytes, const ServerLimits& limits) {
  return CutDifference(bytes,
                       [&](const Pieces& pieces) { return TextOf(OutcomeOf(pieces, limits)); },
                       {.cuts_max = 1000, .random_runs = 8});
}

std::string Post(std::string_view path, std::string_view headers, std::string_view body) {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n" + std::string(headers) + "\r\n" +
         std::string(body);
}

// Each has the status that the whole gets; every cut gets the same answer, byte by byte.
struct Http1Case {
  const char* name;
  std::string bytes;
  const char* starts_with;
};

void ExpectSameHoweverCut(const std::vector<Http1Case>& cases) {
  for (const Http1Case& c : cases) {
    std::string whole = OutcomeOf({c.bytes}, SmallLimits()).out;
    EXPECT_THAT(whole, StartsWith("HTTP/1.1 " + std::string(c.starts_with))) << c.name;
    EXPECT_EQ(Http1Difference(c.bytes, SmallLimits()), "") << c.name;
  }
}

TEST(HttpCuts, RequestsOfHttp1) {
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  ExpectSameHoweverCut({
      {"get", "GET /a?b=c%20d HTTP/1.1\r\nHost: x\r\nX-One: 1\r\nX-Two: two \r\n\r\n", "200 "},
      {"http/1.0", "GET /a HTTP/1.0\r\n\r\n", "200 "},
      {"empty lines before", "\r\n\r\nGET /a HTTP/1.1\r\nHost: x\r\n\r\n", "200 "},
      {"options", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", "404 "},
      {"body", Post("/e", "Content-Length: 11\r\n", "hello\r\n\r\nab"), "200 "},
      {"folded", Post("/e", "A: b\r\n c\r\n\t d\r\nContent-Length: 2\r\n", "ab"), "200 "},
      {"folded coding", Post("/e", "Transfer-Encoding:\r\n chunked\r\n", "1\r\na\r\n0\r\n\r\n"),
       "200 "},
      {"empty value", Post("/e", "A:\r\nB: \r\nContent-Length: 0\r\n", ""), "200 "},
      {"chunks", Post("/e", chunked, "3\r\nabc\r\n00A\r\n0123456789\r\n0\r\n\r\n"), "200 "},
      {"no chunk", Post("/e", chunked, "0\r\n\r\n"), "200 "},
      {"extensions", Post("/e", chunked, "3;a=1;b=\"x;y\"\r\nabc\r\n0;last\r\n\r\n"), "200 "},
      {"trailers", Post("/e", chunked, "1\r\na\r\n0\r\nA: b\r\nLong-Name: c d\r\n\r\n"), "200 "},
      {"line ends in a chunk", Post("/e", chunked, "8\r\n\r\n0\r\n\r\n\r\r\n0\r\n\r\n"), "200 "},
      {"continue", Post("/e", "Expect: 100-continue\r\nContent-Length: 2\r\n", "ab"), "100 "},
      {"continue, chunked", Post("/e", "Expect: 100-continue\r\n" + chunked, "1\r\na\r\n0\r\n\r\n"),
       "100 "},
      {"refused, kept",
       Post("/e", "X-No: 1\r\nContent-Length: 5\r\n", "12345GET /a HTTP/1.1\r\nHost: x\r\n\r\n"),
       "503 "},
      {"pipelined",
       "GET /a HTTP/1.1\r\nHost: x\r\n\r\n\r\n" + Post("/e", "Content-Length: 3\r\n", "abc") +
           Post("/e", chunked, "2\r\nab\r\n0\r\nT: v\r\n\r\n") +
           "GET /h/1 HTTP/1.1\r\nHost: x\r\n\r\nHEAD /a HTTP/1.1\r\nHost: x\r\n\r\n" +
           Post("/f", "Content-Length: 1\r\n", "z") + "GET /d HTTP/1.1\r\nHost: x\r\n\r\n" +
           "GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\nGET /a HTTP/1.1\r\n",
       "200 "},
  });
}

TEST(HttpCuts, WhatIsRefusedInHttp1) {
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  ExpectSameHoweverCut({
      {"not http", "\x16\x03\x01\x02", "400 "},
      {"no line end", "GET /a HTTP/1.1", "408 "},
      {"like a preface", "PRI", "408 "},
      {"nearly a preface", "PRI * HTTP/2.0\r\n\r\nSN\r\n\r\n", "505 "},
      {"unfinished", "GET /a HTTP/1.1\r\nHost: x\r\nA: b", "408 "},
      {"unfinished end", "GET /a HTTP/1.1\r\nHost: x\r\nA: b\r\n\r", "408 "},
      {"unfinished body", Post("/e", "Content-Length: 3\r\n", "ab"), "408 "},
      {"unfinished trailers", Post("/e", chunked, "0\r\nA: b\r\n\r"), "408 "},
      {"bare line feeds", "GET /a HTTP/1.1\nHost: x\n\n", "505 "},
      {"bare line feed in fields", "GET /a HTTP/1.1\r\nHost: x\nA: b\r\n\r\n", "400 "},
      {"bare line feed at the end", "GET /a HTTP/1.1\r\nHost: x\r\n\nGET /a HTTP/1.1\r\n", "400 "},
      {"bare line feed before the end", "GET /a HTTP/1.1\r\nHost: x\n\r\n", "400 "},
      {"bare return", "GET /a HTTP/1.1\r\nHost: x\rA: b\r\n\r\n", "400 "},
      {"short version", "GET / H\r\nHost: x\r\n\r\n", "505 "},
      {"no version", "GET /a\r\nHost: x\r\n\r\n", "400 "},
      {"empty name", "GET /a HTTP/1.1\r\nHost: x\r\n: b\r\n\r\n", "400 "},
      {"space before colon", "GET /a HTTP/1.1\r\nHost : x\r\n\r\n", "400 "},
      {"fold before the first", "GET /a HTTP/1.1\r\n Host: x\r\n\r\n", "400 "},
      {"no host", "GET /a HTTP/1.1\r\nA: b\r\n\r\n", "400 "},
      {"two hosts", "GET /a HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400 "},
      {"length and coding", Post("/e", "Content-Length: 3\r\n" + chunked, "0\r\n\r\n"), "400 "},
      {"coding and length", Post("/e", chunked + "Content-Length: 3\r\n", "0\r\n\r\n"), "400 "},
      {"two lengths", Post("/e", "Content-Length: 1\r\nContent-Length: 2\r\n", "ab"), "400 "},
      {"two codings", Post("/e", "Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), "501 "},
      {"expectation", Post("/e", "Expect: tea\r\n", ""), "417 "},
      {"not a size", Post("/e", chunked, "zz\r\nabc\r\n"), "400 "},
      {"chunk without its end", Post("/e", chunked, "1\r\naX0\r\n\r\n"), "400 "},
      {"chunk with a bare line feed", Post("/e", chunked, "1\na\r\n0\r\n\r\n"), "400 "},
      {"bad extension", Post("/e", chunked, "1;\x01\r\na\r\n0\r\n\r\n"), "400 "},
      {"bad trailer", Post("/e", chunked, "0\r\nA b\r\n\r\n"), "400 "},
      {"chunk too large", Post("/e", chunked, "1001\r\n"), "413 "},
      {"behind an error", "GET /a HTTP/1.1\r\n\r\nGET /a HTTP/1.1\r\nHost: x\r\n\r\n", "400 "},
  });
}

// Of exactly the limit, and one byte more.
TEST(HttpCuts, LimitsAreHeldInSum) {
  const size_t max = SmallLimits().header_bytes_max;
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  auto head = [](size_t size) {
    std::string start = "GET /a HTTP/1.1\r\nHost: x\r\n", fields;
    while (start.size() + fields.size() + 40 < size) fields += "Field: 0123456789\r\n";
    std::string last = "L: ";
    last.resize(size - start.size() - fields.size() - 4, 'x');
    return start + fields + last + "\r\n\r\n";
  };
  auto line = [](size_t size) { return "GET /" + std::string(size, 'a') + " HTTP/1.1\r\n"; };
  auto extension = [](size_t size) { return "1;" + std::string(size - 4, 'x') + "\r\n"; };
  auto trailers = [](size_t size) { return "0\r\nT: " + std::string(size - 10, 'x') + "\r\n\r\n"; };
  const std::string next = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
  ExpectSameHoweverCut({
      {"head that fits", head(max) + next, "200 "},
      {"head that does not", head(max + 1) + next, "431 "},
      {"head far too large", head(5000), "431 "},
      {"endless line", "GET /" + std::string(1000, 'a'), "431 "},
      {"line that fills it", line(max - 16) + "Host: x\r\n\r\n", "431 "},
      {"many lines", "GET /a HTTP/1.1\r\nHost: x\r\n" + std::string(1000, '\n'), "400 "},
      {"extension that fits", Post("/e", chunked, extension(max) + "a\r\n0\r\n\r\n"), "200 "},
      {"extension that does not", Post("/e", chunked, extension(max + 1) + "a\r\n0\r\n\r\n"),
       "400 "},
      {"zeros", Post("/e", chunked, std::string(1000, '0') + "1\r\na\r\n0\r\n\r\n"), "400 "},
      {"trailers that fit", Post("/e", chunked, trailers(max) + next), "200 "},
      {"trailers that do not", Post("/e", chunked, trailers(max + 1) + next), "400 "},
      {"body over its limit",
       Post("/e", chunked, "800\r\n" + std::string(2048, 'a') + "\r\n801\r\n"), "413 "},
  });
  for (const std::string& bytes : {head(max), Post("/e", chunked, trailers(max))})
    EXPECT_THAT(OutcomeOf(CutEvery(bytes, 1), SmallLimits()).out, StartsWith("HTTP/1.1 200 "));
}

// What an exporter with a large token sends.
TEST(HttpCuts, LargeHeadsOfHttp1) {
  std::string headers;
  for (int i = 0; i < 60; ++i)
    headers += "X-Baggage-" + std::to_string(i) + ": " + std::string(90, 'b') + "\r\n";
  const std::string bytes =
      Post("/e", headers + "Content-Length: 3000\r\n", std::string(3000, 'p')) +
      Post("/e", "Content-Length: 1\r\n", "q");
  EXPECT_EQ(Http1Difference(bytes, {}), "");
  EXPECT_THAT(OutcomeOf({bytes}, {}).log, HasSubstr("<" + std::string(3000, 'p') + ">"));
}

// ---- HTTP/2

// The frames of an answer, sorted by what may come in any order: streams are answered as soon as
// they can be, windows and acknowledgements go out whenever something is read.
std::string FramesOf(std::string_view out) {
  std::map<uint32_t, std::string> streams;
  ForEachFrame(out, [&](const FrameView& frame) {
    std::string& text = streams[frame.stream];
    if (frame.type == NGHTTP2_HEADERS) text += frame.flags & NGHTTP2_FLAG_END_STREAM ? "H/" : "H";
    if (frame.type == NGHTTP2_DATA) text.append(frame.payload);
    if (frame.type == NGHTTP2_DATA && frame.flags & NGHTTP2_FLAG_END_STREAM) text += "/";
    if (frame.type == NGHTTP2_PING) text += "ping " + std::string(frame.payload);
    if (frame.type == NGHTTP2_RST_STREAM || frame.type == NGHTTP2_GOAWAY)
      text += " ended " + std::to_string(frame.payload[frame.type == NGHTTP2_GOAWAY ? 7 : 3]);
  });
  std::string out_text;
  for (const auto& [id, text] : streams) out_text += std::to_string(id) + ": " + text + "\n";
  return out_text;
}

std::string Http2Difference(std::string_view bytes, std::string* whole = nullptr) {
  auto read = [](const Pieces& pieces) {
    Outcome outcome = OutcomeOf(pieces, FuzzLimits());
    size_t frames = outcome.out.starts_with("HTTP/1.1 101 ") ? outcome.out.find("\r\n\r\n") + 4 : 0;
    return outcome.log + "---\n" + FramesOf(outcome.out.substr(frames));
  };
  if (whole != nullptr) *whole = read({bytes});
  return CutDifference(bytes, read, {.cuts_max = 2000, .random_runs = 8});
}

// Preface, SETTINGS, and requests of all kinds: heads of several frames, bodies, trailers, calls.
std::string ManyRequests() {
  H2Peer peer;
  peer.Get("/a?x=1");
  Headers post{{":method", "POST"}, {":scheme", "http"}, {":path", "/e"}, {":authority", "x"}};
  peer.Request(post, "a body");
  Headers large = post;
  for (int i = 0; i < 3; ++i) large.emplace_back("x-large", std::string(2000, 'a' + i));
  peer.Request(large, std::string(3000, 'b'));
  peer.Grpc("/p.S/A", GrpcFrame("a message"));
  peer.Grpc("/p.S/A", GrpcFrame("compressed", true), {{"grpc-encoding", "any"}});
  peer.Grpc("/p.S/A", GrpcFrame("one") + GrpcFrame("two"));
  peer.Grpc("/p.S/A", GrpcFrame("cut off").substr(0, 9));
  peer.Grpc("/p.S/A", std::string("\2\0\0\0\0", 5));
  return peer.Output();
}

TEST(HttpCuts, Http2) {
  std::string whole;
  EXPECT_EQ(Http2Difference(ManyRequests(), &whole), "");
  for (const char* text : {"GET /a?x=1 ", "<a body>", "<a message>", "<compressed>"})
    EXPECT_THAT(whole, HasSubstr(text));
  EXPECT_THAT(whole, HasSubstr("<" + std::string(3000, 'b') + ">"));
  EXPECT_THAT(whole, ::testing::Not(HasSubstr("<one>")));
}

TEST(HttpCuts, Http2HeadsOfManyFramesAndPadding) {
  const std::string preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  // POST /e; :authority x, then a header in two CONTINUATIONs, one of them empty.
  const std::string block = std::string("\x83\x86\x04\x02/e\x41\x01x\x40\x01y\x05value", 18);
  std::string bytes = preface + RawFrame(NGHTTP2_SETTINGS, 0, 0, "");
  bytes += RawFrame(NGHTTP2_HEADERS, NGHTTP2_FLAG_PADDED | NGHTTP2_FLAG_PRIORITY, 1,
                    std::string("\2\0\0\0\0\x10", 6) + block.substr(0, 7) + std::string(2, '\0'));
  bytes += RawFrame(NGHTTP2_CONTINUATION, 0, 1, block.substr(7, 8));
  bytes += RawFrame(NGHTTP2_CONTINUATION, 0, 1, "");
  bytes += RawFrame(NGHTTP2_CONTINUATION, NGHTTP2_FLAG_END_HEADERS, 1, block.substr(15));
  bytes += RawFrame(NGHTTP2_DATA, NGHTTP2_FLAG_PADDED, 1, std::string("\3abc\0\0\0", 7));
  const std::string ping = RawFrame(NGHTTP2_PING, 0, 0, "12345678");
  bytes += ping + RawFrame(NGHTTP2_DATA, 0, 1, "def");
  bytes += RawFrame(0xF0, 0xFF, 1, "an extension");
  // Up to here the request has no end, and no answer.
  std::string quiet = bytes;
  quiet.erase(quiet.find(ping), ping.size());
  // Trailers.
  bytes += RawFrame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, 1,
                    std::string("\x00\x01t\x01v", 5));
  std::string whole;
  EXPECT_EQ(Http2Difference(bytes, &whole), "");
  EXPECT_THAT(whole, HasSubstr("y: value\n<abcdef>"));
  EXPECT_THAT(whole, HasSubstr("ping 12345678"));
  // Against the rules, which ends the connection before what is queued is sent: a frame between the
  // parts of a head; a frame over the size; bad compression.
  for (const std::string& wrong :
       {RawFrame(NGHTTP2_HEADERS, 0, 3, block) + RawFrame(NGHTTP2_PING, 0, 0, "12345678"),
        RawFrame(NGHTTP2_DATA, 0, 1, std::string(20'000, 'x')),
        RawFrame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 3, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF")}) {
    EXPECT_EQ(Http2Difference(quiet + wrong, &whole), "");
    EXPECT_THAT(whole, HasSubstr(" ended "));
  }
}

TEST(HttpCuts, UpgradeToHttp2) {
  std::string whole;
  const std::string bytes =
      "GET /a?up=1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
      "HTTP2-Settings: AAQAAP__\r\n\r\n"
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" +
      RawFrame(NGHTTP2_SETTINGS, 0, 0, "") +
      RawFrame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, 3,
               "\x82\x86\x04\x02/a\x41\x01x") +
      RawFrame(NGHTTP2_PING, 0, 0, "12345678");
  EXPECT_EQ(Http2Difference(bytes, &whole), "");
  EXPECT_THAT(whole, HasSubstr("GET /a?up=1 "));
  EXPECT_THAT(whole, HasSubstr("\n3: Hhello/\n"));
}

// The cuts of a message are those of DATA frames, wherever the frames themselves are cut.
TEST(HttpCuts, GrpcMessages) {
  for (std::string_view body :
       {std::string_view("\0\0\0\0\7message", 12), std::string_view("\1\0\0\0\7message", 12),
        std::string_view("\0\0\0\0\0", 5), std::string_view("\0\0\0\0\3abcd", 9),
        std::string_view("\0\0\0\0\3abc\0\0\0\0\1x", 14), std::string_view("\0\0\0\0\3ab", 7),
        std::string_view("\0\0\0", 3), std::string_view("\3\0\0\0\3abc", 8),
        std::string_view("\0\0\1\0\0", 5), std::string_view("\0\xFF\xFF\xFF\xFF", 5)}) {
    auto read = [&](const Pieces& pieces) {
      FuzzRoutes routes;
      auto driver = SessionDriver::Make(FuzzLimits(), routes.router);
      H2Peer peer;
      int32_t id = peer.Grpc("/p.S/A", "", {{"grpc-encoding", "any"}}, false);
      for (std::string_view piece : pieces) {
        driver->Feed(peer.Output());
        peer.SendBody(id, piece, false);
      }
      driver->Feed(peer.Output());
      peer.SendBody(id, "", true);
      driver->Feed(peer.Output());
      EXPECT_TRUE(peer.Input(driver->Take()));
      driver->Close();
      const auto& headers = peer.answer(id).headers;
      return routes.log + peer.answer(id).body + "\n" +
             std::string(FindHeader(headers, "grpc-status")) + " " +
             std::string(FindHeader(headers, "grpc-message"));
    };
    EXPECT_EQ(CutDifference(body, read, {.empty_pieces = true}), "") << body;
  }
}

// ---- time

// A byte now and then keeps nothing open: neither a head, nor a body, nor an idle connection.
TEST(HttpCuts, DrippingBytesDoNotBuyTime) {
  ServerLimits limits;
  limits.header_timeout_ms = 10'000;
  limits.idle_timeout_ms = 60'000;
  const std::string preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + RawFrame(4, 0, 0, "");
  struct {
    const char* name;
    std::string first, dripped;
    int64_t ms_max;
  } cases[] = {
      {"head", "G", "ET /a HTTP/1.1\r\nHost: x\r\nA: " + std::string(400, 'b'), 10'000},
      {"preface", "P", "RI * HTTP/2.0\r\n\r\nSM\r\n\r", 20'000},
      {"empty lines", "", std::string(400, '\n'), 60'000},
      {"body", Post("/e", "Content-Length: 4000\r\n", ""), std::string(400, 'b'), 60'000},
      {"chunk size", Post("/e", "Transfer-Encoding: chunked\r\n", ""), std::string(300, '0'),
       60'000},
      {"frame without a stream", preface, RawFrame(NGHTTP2_GOAWAY, 0, 0, std::string(400, 'x')),
       70'000},
      {"frame of a head", preface, RawFrame(NGHTTP2_HEADERS, 4, 1, std::string(400, '\x82')),
       90'000},
  };
  for (const auto& c : cases) {
    FuzzRoutes routes;
    auto driver = SessionDriver::Make(limits, routes.router);
    driver->Feed(c.first);
    int64_t ms = 0;
    for (char byte : c.dripped) {
      if (driver->finished()) break;
      driver->Feed({&byte, 1});
      driver->Advance(1000);
      ms += 1000;
    }
    EXPECT_TRUE(driver->finished()) << c.name;
    EXPECT_LE(ms, c.ms_max + 1000) << c.name;
    driver->Close();
  }
}

// Requests may start as the preface does: waiting for the rest of it changes nothing else.
TEST(HttpCuts, ADrainServesWhatHasBegunToCome) {
  for (std::string_view begun : {"P", "POST /e", "POST /e HTTP/1.1\r\nHost:"}) {
    FuzzRoutes routes;
    auto driver = SessionDriver::Make({}, routes.router);
    const std::string request = Post("/e", "Content-Length: 2\r\n", "ab");
    driver->Feed(begun);
    driver->BeginDrain();
    driver->Feed(std::string_view(request).substr(begun.size()));
    EXPECT_THAT(driver->Take(), StartsWith("HTTP/1.1 200 ")) << begun;
    EXPECT_TRUE(driver->finished());
    driver->Close();
  }
}

}  // namespace
}  // namespace weft::http

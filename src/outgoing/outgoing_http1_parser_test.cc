// SPDX-License-Identifier: Apache-2.0
#include "outgoing/outgoing_http1_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/pieces.h"

namespace weft::outgoing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using weft::testing::CutDifference;
using weft::testing::Pieces;

struct How {
  bool to_head = false;
  bool eof = false;
  uint32_t header_bytes_max = 1000;
};

// All that can be told of an answer, with what is left behind it.
std::string Read(const Pieces& pieces, How how = {}) {
  using Step = OutgoingHttp1Parser::Step;
  OutgoingHttp1Parser parser(how.to_head, how.header_bytes_max);
  std::string head, body, end, left;
  auto take = [&](Step step) {
    if (step == Step::kHead) {
      head +=
          std::to_string(parser.head().status) + (parser.head().keep_alive ? " keep" : " close");
      for (const auto& [name, value] : parser.head().headers) head += " " + name + "=" + value;
    }
    if (step == Step::kBody) body += parser.body();
    if (step == Step::kEnd) {
      end = " end";
      for (const auto& [name, value] : parser.trailers()) end += " " + name + "=" + value;
    }
    if (step == Step::kError) end = " error: " + parser.error();
  };
  for (std::string_view piece : pieces) {
    while (end.empty()) {
      Step step = parser.Next(&piece);
      if (step == Step::kMore) break;
      take(step);
    }
    if (!end.starts_with(" error")) left += piece;
  }
  if (how.eof && end.empty()) take(parser.OnEof());
  return head + " [" + body + "]" + end + (left.empty() ? "" : " left: " + left);
}

// The same, whatever the cuts.
std::string Told(std::string_view bytes, How how = {}) {
  auto read = [&](const Pieces& pieces) { return Read(pieces, how); };
  std::string difference = CutDifference(bytes, read);
  EXPECT_EQ(difference, "");
  return Read({bytes}, how);
}

TEST(OutgoingHttp1ParserTest, BodiesEndAsTheirHeadsSay) {
  EXPECT_EQ(Told("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A:  b \r\n\r\nhellonext"),
            "200 keep content-length=5 x-a=b [hello] end left: next");
  EXPECT_EQ(Told("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n"), "200 keep content-length=0 [] end");
  EXPECT_EQ(Told("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                 "5\r\nhello\r\n00A;x=\"y\"\r\n0123456789\r\n0\r\nT: 1\r\n\r\nnext"),
            "200 keep transfer-encoding=chunked [hello0123456789] end t=1 left: next");
  EXPECT_EQ(Told("HTTP/1.1 200 OK\r\n\r\nto the end", {.eof = true}), "200 close [to the end] end");
  EXPECT_EQ(Told("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nnext", {.to_head = true}),
            "200 keep content-length=5 [] end left: next");
  EXPECT_EQ(Told("HTTP/1.1 204 No Content\r\n\r\nnext"), "204 keep [] end left: next");
  EXPECT_EQ(Told("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\nnext"),
            "304 keep content-length=9 [] end left: next");
  EXPECT_EQ(Told("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nab"),
            "200 keep content-length=2 content-length=2 [ab] end");
}

TEST(OutgoingHttp1ParserTest, ConnectionsAreKeptAsTheirHeadsSay) {
  EXPECT_THAT(Told("HTTP/1.1 204 x\r\nConnection: close\r\n\r\n"), StartsWith("204 close"));
  EXPECT_THAT(Told("HTTP/1.1 204 x\r\nConnection: x , Close\r\n\r\n"), StartsWith("204 close"));
  EXPECT_THAT(Told("HTTP/1.0 204 x\r\n\r\n"), StartsWith("204 close"));
  EXPECT_THAT(Told("HTTP/1.0 204 x\r\nConnection: Keep-Alive\r\n\r\n"), StartsWith("204 keep"));
}

TEST(OutgoingHttp1ParserTest, HeadsOfInformationAreSkipped) {
  EXPECT_EQ(Told("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n"
                 "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"),
            "200 keep content-length=1 [x] end");
  EXPECT_THAT(Told("HTTP/1.1 101 Switching\r\n\r\n"), HasSubstr("error: 101"));
  std::string many;
  for (int i = 0; i < 50; ++i) many += "HTTP/1.1 100 Continue\r\n\r\n";
  EXPECT_THAT(Told(many), HasSubstr("error: a head of more than 1000 bytes"));
}

TEST(OutgoingHttp1ParserTest, OldAndSloppyLinesAreRead) {
  EXPECT_EQ(Told("HTTP/1.1 200 OK\nContent-Length: 1\n\nx"), "200 keep content-length=1 [x] end");
  EXPECT_EQ(Told("HTTP/1.1 204 x\r\nA: b\r\n  c\r\n\r\n"), "204 keep a=b c [] end");
}

TEST(OutgoingHttp1ParserTest, WhatIsUnclearIsAnError) {
  const std::string head = "HTTP/1.1 200 OK\r\n";
  for (const char* bad :
       {"Content-Length: 5\r\nContent-Length: 6\r\n\r\n", "Content-Length: 5, 5\r\n\r\n",
        "Content-Length: -1\r\n\r\n", "Content-Length: 99999999999999999999\r\n\r\n",
        "Content-Length: \r\n\r\n", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "Transfer-Encoding: gzip, chunked\r\n\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", "bad name: x\r\n\r\n",
        "name : x\r\n\r\n", ": x\r\n\r\n", "name\r\n\r\n", " folded: first\r\n\r\n",
        "name: a\x01\r\n\r\n", "name: a\rb\r\n\r\n"}) {
    EXPECT_THAT(Told(head + bad), HasSubstr(" error: ")) << bad;
  }
  const std::string chunked = head + "Transfer-Encoding: chunked\r\n\r\n";
  for (const char* bad : {"x\r\n", "\r\n", "-1\r\n", "ffffffffffffffffff\r\n", "1\r\nab\r\n",
                          "0\r\nbad trailer\r\n\r\n"}) {
    EXPECT_THAT(Told(chunked + bad), HasSubstr(" error: ")) << bad;
  }
  for (const char* bad : {"SSH-2.0-OpenSSH\r\n", "HTTP/2 200 OK\r\n\r\n", "HTTP/1.1 2000 x\r\n",
                          "HTTP/1.1 20\r\n", "HTTP/1.1 099 x\r\n\r\n", "\r\nHTTP/1.1 200 OK\r\n"}) {
    EXPECT_THAT(Told(bad), HasSubstr(" error: ")) << bad;
  }
}

TEST(OutgoingHttp1ParserTest, HeadsAndFramesAreBounded) {
  EXPECT_THAT(Told("HTTP/1.1 200 OK\r\nX: " + std::string(2000, 'x')), HasSubstr(" error: a head"));
  EXPECT_THAT(
      Told("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + std::string(2000, 'x')),
      HasSubstr(" error: a head"));
  EXPECT_THAT(Told("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: " +
                   std::string(2000, 'x')),
              HasSubstr(" error: a head"));
}

TEST(OutgoingHttp1ParserTest, AnAnswerThatIsCutOffIsNoAnswer) {
  const std::string_view whole =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
  for (size_t at = 0; at < whole.size(); ++at) {
    EXPECT_THAT(Read({whole.substr(0, at)}, {.eof = true}), HasSubstr(" error: the connection"))
        << at;
  }
}

}  // namespace
}  // namespace weft::outgoing

// SPDX-License-Identifier: Apache-2.0
//
// TLS that is cut anywhere on its way: handshakes, records, and what is no TLS.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "http/fuzz_routes.h"
#include "http/tls_pair.h"
#include "testing/pieces.h"

namespace weft::net {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using weft::testing::CutAt;
using weft::testing::CutDifference;
using weft::testing::CutEvery;
using weft::testing::CutRandomly;
using weft::testing::Pieces;

using Cut = std::function<Pieces(std::string_view)>;

class TlsCutsTest : public ::testing::Test {
 protected:
  // A new connection, whose peer sends each of its flights as `cut` has it, the server reading in
  // between. False: it has ended.
  void Connect(int version = 0) {
    if (driver_) driver_->Close();
    routes_.log.clear();
    driver_ = http::SessionDriver::Make({}, routes_.router);
    auto [socket, fd] = http::MakeSocketPair(&io_);
    server_ = std::make_unique<http::TlsServerEnd>(std::move(socket), driver_);
    peer_ = std::make_unique<http::TlsPeerEnd>(fd, version);
  }
  ~TlsCutsTest() override {
    server_->Close();
    driver_->Close();
  }
  bool Send(const Pieces& pieces) {
    for (std::string_view piece : pieces) {
      peer_->Send(piece);
      if (!server_->Turn()) return false;
    }
    return true;
  }
  // Shakes hands and asks for `request`; the answer, decrypted. The largest flight's size in
  // largest_.
  std::string Ask(std::string_view request, const Cut& cut, int version) {
    Connect(version);
    for (int i = 0; i < 10; ++i) {
      bool open = peer_->Turn();
      std::string flight = peer_->Output();
      largest_ = std::max(largest_, flight.size());
      if (!Send(cut(flight))) return "(ended in the handshake)";
      if (open && i > 0) break;
    }
    // In two records.
    peer_->Encrypt(request.substr(0, request.size() / 2));
    peer_->Encrypt(request.substr(request.size() / 2));
    std::string flight = peer_->Output();
    largest_ = std::max(largest_, flight.size());
    if (!Send(cut(flight))) return "(ended in the request)";
    server_->Turn();
    peer_->Turn();
    return peer_->received();
  }

  boost::asio::io_context io_;
  http::FuzzRoutes routes_;
  std::shared_ptr<http::SessionDriver> driver_;
  std::unique_ptr<http::TlsServerEnd> server_;
  std::unique_ptr<http::TlsPeerEnd> peer_;
  size_t largest_ = 0;
};

TEST_F(TlsCutsTest, HandshakesAndRecords) {
  const std::string request = "POST /e HTTP/1.1\r\nHost: x\r\nA: " + std::string(100, 'a') +
                              "\r\nContent-Length: 5\r\n\r\nhello";
  for (int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    auto expect = [&](const Cut& cut, const std::string& how) {
      std::string answer = Ask(request, cut, version);
      EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 ")) << how;
      EXPECT_THAT(answer, ::testing::EndsWith("\r\n\r\nhello")) << how;
      EXPECT_EQ(server_->received(), request) << how;
      return !HasFailure();
    };
    if (!expect([](std::string_view bytes) { return Pieces{bytes}; }, "whole")) return;
    for (size_t at = 1; at < largest_; ++at) {
      auto cut = [at](std::string_view bytes) { return CutAt(bytes, std::min(at, bytes.size())); };
      if (!expect(cut, "cut at byte " + std::to_string(at))) return;
    }
    if (!expect([](std::string_view bytes) { return CutEvery(bytes, 1); }, "single bytes")) return;
    for (uint64_t seed = 1; seed <= 8; ++seed) {
      std::mt19937_64 random(seed);
      auto cut = [&](std::string_view bytes) { return CutRandomly(bytes, random, false); };
      if (!expect(cut, "seed " + std::to_string(seed))) return;
    }
  }
}

TEST_F(TlsCutsTest, WhatIsNoTls) {
  for (std::string bytes :
       {std::string("POST /e HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"),
        std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), std::string("G"), std::string("\n\n\n"),
        std::string("SSH-2.0-x\r\n"), std::string("\x80\x2e\x01\x03\x01\x00", 6)}) {
    auto read = [&](const Pieces& pieces) {
      Connect();
      bool open = Send(pieces);
      return peer_->Receive() + (open ? "(open)" : "(ended)") + server_->received();
    };
    EXPECT_EQ(CutDifference(bytes, read), "") << bytes;
    if (bytes[0] != 'P') continue;
    EXPECT_THAT(read({bytes}), HasSubstr("400 this port speaks TLS"));
  }
}

}  // namespace
}  // namespace weft::net

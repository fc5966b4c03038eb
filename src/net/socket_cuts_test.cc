// SPDX-License-Identifier: Apache-2.0
//
// A batch that an exporter sends, cut on its way to a real server: each piece is sent when the
// kernel says that the one before was read.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <atomic>
#include <cstdio>
#include <fstream>
#include <mutex>

#include "http/h2_peer.h"
#include "http/server.h"
#include "http/tls_pair.h"
#include "net/raw_client.h"
#include "net/test_certificates.h"
#include "testing/pieces.h"

namespace weft::net {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using weft::testing::CutAt;
using weft::testing::CutEvery;
using weft::testing::Pieces;

// True once the socket at the other end of `fd`, on this machine, holds nothing that was not read.
bool PeerHasRead(int fd) {
  sockaddr_in mine{}, other{};
  socklen_t size = sizeof(mine);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&mine), &size);
  ::getpeername(fd, reinterpret_cast<sockaddr*>(&other), &size);
  int unsent = 0;
  if (::ioctl(fd, SIOCOUTQ, &unsent) != 0 || unsent != 0) return false;
  char local[32], remote[32];
  std::snprintf(local, sizeof local, "%08X:%04X", other.sin_addr.s_addr, ntohs(other.sin_port));
  std::snprintf(remote, sizeof remote, "%08X:%04X", mine.sin_addr.s_addr, ntohs(mine.sin_port));
  std::ifstream table("/proc/net/tcp");
  for (std::string line; std::getline(table, line);) {
    if (line.find(std::string(local) + " " + remote) == line.npos) continue;
    // Behind it: " ST TX_QUEUE:RX_QUEUE".
    size_t at = line.find(remote) + std::string_view(remote).size();
    return line.compare(at + std::string_view(" 01 00000000:").size(), 8, "00000000") == 0;
  }
  return true;  // it is closed
}

class SocketCutsTest : public ::testing::Test {
 protected:
  SocketCutsTest() {
    for (int i = 0; i < 60; ++i)
      headers_ += "X-Baggage-" + std::to_string(i) + ": " + std::string(90, 'b') + "\r\n";
    for (int i = 0; i < 20'000; ++i) body_ += static_cast<char>(i * 7919 >> 4);
    auto take = [this](std::string body) {
      std::lock_guard lock(mutex_);
      intact_ = body == body_;
    };
    router_->Add("POST", "/v1/traces", {.body_bytes_max = 1 << 20},
                 [take](http::Request request, http::ExchangePtr exchange) {
                   take(std::move(request.body));
                   exchange->Respond({200, "text/plain", {}, "taken"});
                 });
    router_->AddGrpc("/t.T/Export", {}, [take](http::GrpcRequest request, http::GrpcCallPtr call) {
      take(std::move(request.message));
      call->Send("taken");
      call->Finish({});
    });
    server_ = std::make_unique<http::Server>(http::ServerLimits{}, 2);
    http::ListenOptions tls;
    TestCertificate certificate = TestAuthority().Issue();
    tls.tls.emplace();
    tls.tls->cert_pem = Secret(certificate.cert_pem);
    tls.tls->key_pem = Secret(certificate.key_pem);
    port_ = server_->Listen({"127.0.0.1", 0}, router_).value();
    tls_port_ = server_->Listen({"127.0.0.1", 0}, router_, std::move(tls)).value();
    server_->Start();
  }
  ~SocketCutsTest() override { server_->Stop(); }

  std::string Http1(bool chunked) const {
    std::string head = "POST /v1/traces HTTP/1.1\r\nHost: x\r\n" + headers_ +
                       "Content-Type: application/x-protobuf\r\n";
    if (!chunked)
      return head + "Content-Length: " + std::to_string(body_.size()) + "\r\n\r\n" + body_;
    std::string out = head + "Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n";
    for (size_t at = 0; at < body_.size(); at += 5000)
      out += "1388;part\r\n" + body_.substr(at, 5000) + "\r\n";
    return out + "0\r\nX-Sum: 1\r\n\r\n";
  }
  std::string Http2(bool grpc) const {
    http::H2Peer peer;
    http::Headers headers{
        {":method", "POST"}, {":scheme", "http"}, {":path", "/v1/traces"}, {":authority", "x"}};
    http::Headers more;
    for (int i = 0; i < 60; ++i)
      more.emplace_back("x-baggage-" + std::to_string(i), std::string(90, 'b'));
    headers.insert(headers.end(), more.begin(), more.end());
    if (grpc) {
      peer.Grpc("/t.T/Export", http::GrpcFrame(body_), more);
    } else {
      peer.Request(headers, body_);
    }
    return peer.Output();
  }
  // Every cut of the first lines, some of the rest of the head and of the body: every single one is
  // tried without sockets (http_cuts_test.cc).
  static std::vector<size_t> Cuts(std::string_view bytes, size_t head) {
    std::vector<size_t> out;
    for (size_t at = 1; at < bytes.size(); at += at < 150 ? 1 : at < head ? 61 : 2999)
      out.push_back(at);
    return out;
  }
  bool intact() {
    std::lock_guard lock(mutex_);
    return std::exchange(intact_, false);
  }

  std::string headers_, body_;
  std::mutex mutex_;
  bool intact_ = false;
  std::shared_ptr<http::Router> router_ = std::make_shared<http::Router>();
  std::unique_ptr<http::Server> server_;
  uint16_t port_ = 0, tls_port_ = 0;
};

// Sends the pieces and waits, up to 10 s each, until the server has read them.
void SendPieces(RawClient* client, const Pieces& pieces) {
  for (std::string_view piece : pieces) {
    ASSERT_TRUE(client->Send(piece));
    auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!PeerHasRead(client->fd()) && std::chrono::steady_clock::now() < end) ::usleep(20);
  }
}

TEST_F(SocketCutsTest, Http1) {
  for (bool chunked : {false, true}) {
    const std::string request = Http1(chunked);
    auto ask = [&](RawClient* client, const Pieces& pieces, const std::string& how) {
      SendPieces(client, pieces);
      std::string answer = client->ReadUntil("taken");
      client->Take();
      EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 ")) << how;
      EXPECT_TRUE(intact()) << how;
      return !HasFailure();
    };
    // The connection is kept: a cut of a later request is another path than one of the first.
    RawClient kept(port_);
    for (size_t at : Cuts(request, request.find("\r\n\r\n") + 5)) {
      const std::string how = "cut at byte " + std::to_string(at);
      if (!ask(&kept, CutAt(request, at), how)) return;
      if (at % 16 != 1) continue;
      RawClient fresh(port_);
      if (!ask(&fresh, CutAt(request, at), how + ", first request")) return;
    }
    RawClient fresh(port_);
    Pieces single = CutEvery(std::string_view(request).substr(0, 300), 1);
    single.push_back(std::string_view(request).substr(300));
    ask(&fresh, single, "single bytes");
  }
}

TEST_F(SocketCutsTest, Http2) {
  for (bool grpc : {false, true}) {
    const std::string request = Http2(grpc);
    for (size_t at : Cuts(request, 200)) {
      RawClient client(port_);
      SendPieces(&client, CutAt(request, at));
      EXPECT_THAT(client.ReadUntil("taken"), HasSubstr("taken")) << at;
      EXPECT_TRUE(intact()) << at;
      if (HasFailure()) return;
    }
  }
}

TEST_F(SocketCutsTest, Tls) {
  const std::string request = Http1(false);
  auto connect = [this](RawClient* client) {
    auto peer = std::make_unique<http::TlsPeerEnd>(::dup(client->fd()));
    for (bool open = false; !open;) {
      open = peer->Turn();
      if (std::string flight = peer->Output(); !flight.empty()) {
        SendPieces(client, CutAt(flight, flight.size() / 3));
      } else if (!open) {
        client->WaitReadable(10'000);
      }
    }
    return peer;
  };
  RawClient client(tls_port_);
  std::unique_ptr<http::TlsPeerEnd> peer = connect(&client);
  size_t answered = 0;
  for (size_t at = 1; at < request.size(); at += at < 200 ? 7 : 331) {
    peer->Encrypt(request);
    const std::string records = peer->Output();
    SendPieces(&client, CutAt(records, at));
    answered += 1;
    auto count = [&] {
      size_t taken = 0;
      for (size_t i = 0; (i = peer->received().find("taken", i)) != std::string::npos; ++i) ++taken;
      return taken;
    };
    while (count() < answered && client.WaitReadable(10'000)) peer->Turn();
    ASSERT_EQ(count(), answered) << at;
    ASSERT_TRUE(intact()) << at;
  }
}

}  // namespace
}  // namespace weft::net

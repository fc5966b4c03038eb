// SPDX-License-Identifier: Apache-2.0
#include "outgoing/outgoing_proxy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <mutex>

#include "http/raw_peer.h"
#include "http/server.h"
#include "net/test_certificates.h"
#include "outgoing/outgoing_fixture.h"

namespace weft::outgoing {

using net::RawClient;

namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(OutgoingProxyTest, NoProxyNamesHostsInManyWays) {
  EXPECT_FALSE(MatchesNoProxy("", "example.com", 80));
  EXPECT_TRUE(MatchesNoProxy("*", "example.com", 80));
  EXPECT_TRUE(MatchesNoProxy("a, Example.com", "EXAMPLE.com", 80));
  EXPECT_TRUE(MatchesNoProxy("example.com", "www.example.com", 80));
  EXPECT_FALSE(MatchesNoProxy("example.com", "notexample.com", 80));
  EXPECT_FALSE(MatchesNoProxy(".example.com", "example.com", 80));
  EXPECT_TRUE(MatchesNoProxy(".example.com", "www.example.com", 80));
  EXPECT_TRUE(MatchesNoProxy("example.com:8080", "example.com", 8080));
  EXPECT_FALSE(MatchesNoProxy("example.com:8080", "example.com", 80));
  EXPECT_TRUE(MatchesNoProxy("10.0.0.0/8", "10.1.2.3", 80));
  EXPECT_FALSE(MatchesNoProxy("10.0.0.0/8", "11.1.2.3", 80));
  EXPECT_FALSE(MatchesNoProxy("10.0.0.0/8", "example.com", 80));
  EXPECT_TRUE(MatchesNoProxy("127.0.0.1", "127.0.0.1", 80));
  EXPECT_TRUE(MatchesNoProxy("127.0.0.1:80", "127.0.0.1", 80));
  EXPECT_TRUE(MatchesNoProxy("::1", "::1", 80));
  EXPECT_TRUE(MatchesNoProxy("[::1]:80", "::1", 80));
  EXPECT_TRUE(MatchesNoProxy("fd00::/8", "fd12::1", 80));
  EXPECT_FALSE(MatchesNoProxy("fd00::/8", "fe80::1", 80));
  EXPECT_FALSE(MatchesNoProxy(",, ,/8,[", "example.com", 80));
}

TEST(OutgoingProxyTest, TheWayIsChosenByScheme) {
  OutgoingProxy proxy{
      .http_proxy = "http://plain:3128", .https_proxy = "u%40x:p%3aw@secure", .no_proxy = "direct"};
  auto route = ChooseProxy(proxy, false, "h", 80);
  ASSERT_TRUE(route);
  EXPECT_TRUE(route->used);
  EXPECT_EQ(route->text, "proxy plain:3128");
  route = ChooseProxy(proxy, true, "h", 443);
  ASSERT_TRUE(route);
  EXPECT_EQ(route->text, "proxy secure:80");
  EXPECT_EQ(route->authorization.Reveal(), "Basic dUB4OnA6dw==");  // u@x:p:w
  EXPECT_FALSE(ChooseProxy(proxy, true, "direct", 443)->used);
  EXPECT_FALSE(ChooseProxy({}, true, "h", 443)->used);
  EXPECT_FALSE(ChooseProxy({.http_proxy = "socks5://x"}, false, "h", 80));
  EXPECT_FALSE(ChooseProxy({.http_proxy = "http://x:99999"}, false, "h", 80));
}

TEST(OutgoingProxyTest, TheAnswerToConnectIsJudged) {
  EXPECT_EQ(ConnectStatus("HTTP/1.1 200 Connection established\r\n\r\n"), 200);
  EXPECT_EQ(ConnectStatus("HTTP/1.0 407 x\r\nA: b\r\n\r\n"), 407);
  EXPECT_EQ(ConnectStatus("HTTP/1.1 200 OK\r\nA: b\r\n"), std::nullopt);
  EXPECT_EQ(ConnectStatus("HTTP/1"), std::nullopt);
  EXPECT_EQ(ConnectStatus("SSH-2"), 0);
  EXPECT_EQ(ConnectStatus("HTTP/1.1 x00 OK\r\n\r\n"), 0);
  EXPECT_EQ(ConnectStatus("HTTP/1.1\r\n\r\n"), 0);
}

// Both directions, until one ends.
void Relay(int a, int b) {
  for (;;) {
    pollfd fds[2] = {{a, POLLIN, 0}, {b, POLLIN, 0}};
    if (::poll(fds, 2, 10'000) <= 0) return;
    for (int i = 0; i < 2; ++i) {
      if (fds[i].revents == 0) continue;
      char bytes[16384];
      ssize_t got = ::recv(fds[i].fd, bytes, sizeof bytes, 0);
      if (got <= 0) return;
      int to = i == 0 ? b : a;
      for (ssize_t at = 0; at < got;) {
        ssize_t sent = ::send(to, bytes + at, static_cast<size_t>(got - at), MSG_NOSIGNAL);
        if (sent <= 0) return;
        at += sent;
      }
    }
  }
}

// A proxy that leads everything to one port, and remembers what it was asked.
class ProxyFake {
 public:
  explicit ProxyFake(uint16_t to, std::string answer = "HTTP/1.1 200 OK\r\nVia: x\r\n\r\n")
      : to_(to), answer_(std::move(answer)), peer_([this](RawClient& wire, int) { Serve(wire); }) {}
  std::string url() const { return "http://me:secret@127.0.0.1:" + std::to_string(peer_.port()); }
  std::vector<std::string> heads() {
    std::lock_guard lock(mutex_);
    return heads_;
  }

 private:
  void Serve(RawClient& wire) {
    wire.ReadUntil("\r\n\r\n");
    std::string head = wire.Take();
    {
      std::lock_guard lock(mutex_);
      heads_.push_back(head);
    }
    RawClient server(to_);
    if (!head.starts_with("CONNECT ")) {
      server.Send(head);
    } else {
      for (char c : answer_) wire.Send({&c, 1});
      if (answer_.find(" 200 ") == std::string::npos) return;
    }
    Relay(wire.fd(), server.fd());
  }

  const uint16_t to_;
  const std::string answer_;
  std::mutex mutex_;
  std::vector<std::string> heads_;
  http::RawPeer peer_;
};

class OutgoingByProxyTest : public ::testing::Test {
 protected:
  OutgoingByProxyTest() : server_({.drain_timeout_ms = 100}, 1) {
    auto router = std::make_shared<http::Router>();
    router->Add("GET", "/who", {}, [](http::Request request, http::ExchangePtr exchange) {
      exchange->Respond({.status = 200,
                         .body = std::string(http::FindHeader(request.headers, "host")) +
                                 (request.http2 ? " h2" : " h1")});
    });
    net::TestCertificate certificate = authority_.Issue("collector.test");
    net::TlsOptions tls;
    tls.cert_pem = Secret(certificate.cert_pem);
    tls.key_pem = Secret(certificate.key_pem);
    plain_port_ = server_.Listen({"127.0.0.1", 0}, router).value();
    tls_port_ = server_.Listen({"127.0.0.1", 0}, router, {.tls = tls}).value();
    server_.Start();
  }
  OutgoingOptions Options(const std::string& url, const ProxyFake& proxy) {
    return {.url = url,
            .tls = {.ca_pem = authority_.pem()},
            .proxy = {.http_proxy = proxy.url(), .https_proxy = proxy.url()}};
  }

  net::TestAuthority authority_;
  http::Server server_;
  uint16_t plain_port_ = 0, tls_port_ = 0;
  TestLoops loops_;
};

TEST_F(OutgoingByProxyTest, HttpIsAskedOfTheProxyItself) {
  ProxyFake proxy(plain_port_);
  auto client = MakeOutgoing(Options("http://collector.test:4318", proxy), loops_);
  EXPECT_EQ(TextOf(Ask(*client, {.path = "/who"})), "200 collector.test:4318 h1");
  ASSERT_EQ(proxy.heads().size(), 1u);
  EXPECT_THAT(proxy.heads()[0], StartsWith("GET http://collector.test:4318/who HTTP/1.1\r\n"));
  EXPECT_THAT(proxy.heads()[0], HasSubstr("\r\nProxy-Authorization: Basic bWU6c2VjcmV0\r\n"));
}

TEST_F(OutgoingByProxyTest, HttpsAndHttp2AreTunnelled) {
  ProxyFake proxy(tls_port_);
  auto client = MakeOutgoing(Options("https://collector.test:4317", proxy), loops_);
  EXPECT_EQ(TextOf(Ask(*client, {.path = "/who"})), "200 collector.test:4317 h2");
  ASSERT_EQ(proxy.heads().size(), 1u);
  EXPECT_EQ(proxy.heads()[0],
            "CONNECT collector.test:4317 HTTP/1.1\r\nHost: collector.test:4317\r\n"
            "User-Agent: weft\r\nProxy-Authorization: Basic bWU6c2VjcmV0\r\n\r\n");

  ProxyFake plain(plain_port_);
  OutgoingOptions options = Options("http://collector.test:4317", plain);
  options.protocol = OutgoingProtocol::kHttp2;
  client = MakeOutgoing(options, loops_);
  EXPECT_EQ(TextOf(Ask(*client, {.path = "/who"})), "200 collector.test:4317 h2");
  EXPECT_THAT(plain.heads(), ElementsAre(StartsWith("CONNECT collector.test:4317 ")));
}

TEST_F(OutgoingByProxyTest, AProxyThatRefusesIsNamedWithItsStatus) {
  for (auto [answer, code] : {std::pair("HTTP/1.1 403 Forbidden\r\n\r\n", ErrorCode::kUnavailable),
                              std::pair("HTTP/1.1 407 x\r\n\r\n", ErrorCode::kUnauthenticated),
                              std::pair("no proxy at all\r\n\r\n", ErrorCode::kUnavailable),
                              std::pair("HTTP/1.1 200", ErrorCode::kUnavailable)}) {
    ProxyFake proxy(tls_port_, answer);
    auto client = MakeOutgoing(Options("https://collector.test:4317", proxy), loops_);
    OutgoingResult result = Ask(*client, {.path = "/who"});
    ASSERT_FALSE(result) << answer;
    EXPECT_EQ(result.error().failure, OutgoingFailure::kProxy) << result.error().message;
    EXPECT_EQ(result.error().code, code);
    EXPECT_FALSE(result.error().reached_peer);
    EXPECT_THAT(result.error().message, HasSubstr("proxy 127.0.0.1:"));
    EXPECT_THAT(result.error().message, ::testing::Not(HasSubstr("secret")));
  }
}

TEST_F(OutgoingByProxyTest, NoProxyGoesStraight) {
  ProxyFake proxy(1);
  OutgoingOptions options = Options("http://127.0.0.1:" + std::to_string(plain_port_), proxy);
  options.proxy.no_proxy = "127.0.0.0/8";
  auto client = MakeOutgoing(options, loops_);
  EXPECT_THAT(TextOf(Ask(*client, {.path = "/who"})), StartsWith("200 127.0.0.1:"));
  EXPECT_THAT(proxy.heads(), ElementsAre());
}

}  // namespace
}  // namespace weft::outgoing

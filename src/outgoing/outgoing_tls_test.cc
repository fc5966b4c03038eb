// SPDX-License-Identifier: Apache-2.0
#include "outgoing/outgoing_tls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "http/raw_peer.h"
#include "http/server.h"
#include "net/test_certificates.h"
#include "outgoing/outgoing_fixture.h"

namespace weft::outgoing {

using http::RawPeer;
using net::RawClient;
using net::TestAuthority;
using net::TestCertificate;
using net::TlsVersion;

namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class OutgoingTlsTest : public ::testing::Test {
 protected:
  struct Running {
    std::unique_ptr<http::Server> server;
    uint16_t port = 0;
    std::string url(const std::string& host = "localhost") const {
      return "https://" + host + ":" + std::to_string(port);
    }
  };
  Running Start(const TestCertificate& certificate, net::TlsOptions tls = {}) {
    auto router = std::make_shared<http::Router>();
    router->Add("GET", "/who", {}, [](http::Request request, http::ExchangePtr exchange) {
      exchange->Respond({.status = 200, .body = request.http2 ? "h2" : "h1"});
    });
    router->Add("GET", "/bytes", {}, [](http::Request request, http::ExchangePtr exchange) {
      exchange->Respond({.status = 200, .body = std::string(std::stoul(request.query), 'b')});
    });
    tls.cert_pem = Secret(certificate.cert_pem);
    tls.key_pem = Secret(certificate.key_pem);
    Running out{std::make_unique<http::Server>(http::ServerLimits{.drain_timeout_ms = 100}, 1)};
    auto port = out.server->Listen({"127.0.0.1", 0}, router, {.tls = tls});
    EXPECT_TRUE(port) << port.error().message;
    out.port = port.value_or(0);
    out.server->Start();
    return out;
  }
  OutgoingResult Get(const std::string& url, OutgoingTls tls,
                     OutgoingProtocol protocol = OutgoingProtocol::kAuto) {
    auto client = MakeOutgoing({.url = url, .protocol = protocol, .tls = std::move(tls)}, loops_);
    return Ask(*client, {.path = "/who"});
  }
  void ExpectTls(const OutgoingResult& result, ErrorCode code, std::string_view text) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().failure, OutgoingFailure::kTls) << result.error().message;
    EXPECT_EQ(result.error().code, code) << result.error().message;
    EXPECT_FALSE(result.error().reached_peer) << result.error().message;
    EXPECT_THAT(result.error().message, HasSubstr(text));
  }

  TestAuthority authority_;
  TestLoops loops_;
};

TEST_F(OutgoingTlsTest, TheServerChoosesTheProtocolOfThoseOffered) {
  Running server = Start(authority_.Issue());
  OutgoingTls tls{.ca_pem = authority_.pem()};
  EXPECT_EQ(TextOf(Get(server.url(), tls)), "200 h2");
  EXPECT_EQ(TextOf(Get(server.url(), tls, OutgoingProtocol::kHttp2)), "200 h2");
  EXPECT_EQ(TextOf(Get(server.url(), tls, OutgoingProtocol::kHttp1)), "200 h1");
  EXPECT_EQ(TextOf(Get(server.url("127.0.0.1"), tls)), "200 h2");
}

TEST_F(OutgoingTlsTest, LargeAnswersComeWholeInBothProtocols) {
  Running server = Start(authority_.Issue());
  for (auto protocol : {OutgoingProtocol::kHttp1, OutgoingProtocol::kHttp2}) {
    auto client = MakeOutgoing(
        {.url = server.url(), .protocol = protocol, .tls = {.ca_pem = authority_.pem()}}, loops_);
    for (int i = 0; i < 3; ++i) {
      OutgoingResult result = Ask(*client, {.path = "/bytes?4000000"});
      ASSERT_TRUE(result) << result.error().message;
      EXPECT_TRUE(result->body == std::string(4'000'000, 'b'));
    }
    EXPECT_EQ(client->counters().connections_opened, 1u);
  }
}

TEST_F(OutgoingTlsTest, ACertificateThatIsNotBelievedSaysWhy) {
  OutgoingTls tls{.ca_pem = authority_.pem()};
  Running good = Start(authority_.Issue());
  ExpectTls(Get(good.url(), {}), ErrorCode::kPermissionDenied, "issuer certificate");
  ExpectTls(Get(good.url(), {.ca_pem = TestAuthority("another").pem()}),
            ErrorCode::kPermissionDenied, "issuer certificate");
  Running expired = Start(authority_.Issue("localhost", -7200, -3600));
  ExpectTls(Get(expired.url(), tls), ErrorCode::kPermissionDenied, "certificate has expired");
  Running early = Start(authority_.Issue("localhost", 3600, 7200));
  ExpectTls(Get(early.url(), tls), ErrorCode::kPermissionDenied, "not yet valid");
  Running other = Start(authority_.Issue("other.test"));
  ExpectTls(Get(other.url(), tls), ErrorCode::kPermissionDenied, "hostname mismatch");
}

TEST_F(OutgoingTlsTest, NamesAreOverriddenAndChecksSwitchedOffBySettings) {
  Running other = Start(authority_.Issue("other.test"));
  EXPECT_EQ(TextOf(Get(other.url(), {.ca_pem = authority_.pem(), .server_name = "other.test"})),
            "200 h2");
  ExpectTls(Get(other.url(), {.ca_pem = authority_.pem(), .server_name = "third.test"}),
            ErrorCode::kPermissionDenied, "hostname mismatch");
  EXPECT_EQ(TextOf(Get(other.url(), {.insecure_skip_verify = true})), "200 h2");
}

TEST_F(OutgoingTlsTest, VersionsThatDoNotMeetAreAnError) {
  Running server = Start(authority_.Issue(), {.min_version = TlsVersion::k13});
  OutgoingTls tls{.ca_pem = authority_.pem(), .max_version = TlsVersion::k12};
  ExpectTls(Get(server.url(), tls), ErrorCode::kUnavailable, "version");
  Running old = Start(authority_.Issue(), {.max_version = TlsVersion::k12});
  EXPECT_EQ(TextOf(Get(old.url(), tls)), "200 h2");
}

class OutgoingClientCertificateTest : public OutgoingTlsTest,
                                      public ::testing::WithParamInterface<TlsVersion> {
 protected:
  OutgoingClientCertificateTest() {
    std::string pattern = std::filesystem::temp_directory_path() / "weft-outgoing-tls-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    Write("ca.pem", authority_.pem());
  }
  ~OutgoingClientCertificateTest() override { std::filesystem::remove_all(folder_); }
  std::string Path(const std::string& name) const { return folder_ + "/" + name; }
  void Write(const std::string& name, const std::string& text) {
    std::ofstream(Path(name) + ".new") << text;
    std::filesystem::rename(Path(name) + ".new", Path(name));
  }
  std::string folder_;
};

INSTANTIATE_TEST_SUITE_P(Versions, OutgoingClientCertificateTest,
                         ::testing::Values(TlsVersion::k12, TlsVersion::k13));

TEST_P(OutgoingClientCertificateTest, AServerThatWantsACertificateIsShownOne) {
  Running server =
      Start(authority_.Issue(), {.client_ca_file = Path("ca.pem"), .max_version = GetParam()});
  OutgoingTls tls{.ca_file = Path("ca.pem")};
  // TLS 1.2 has no alert of its own for it.
  if (GetParam() == TlsVersion::k13) {
    ExpectTls(Get(server.url(), tls), ErrorCode::kPermissionDenied, "certificate required");
  } else {
    ExpectTls(Get(server.url(), tls), ErrorCode::kUnavailable, "handshake failure");
  }
  TestCertificate mine = authority_.Issue("client");
  tls.cert_pem = Secret(mine.cert_pem);
  tls.key_pem = Secret(mine.key_pem);
  EXPECT_EQ(TextOf(Get(server.url(), tls)), "200 h2");
  TestCertificate foreign = TestAuthority("another").Issue("client");
  tls.cert_pem = Secret(foreign.cert_pem);
  tls.key_pem = Secret(foreign.key_pem);
  ExpectTls(Get(server.url(), tls), ErrorCode::kPermissionDenied, "unknown ca");
}

TEST_P(OutgoingClientCertificateTest, FilesAreReadAgainWhenTheyChange) {
  Running server =
      Start(authority_.Issue(), {.client_ca_file = Path("ca.pem"), .max_version = GetParam()});
  TestCertificate foreign = TestAuthority("another").Issue("client");
  Write("cert.pem", foreign.cert_pem);
  Write("key.pem", foreign.key_pem);
  auto client = MakeOutgoing({.url = server.url(),
                              .tls = {.ca_file = Path("ca.pem"),
                                      .cert_file = Path("cert.pem"),
                                      .key_file = Path("key.pem"),
                                      .reload_interval_ms = 1}},
                             loops_);
  ExpectTls(Ask(*client, {.path = "/who"}), ErrorCode::kPermissionDenied, "unknown ca");
  TestCertificate mine = authority_.Issue("client");
  Write("cert.pem", mine.cert_pem);
  Write("key.pem", mine.key_pem);
  EXPECT_TRUE(Eventually([&] { return Ask(*client, {.path = "/who"}).has_value(); }));
}

TEST_F(OutgoingTlsTest, FilesThatDoNotDoAreNamed) {
  auto error = [&](OutgoingTls tls) {
    auto made = OutgoingClient::Make({.url = "https://h", .tls = std::move(tls)}, loops_.all());
    return made ? "" : made.error().message;
  };
  TestCertificate one = authority_.Issue(), two = authority_.Issue();
  EXPECT_THAT(error({.ca_file = "/nowhere/ca.pem"}), HasSubstr("tls::ca_file"));
  EXPECT_THAT(error({.ca_pem = "x"}), HasSubstr("no certificate"));
  EXPECT_THAT(error({.cert_pem = Secret(one.cert_pem)}), HasSubstr("needs its key"));
  EXPECT_THAT(error({.cert_pem = Secret(one.cert_pem), .key_pem = Secret(two.key_pem)}),
              HasSubstr("does not belong"));
}

TEST_F(OutgoingTlsTest, APeerWithoutTlsOrWithoutWordsIsAnError) {
  RawPeer plain([](RawClient& wire, int) {
    wire.ReadSome(10'000);
    wire.Send("HTTP/1.1 400 Bad Request\r\n\r\n");
  });
  ExpectTls(Get("https://localhost:" + std::to_string(plain.port()), {}), ErrorCode::kUnavailable,
            "no TLS");
  RawPeer closing([](RawClient& wire, int) { wire.ReadSome(10'000); });
  ExpectTls(Get("https://localhost:" + std::to_string(closing.port()), {}), ErrorCode::kUnavailable,
            "closed during the handshake");
  RawPeer alert([](RawClient& wire, int) {
    wire.ReadSome(10'000);
    wire.Send(std::string_view("\x15\x03\x03\x00\x02\x02\x28", 7));
  });
  ExpectTls(Get("https://localhost:" + std::to_string(alert.port()), {}), ErrorCode::kUnavailable,
            "handshake failure");
  RawPeer silent([](RawClient& wire, int) { wire.ReadAll(); });
  auto client = MakeOutgoing(
      {.url = "https://localhost:" + std::to_string(silent.port()), .connect_timeout_ms = 200},
      loops_);
  OutgoingResult result = Ask(*client, {.path = "/who"});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().failure, OutgoingFailure::kConnectTimeout);
  EXPECT_EQ(result.error().code, ErrorCode::kDeadlineExceeded);
  EXPECT_THAT(result.error().message, HasSubstr("the TLS handshake took more than 200 ms"));
}

}  // namespace
}  // namespace weft::outgoing

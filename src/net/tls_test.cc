// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <atomic>
#include <filesystem>
#include <fstream>

#include "base/metrics.h"
#include "http/server.h"
#include "net/raw_client.h"
#include "net/test_certificates.h"
#include "outgoing/client.h"

namespace weft::net {

using outgoing::HttpClient;

namespace {

using testing::HasSubstr;
using testing::StartsWith;

// A peer with a will of its own: OpenSSL over memory, bytes carried by hand.
class TlsPeer {
 public:
  explicit TlsPeer(uint16_t port) : wire_(port), context_(SSL_CTX_new(TLS_client_method())) {
    // The versions that a server must refuse, too.
    SSL_CTX_set_security_level(context_.get(), 0);
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_connect_state(ssl_.get());
    SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  }
  SSL* ssl() { return ssl_.get(); }
  RawClient& wire() { return wire_; }

  // Everything OpenSSL wants to say, in pieces of `step` bytes.
  bool Flush(size_t step = SIZE_MAX) {
    char* bytes = nullptr;
    auto size = static_cast<size_t>(BIO_get_mem_data(SSL_get_wbio(ssl()), &bytes));
    for (size_t at = 0; at < size; at += std::min(step, size - at))
      if (!wire_.Send({bytes + at, std::min(step, size - at)})) return false;
    (void)BIO_reset(SSL_get_wbio(ssl()));
    return true;
  }
  bool Receive() {
    if (!wire_.ReadSome(10'000)) return false;
    std::string got = wire_.Take();
    return BIO_write(SSL_get_rbio(ssl()), got.data(), static_cast<int>(got.size())) > 0;
  }
  bool Handshake(size_t step = SIZE_MAX) {
    for (;;) {
      int result = SSL_do_handshake(ssl());
      Flush(step);
      if (result == 1) return true;
      if (SSL_get_error(ssl(), result) != SSL_ERROR_WANT_READ || !Receive()) return false;
    }
  }
  // What comes decrypted until `text` is there or the peer has ended; the last error in alert().
  std::string ReadUntil(std::string_view text) {
    std::string out;
    while (out.find(text) == std::string::npos) {
      char piece[4096];
      int got = SSL_read(ssl(), piece, sizeof piece);
      Flush();
      if (got > 0) {
        out.append(piece, static_cast<size_t>(got));
      } else if (SSL_get_error(ssl(), got) != SSL_ERROR_WANT_READ || !Receive()) {
        break;
      }
    }
    return out;
  }
  std::string Ask(std::string_view request, std::string_view until, size_t step = SIZE_MAX) {
    SSL_write(ssl(), request.data(), static_cast<int>(request.size()));
    Flush(step);
    return ReadUntil(until);
  }
  // The reason that the server's alert gave.
  static std::string Alert() {
    const char* text = ERR_reason_error_string(ERR_peek_last_error());
    ERR_clear_error();
    return text == nullptr ? "" : text;
  }

 private:
  struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  RawClient wire_;
  std::unique_ptr<SSL_CTX, Free> context_;
  std::unique_ptr<SSL, Free> ssl_;
};

class TlsTest : public testing::Test {
 protected:
  TlsTest() {
    std::string pattern = std::filesystem::temp_directory_path() / "weft-tls-test-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    router_->Add("POST", "/echo", {.body_bytes_max = 64 << 20},
                 [this](http::Request request, http::ExchangePtr exchange) {
                   saw_http2_ = request.http2;
                   exchange->Respond({200, "text/plain", {}, std::move(request.body)});
                 });
    router_->AddGrpc("/test.Echo/Say", {}, [](http::GrpcRequest request, http::GrpcCallPtr call) {
      call->Send(std::move(request.message));
      call->Finish({});
    });
    Write("ca.pem", authority_.pem());
    Install(authority_.Issue());
    options_.cert_file = folder_ + "/cert.pem";
    options_.key_file = folder_ + "/key.pem";
    options_.reload_interval_ms = 0;
  }
  ~TlsTest() override {
    if (server_) server_->Stop();
    std::filesystem::remove_all(folder_);
  }

  void Write(const std::string& name, const std::string& text) {
    // By rename, as deployments do it: a reader sees the old file or the new one.
    std::ofstream(folder_ + "/new") << text;
    std::filesystem::rename(folder_ + "/new", folder_ + "/" + name);
  }
  void Install(const TestCertificate& certificate) {
    Write("cert.pem", certificate.cert_pem);
    Write("key.pem", certificate.key_pem);
  }
  Result<uint16_t> Listen() {
    http::ListenOptions options;
    options.name = "test";
    options.metrics = &metrics_;
    options.tls = options_;
    return server_->Listen({"127.0.0.1", 0}, router_, std::move(options));
  }
  void Serve() {
    auto port = Listen();
    ASSERT_TRUE(port.has_value()) << port.error().message;
    port_ = *port;
    url_ = "https://127.0.0.1:" + std::to_string(port_);
    server_->Start();
  }
  HttpClient Client(bool http2 = false) {
    return HttpClient({.http2 = http2, .security = {.ca_file = folder_ + "/ca.pem"}});
  }
  std::string Refusal() {
    auto port = Listen();
    return port ? "" : port.error().message;
  }
  // Waits: the server counts when it sees the end of the connection.
  testing::AssertionResult Counted(const std::string& series, int times = 1) {
    std::string line = series + "} " + std::to_string(times) + "\n", text;
    for (int i = 0; i < 400; ++i) {
      text = metrics_.Render(Metrics::Format::kPrometheus);
      if (text.find(line) != std::string::npos) return testing::AssertionSuccess();
      ::usleep(25'000);
    }
    return testing::AssertionFailure() << line << " is not in\n" << text;
  }
  testing::AssertionResult Failed(const std::string& reason, int times = 1) {
    return Counted("weft_tls_handshake_failures_total{listener=\"test\",reason=\"" + reason + "\"",
                   times);
  }

  Metrics metrics_;
  TestAuthority authority_;
  std::string folder_, url_;
  uint16_t port_ = 0;
  TlsOptions options_;
  std::shared_ptr<http::Router> router_ = std::make_shared<http::Router>();
  std::atomic<bool> saw_http2_{false};
  std::unique_ptr<http::Server> server_ = std::make_unique<http::Server>(
      http::ServerLimits{.header_timeout_ms = 1'000, .drain_timeout_ms = 200}, 2);
};

TEST_F(TlsTest, BodiesOfAllSizesOverBothProtocols) {
  Serve();
  for (bool http2 : {false, true}) {
    HttpClient client = Client(http2);
    for (size_t size :
         {size_t{0}, size_t{1}, size_t{16'384}, size_t{100'000}, size_t{20'000'000}}) {
      std::string body(size, 'b');
      for (size_t i = 0; i < size; i += 4093) body[i] = static_cast<char>('a' + i % 26);
      auto response = client.Post(url_ + "/echo", "x/y", body);
      ASSERT_TRUE(response.has_value()) << response.error().message;
      EXPECT_TRUE(response->body == body) << size;
      EXPECT_EQ(saw_http2_, http2);
    }
  }
  EXPECT_TRUE(Counted("weft_tls_handshakes_total{listener=\"test\"", 2)) << "connections are kept";
}

TEST_F(TlsTest, GrpcOverTls) {
  Serve();
  HttpClient client = Client();
  for (int i = 0; i < 20; ++i) {
    auto reply = client.CallGrpc(url_ + "/test.Echo/Say", "hello");
    ASSERT_TRUE(reply.has_value()) << reply.error().message;
    EXPECT_EQ(reply->status.code, http::GrpcCode::kOk) << reply->status.message;
    EXPECT_EQ(reply->message, "hello");
  }
}

TEST_F(TlsTest, BytesThatTrickle) {
  Serve();
  TlsPeer peer(port_);
  ASSERT_TRUE(peer.Handshake(7));
  EXPECT_THAT(peer.Ask("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
                       "\r\n\r\nhello", 3),
              HasSubstr("200 OK"));
}

TEST_F(TlsTest, ClientsThatDoNotKnowTheAuthorityGoAway) {
  Serve();
  auto response = HttpClient().Get(url_ + "/echo");
  ASSERT_FALSE(response.has_value());
  EXPECT_EQ(response.error().code, ErrorCode::kPermissionDenied);
  EXPECT_THAT(response.error().message, HasSubstr("certificate"));
  EXPECT_TRUE(Failed("peer_alert"));
}

TEST_F(TlsTest, ProtocolsAreNegotiated) {
  Serve();
  struct {
    std::string offered, chosen;
  } cases[] = {{"\x02h2\x08http/1.1", "h2"}, {"\x08http/1.1", "http/1.1"}, {"", ""}};
  for (const auto& c : cases) {
    TlsPeer peer(port_);
    SSL_set_alpn_protos(peer.ssl(), reinterpret_cast<const unsigned char*>(c.offered.data()),
                        static_cast<unsigned>(c.offered.size()));
    ASSERT_TRUE(peer.Handshake()) << c.offered;
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(peer.ssl(), &name, &size);
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(name), size), c.chosen);
  }
  TlsPeer peer(port_);
  SSL_set_alpn_protos(peer.ssl(), reinterpret_cast<const unsigned char*>("\x04spdy"), 5);
  EXPECT_FALSE(peer.Handshake());
  EXPECT_THAT(TlsPeer::Alert(), HasSubstr("no application protocol"));
  EXPECT_TRUE(Failed("no_shared_protocol"));
}

TEST_F(TlsTest, OldVersionsAreRefused) {
  Serve();
  TlsPeer old(port_);
  SSL_set_max_proto_version(old.ssl(), TLS1_1_VERSION);
  EXPECT_FALSE(old.Handshake());
  EXPECT_THAT(TlsPeer::Alert(), HasSubstr("protocol version"));
  EXPECT_TRUE(Failed("version"));
  TlsPeer fine(port_);
  SSL_set_max_proto_version(fine.ssl(), TLS1_2_VERSION);
  EXPECT_TRUE(fine.Handshake());
}

TEST_F(TlsTest, OnlyVersion13WhereThatIsAsked) {
  options_.min_version = TlsVersion::k13;
  Serve();
  TlsPeer old(port_);
  SSL_set_max_proto_version(old.ssl(), TLS1_2_VERSION);
  EXPECT_FALSE(old.Handshake());
  EXPECT_THAT(TlsPeer::Alert(), HasSubstr("protocol version"));
  EXPECT_TRUE(TlsPeer(port_).Handshake());
}

TEST_F(TlsTest, WeakCiphersAreRefused) {
  Serve();
  TlsPeer weak(port_);
  SSL_set_max_proto_version(weak.ssl(), TLS1_2_VERSION);
  SSL_set_cipher_list(weak.ssl(), "AES128-SHA:AES256-GCM-SHA384");
  EXPECT_FALSE(weak.Handshake());
  EXPECT_TRUE(Failed("no_shared_cipher"));
}

TEST_F(TlsTest, ClientCertificates) {
  options_.client_ca_file = folder_ + "/ca.pem";
  Serve();
  auto ask = [this](const TestCertificate& certificate) {
    Write("client.pem", certificate.cert_pem);
    Write("client.key", certificate.key_pem);
    HttpClient client({.security = {.ca_file = folder_ + "/ca.pem",
                                    .cert_file = folder_ + "/client.pem",
                                    .key_file = folder_ + "/client.key"}});
    auto response = client.Post(url_ + "/echo", "x/y", "hello");
    return response ? response->body : "(none)";
  };
  EXPECT_EQ(ask(authority_.Issue("ann")), "hello");
  EXPECT_EQ(ask(TestAuthority("another").Issue("ann")), "(none)");
  EXPECT_TRUE(Failed("bad_client_certificate"));
  EXPECT_EQ(ask(authority_.Issue("ann", -7200, -3600)), "(none)");
  EXPECT_TRUE(Failed("bad_client_certificate", 2));
  TlsPeer none(port_);
  none.Handshake();  // in TLS 1.3 the client is done before the server has judged
  EXPECT_EQ(none.ReadUntil("x"), "");
  EXPECT_THAT(TlsPeer::Alert(), HasSubstr("certificate required"));
  EXPECT_TRUE(Failed("no_client_certificate"));
}

TEST_F(TlsTest, ChangedFilesAreReadAndBadOnesAreNot) {
  Serve();
  auto name = [this] {
    TlsPeer peer(port_);
    if (!peer.Handshake()) return std::string("(none)");
    std::unique_ptr<X509, decltype(&X509_free)> shown(SSL_get1_peer_certificate(peer.ssl()),
                                                      X509_free);
    char text[100] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(shown.get()), NID_commonName, text,
                              sizeof text);
    return std::string(text);
  };
  EXPECT_EQ(name(), "localhost");
  // Between the two files somebody may look: the new certificate does not fit the old key.
  TestCertificate second = authority_.Issue("second");
  Write("cert.pem", second.cert_pem);
  EXPECT_EQ(name(), "localhost");
  EXPECT_TRUE(Counted("weft_tls_reloads_total{listener=\"test\",result=\"failed\""));
  Write("key.pem", second.key_pem);
  EXPECT_EQ(name(), "second");
  EXPECT_TRUE(Counted("weft_tls_reloads_total{listener=\"test\",result=\"ok\""));
  Write("cert.pem", "no certificate");
  EXPECT_EQ(name(), "second");
  std::filesystem::remove(folder_ + "/cert.pem");
  EXPECT_EQ(name(), "second");
  Install(authority_.Issue("third"));
  EXPECT_EQ(name(), "third");
}

TEST_F(TlsTest, FilesThatDoNotFitStopTheStart) {
  TestCertificate other = authority_.Issue();
  Write("key.pem", other.key_pem);
  EXPECT_THAT(Refusal(), HasSubstr("does not belong to the certificate"));
  Write("key.pem",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA==\n-----END ENCRYPTED PRIVATE KEY-----");
  EXPECT_THAT(Refusal(), HasSubstr("passphrase"));
  Install(other);
  options_.client_ca_file = folder_ + "/none.pem";
  EXPECT_THAT(Refusal(), HasSubstr("none.pem"));
  options_.client_ca_file = options_.key_file;
  EXPECT_THAT(Refusal(), HasSubstr("no certificate in PEM form"));
  options_.client_ca_file = "";
  options_.cipher_suites = {"TLS_ROT13"};
  EXPECT_THAT(Refusal(), HasSubstr("\"TLS_ROT13\" is unknown"));
  options_.cipher_suites = {"TLS_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"};
  options_.curve_preferences = {"P1"};
  EXPECT_THAT(Refusal(), HasSubstr("P1"));
  options_.curve_preferences = {"P256", "X25519"};
  EXPECT_EQ(Refusal(), "");
  Write("cert.pem",
        other.cert_pem + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  EXPECT_THAT(Refusal(), HasSubstr("chain is damaged"));
}

TEST_F(TlsTest, PlainSpeakersAreTold) {
  Serve();
  RawClient http1(port_);
  http1.Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string told = http1.ReadAll();
  EXPECT_THAT(told, HasSubstr("this port speaks TLS"));
  EXPECT_THAT(told, HasSubstr("Content-Length: " +
                              std::to_string(told.size() - (told.find("\r\n\r\n") + 4)) + "\r\n"));
  EXPECT_TRUE(http1.eof());
  RawClient http2(port_);
  http2.Send(std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 33));
  EXPECT_EQ(http2.ReadAll(), told);
  EXPECT_TRUE(Failed("plain_http", 2));
  RawClient junk(port_);
  junk.Send(std::string("\0\1\2\3\4\5", 6));
  EXPECT_EQ(junk.ReadAll(), "");
  EXPECT_TRUE(junk.eof());
  EXPECT_TRUE(Failed("not_tls"));
  auto reply = HttpClient().CallGrpc("http://127.0.0.1:" + std::to_string(port_) + "/a.B/C", "");
  EXPECT_FALSE(reply.has_value());
}

TEST_F(TlsTest, HandshakesThatStopAreEnded) {
  Serve();
  RawClient silent(port_), half(port_);
  half.Send(std::string("\x16\x03\x01\x02\x00\x01", 6));
  EXPECT_EQ(silent.ReadAll(), "");
  EXPECT_TRUE(silent.eof());
  half.ReadAll();
  EXPECT_TRUE(half.eof());
  EXPECT_TRUE(Failed("timeout", 2));
  {
    RawClient gone(port_);
  }  // a probe of the port is no failure
  RawClient broken(port_);
  broken.Send(std::string("\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", 10));
  broken.ReadAll();
  EXPECT_TRUE(Failed("protocol"));
  EXPECT_TRUE(Failed("closed", 0));
}

TEST_F(TlsTest, ExpiryIsShown) {
  Install(authority_.Issue("localhost", -7200, -3600));
  Serve();  // it starts, and says so
  EXPECT_THAT(metrics_.Render(Metrics::Format::kPrometheus),
              HasSubstr("weft_tls_certificate_expiry_timestamp_seconds{listener=\"test\"} 1"));
}

}  // namespace
}  // namespace weft::net

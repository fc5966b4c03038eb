// SPDX-License-Identifier: Apache-2.0
//
// The two ends of a TLS connection for tests and fuzz targets, each moved by hand: a peer over
// OpenSSL's memory, whose bytes can be cut or damaged on their way, and a server over TlsStream.
//
// Thread rule: one thread. Next: net/tls_stream.h, net/tls_fuzz.cc, net/tls_cuts_test.cc.
#pragma once

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "http/session_driver.h"
#include "net/test_certificates.h"
#include "net/tls_stream.h"

namespace weft::http {

inline std::shared_ptr<net::TlsContext> TestTlsContext() {
  static std::shared_ptr<net::TlsContext> context = [] {
    net::TestCertificate certificate = net::TestAuthority().Issue();
    net::TlsOptions options;
    options.cert_pem = Secret(certificate.cert_pem);
    options.key_pem = Secret(certificate.key_pem);
    auto made = net::TlsContext::Make(std::move(options), "test", nullptr);
    WEFT_CHECK(made.has_value());
    return *made;
  }();
  return context;
}

class TlsPeerEnd {
 public:
  // Owns `fd`, which does not block. `version` is TLS1_2_VERSION, TLS1_3_VERSION or 0: either.
  explicit TlsPeerEnd(int fd, int version = 0) : fd_(fd) {
    static SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
    ssl_ = SSL_new(context);
    if (version != 0) SSL_set_max_proto_version(ssl_, version);
    SSL_set_connect_state(ssl_);
    SSL_set_bio(ssl_, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  }
  ~TlsPeerEnd() {
    SSL_free(ssl_);
    Hang();
    ERR_clear_error();
  }
  TlsPeerEnd(const TlsPeerEnd&) = delete;
  TlsPeerEnd& operator=(const TlsPeerEnd&) = delete;

  void Hang() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  void Send(std::string_view bytes) {
    if (fd_ >= 0 && !bytes.empty()) (void)::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  // What has come, undecrypted.
  std::string Receive() {
    std::string bytes(65536, '\0');
    ssize_t got = fd_ < 0 ? 0 : ::recv(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    bytes.resize(got > 0 ? static_cast<size_t>(got) : 0);
    return bytes;
  }
  // Takes what has come, shakes hands and decrypts as far as it goes. True once the hands are
  // shaken.
  bool Turn() {
    std::string came = Receive();
    if (!came.empty()) BIO_write(SSL_get_rbio(ssl_), came.data(), static_cast<int>(came.size()));
    bool open = SSL_do_handshake(ssl_) == 1;
    char bytes[4096];
    for (int got; open && (got = SSL_read(ssl_, bytes, sizeof bytes)) > 0;)
      received_.append(bytes, static_cast<size_t>(got));
    ERR_clear_error();
    return open;
  }
  void Encrypt(std::string_view text) {
    if (!text.empty()) SSL_write(ssl_, text.data(), static_cast<int>(text.size()));
    ERR_clear_error();
  }
  // What OpenSSL wants to send by now.
  std::string Output() {
    char* bytes = nullptr;
    auto size = static_cast<size_t>(BIO_get_mem_data(SSL_get_wbio(ssl_), &bytes));
    std::string out(bytes, size);
    (void)BIO_reset(SSL_get_wbio(ssl_));
    return out;
  }
  const std::string& received() const { return received_; }

 private:
  int fd_;
  SSL* ssl_;
  std::string received_;
};

// What net/connection.h does for a stream and a session.
class TlsServerEnd {
 public:
  TlsServerEnd(boost::asio::ip::tcp::socket socket, std::shared_ptr<SessionDriver> driver)
      : stream_(std::move(socket), TestTlsContext(), "peer:1"), driver_(std::move(driver)) {}

  // Reads and writes what goes. False once the stream has ended.
  bool Turn() {
    for (int i = 0; i < 64; ++i) {
      char bytes[4096];
      net::IoResult result = stream_.Read(bytes);
      if (result.state == net::IoState::kAgain) return Flush();
      if (result.state == net::IoState::kEof) driver_->Eof();
      if (result.state != net::IoState::kDone) return false;
      WEFT_CHECK(result.bytes > 0 && result.bytes <= sizeof bytes);
      received_.append(bytes, result.bytes);
      driver_->Feed({bytes, result.bytes});
    }
    return Flush();
  }
  void Close() { stream_.Close(); }
  const std::string& received() const { return received_; }

 private:
  bool Flush() {
    out_ += driver_->Take();
    while (!out_.empty()) {
      std::array<iovec, 2> pieces = {
          iovec{out_.data(), out_.size() / 2},
          iovec{out_.data() + out_.size() / 2, out_.size() - out_.size() / 2}};
      net::IoResult result =
          out_.size() == 1 ? stream_.Write({&pieces[1], 1}) : stream_.Write(pieces);
      if (result.state == net::IoState::kAgain) return true;
      if (result.state != net::IoState::kDone) return false;
      WEFT_CHECK(result.bytes <= out_.size());
      out_.erase(0, result.bytes);
    }
    return true;
  }

  net::TlsStream stream_;
  std::shared_ptr<SessionDriver> driver_;
  std::string received_, out_;
};

// A connected pair of sockets that do not block: the server's, and the peer's descriptor.
inline std::pair<boost::asio::ip::tcp::socket, int> MakeSocketPair(boost::asio::io_context* io) {
  int fds[2];
  WEFT_CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) == 0);
  boost::system::error_code error;
  boost::asio::ip::tcp::socket socket(*io);
  socket.assign(boost::asio::ip::tcp::v4(), fds[0], error);
  WEFT_CHECK(!error);
  return {std::move(socket), fds[1]};
}

}  // namespace weft::http

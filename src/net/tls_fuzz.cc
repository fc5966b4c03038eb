// SPDX-License-Identifier: Apache-2.0
//
// HTTP wrapped in TLS, over a real pair of sockets. The first byte chooses: any bytes in place of a
// handshake; a true handshake whose records are damaged on their way; or a true handshake and any
// bytes as what it carries (HTTP/1.1 or HTTP/2), cut in pieces. Invariants: no crash, no leak, no
// endless loop; the stream ends in kGone or kEof once the peer is gone; what goes in undamaged
// comes out the same.
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>

#include "base/check.h"
#include "net/fuzz_routes.h"
#include "net/test_certificates.h"
#include "net/tls_stream.h"

namespace weft::net {
namespace {

constexpr int kTurnsMax = 10'000;

std::shared_ptr<TlsContext> Context() {
  static std::shared_ptr<TlsContext> context = [] {
    TestCertificate certificate = TestAuthority().Issue();
    TlsOptions options;
    options.cert_pem = Secret(certificate.cert_pem);
    options.key_pem = Secret(certificate.key_pem);
    auto made = TlsContext::Make(std::move(options), "fuzz", nullptr);
    WEFT_CHECK(made.has_value());
    return *made;
  }();
  return context;
}

// The peer's end: a TLS client over memory, whose bytes may be damaged before they are sent.
class Peer {
 public:
  explicit Peer(int fd) : fd_(fd) {
    static SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
    ssl_ = SSL_new(context);
    SSL_set_connect_state(ssl_);
    SSL_set_bio(ssl_, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  }
  ~Peer() {
    SSL_free(ssl_);
    Hang();
    ERR_clear_error();
  }
  void Hang() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  void SendRaw(std::string_view bytes) {
    if (fd_ >= 0 && !bytes.empty()) (void)::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  // Takes what came, shakes hands and decrypts as far as it goes. True once the hands are shaken.
  bool Turn(std::string_view damage) {
    char bytes[65536];
    ssize_t got = fd_ < 0 ? 0 : ::recv(fd_, bytes, sizeof bytes, MSG_DONTWAIT);
    if (got > 0) BIO_write(SSL_get_rbio(ssl_), bytes, static_cast<int>(got));
    bool open = SSL_do_handshake(ssl_) == 1;
    while (open && SSL_read(ssl_, bytes, sizeof bytes) > 0) continue;
    Flush(damage);
    ERR_clear_error();
    return open;
  }
  void Write(std::string_view text) {
    if (text.empty()) return;
    SSL_write(ssl_, text.data(), static_cast<int>(text.size()));
    Flush("");
    ERR_clear_error();
  }

 private:
  // Pairs of (place, what to flip there).
  void Flush(std::string_view damage) {
    char* bytes = nullptr;
    auto size = static_cast<size_t>(BIO_get_mem_data(SSL_get_wbio(ssl_), &bytes));
    std::string out(bytes, size);
    for (size_t i = 0; i + 1 < damage.size() && size > 0; i += 2)
      out[static_cast<unsigned char>(damage[i]) * 7u % size] ^= damage[i + 1];
    (void)BIO_reset(SSL_get_wbio(ssl_));
    SendRaw(out);
  }

  int fd_;
  SSL* ssl_;
};

// What net/connection.h does for a stream and a session.
class ServerEnd {
 public:
  ServerEnd(boost::asio::ip::tcp::socket socket, std::shared_ptr<SessionDriver> driver)
      : stream_(std::move(socket), Context(), "peer:1"), driver_(std::move(driver)) {}

  // False once the stream has ended.
  bool Turn() {
    for (int i = 0; i < 64; ++i) {
      char bytes[4096];
      IoResult result = stream_.Read(bytes);
      if (result.state == IoState::kAgain) return Flush();
      if (result.state == IoState::kEof) driver_->Eof();
      if (result.state != IoState::kDone) return false;
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
      IoResult result = out_.size() == 1 ? stream_.Write({&pieces[1], 1}) : stream_.Write(pieces);
      if (result.state == IoState::kAgain) return true;
      if (result.state != IoState::kDone) return false;
      WEFT_CHECK(result.bytes <= out_.size());
      out_.erase(0, result.bytes);
    }
    return true;
  }

  TlsStream stream_;
  std::shared_ptr<SessionDriver> driver_;
  std::string received_, out_;
};

void Run(unsigned char plan, std::string_view bytes) {
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) != 0) return;
  boost::asio::io_context io;
  boost::system::error_code error;
  boost::asio::ip::tcp::socket socket(io);
  socket.assign(boost::asio::ip::tcp::v4(), fds[0], error);
  WEFT_CHECK(!error);
  FuzzRoutes routes;
  ServerLimits limits;
  limits.header_bytes_max = 8192;
  auto driver = SessionDriver::Make(limits, routes.router);
  ServerEnd server(std::move(socket), driver);
  Peer peer(fds[1]);
  bool alive = true, raw = (plan & 3) == 0, damaged = (plan & 3) == 1;
  if (raw) {
    peer.SendRaw(bytes);
    for (int i = 0; i < 4 && alive; ++i) alive = server.Turn();
  } else {
    bool open = false;
    for (int i = 0; i < 16 && alive && !open; ++i) {
      open = peer.Turn(damaged && i == (plan >> 4 & 3) ? bytes : "");
      alive = server.Turn();
    }
    WEFT_CHECK(damaged || (open && alive));
    size_t step = (plan & 0x0c) == 0 ? 65536 : (plan & 0x0c) * 11u;
    std::string_view rest = damaged ? "" : bytes;
    for (int i = 0; i < kTurnsMax && alive && !rest.empty(); ++i) {
      peer.Write(rest.substr(0, step));
      rest.remove_prefix(std::min(step, rest.size()));
      alive = server.Turn();
      peer.Turn("");
    }
    if (!damaged && alive && rest.empty()) WEFT_CHECK(server.received() == bytes);
  }
  peer.Hang();
  for (int i = 0; i < kTurnsMax && alive; ++i) alive = server.Turn();
  WEFT_CHECK(!alive);
  routes.AnswerHeld();
  server.Close();
  driver->Close();
  routes.AnswerHeld();
  driver->RunPosted();
}

}  // namespace
}  // namespace weft::net

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 1) weft::net::Run(data[0], {reinterpret_cast<const char*>(data) + 1, size - 1});
  return 0;
}

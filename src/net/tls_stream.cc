// SPDX-License-Identifier: Apache-2.0
#include "net/tls_stream.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace weft::net {
namespace {

constexpr size_t kRecordBytes = 16 * 1024;
constexpr unsigned char kHandshakeRecord = 0x16;
// Of what a refused peer still sends, this much is dropped in a turn.
constexpr int kDrainReads = 8;

// HTTP/2 peers get it too: gRPC's libraries say what an answer in HTTP/1.1 means and wait before
// they try again, while a GOAWAY is to them a connection that worked, to be opened again at once.
constexpr std::string_view kRefusal =
    "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 65\r\n"
    "Connection: close\r\n\r\n400 this port speaks TLS: use https://, or a secure gRPC channel\n";

// Far beyond what amounts of data ask for; each costs us more than the peer (RFC 8446 4.6.3).
constexpr uint32_t kKeyUpdatesMax = 1000;

bool IsAgain() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

// Of the error that OpenSSL gives when a handshake fails.
TlsFailure FailureOf(unsigned long error) {
  if (error == 0) return TlsFailure::kClosed;
  int reason = ERR_GET_REASON(error);
  // OpenSSL numbers the alerts that came from the peer from here on.
  if (ERR_GET_LIB(error) == ERR_LIB_SSL && reason > SSL_AD_REASON_OFFSET)
    return TlsFailure::kPeerAlert;
  switch (reason) {
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
      return TlsFailure::kNoClientCertificate;
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
      return TlsFailure::kBadClientCertificate;
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_VERSION_TOO_HIGH:
    case SSL_R_WRONG_SSL_VERSION:
      return TlsFailure::kVersion;
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_NO_SUITABLE_GROUPS:
    case SSL_R_NO_SUITABLE_KEY_SHARE:
      return TlsFailure::kNoSharedCipher;
    case SSL_R_NO_APPLICATION_PROTOCOL:
      return TlsFailure::kNoSharedProtocol;
    default:
      return TlsFailure::kProtocol;
  }
}

}  // namespace

// What OpenSSL calls: the socket as it wants it, since its own would raise SIGPIPE.
struct TlsCallbacks {
  static TlsStream::Wire* WireOf(BIO* bio) {
    return static_cast<TlsStream::Wire*>(BIO_get_data(bio));
  }

  static int Read(BIO* bio, char* out, int size) {
    BIO_clear_retry_flags(bio);
    TlsStream::Wire* wire = WireOf(bio);
    ssize_t got = 0;
    if (wire->key_updates <= kKeyUpdatesMax)
      got = ::recv(wire->fd, out, static_cast<size_t>(size), 0);
    if (got < 0 && IsAgain()) BIO_set_retry_read(bio);
    if (got == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
    return static_cast<int>(got);
  }

  static int Write(BIO* bio, const char* bytes, int size) {
    BIO_clear_retry_flags(bio);
    ssize_t sent = ::send(WireOf(bio)->fd, bytes, static_cast<size_t>(size), MSG_NOSIGNAL);
    if (sent < 0 && IsAgain()) BIO_set_retry_write(bio);
    return static_cast<int>(sent);
  }

  static long Control(BIO* bio, int command, long, void*) {
    if (command == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
  }

  static void OnMessage(int sent, int, int type, const void* bytes, size_t size, SSL*, void* user) {
    bool is_key_update = sent == 0 && type == SSL3_RT_HANDSHAKE && size > 0 &&
                         *static_cast<const unsigned char*>(bytes) == SSL3_MT_KEY_UPDATE;
    if (is_key_update) ++static_cast<TlsStream::Wire*>(user)->key_updates;
  }

  static const BIO_METHOD* Method() {
    static BIO_METHOD* const method = [] {
      BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "weft socket");
      BIO_meth_set_read(made, Read);
      BIO_meth_set_write(made, Write);
      BIO_meth_set_ctrl(made, Control);
      return made;
    }();
    return method;
  }
};

TlsStream::TlsStream(StreamSocket socket, std::shared_ptr<TlsContext> context, std::string peer)
    : socket_(std::move(socket)), context_(std::move(context)), peer_(std::move(peer)) {
  boost::system::error_code ignored;
  socket_.non_blocking(true, ignored);
  socket_.set_option(boost::asio::ip::tcp::no_delay(true), ignored);
}

IoResult TlsStream::Read(std::span<char> out) {
  has_more_ = false;
  if (phase_ != Phase::kOpen) {
    IoState state = Handshake();
    if (phase_ == Phase::kRefused) return Drain(out);
    if (state != IoState::kDone) return {state, 0};
  }
  if (ended_) return {*ended_, 0};
  size_t filled = 0;
  IoState state = IoState::kDone;
  while (filled < out.size() && state == IoState::kDone) {
    ERR_clear_error();
    size_t got = 0;
    int result = SSL_read_ex(ssl_.get(), out.data() + filled, out.size() - filled, &got);
    if (result == 1) {
      filled += got;
    } else {
      state = Judge(result, true);
    }
  }
  if (filled == 0) return {state, 0};
  if (state == IoState::kEof || state == IoState::kGone) ended_ = state;
  has_more_ = state == IoState::kDone || ended_.has_value();
  return {IoState::kDone, filled};
}

IoResult TlsStream::Write(std::span<iovec> pieces) {
  if (phase_ != Phase::kOpen) {
    IoState state = Handshake();
    if (state == IoState::kAgain) {
      // The handshake's own wait, whichever it is.
      write_waits_for_read_ = !read_waits_for_write_;
      return {IoState::kAgain, 0};
    }
    if (state != IoState::kDone) return {IoState::kGone, 0};
  }
  // One record a call. Small pieces share one: a head and its body are one packet.
  std::array<char, kRecordBytes> joined;
  std::string_view record;
  if (pieces.size() == 1 || pieces[0].iov_len >= kRecordBytes) {
    record = {static_cast<const char*>(pieces[0].iov_base), pieces[0].iov_len};
    record = record.substr(0, kRecordBytes);
  } else {
    size_t size = 0;
    for (const iovec& piece : pieces) {
      size_t step = std::min(piece.iov_len, joined.size() - size);
      std::memcpy(joined.data() + size, piece.iov_base, step);
      size += step;
    }
    record = {joined.data(), size};
  }
  ERR_clear_error();
  size_t written = 0;
  int result = SSL_write_ex(ssl_.get(), record.data(), record.size(), &written);
  if (result == 1) return {IoState::kDone, written};
  IoState state = Judge(result, false);
  return {state == IoState::kAgain ? IoState::kAgain : IoState::kGone, 0};
}

IoState TlsStream::Judge(int result, bool reading) {
  bool& other_wait = reading ? read_waits_for_write_ : write_waits_for_read_;
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      other_wait = !reading;
      return IoState::kAgain;
    case SSL_ERROR_WANT_WRITE:
      other_wait = reading;
      return IoState::kAgain;
    case SSL_ERROR_ZERO_RETURN:
      return IoState::kEof;
    default:
      return IoState::kGone;
  }
}

IoState TlsStream::Handshake() {
  if (phase_ == Phase::kFirstByte) {
    IoState state = LookAtFirstBytes();
    if (state != IoState::kDone) return state;
  }
  if (phase_ != Phase::kHandshake) return IoState::kGone;
  ERR_clear_error();
  int result = SSL_do_handshake(ssl_.get());
  if (result == 1) {
    phase_ = Phase::kOpen;
    read_waits_for_write_ = write_waits_for_read_ = false;
    context_->CountHandshake();
    return IoState::kDone;
  }
  IoState state = Judge(result, true);
  if (state == IoState::kAgain) return state;
  unsigned long error = ERR_peek_error();
  ERR_clear_error();
  return FailHandshake(FailureOf(error));
}

IoState TlsStream::LookAtFirstBytes() {
  std::array<char, 4> first;
  ssize_t got = ::recv(fd(), first.data(), first.size(), MSG_PEEK);
  if (got < 0 && IsAgain()) return IoState::kAgain;
  if (got <= 0) {
    // A probe of the port: it has failed at nothing.
    phase_ = Phase::kClosed;
    return IoState::kGone;
  }
  if (static_cast<unsigned char>(first[0]) != kHandshakeRecord) {
    TellInTheClear({first.data(), static_cast<size_t>(got)});
    return IoState::kGone;
  }
  ssl_ = context_->NewConnection();
  BIO* bio = ssl_ ? BIO_new(TlsCallbacks::Method()) : nullptr;
  if (bio == nullptr) return FailHandshake(TlsFailure::kMemory);
  wire_->fd = fd();
  BIO_set_data(bio, wire_.get());
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_msg_callback(ssl_.get(), TlsCallbacks::OnMessage);
  SSL_set_msg_callback_arg(ssl_.get(), wire_.get());
  phase_ = Phase::kHandshake;
  return IoState::kDone;
}

void TlsStream::TellInTheClear(std::string_view first_bytes) {
  // HTTP's methods are upper case letters; "PRI" is how HTTP/2 begins.
  bool http = first_bytes[0] >= 'A' && first_bytes[0] <= 'Z';
  if (http) {
    // It fits a fresh socket's buffer, or the peer has to do without.
    (void)::send(fd(), kRefusal.data(), kRefusal.size(), MSG_NOSIGNAL);
  }
  FailHandshake(http ? TlsFailure::kPlainHttp : TlsFailure::kNotTls);
}

IoState TlsStream::FailHandshake(TlsFailure failure) {
  context_->CountFailure(failure, peer_);
  phase_ = Phase::kRefused;
  // Closing with unread bytes would reset the connection and destroy the alert on its way.
  boost::system::error_code ignored;
  socket_.shutdown(boost::asio::socket_base::shutdown_send, ignored);
  return IoState::kGone;
}

IoResult TlsStream::Drain(std::span<char> out) {
  for (int i = 0; i < kDrainReads; ++i) {
    ssize_t got = ::recv(fd(), out.data(), out.size(), 0);
    if (got < 0 && IsAgain()) return {IoState::kAgain, 0};
    if (got <= 0) return {IoState::kGone, 0};
  }
  return {IoState::kAgain, 0};
}

void TlsStream::ShutdownSend() {
  if (phase_ == Phase::kOpen) {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
  }
  boost::system::error_code ignored;
  socket_.shutdown(boost::asio::socket_base::shutdown_send, ignored);
}

void TlsStream::Close() {
  if (phase_ == Phase::kFirstByte || phase_ == Phase::kHandshake) {
    context_->CountFailure(TlsFailure::kTimeout, peer_);
  } else if (phase_ == Phase::kOpen && !ended_) {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
  }
  phase_ = Phase::kClosed;
  ERR_clear_error();
  boost::system::error_code ignored;
  socket_.close(ignored);
}

}  // namespace weft::net

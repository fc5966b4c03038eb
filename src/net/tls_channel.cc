// SPDX-License-Identifier: Apache-2.0
#include "net/tls_channel.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

namespace weft::net {
namespace {

constexpr size_t kRecordBytes = 16 * 1024;

// Far beyond what amounts of data ask for; each costs us more than the peer (RFC 8446 4.6.3).
constexpr uint32_t kKeyUpdatesMax = 1000;

bool IsAgain() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

}  // namespace

// What OpenSSL calls: the socket as it wants it, since its own would raise SIGPIPE.
struct TlsCallbacks {
  static TlsChannel::Wire* WireOf(BIO* bio) {
    return static_cast<TlsChannel::Wire*>(BIO_get_data(bio));
  }

  static int Read(BIO* bio, char* out, int size) {
    BIO_clear_retry_flags(bio);
    TlsChannel::Wire* wire = WireOf(bio);
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
    if (is_key_update) ++static_cast<TlsChannel::Wire*>(user)->key_updates;
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

TlsChannel::TlsChannel(StreamSocket socket) : socket_(std::move(socket)) {
  boost::system::error_code ignored;
  socket_.non_blocking(true, ignored);
  socket_.set_option(boost::asio::ip::tcp::no_delay(true), ignored);
}

bool TlsChannel::Attach(SslPtr ssl) {
  ssl_ = std::move(ssl);
  BIO* bio = ssl_ ? BIO_new(TlsCallbacks::Method()) : nullptr;
  if (bio == nullptr) return false;
  wire_->fd = fd();
  BIO_set_data(bio, wire_.get());
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_msg_callback(ssl_.get(), TlsCallbacks::OnMessage);
  SSL_set_msg_callback_arg(ssl_.get(), wire_.get());
  return true;
}

IoState TlsChannel::ShakeHands() {
  ERR_clear_error();
  int result = SSL_do_handshake(ssl_.get());
  if (result != 1) return Judge(result, true);
  read_waits_for_write_ = write_waits_for_read_ = false;
  return IoState::kDone;
}

IoResult TlsChannel::ReadOpen(std::span<char> out) {
  has_more_ = false;
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

IoResult TlsChannel::WriteOpen(std::span<iovec> pieces) {
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

IoState TlsChannel::Judge(int result, bool reading) {
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

void TlsChannel::SayGoodbye() {
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

void TlsChannel::ShutdownSocket() {
  boost::system::error_code ignored;
  socket_.shutdown(boost::asio::socket_base::shutdown_send, ignored);
}

void TlsChannel::CloseSocket() {
  boost::system::error_code ignored;
  socket_.close(ignored);
}

}  // namespace weft::net

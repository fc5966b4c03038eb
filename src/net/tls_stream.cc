// SPDX-License-Identifier: Apache-2.0
#include "net/tls_stream.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <array>
#include <cerrno>

namespace weft::net {
namespace {

constexpr unsigned char kHandshakeRecord = 0x16;
// Of what a refused peer still sends, this much is dropped in a turn.
constexpr int kDrainReads = 8;

// HTTP/2 peers get it too: gRPC's libraries say what an answer in HTTP/1.1 means and wait before
// they try again, while a GOAWAY is to them a connection that worked, to be opened again at once.
constexpr std::string_view kRefusal =
    "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 65\r\n"
    "Connection: close\r\n\r\n400 this port speaks TLS: use https://, or a secure gRPC channel\n";

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

TlsStream::TlsStream(StreamSocket socket, std::shared_ptr<TlsContext> context, std::string peer)
    : TlsChannel(std::move(socket)), context_(std::move(context)), peer_(std::move(peer)) {}

IoResult TlsStream::Read(std::span<char> out) {
  if (phase_ != Phase::kOpen) {
    IoState state = Handshake();
    if (phase_ == Phase::kRefused) return Drain(out);
    if (state != IoState::kDone) return {state, 0};
  }
  return ReadOpen(out);
}

IoResult TlsStream::Write(std::span<iovec> pieces) {
  if (phase_ != Phase::kOpen) {
    IoState state = Handshake();
    if (state == IoState::kAgain) {
      WriterWaitsForHandshake();
      return {IoState::kAgain, 0};
    }
    if (state != IoState::kDone) return {IoState::kGone, 0};
  }
  return WriteOpen(pieces);
}

IoState TlsStream::Handshake() {
  if (phase_ == Phase::kFirstByte) {
    IoState state = LookAtFirstBytes();
    if (state != IoState::kDone) return state;
  }
  if (phase_ != Phase::kHandshake) return IoState::kGone;
  IoState state = ShakeHands();
  if (state == IoState::kAgain) return state;
  if (state == IoState::kDone) {
    phase_ = Phase::kOpen;
    context_->CountHandshake();
    return state;
  }
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
  if (!Attach(context_->NewConnection())) return FailHandshake(TlsFailure::kMemory);
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
  ShutdownSocket();
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
  if (phase_ == Phase::kOpen) SayGoodbye();
  ShutdownSocket();
}

void TlsStream::Close() {
  if (phase_ == Phase::kFirstByte || phase_ == Phase::kHandshake) {
    context_->CountFailure(TlsFailure::kTimeout, peer_);
  } else if (phase_ == Phase::kOpen && !ended()) {
    SayGoodbye();
  }
  phase_ = Phase::kClosed;
  CloseSocket();
}

}  // namespace weft::net

// SPDX-License-Identifier: Apache-2.0
//
// What both ends of TLS over a socket have in common: OpenSSL reads and writes the socket through
// callbacks of ours, since its own would raise SIGPIPE; WANT_READ and WANT_WRITE become the two
// waits; what OpenSSL has read ahead counts as readable. How the handshake comes about is for
// TlsStream (servers) and OutgoingTlsStream (clients).
//
// Thread rule: loop thread. Next: net/tls_stream.h, outgoing/outgoing_tls.h.
#pragma once

#include <boost/asio/post.hpp>
#include <memory>
#include <optional>
#include <span>

#include "net/socket_stream.h"
#include "net/tls_context.h"

namespace weft::net {

class TlsChannel {
 public:
  explicit TlsChannel(StreamSocket socket);
  TlsChannel(TlsChannel&&) noexcept = default;
  ~TlsChannel() = default;

  template <class Handler>
  void WaitReadable(Handler handler) {
    if (has_more_) {
      boost::asio::post(socket_.get_executor(), [handler = std::move(handler)]() mutable {
        handler(boost::system::error_code());
      });
      return;
    }
    Wait(read_waits_for_write_, std::move(handler));
  }
  template <class Handler>
  void WaitWritable(Handler handler) {
    Wait(!write_waits_for_read_, std::move(handler));
  }

 protected:
  // Takes `ssl`, which knows its end, to the socket. False: out of memory.
  bool Attach(SslPtr ssl);
  // kDone: hands are shaken. Behind kGone, OpenSSL's queue of errors says why.
  IoState ShakeHands();
  // Once hands are shaken.
  IoResult ReadOpen(std::span<char> out);
  IoResult WriteOpen(std::span<iovec> pieces);
  // During the handshake a writer waits for what the handshake waits for.
  void WriterWaitsForHandshake() { write_waits_for_read_ = !read_waits_for_write_; }
  void SayGoodbye();
  void ShutdownSocket();
  void CloseSocket();

  int fd() { return socket_.native_handle(); }
  ssl_st* ssl() { return ssl_.get(); }
  bool ended() const { return ended_.has_value(); }

 private:
  // What OpenSSL's callbacks see of the stream, at an address that moving does not change.
  struct Wire {
    int fd = -1;
    uint32_t key_updates = 0;
  };
  friend struct TlsCallbacks;

  template <class Handler>
  void Wait(bool writable, Handler handler) {
    socket_.async_wait(
        writable ? boost::asio::socket_base::wait_write : boost::asio::socket_base::wait_read,
        std::move(handler));
  }
  // After OpenSSL has not done what it was asked; `reading` says which of the two waits it means.
  IoState Judge(int result, bool reading);

  StreamSocket socket_;
  std::unique_ptr<Wire> wire_ = std::make_unique<Wire>();
  SslPtr ssl_;
  bool has_more_ = false;  // OpenSSL may hold bytes that nobody has asked for yet
  bool read_waits_for_write_ = false;
  bool write_waits_for_read_ = false;
  std::optional<IoState> ended_;  // what came behind the last bytes
};

}  // namespace weft::net

// SPDX-License-Identifier: Apache-2.0
//
// TLS over a connected socket, in the shape of SocketStream: the handshake runs inside the first
// Read(), so that it stands under the session's header timeout and the server's connection limits
// like a slow request head. What OpenSSL has read ahead counts as readable.
//
// A peer that speaks no TLS is told so in HTTP/1.1, where it speaks HTTP, and counted; so is
// every handshake that fails.
//
// Thread rule: loop thread. Next: net/tls_context.h, net/connection.h.
#pragma once

#include <boost/asio/post.hpp>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "net/socket_stream.h"
#include "net/tls_context.h"

namespace weft::net {

class TlsStream {
 public:
  TlsStream(StreamSocket socket, std::shared_ptr<TlsContext> context, std::string peer);
  TlsStream(TlsStream&&) noexcept = default;
  ~TlsStream() = default;

  IoResult Read(std::span<char> out);
  IoResult Write(std::span<iovec> pieces);
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
  void ShutdownSend();
  void Close();

 private:
  enum class Phase : uint8_t {
    kFirstByte,  // nothing has come yet
    kHandshake,
    kOpen,
    kRefused,  // the peer was told; what it still sends is dropped
    kClosed,
  };

  template <class Handler>
  void Wait(bool writable, Handler handler) {
    socket_.async_wait(
        writable ? boost::asio::socket_base::wait_write : boost::asio::socket_base::wait_read,
        std::move(handler));
  }
  // What OpenSSL's callbacks see of the stream, at an address that moving does not change.
  struct Wire {
    int fd = -1;
    uint32_t key_updates = 0;
  };
  friend struct TlsCallbacks;

  int fd() { return socket_.native_handle(); }
  // kDone: the stream is open.
  IoState Handshake();
  IoState LookAtFirstBytes();
  void TellInTheClear(std::string_view first_bytes);
  IoState FailHandshake(TlsFailure failure);
  IoResult Drain(std::span<char> out);
  // After OpenSSL has not done what it was asked; `reading` says which of the two waits it means.
  IoState Judge(int result, bool reading);

  StreamSocket socket_;
  std::shared_ptr<TlsContext> context_;
  std::string peer_;
  std::unique_ptr<Wire> wire_ = std::make_unique<Wire>();
  SslPtr ssl_;
  Phase phase_ = Phase::kFirstByte;
  bool has_more_ = false;  // OpenSSL may hold bytes that nobody has asked for yet
  bool read_waits_for_write_ = false;
  bool write_waits_for_read_ = false;
  std::optional<IoState> ended_;  // what came behind the last bytes
};

}  // namespace weft::net

// SPDX-License-Identifier: Apache-2.0
//
// The server's end of TLS over a socket, in the shape of SocketStream: the handshake runs inside
// the first Read(), so that it stands under the session's header timeout and the server's
// connection limits like a slow request head.
//
// A peer that speaks no TLS is told so in HTTP/1.1, where it speaks HTTP, and counted; so is
// every handshake that fails.
//
// Thread rule: loop thread. Next: net/tls_context.h, net/connection.h.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "net/tls_channel.h"
#include "net/tls_context.h"

namespace weft::net {

class TlsStream : public TlsChannel {
 public:
  TlsStream(StreamSocket socket, std::shared_ptr<TlsContext> context, std::string peer);
  IoResult Read(std::span<char> out);
  IoResult Write(std::span<iovec> pieces);
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

  // kDone: the stream is open.
  IoState Handshake();
  IoState LookAtFirstBytes();
  void TellInTheClear(std::string_view first_bytes);
  IoState FailHandshake(TlsFailure failure);
  IoResult Drain(std::span<char> out);

  std::shared_ptr<TlsContext> context_;
  std::string peer_;
  Phase phase_ = Phase::kFirstByte;
};

}  // namespace weft::net

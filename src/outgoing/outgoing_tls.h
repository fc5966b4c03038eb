// SPDX-License-Identifier: Apache-2.0
//
// The client's end of TLS: the rules of one remote, and one connection in the shape of
// SocketStream. OutgoingConnect shakes hands before a session sees the stream, since ALPN says
// which session that is. A server that does not like our certificate may say so only behind the
// handshake (TLS 1.3): what it said is kept for the request that fails by it.
//
// Thread rule: the context any thread, the stream its loop thread. Source: RFC 8446, RFC 7301
// (ALPN), RFC 6125 (names). Next: net/tls_channel.h, outgoing/outgoing_connect.h.
#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "base/result.h"
#include "net/file_watch.h"
#include "net/tls_channel.h"
#include "outgoing/outgoing_options.h"
#include "outgoing/outgoing_request.h"

namespace weft::outgoing {

class OutgoingTlsContext {
 public:
  // `host` is the remote's: a name or an address. kInvalidArgument names the file or setting.
  static Result<std::shared_ptr<OutgoingTlsContext>> Make(OutgoingTls options,
                                                          const std::string& host,
                                                          OutgoingProtocol protocol);
  // The client's end of a new connection, with the newest good files; null when out of memory.
  net::SslPtr NewConnection();

 private:
  OutgoingTlsContext(OutgoingTls options, const std::string& host, OutgoingProtocol protocol);
  Result<net::SslContextPtr> Load() const;
  void Reload();

  const OutgoingTls options_;
  const std::string name_;  // that the certificate must be of
  const bool name_is_address_;
  const OutgoingProtocol protocol_;
  net::FileWatch files_;
  std::mutex mutex_;
  net::SslContextPtr context_;  // guarded by mutex_
};

// Why TLS failed.
struct OutgoingTlsError {
  bool of_certificate = false;  // theirs, or ours
  // No byte of a request can have been read by the peer: hands were never shaken.
  bool before_requests = true;
  std::string text;  // "certificate has expired"
};

class OutgoingTlsStream : public net::TlsChannel {
 public:
  explicit OutgoingTlsStream(net::StreamSocket socket) : net::TlsChannel(std::move(socket)) {}

  // kDone: open. kAgain: wait for both directions as TlsChannel says. Else error() says why.
  net::IoState Handshake(OutgoingTlsContext* context);
  // "h2", "http/1.1", or "" where the server chose nothing.
  std::string protocol();
  // Set once the stream has broken; the object outlives the stream.
  std::shared_ptr<OutgoingTlsError> error() const { return error_; }

  net::IoResult Read(std::span<char> out);
  net::IoResult Write(std::span<iovec> pieces);
  void ShutdownSend();
  void Close();

 private:
  void NoteError();

  bool attached_ = false;
  bool open_ = false;
  std::shared_ptr<OutgoingTlsError> error_ = std::make_shared<OutgoingTlsError>();
};

}  // namespace weft::outgoing

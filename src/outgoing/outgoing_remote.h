// SPDX-License-Identifier: Apache-2.0
//
// OutgoingOptions, read and checked: what connections and requests of one client are made from.
// Made once by OutgoingClient::Make().
//
// Thread rule: immutable. Source: RFC 3986. Next: outgoing/outgoing_connect.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "outgoing/outgoing_options.h"
#include "outgoing/outgoing_proxy.h"

namespace weft::outgoing {

class OutgoingTlsContext;

struct HostPort {
  std::string host;  // an IPv6 address without its brackets
  uint16_t port = 0;
  // "example.com:4317", "[::1]:4317".
  std::string Text() const;
};
// "host", "host:port", "[::1]:port".
Result<HostPort> ParseHostPort(std::string_view text, uint16_t default_port);

struct OutgoingRemote {
  OutgoingOptions options;
  HostPort address;
  bool tls = false;
  std::string authority;                            // what Host and :authority say
  std::string text;                                 // "http://127.0.0.1:4318": for messages
  std::shared_ptr<OutgoingTlsContext> tls_context;  // null in cleartext
  OutgoingProxyRoute proxy;

  bool tunnels() const {
    return proxy.used && (tls || options.protocol == OutgoingProtocol::kHttp2);
  }
  std::string_view scheme() const { return tls ? "https" : "http"; }

  static Result<std::shared_ptr<const OutgoingRemote>> Make(OutgoingOptions options);
};

}  // namespace weft::outgoing

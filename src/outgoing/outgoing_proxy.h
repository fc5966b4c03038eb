// SPDX-License-Identifier: Apache-2.0
//
// Whether a remote is reached by a proxy, and how one is asked for a tunnel. Made from
// OutgoingProxy, which holds what HTTP_PROXY, HTTPS_PROXY and NO_PROXY hold elsewhere.
//
// Thread rule: values and pure functions. Source: RFC 9110 9.3.6 (CONNECT), RFC 7617 (Basic).
// Next: outgoing/outgoing_connect.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"
#include "outgoing/outgoing_options.h"

namespace weft::outgoing {

struct OutgoingProxyRoute {
  bool used = false;
  std::string host;
  uint16_t port = 0;
  Secret authorization;  // "Basic ...": Proxy-Authorization; empty: none
  std::string text;      // "proxy 10.0.0.1:3128": for messages, without the password
};

// The way to host:port. kInvalidArgument: the proxy's URL is wrong, or of a kind that weft does not
// speak (https, socks5).
Result<OutgoingProxyRoute> ChooseProxy(const OutgoingProxy& proxy, bool tls, std::string_view host,
                                       uint16_t port);

// True where `no_proxy` names host:port: a name with all names below it, ".name" only those, an
// address, a CIDR block, "*"; each with ":port" or without.
bool MatchesNoProxy(std::string_view no_proxy, std::string_view host, uint16_t port);

// The request for a tunnel to `authority` ("host:port").
std::string ConnectRequest(const OutgoingProxyRoute& proxy, std::string_view authority,
                           std::string_view user_agent);

// Of the answer's head, whole or not. Nothing: more has to come. 0: this is no HTTP.
std::optional<int> ConnectStatus(std::string_view head);

}  // namespace weft::outgoing

// SPDX-License-Identifier: Apache-2.0
//
// One registered route, as the sessions see it, and what they answer by themselves.
//
// Thread rule: immutable once the server has started. Next: net/session.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/entrance.h"
#include "http/server.h"

namespace weft::http {

struct Router::Route {
  std::string method;  // "*" matches all; "" for gRPC
  std::string path;    // of a prefix route: without the "*", so it ends in "/"
  bool prefix = false;
  bool grpc = false;
  RouteOptions options;
  HttpHandler handler;
  GrpcOptions grpc_options;
  GrpcHandler grpc_handler;
};

// What a request head leads to before its body is read: a handler, or an answer at once.
struct RouteChoice {
  const HttpHandler* handler = nullptr;
  uint64_t body_bytes_max = 1 << 20;
  bool admitted = false;  // admit() ran and said yes: declared sizes may be believed
  std::shared_ptr<void> token;
  std::function<std::unique_ptr<Response>(const RequestHead&, uint64_t)> grow;  // may be null
  // What grow() says to a body that has come to `bytes`.
  std::unique_ptr<Response> Grow(const RequestHead& head, uint64_t bytes) const {
    return grow && bytes > 0 ? grow(head, bytes) : nullptr;
  }
  std::unique_ptr<Response> refusal;
};
RouteChoice ChooseRoute(const Entrance& entrance, const RequestHead& head);
// The status of a call that may not pass.
std::optional<GrpcStatus> CheckCall(const Entrance& entrance, const RequestHead& head,
                                    const Router::Route* route);

// A plain-text answer of the server itself: "404 no such path: /x". What it echoes is escaped.
Response PlainResponse(int status, std::string text);

}  // namespace weft::http

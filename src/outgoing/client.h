// SPDX-License-Identifier: Apache-2.0
//
// A blocking HTTP client for the command line, the demo, the load generator and tests:
//
//   HttpClient client;
//   WEFT_ASSIGN(ClientResponse response, client.Send({.url = "http://127.0.0.1:16686/healthz"}));
//
// One object keeps its connections open between calls. libcurl is loaded when the first client is
// made, not when the program starts: its thirty shared libraries cost 7 ms and megabytes that a
// server without outgoing calls does not pay.
//
// Thread rule: one thread at a time per object; any number of objects. Next: http/http.h.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"
#include "http/grpc.h"
#include "http/http.h"

namespace weft::outgoing {

// Whom the client believes, and how it says who it is.
struct ClientSecurity {
  std::string ca_file;  // PEM: the only authorities that count; empty: the system's
  // A certificate for servers that ask for one, and its key; PEM.
  std::string cert_file, key_file;
  // "Bearer ..." or "Basic ...": the Authorization header of every request; empty: none.
  Secret authorization;
};

struct ClientOptions {
  int64_t connect_timeout_ms = 5'000;
  int64_t timeout_ms = 30'000;  // of a whole exchange; 0: none
  uint64_t response_bytes_max = 64ull << 20;
  // HTTP/2: by ALPN over TLS, with prior knowledge in cleartext. CallGrpc() always does.
  bool http2 = false;
  ClientSecurity security = {};
};

struct ClientRequest {
  std::string method = "GET";
  std::string url;
  http::Headers headers = {};
  std::string_view body = {};  // borrowed until Send() returns; sent when the method is not GET
  // Called with each piece of the answer's body, which is then not collected in
  // ClientResponse::body and not counted. False ends the exchange with kCancelled.
  std::function<bool(std::string_view)> on_body = {};
};

struct ClientResponse {
  int status = 0;
  http::Headers headers;  // names in lower case; of HTTP/2 also the trailers
  std::string body;
};

struct GrpcReply {
  http::GrpcStatus status;
  std::string message;  // of the first response message
};

class HttpClient {
 public:
  explicit HttpClient(ClientOptions options = {});
  ~HttpClient();
  HttpClient(HttpClient&&) noexcept;
  HttpClient& operator=(HttpClient&&) noexcept;

  // An answer of any status is a value. Errors: kUnavailable (no connection, connection lost),
  // kDeadlineExceeded, kTooLarge (over response_bytes_max), kCancelled, kInvalidArgument (URL,
  // files of ClientSecurity), kPermissionDenied (a server that is not believed, or that wants a
  // certificate).
  Result<ClientResponse> Send(const ClientRequest& request);
  Result<ClientResponse> Get(std::string url);
  Result<ClientResponse> Post(std::string url, std::string content_type, std::string_view body);
  // One unary call: `url` is "https://host:port/package.Service/Method".
  Result<GrpcReply> CallGrpc(std::string url, std::string_view message,
                             http::Headers metadata = {});

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weft::outgoing

// SPDX-License-Identifier: Apache-2.0
//
// The front door of http/: an HTTP server that speaks HTTP/1.1 and HTTP/2 (cleartext with prior
// knowledge or Upgrade, told apart by the first bytes) on one port, and gRPC over HTTP/2. Handlers
// are registered before Start(); one Server may listen on many addresses, each with its own routes.
//
// Threads: `threads` event-loop threads; a handler runs on the loop thread of its connection and
// must not block. It may answer at once, or keep the Exchange and answer later from any thread.
// Sources: RFC 9110, 9112, 9113, gRPC PROTOCOL-HTTP2.md.
// Next: http/http.h (requests and answers), http/grpc.h. The other direction is outgoing/.
#pragma once

// The room, along the way of a request:
//
//     net::Connection   bytes
//          |
//     ServerSession     HTTP/1.1 or HTTP/2? the first bytes tell            (server_session.h)
//          |
//     Http1Session, Http1Parser   or   Http2Session, Http2Stream, GrpcCall
//          | a RequestHead
//     ChooseRoute       which route; the listener's Entrance: does Host fit, may it pass (auth/);
//          |            does the route admit it                             (entrance.h, route.h)
//     handler(Request, Exchange)        on the loop thread; may answer from any thread, later
//          |
//     ExchangeState     parts of the answer, on their way back to the session (exchange_state.h)
//
// Begin with http.h, then session by session. What the client's end of HTTP shares with it:
// http_text.h, answer_head.h, http2_headers.h, grpc.h.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/memory_budget.h"
#include "base/result.h"
#include "http/grpc.h"
#include "http/http.h"
#include "http/listen_options.h"

namespace weft::http {

struct ServerLimits {
  uint32_t header_bytes_max = 64 * 1024;
  uint32_t header_timeout_ms = 10'000;
  uint32_t idle_timeout_ms = 60'000;
  uint32_t body_timeout_ms = 60'000;          // whole body
  uint32_t body_bytes_per_second_min = 1024;  // judged after the first 10 s
  uint32_t streams_per_connection_max = 128;
  uint32_t connections_max = 10'000;
  uint32_t connections_per_ip_max = 256;  // loopback is exempt
  uint32_t drain_timeout_ms = 10'000;
  uint32_t write_buffer_bytes_max = 256 * 1024;  // per exchange; beyond it Write() reports kWait
  // A reader that takes less than this much of a waiting answer in this time is ended.
  uint32_t reader_timeout_ms = 30'000;
  uint32_t reader_bytes_min = 64 * 1024;
  MemoryAccount* answers = nullptr;  // what waits to be sent is charged here; null: nowhere
};

// Routes of one listening address. Built before Start(), immutable after.
class Router {
 public:
  // `path` is exact, or ends in "/*" to match any deeper path. `method` "*" matches all.
  // A path that is known under another method is answered 405 with Allow.
  void Add(std::string method, std::string path, RouteOptions options, HttpHandler handler);
  // `path` is "/package.Service/Method". Served on HTTP/2 requests of content type
  // application/grpc.
  void AddGrpc(std::string path, GrpcOptions options, GrpcHandler handler);
  // A path below `base_path` ("/weft"; "": none) is matched, and shown to handlers, without it;
  // gRPC has no such paths.
  void SetBasePath(std::string base_path) { base_path_ = std::move(base_path); }
  void StripBasePath(RequestHead* head) const;
  // Called where nothing matched; without one: 404.
  void SetFallback(HttpHandler handler);
  // How refusals under `path` (exact, or "/*" at its end) look; the longest path wins. Without one
  // they are plain text. Status and headers are the server's; an empty body stays empty.
  void AnswerRefusals(std::string path, RefusalAnswer answer);

  struct Route;
  const Route* Find(std::string_view method, std::string_view path, bool* path_known) const;
  const Route* FindGrpc(std::string_view path) const;
  // True for "" and for every "package.Service" with a registered method.
  bool HasGrpcService(std::string_view service) const;
  // "GET,HEAD,POST": what Allow says for `path`.
  std::string AllowedMethods(std::string_view path) const;
  const HttpHandler* fallback() const { return fallback_ ? &fallback_ : nullptr; }
  Response Refuse(const RequestHead& head, Refusal refusal) const;

 private:
  struct RefusalRule {
    std::string path;
    bool prefix;
    RefusalAnswer answer;
  };
  std::vector<RefusalRule> refusal_rules_;
  std::vector<std::shared_ptr<Route>> routes_;
  HttpHandler fallback_;
  std::string base_path_;
};

struct Endpoint {
  std::string host;   // "127.0.0.1", "::1", "localhost" (both loopbacks), "0.0.0.0"
  uint16_t port = 0;  // 0: any free one
  // Not empty: a Unix domain socket at this path, or with the abstract name behind "@", in place of
  // host and port. Who may connect to a path is what its folder and the process's umask say.
  std::string path = {};
};

class Server {
 public:
  Server(ServerLimits limits, int threads);
  ~Server();  // Stop()

  // kUnavailable with address, port and, where /proc tells, the process that holds it, when the
  // address is in use. The error does not name a flag; the caller knows which one moves it.
  // Returns the bound port, 0 for a path.
  // Certificates that cannot be read or do not fit are kInvalidArgument.
  Result<uint16_t> Listen(const Endpoint& endpoint, std::shared_ptr<const Router> router,
                          ListenOptions options = {});
  void Start();
  // Listeners change while the server runs. After BeginChange(), Listen() prepares: an address that
  // is listened on already is taken over with its socket, a new one is bound; none of it is seen
  // from outside until CommitChange(), which cannot fail. Then listeners take requests as they were
  // given, on open connections too; those of a name in `kept` stay as they are; all others take
  // what waits to be accepted, wind their connections down and close. By one thread.
  void BeginChange();
  void CommitChange(const std::vector<std::string>& kept);
  void AbandonChange();
  // No request is under way that came to what a change took away.
  bool RetiredAreGone();
  // Cuts connections that came to listeners that are gone.
  void CloseRetired();

  // Refuses new connections, sends GOAWAY / Connection: close, waits up to drain_timeout_ms for
  // exchanges under way, then closes. Idempotent.
  void Stop();

  uint64_t connections() const;
  // Connections turned away because too many were open.
  uint64_t connections_refused() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weft::http

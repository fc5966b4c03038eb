// SPDX-License-Identifier: Apache-2.0
//
// The front door of outgoing traffic: requests to one remote, on event loops, never a thread a
// request. HTTP/1.1 and HTTP/2, TLS, proxies, pooled connections; gRPC on top
// (outgoing/outgoing_grpc.h).
//
//   WEFT_ASSIGN(auto client, OutgoingClient::Make({.url = "http://127.0.0.1:4318"}, {loop}));
//   WEFT_ASSIGN(auto call, client->Send({"POST", "/v1/traces", headers, std::move(body)},
//                                       [](OutgoingResult result) { ... }));
//
// The way of a request: Send() checks and charges it -> OutgoingPool of one loop queues it -> an
// OutgoingSession, which speaks HTTP on one connection, takes it -> its OutgoingSink gets the
// answer. Connections come from OutgoingConnect. A connection serves its loop alone: with several
// loops, each has its own.
//
// A request is sent again by itself where that is safe: up to three times while no peer has looked
// at it (GOAWAY, REFUSED_STREAM, no byte went out), once where it is idempotent and a kept
// connection closed before any byte of an answer. Next: outgoing/outgoing_request.h,
// outgoing_options.h.
#pragma once

// The room. Two clients that share nothing but the words of http/: this one, for what a server
// sends, and HttpClient (client.h), which blocks, for the command line, load and tests.
//
//     CallGrpc, OpenGrpcStream   calls                       (outgoing_grpc.h)
//          |
//     OutgoingClient     requests, retries, what all may hold
//          |
//     OutgoingPool       one for each loop: queue, connections (outgoing_pool.h)
//          |                     |
//     OutgoingConnect      OutgoingHttp1, OutgoingHttp2        one connection's end
//     name, TCP,           each a net::Session
//     OutgoingProxy, OutgoingTls
//
// What travels is an OutgoingExchange (outgoing_exchange.h). Begin here, then outgoing_request.h.

#include <atomic>
#include <memory>
#include <vector>

#include "net/loop.h"
#include "outgoing/outgoing_options.h"
#include "outgoing/outgoing_request.h"

namespace weft::outgoing {

struct OutgoingExchange;
class OutgoingPool;
class OutgoingSink;
struct OutgoingRemote;

// Thread rule: Send() from any thread.
class OutgoingClient {
 public:
  // The loops have been started and stop after the client is gone. kInvalidArgument names the
  // setting that is wrong. No connection is made before the first request.
  static Result<std::unique_ptr<OutgoingClient>> Make(
      OutgoingOptions options, std::vector<std::shared_ptr<net::Loop>> loops);
  // Completes what is open with kCancelled. Elsewhere than on a loop thread it waits until that is
  // done: no callback comes later. On a loop thread the callbacks come after it.
  ~OutgoingClient();
  OutgoingClient(const OutgoingClient&) = delete;
  OutgoingClient& operator=(const OutgoingClient&) = delete;

  // An error comes at once and `done` is not called: kUnavailable when requests_max or
  // request_bytes_max are reached, kInvalidArgument for what no request can be.
  Result<OutgoingCallPtr> Send(OutgoingRequest request, OutgoingDone done);

  const OutgoingOptions& options() const;
  const OutgoingCounters& counters() const { return *counters_; }

  // For outgoing/outgoing_grpc.h: Send() with an answer that goes to a sink of its own.
  Status Submit(const std::shared_ptr<OutgoingExchange>& exchange);

 private:
  OutgoingClient(std::shared_ptr<const OutgoingRemote> remote,
                 const std::vector<std::shared_ptr<net::Loop>>& loops);
  Status Check(const OutgoingExchange& exchange) const;
  Status Charge(OutgoingExchange* exchange);

  const std::shared_ptr<const OutgoingRemote> remote_;
  const std::shared_ptr<OutgoingCounters> counters_;
  std::vector<std::shared_ptr<OutgoingPool>> pools_;  // one a loop
  std::atomic<size_t> next_pool_{0};
};

}  // namespace weft::outgoing

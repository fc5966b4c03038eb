// SPDX-License-Identifier: Apache-2.0
//
// The query extension: everything that answers on port 16686, Jaeger's gRPC API on 16685 and
// Tempo's on 3200. The native API, Jaeger's, Tempo's, health, metrics and the UI.
//
// Thread rule: Start() and Stop() by one thread.
// Next: api/native_api.h, api/jaeger_api.h, api/api_v3.h, api/query_runner.h.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/native_api.h"
#include "api/query_runner.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "http/server.h"

namespace weft::api {

struct QueryServerOptions {
  http::Endpoint endpoint;
  // "/weft" where a proxy serves all this under https://example.com/weft/; "" for "/". Paths are
  // answered with it and without it: a proxy may take it off or not.
  std::string base_path = {};
  QueryRunner::Limits limits;
  std::optional<http::Endpoint> grpc_endpoint = {};   // gRPC alone, which `endpoint` answers too
  std::optional<http::Endpoint> tempo_endpoint = {};  // Tempo's API alone
  http::ListenOptions listen = {}, grpc_listen = {}, tempo_listen = {};
  selftrace::Tracer* tracer = nullptr;  // borrowed; null: weft does not trace itself
};

class QueryServer {
 public:
  // All pointers are borrowed. `ready` is what /readyz answers: empty for yes, else why not.
  QueryServer(QueryServerOptions options, ServerFacts facts, store::Store* store,
              http::Server* server, Metrics* metrics, Clock* clock,
              std::function<std::string()> ready);

  Status Start();
  // Cancels queries under way. Call before the http::Server stops, so that it need not wait for
  // them.
  void Stop();
  // The port that was bound; after Start().
  uint16_t port() const { return port_; }
  uint16_t grpc_port() const { return grpc_port_; }    // 0 without one
  uint16_t tempo_port() const { return tempo_port_; }  // 0 without one

 private:
  void AddGrpc(http::Router* router);
  Status StartGrpc();
  Status StartTempo();

  const QueryServerOptions options_;
  const ServerFacts facts_;
  http::Server* const server_;
  Metrics* const metrics_;
  Clock* const clock_;
  const std::function<std::string()> ready_;
  QueryRunner runner_;
  uint16_t port_ = 0, grpc_port_ = 0, tempo_port_ = 0;
};

// /healthz, /readyz and /metrics, for any router.
void AddHealthRoutes(std::function<std::string()> ready, const Metrics* metrics,
                     http::RouteOptions options, http::Router* router);

}  // namespace weft::api

// SPDX-License-Identifier: Apache-2.0
#include "api/query_server.h"

#include "api/answers.h"
#include "api/api_v3.h"
#include "api/api_v3_grpc.h"
#include "api/jaeger_api.h"
#include "api/metrics_page.h"
#include "api/otlp_elsewhere.h"
#include "api/reload_route.h"
#include "api/tempo_api.h"
#include "api/web_ui.h"
#include "wire/compression.h"

namespace weft::api {
namespace {

http::Response PlainText(int status, std::string text) {
  return {.status = status,
          .content_type = "text/plain; charset=utf-8",
          .headers = {{"cache-control", "no-store"}},
          .body = std::move(text)};
}

}  // namespace

void AddHealthRoutes(std::function<std::string()> ready, const Metrics* metrics,
                     http::RouteOptions options, http::Router* router) {
  http::RouteOptions probe = options;
  probe.open = true;  // probes carry no credentials, and are told nothing but yes or no
  router->Add("GET", "/healthz", probe, [](http::Request, http::ExchangePtr exchange) {
    exchange->Respond(PlainText(200, "ok\n"));
  });
  router->Add("GET", "/readyz", probe, [ready](http::Request, http::ExchangePtr exchange) {
    std::string why_not = ready();
    exchange->Respond(why_not.empty() ? PlainText(200, "ready\n") : PlainText(503, why_not + "\n"));
  });
  router->Add(
      "GET", "/metrics", options, [metrics](http::Request request, http::ExchangePtr exchange) {
        exchange->Respond(AnswerMetrics(*metrics, http::FindHeader(request.headers, "accept")));
      });
}

QueryServer::QueryServer(QueryServerOptions options, ServerFacts facts, store::Store* store,
                         http::Server* server, Metrics* metrics, Clock* clock,
                         std::function<std::string()> ready)
    : options_(std::move(options)),
      facts_(std::move(facts)),
      server_(server),
      metrics_(metrics),
      clock_(clock),
      ready_(std::move(ready)),
      runner_(store, options_.limits, metrics, clock, options_.tracer) {}

Status QueryServer::StartTempo() {
  auto router = std::make_shared<http::Router>();
  AddTempoRoutes("", {facts_.version, ready_}, &runner_, {}, router.get());
  AddHealthRoutes(ready_, metrics_, {}, router.get());
  AddOtlpElsewhere(facts_, {}, router.get());
  WEFT_ASSIGN(tempo_port_,
              server_->Listen(*options_.tempo_endpoint, std::move(router), options_.tempo_listen));
  return {};
}

Status QueryServer::StartGrpc() {
  if (!options_.grpc_endpoint) return {};
  auto router = std::make_shared<http::Router>();
  AddGrpc(router.get());
  AddOtlpElsewhere(facts_, {}, router.get());
  WEFT_ASSIGN(grpc_port_,
              server_->Listen(*options_.grpc_endpoint, std::move(router), options_.grpc_listen));
  return {};
}

Status QueryServer::Start() {
  auto router = std::make_shared<http::Router>();
  router->SetBasePath(options_.base_path);
  AddNativeRoutes(facts_, &runner_, {}, router.get());
  AddJaegerRoutes(&runner_, clock_, {}, router.get());
  AddApiV3Routes(&runner_, {}, router.get());
  AddTempoRoutes("/tempo", {facts_.version, ready_}, &runner_, {}, router.get());
  AddHealthRoutes(ready_, metrics_, {}, router.get());
  AddOtlpElsewhere(facts_, {}, router.get());
  if (facts_.reloads != nullptr)
    AddReloadRoute(facts_.reloads, options_.listen.authenticator != nullptr, router.get());
  ServeWebUi(options_.base_path, router.get());
  AddGrpc(router.get());
  WEFT_ASSIGN(port_, server_->Listen(options_.endpoint, std::move(router), options_.listen));
  WEFT_TRY(StartGrpc());
  return options_.tempo_endpoint ? StartTempo() : Status{};
}

void QueryServer::AddGrpc(http::Router* router) {
  http::GrpcOptions options;
  options.message_bytes_max = 1 << 20;  // a question, not data
  options.decompress = [](std::string_view encoding, std::string_view bytes, uint64_t bytes_max,
                          void*) -> Result<std::string> {
    std::optional<wire::Compression> kind = wire::CompressionByName(encoding);
    if (kind) return wire::Decompress(*kind, bytes, bytes_max);
    return Fail(ErrorCode::kUnimplemented,
                "unsupported grpc-encoding \"" + std::string(encoding.substr(0, 64)) + "\"");
  };
  AddApiV3Grpc(&runner_, options, router);
  http::AddGrpcHealth(router, [ready = ready_] { return ready().empty(); });
}

void QueryServer::Stop() { runner_.Stop(); }

}  // namespace weft::api

// SPDX-License-Identifier: Apache-2.0
#include "api/query_server.h"

#include <algorithm>

#include "api/answers.h"
#include "api/api_v3.h"
#include "api/api_v3_grpc.h"
#include "api/jaeger_api.h"
#include "api/metrics_page.h"
#include "api/otlp_elsewhere.h"
#include "api/tempo_api.h"
#include "api/web_ui.h"
#include "wire/compression.h"

namespace weft::api {
namespace {

net::Response PlainText(int status, std::string text) {
  return {.status = status,
          .content_type = "text/plain; charset=utf-8",
          .headers = {{"cache-control", "no-store"}},
          .body = std::move(text)};
}

// "[::1]:16686" -> "::1", "localhost:16686" -> "localhost", in lower case.
std::string HostName(std::string_view host) {
  if (host.starts_with('[')) {
    host = host.substr(1, host.find(']') - 1);
  } else {
    host = host.substr(0, host.find(':'));
  }
  std::string name;
  for (char c : host) name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (name.ends_with('.')) name.pop_back();
  return name;
}

bool IsLoopbackName(std::string_view name) {
  return name == "localhost" || name.ends_with(".localhost") || name == "::1" ||
         (name.starts_with("127.") && name.find_first_not_of("0123456789.") == name.npos);
}

}  // namespace

std::function<net::Admission(const net::RequestHead&)> LoopbackHostsOnly(
    std::vector<std::string> allowed, const net::Router* router) {
  return [allowed = std::move(allowed), router](const net::RequestHead& head) -> net::Admission {
    std::string name = HostName(net::FindHeader(head.headers, "host"));
    // Browsers always send a Host; a page that rebinds its name to 127.0.0.1 sends its own.
    if (name.empty() || IsLoopbackName(name) || std::ranges::find(allowed, name) != allowed.end())
      return {};
    net::Refusal refusal{
        .status = 403,
        .message =
            "this server answers for localhost only; to reach it by another name, add that "
            "name to extensions::query::allowed_hosts"};
    return {std::make_unique<net::Response>(router->Refuse(head, std::move(refusal))), nullptr};
  };
}

void AddHealthRoutes(std::function<std::string()> ready, const Metrics* metrics,
                     net::RouteOptions options, net::Router* router) {
  net::RouteOptions probe = options;
  probe.open = true;  // probes carry no credentials, and are told nothing but yes or no
  router->Add("GET", "/healthz", probe, [](net::Request, net::ExchangePtr exchange) {
    exchange->Respond(PlainText(200, "ok\n"));
  });
  router->Add("GET", "/readyz", probe, [ready](net::Request, net::ExchangePtr exchange) {
    std::string why_not = ready();
    exchange->Respond(why_not.empty() ? PlainText(200, "ready\n") : PlainText(503, why_not + "\n"));
  });
  router->Add(
      "GET", "/metrics", options, [metrics](net::Request request, net::ExchangePtr exchange) {
        exchange->Respond(AnswerMetrics(*metrics, net::FindHeader(request.headers, "accept")));
      });
}

QueryServer::QueryServer(QueryServerOptions options, ServerFacts facts, store::Store* store,
                         net::Server* server, Metrics* metrics, Clock* clock,
                         std::function<std::string()> ready)
    : options_(std::move(options)),
      facts_(std::move(facts)),
      server_(server),
      metrics_(metrics),
      clock_(clock),
      ready_(std::move(ready)),
      runner_(store, options_.limits, metrics, clock, options_.tracer) {}

net::RouteOptions QueryServer::RoutesFor(bool loopback_only, const net::Router* router) const {
  net::RouteOptions route;
  route.admit = loopback_only ? LoopbackHostsOnly(options_.allowed_hosts, router)
                              : [](const net::RequestHead&) { return net::Admission{}; };
  return route;
}

Status QueryServer::StartTempo() {
  auto router = std::make_shared<net::Router>();
  AddTempoRoutes("", {facts_.version, ready_}, &runner_,
                 RoutesFor(options_.tempo_loopback_only, router.get()), router.get());
  AddHealthRoutes(ready_, metrics_, {}, router.get());
  AddOtlpElsewhere(facts_, RoutesFor(options_.tempo_loopback_only, router.get()), router.get());
  WEFT_ASSIGN(tempo_port_,
              server_->Listen(*options_.tempo_endpoint, std::move(router), options_.tempo_listen));
  return {};
}

Status QueryServer::StartGrpc() {
  if (!options_.grpc_endpoint) return {};
  auto router = std::make_shared<net::Router>();
  net::RouteOptions route = RoutesFor(options_.grpc_loopback_only, router.get());
  AddGrpc(route, router.get());
  AddOtlpElsewhere(facts_, route, router.get());
  WEFT_ASSIGN(grpc_port_,
              server_->Listen(*options_.grpc_endpoint, std::move(router), options_.grpc_listen));
  return {};
}

Status QueryServer::Start() {
  auto router = std::make_shared<net::Router>();
  net::RouteOptions route = RoutesFor(options_.loopback_only, router.get());
  AddNativeRoutes(facts_, &runner_, route, router.get());
  AddJaegerRoutes(&runner_, clock_, route, router.get());
  AddApiV3Routes(&runner_, route, router.get());
  AddTempoRoutes("/tempo", {facts_.version, ready_}, &runner_, route, router.get());
  // Probes and scrapers come by address or by any name, and learn nothing private.
  AddHealthRoutes(ready_, metrics_, {}, router.get());
  AddOtlpElsewhere(facts_, route, router.get());
  ServeWebUi(route.admit, router.get());
  AddGrpc(route, router.get());
  WEFT_ASSIGN(port_, server_->Listen(options_.endpoint, std::move(router), options_.listen));
  WEFT_TRY(StartGrpc());
  return options_.tempo_endpoint ? StartTempo() : Status{};
}

void QueryServer::AddGrpc(const net::RouteOptions& route, net::Router* router) {
  net::GrpcOptions options;
  options.message_bytes_max = 1 << 20;  // a question, not data
  options.admit = [admit = route.admit](const net::RequestHead& head, uint64_t,
                                        std::shared_ptr<void>* token) {
    net::Admission admission = admit(head);
    *token = std::move(admission.token);
    if (!admission.refusal) return net::GrpcStatus{};
    return net::GrpcStatus{admission.refusal->status == 401 ? net::GrpcCode::kUnauthenticated
                                                            : net::GrpcCode::kPermissionDenied,
                           "refused as over HTTP: " + admission.refusal->body, 0};
  };
  options.decompress = [](std::string_view encoding, std::string_view bytes,
                          uint64_t bytes_max) -> Result<std::string> {
    std::optional<wire::Compression> kind = wire::CompressionByName(encoding);
    if (kind) return wire::Decompress(*kind, bytes, bytes_max);
    return Fail(ErrorCode::kUnimplemented,
                "unsupported grpc-encoding \"" + std::string(encoding.substr(0, 64)) + "\"");
  };
  AddApiV3Grpc(&runner_, options, router);
  net::AddGrpcHealth(router, [ready = ready_] { return ready().empty(); });
}

void QueryServer::Stop() { runner_.Stop(); }

}  // namespace weft::api

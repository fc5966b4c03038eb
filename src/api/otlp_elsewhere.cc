// SPDX-License-Identifier: Apache-2.0
#include "api/otlp_elsewhere.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "codec/otlp.h"

namespace weft::api {
namespace {

constexpr std::pair<const char*, const char*> kSignals[] = {
    {"/v1/traces", "/opentelemetry.proto.collector.trace.v1.TraceService/Export"},
    {"/v1/logs", "/opentelemetry.proto.collector.logs.v1.LogsService/Export"},
    {"/v1/metrics", "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"},
};

// Of the receivers of OTLP; empty: none listens.
std::string AddressesOf(const ServerFacts& facts, std::string_view protocol) {
  std::string addresses;
  for (const ListenerAddress& listener : facts.listeners())
    if (listener.name.starts_with("otlp") && listener.name.ends_with(protocol))
      addresses += (addresses.empty() ? "" : " or ") + listener.address;
  return addresses;
}

std::string WhereOtlpGoes(const ServerFacts& facts) {
  std::string http = AddressesOf(facts, "/http"), grpc = AddressesOf(facts, "/grpc");
  std::string out = "this is a port for questions; ";
  if (http.empty() && grpc.empty()) return out + "no receiver of OTLP runs here";
  if (!http.empty()) out += fmt::format("OTLP over HTTP goes to {}", http);
  if (!grpc.empty()) out += fmt::format("{}over gRPC to {}", http.empty() ? "OTLP " : ", ", grpc);
  return out;
}

http::Response Elsewhere(const http::RequestHead& head, const std::string& where) {
  bool json = http::FindHeader(head.headers, "content-type").starts_with("application/json");
  http::Response response{.status = 404,
                          .content_type = json ? "application/json" : "application/x-protobuf"};
  response.body = codec::EncodeRpcStatus(
      json ? codec::OtlpFormat::kJson : codec::OtlpFormat::kProtobuf,
      static_cast<uint32_t>(http::GrpcCode::kUnimplemented), where, /*retry_after_s=*/0);
  return response;
}

}  // namespace

void AddOtlpElsewhere(ServerFacts facts, http::RouteOptions options, http::Router* router) {
  auto shared = std::make_shared<const ServerFacts>(std::move(facts));
  http::RouteOptions http = options;
  http.body_bytes_max = UINT64_MAX;
  // By the head: no body is read for it.
  http.admit = [shared, admit = options.admit](const http::RequestHead& head) -> http::Admission {
    http::Admission admission = admit ? admit(head) : http::Admission{};
    if (!admission.refusal)
      admission.refusal = std::make_unique<http::Response>(Elsewhere(head, WhereOtlpGoes(*shared)));
    return admission;
  };
  http::GrpcOptions grpc;
  grpc.is_elsewhere = true;
  grpc.admit = [shared, admit = options.admit](const http::RequestHead& head, uint64_t,
                                               std::shared_ptr<void>*) -> http::GrpcStatus {
    if (admit && admit(head).refusal) return {http::GrpcCode::kPermissionDenied, "refused", 0};
    return {http::GrpcCode::kUnimplemented, WhereOtlpGoes(*shared), 0};
  };
  for (auto [path, method] : kSignals) {
    router->Add("POST", path, http, [](http::Request, http::ExchangePtr exchange) {
      exchange->Respond({.status = 404});
    });
    router->AddGrpc(method, grpc, [](http::GrpcRequest, http::GrpcCallPtr call) {
      call->Finish({http::GrpcCode::kUnimplemented, "", 0});
    });
  }
}

}  // namespace weft::api

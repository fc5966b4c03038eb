// SPDX-License-Identifier: Apache-2.0
#include "receiver/otlp_receiver.h"

#include "receiver/otlp_grpc.h"
#include "receiver/otlp_http.h"

namespace weft::receiver {

OtlpReceiver::OtlpReceiver(const config::ComponentId& id,
                           const config::OtlpReceiverSettings& settings, pipeline::Inputs inputs,
                           Deps deps)
    : id_(id),
      settings_(settings),
      deps_(std::move(deps)),
      grpc_intake_(id.ToString(), "grpc", inputs, deps_.memory, deps_.metrics, deps_.clock,
                   deps_.tracer),
      http_intake_(id.ToString(), "http", inputs, deps_.memory, deps_.metrics, deps_.clock,
                   deps_.tracer) {}

Status OtlpReceiver::Start() {
  const config::OtlpReceiverSettings::Http http =
      settings_.http.value_or(config::OtlpReceiverSettings::Http{});
  const net::HostRule hosts{
      .allowed = http.allowed_hosts,
      .setting = "receivers::" + id_.ToString() + "::protocols::http::allowed_hosts",
      .grpc = false};
  // The same port may serve both: a sender that mixes them up is still understood.
  if (settings_.grpc) {
    auto router = std::make_shared<net::Router>();
    AddOtlpGrpcRoutes(*settings_.grpc, &grpc_intake_, deps_.serving, router.get());
    AddOtlpHttpRoutes(http, &http_intake_, router.get());
    WEFT_TRY(Listen("grpc", settings_.grpc->endpoint, settings_.grpc->security, hosts,
                    std::move(router)));
  }
  if (settings_.http) {
    auto router = std::make_shared<net::Router>();
    AddOtlpHttpRoutes(http, &http_intake_, router.get());
    AddOtlpGrpcRoutes(settings_.grpc.value_or(config::OtlpReceiverSettings::Grpc{}), &grpc_intake_,
                      deps_.serving, router.get());
    WEFT_TRY(Listen("http", http.endpoint, http.security, hosts, std::move(router)));
  }
  return {};
}

Status OtlpReceiver::Listen(const std::string& name, const config::Endpoint& endpoint,
                            const config::ListenerSecurity& security, net::HostRule hosts,
                            std::shared_ptr<const net::Router> router) {
  std::string full_name = id_.ToString() + "/" + name;
  net::ListenOptions options;
  if (deps_.listen_options) {
    WEFT_ASSIGN(options, deps_.listen_options(full_name, endpoint, security, std::move(hosts)));
  }
  Result<uint16_t> port = deps_.server->Listen({endpoint.host, endpoint.port, endpoint.path},
                                               std::move(router), std::move(options));
  if (!port) return Fail(port.error().WithPrefix(full_name));
  listeners_.push_back(
      {std::move(full_name), {endpoint.host, *port, endpoint.path}, security.tls.has_value()});
  return {};
}

}  // namespace weft::receiver

// SPDX-License-Identifier: Apache-2.0
#include "receiver/otlp_receiver.h"

#include "receiver/otlp_grpc.h"
#include "receiver/otlp_http.h"

namespace weft::receiver {

OtlpReceiver::OtlpReceiver(const config::ComponentId& id, const OtlpReceiverSettings& settings,
                           pipeline::Inputs inputs, pipeline::Deps deps)
    : id_(id),
      settings_(settings),
      deps_(std::move(deps)),
      grpc_intake_(id.ToString(), "grpc", settings.grpc && settings.grpc->include_metadata, inputs,
                   deps_),
      http_intake_(id.ToString(), "http", settings.http && settings.http->include_metadata, inputs,
                   deps_) {}

Status OtlpReceiver::Start() {
  const OtlpReceiverSettings::Http http = settings_.http.value_or(OtlpReceiverSettings::Http{});
  const http::HostRule hosts{
      .allowed = http.allowed_hosts,
      .setting = "receivers::" + id_.ToString() + "::protocols::http::allowed_hosts",
      .grpc = false};
  // The same port may serve both: a sender that mixes them up is still understood.
  if (settings_.grpc) {
    auto router = std::make_shared<http::Router>();
    AddOtlpGrpcRoutes(*settings_.grpc, &grpc_intake_, Serving(), router.get());
    AddOtlpHttpRoutes(http, &http_intake_, router.get());
    WEFT_TRY(Listen("grpc", settings_.grpc->endpoint, settings_.grpc->security, hosts,
                    std::move(router)));
  }
  if (settings_.http) {
    auto router = std::make_shared<http::Router>();
    AddOtlpHttpRoutes(http, &http_intake_, router.get());
    AddOtlpGrpcRoutes(settings_.grpc.value_or(OtlpReceiverSettings::Grpc{}), &grpc_intake_,
                      Serving(), router.get());
    WEFT_TRY(Listen("http", http.endpoint, http.security, hosts, std::move(router)));
  }
  return {};
}

// What the health service answers.
std::function<bool()> OtlpReceiver::Serving() const {
  return [not_ready = deps_.not_ready] { return not_ready().empty(); };
}

Status OtlpReceiver::Listen(const std::string& name, const config::Endpoint& endpoint,
                            const config::ListenerSecurity& security, http::HostRule hosts,
                            std::shared_ptr<const http::Router> router) {
  std::string full_name = id_.ToString() + "/" + name;
  WEFT_ASSIGN(http::ListenOptions options,
              deps_.doors->Options(full_name, endpoint, security, std::move(hosts)));
  return deps_.doors->Open(
      {.name = std::move(full_name), .endpoint = endpoint, .tls = security.tls.has_value()},
      std::move(options), std::move(router));
}

const pipeline::ComponentRow kOtlpReceiver = {
    .type = {.kind = config::ComponentKind::kReceiver,
             .name = "otlp",
             .summary = "OpenTelemetry's protocol over gRPC and HTTP",
             .stability = config::Stability::kStable,
             .signals = config::kAllSignals,
             .read = ReadOtlpSettings,
             .listens = OtlpListens},
    .make_receiver =
        [](const config::Component& component, pipeline::Inputs inputs,
           const pipeline::Deps& deps) -> Result<std::unique_ptr<pipeline::Component>> {
      return std::make_unique<OtlpReceiver>(component.id, *component.As<OtlpReceiverSettings>(),
                                            inputs, deps);
    }};

}  // namespace weft::receiver

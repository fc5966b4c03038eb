// SPDX-License-Identifier: Apache-2.0
#include "extension/health_check.h"

#include "api/query_server.h"

namespace weft::extension {
namespace {

std::any ReadHealthCheck(config::Section section) {
  HealthCheckSettings settings;
  section.ReadListenAddress(&settings.endpoint);
  section.Read("path", &settings.path);
  section.Read("allowed_hosts", &settings.allowed_hosts);
  if (!settings.path.starts_with('/')) settings.path.insert(0, "/");
  section.IgnoreWithWarning("check_collector_pipeline", "has no effect in weft");
  config::ReadListenerSecurity(&section, &settings.security);
  section.Unbuilt({"use_v2", "response_body", "grpc", "http", "component_health"});
  section.Finish();
  return settings;
}

std::vector<config::ListenSetting> Listens(const config::ComponentId& id, std::any* settings) {
  auto& health = *std::any_cast<HealthCheckSettings>(settings);
  const std::string name = id.ToString();
  return {{.name = name,
           .key = "extensions::" + name + "::endpoint",
           .endpoint = &health.endpoint,
           .security = &health.security}};
}

class HealthCheck : public pipeline::Component {
 public:
  HealthCheck(const config::ComponentId& id, HealthCheckSettings settings, pipeline::Deps deps)
      : name_(id.ToString()), settings_(std::move(settings)), deps_(std::move(deps)) {}

  Status Start() override {
    WEFT_ASSIGN(http::ListenOptions options,
                deps_.doors->Options(name_, settings_.endpoint, settings_.security,
                                     {.allowed = settings_.allowed_hosts,
                                      .setting = "extensions::" + name_ + "::allowed_hosts"}));
    auto router = std::make_shared<http::Router>();
    router->Add("GET", settings_.path, {.open = true},
                [not_ready = deps_.not_ready](http::Request, http::ExchangePtr exchange) {
                  const bool ready = not_ready().empty();
                  exchange->Respond({.status = ready ? 200 : 503,
                                     .content_type = "application/json",
                                     .headers = {},
                                     .body = ready ? R"({"status":"Server available"})"
                                                   : R"({"status":"Server not available"})"});
                });
    api::AddHealthRoutes(deps_.not_ready, deps_.metrics, {}, router.get());
    return deps_.doors->Open(
        {.name = name_, .endpoint = settings_.endpoint, .tls = settings_.security.tls.has_value()},
        std::move(options), std::move(router));
  }
  void Stop() override {}  // http::Server::Stop() drains all listeners at once

 private:
  const std::string name_;
  const HealthCheckSettings settings_;
  const pipeline::Deps deps_;
};

}  // namespace

const pipeline::ComponentRow kHealthCheck = {
    .type = {.kind = config::ComponentKind::kExtension,
             .name = "health_check",
             .summary = "tells probes whether weft takes requests",
             .stability = config::Stability::kStable,
             .read = ReadHealthCheck,
             .listens = Listens},
    .make_extension = [](const config::Component& component, const pipeline::Deps& deps)
        -> Result<std::unique_ptr<pipeline::Component>> {
      return std::make_unique<HealthCheck>(component.id, *component.As<HealthCheckSettings>(),
                                           deps);
    }};

}  // namespace weft::extension

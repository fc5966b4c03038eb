// SPDX-License-Identifier: Apache-2.0
#include "config/listen_rules.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace weft::config {
namespace {

std::vector<ListenSetting> ListensOf(Component* component) {
  if (component->type->listens == nullptr) return {};
  return component->type->listens(component->id, &component->settings);
}

Status MovePort(uint32_t offset, Endpoint* endpoint) {
  if (endpoint->port + offset > 65535)
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("--port-offset {} moves port {} beyond 65535", offset, endpoint->port));
  if (endpoint->port != 0) endpoint->port = static_cast<uint16_t>(endpoint->port + offset);
  return {};
}

// Empty: the listener may start. Otherwise an address that others can reach without protection.
std::string ExposureOf(std::string_view name, const Endpoint& endpoint,
                       const ListenerSecurity& security) {
  if (endpoint.IsLoopback() || security.IsProtected()) return "";
  std::string_view lack = security.tls                     ? "without authentication"
                          : security.authenticator.empty() ? "without TLS and authentication"
                                                           : "without TLS";
  return fmt::format("{}: {} can be reached from other machines {}", name, endpoint.ToString(),
                     lack);
}

// Nothing listens for a component that the service does not name.
bool Runs(const Config& config, const Component& component) {
  if (component.kind() == ComponentKind::kExtension)
    return std::ranges::find(config.extensions, component.id) != config.extensions.end();
  return std::ranges::any_of(config.pipelines, [&](const Pipeline& pipeline) {
    return std::ranges::find(pipeline.receivers, component.id) != pipeline.receivers.end();
  });
}

// "::" takes IPv4 too, "localhost" is both loopback addresses, "" is 0.0.0.0.
bool Covers(std::string_view host, std::string_view other) {
  if (host == "::" || host == other) return true;
  if (host.empty() || host == "0.0.0.0") return other.find(':') == std::string_view::npos;
  return host == "localhost" && (other == "127.0.0.1" || other == "::1");
}
bool Collide(const Endpoint& a, const Endpoint& b) {
  if (!a.path.empty() || !b.path.empty()) return a.path == b.path;
  return a.port != 0 && a.port == b.port && (Covers(a.host, b.host) || Covers(b.host, a.host));
}

struct TakenPort {
  std::string key;
  Endpoint endpoint;
};

void TakePort(TakenPort wanted, std::vector<TakenPort>* taken, std::vector<std::string>* refusals) {
  for (const TakenPort& other : *taken) {
    if (!Collide(other.endpoint, wanted.endpoint)) continue;
    refusals->push_back(fmt::format(
        "{} ({}) and {} ({}) want the same {}", other.key, other.endpoint.ToString(), wanted.key,
        wanted.endpoint.ToString(), wanted.endpoint.path.empty() ? "port" : "path"));
    return;
  }
  taken->push_back(std::move(wanted));
}

}  // namespace

Status MovePorts(uint32_t offset, Config* config) {
  for (Endpoint& endpoint : config->telemetry.metrics_endpoints)
    WEFT_TRY(MovePort(offset, &endpoint));
  for (Component& component : config->components)
    for (const ListenSetting& address : ListensOf(&component))
      WEFT_TRY(MovePort(offset, address.endpoint));
  return {};
}

Status CheckListeners(const Config& config, bool insecure, std::vector<std::string>* warnings) {
  constexpr std::string_view kMeant = "; --insecure says that this is meant (docs/security.md)";
  std::vector<TakenPort> taken;
  std::vector<std::string> refusals;
  for (Component component : config.components) {
    bool runs = Runs(config, component), refused = false;
    const std::vector<ListenSetting> listens = ListensOf(&component);
    for (const ListenSetting& address : listens) {
      if (runs) TakePort({address.key, *address.endpoint}, &taken, &refusals);
      std::string exposure = ExposureOf(address.name, *address.endpoint, *address.security);
      if (exposure.empty() || insecure) continue;
      if (address.shows_data && !std::exchange(refused, true)) {
        refusals.push_back(exposure +
                           "; set tls and auth, use localhost, or say --insecure if that is "
                           "meant (docs/security.md)");
      } else if (!address.shows_data) {
        warnings->push_back(exposure.append(kMeant));
      }
    }
  }
  for (const Endpoint& endpoint : config.telemetry.metrics_endpoints) {
    constexpr const char* kKey = "service::telemetry::metrics::readers";
    TakePort({kKey, endpoint}, &taken, &refusals);
    // Counters and names of components, no data; and the Collector's readers take no tls and auth.
    std::string exposure = ExposureOf(kKey, endpoint, {});
    if (!exposure.empty() && !insecure) warnings->push_back(exposure.append(kMeant));
  }
  if (refusals.empty()) return {};
  return Fail(ErrorCode::kInvalidArgument, fmt::format("{}", fmt::join(refusals, "\n")));
}

}  // namespace weft::config

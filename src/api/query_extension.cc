// SPDX-License-Identifier: Apache-2.0
#include "api/query_extension.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/ui_assets.h"
#include "store/served_store.h"

namespace weft::api {
namespace {

http::Endpoint ToNet(const config::Endpoint& endpoint) {
  return {endpoint.host.empty() ? "0.0.0.0" : endpoint.host, endpoint.port, endpoint.path};
}

}  // namespace

QueryExtension::QueryExtension(const config::ComponentId& id, QuerySettings settings,
                               pipeline::Deps deps)
    : id_(id), settings_(std::move(settings)), deps_(std::move(deps)) {}

Result<QueryServerOptions> QueryExtension::Options() const {
  const std::string name = id_.ToString();
  const http::HostRule hosts{.allowed = settings_.allowed_hosts,
                             .setting = "extensions::" + name + "::allowed_hosts"};
  QueryServerOptions options{
      .endpoint = ToNet(settings_.endpoint),
      .base_path = settings_.base_path,
      .limits = {.workers = settings_.workers,
                 .timeout_ns = settings_.timeout_ns,
                 .memory_bytes = std::min(settings_.memory_bytes, deps_.memory->query),
                 .memory = {.budget = deps_.memory->budget,
                            .working = deps_.memory->queries,
                            .answers = deps_.memory->answers,
                            .uploads = deps_.memory->requests,
                            .traces = deps_.memory->trace_cache}}};
  auto listen = [&](const std::string& suffix, const config::Endpoint& endpoint) {
    return deps_.doors->Options(name + suffix, endpoint, settings_.security, hosts);
  };
  WEFT_ASSIGN(options.listen, listen("", settings_.endpoint));
  options.tracer = deps_.tracer;
  if (settings_.grpc_endpoint) {
    options.grpc_endpoint = ToNet(*settings_.grpc_endpoint);
    WEFT_ASSIGN(options.grpc_listen, listen("/grpc", *settings_.grpc_endpoint));
  }
  if (settings_.tempo_endpoint) {
    options.tempo_endpoint = ToNet(*settings_.tempo_endpoint);
    WEFT_ASSIGN(options.tempo_listen, listen("/tempo", *settings_.tempo_endpoint));
  }
  return options;
}

Status QueryExtension::Start() {
  WEFT_ASSIGN(config::ComponentId store_id, config::ParseComponentId(settings_.store));
  auto* served = deps_.services->Find<store::ServedStore>(store_id);
  if (served == nullptr || served->store == nullptr)
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("store: no pipeline has a store exporter \"{}\"", settings_.store));
  ServerFacts facts{
      .version = deps_.version,
      .started_ns = deps_.started_ns,
      .durability = std::string(store::DurabilityName(served->durability)),
      .data_directory = served->directory,
      .retention_age_ns = served->retention_age_ns,
      .retention_bytes = served->retention_bytes,
      .listeners =
          [doors = deps_.doors] {
            std::vector<ListenerAddress> addresses;
            for (const pipeline::Listener& listener : doors->listeners())
              addresses.push_back({listener.name, listener.endpoint.ToString(), listener.tls});
            return addresses;
          },
      .retention =
          [served] {
            return std::pair(served->retention_age_ns.load(), served->retention_bytes.load());
          },
      .reloads = deps_.reloads};
  WEFT_ASSIGN(QueryServerOptions options, Options());
  server_ = std::make_unique<QueryServer>(std::move(options), std::move(facts), served->store,
                                          deps_.doors->server(), deps_.metrics, deps_.clock,
                                          deps_.not_ready);
  WEFT_TRY(server_->Start());
  auto tell = [&](const std::string& suffix, config::Endpoint endpoint, uint16_t port,
                  bool is_main) {
    endpoint.port = port;
    deps_.doors->Tell({.name = id_.ToString() + suffix,
                       .endpoint = std::move(endpoint),
                       .tls = settings_.security.tls.has_value(),
                       .is_main = is_main,
                       // A build without the UI answers questions there all the same.
                       .has_pages = is_main && !UiAssets().empty(),
                       .base_path = settings_.base_path});
  };
  tell("", settings_.endpoint, server_->port(), true);
  if (settings_.grpc_endpoint) tell("/grpc", *settings_.grpc_endpoint, server_->grpc_port(), false);
  if (settings_.tempo_endpoint)
    tell("/tempo", *settings_.tempo_endpoint, server_->tempo_port(), false);
  return {};
}

void QueryExtension::Stop() {
  if (server_) server_->Stop();
}

const pipeline::ComponentRow kQueryExtension = {
    .type = {.kind = config::ComponentKind::kExtension,
             .name = "query",
             .summary = "the UI, and the APIs of weft, Jaeger and Tempo over a store",
             .stability = config::Stability::kStable,
             .read = ReadQuerySettings,
             .role = config::kQueryRole,
             .listens = QueryListens},
    .make_extension = [](const config::Component& component, const pipeline::Deps& deps)
        -> Result<std::unique_ptr<pipeline::Component>> {
      return std::make_unique<QueryExtension>(component.id, *component.As<QuerySettings>(), deps);
    },
    .memory = [](const config::Component& component) -> pipeline::MemoryNeed {
      const auto& settings = *component.As<QuerySettings>();
      return {.workers = settings.workers, .query = settings.memory_bytes};
    }};

}  // namespace weft::api

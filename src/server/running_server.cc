// SPDX-License-Identifier: Apache-2.0
#include "server/running_server.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "api/metrics_page.h"
#include "base/log.h"
#include "config/section.h"
#include "server/components.h"
#include "server/work_trace.h"

namespace weft::server {
namespace {

// Net threads: a request is decoded and logged on one, so one a core; two are enough where more
// cores are for queries and compaction.
int NetThreads() {
  return static_cast<int>(std::clamp(std::thread::hardware_concurrency(), 2u, 16u));
}

net::Endpoint ToNet(const config::Endpoint& endpoint) {
  return {endpoint.host.empty() ? "0.0.0.0" : endpoint.host, endpoint.port, endpoint.path};
}

std::string_view DurabilityText(config::StoreSettings::Durability durability) {
  static constexpr std::string_view kNames[] = {"durable", "relaxed", "memory"};
  return kNames[static_cast<int>(durability)];
}

}  // namespace

RunningServer::RunningServer(config::Config config, std::string version, Env* env, Clock* clock)
    : config_(std::move(config)),
      version_(std::move(version)),
      env_(env),
      clock_(clock),
      started_ns_(clock->NowNs()) {}

RunningServer::~RunningServer() { Stop(); }

Status RunningServer::Start() {
  Status status = StartAll();
  if (!status) Stop();
  return status;
}

Status RunningServer::StartAll() {
  WEFT_ASSIGN(graph_, pipeline::Graph::Build(config_, [this](const config::Component& component) {
                return MakeExporter(component, env_, clock_, &metrics_);
              }));
  WEFT_TRY(ShareMemory());
  WEFT_TRY(MakeTracer());
  WEFT_TRY(graph_->StartExporters());
  if (tracer_) tracer_->Start();
  for (const config::Component& component : config_.components) {
    if (component.kind != config::ComponentKind::kExporter) continue;
    auto* store = dynamic_cast<exporter::StoreExporter*>(graph_->FindExporter(component.id));
    if (store != nullptr) stores_.push_back(store);
  }
  memory_watch_ = std::make_unique<MemoryWatch>(&memory_->budget(), memory_->head(), [this] {
    uint64_t bytes = 0;
    for (const exporter::StoreExporter* store : stores_)
      bytes += store->store()->stats().head_bytes;
    return bytes;
  });
  memory_watch_->Start();
  net::ServerLimits net_limits;
  net_limits.answers = memory_->of_queries().answers;
  net_ = std::make_unique<net::Server>(net_limits, NetThreads());
  WEFT_TRY(listener_options_.MakeAuthenticators());
  for (const config::ComponentId& id : config_.extensions) WEFT_TRY(StartExtension(id));
  WEFT_TRY(StartMetrics());
  WEFT_TRY(StartReceivers());
  ReportSelf();
  net_->Start();
  ready_ = true;
  return {};
}

Status RunningServer::ShareMemory() {
  const uint64_t limit = config_.memory_bytes_max != 0
                             ? config_.memory_bytes_max
                             : DefaultMemoryLimit(AvailableMemory(ReadRealText));
  WEFT_ASSIGN(const MemoryPlan plan, PlanMemory(config_, limit));
  memory_ = std::make_unique<MemoryAccounts>(plan);
  for (const config::Component& component : config_.components) {
    if (component.kind != config::ComponentKind::kExporter) continue;
    auto* store = dynamic_cast<exporter::StoreExporter*>(graph_->FindExporter(component.id));
    if (store != nullptr) store->set_memory(memory_->of_store(), plan.merge_values);
  }
  return {};
}

Status RunningServer::MakeTracer() {
  selftrace::DeclareTracerMetrics(&metrics_);
  const config::TelemetrySettings& telemetry = config_.telemetry;
  if (telemetry.traces_exporter.empty()) return {};
  WEFT_ASSIGN(config::ComponentId id, config::ParseComponentId(telemetry.traces_exporter));
  pipeline::Exporter* exporter = graph_->FindExporter(id);
  if (exporter == nullptr)
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("service::telemetry::traces::exporter: no pipeline has an exporter "
                            "\"{}\"",
                            telemetry.traces_exporter));
  selftrace::TraceSink sink;
  sink.admit = [exporter](uint64_t bytes) { return exporter->Admit(bytes); };
  sink.consume = [exporter](SpanBatch batch, pipeline::Completion done) {
    exporter->Consume(std::move(batch), std::move(done));
  };
  tracer_ = std::make_unique<selftrace::Tracer>(
      selftrace::TracerOptions{.version = version_,
                               .resource = telemetry.resource,
                               .ingest_per_second = telemetry.ingest_traces_per_second},
      std::move(sink), &metrics_, clock_);
  for (const config::Component& component : config_.components) {
    if (component.kind != config::ComponentKind::kExporter) continue;
    auto* store = dynamic_cast<exporter::StoreExporter*>(graph_->FindExporter(component.id));
    if (store == nullptr) continue;
    store->set_on_work([this, name = component.id.ToString()](const store::StoreWork& work) {
      return TraceWork(tracer_.get(), name, work);
    });
  }
  return {};
}

Status RunningServer::StartExtension(const config::ComponentId& id) {
  const config::Component* component = config_.Find(config::ComponentKind::kExtension, id);
  if (component == nullptr) return {};
  Status status;
  if (const auto* query = std::get_if<config::QuerySettings>(&component->settings))
    status = StartQuery(id.ToString(), *query);
  if (const auto* health = std::get_if<config::HealthCheckSettings>(&component->settings))
    status = StartHealthCheck(id.ToString(), *health);
  if (!status) return Fail(status.error().WithPrefix("extension " + id.ToString()));
  return {};
}

Status RunningServer::StartQuery(const std::string& name, const config::QuerySettings& settings) {
  const net::HostRule hosts{.allowed = settings.allowed_hosts,
                            .setting = "extensions::" + name + "::allowed_hosts"};
  WEFT_ASSIGN(net::ListenOptions listen,
              listener_options_.Options(name, settings.endpoint, settings.security, hosts));
  WEFT_ASSIGN(config::ComponentId store_id, config::ParseComponentId(settings.store));
  auto* store = dynamic_cast<exporter::StoreExporter*>(graph_->FindExporter(store_id));
  if (store == nullptr)
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("store: no pipeline has a store exporter \"{}\"", settings.store));
  api::ServerFacts facts{
      .version = version_,
      .started_ns = started_ns_,
      .durability = std::string(DurabilityText(store->settings().durability)),
      .data_directory = store->settings().directory,
      .retention_age_ns = store->settings().retention_age_ns,
      .retention_bytes = store->settings().retention_bytes,
      .listeners = [this] {
        std::vector<api::ListenerAddress> addresses;
        for (const receiver::Listener& listener : listeners_)
          addresses.push_back({listener.name, listener.endpoint.ToString(), listener.tls});
        return addresses;
      }};
  api::QueryServerOptions options{
      .endpoint = ToNet(settings.endpoint),
      .base_path = settings.base_path,
      .limits = {.workers = settings.workers,
                 .timeout_ns = settings.timeout_ns,
                 .memory_bytes = std::min(settings.memory_bytes, memory_->plan().query),
                 .memory = memory_->of_queries()},
      .listen = std::move(listen)};
  options.tracer = tracer_.get();
  std::string grpc_name = name + "/grpc", tempo_name = name + "/tempo";
  if (settings.grpc_endpoint) {
    options.grpc_endpoint = ToNet(*settings.grpc_endpoint);
    WEFT_ASSIGN(options.grpc_listen, listener_options_.Options(grpc_name, *settings.grpc_endpoint,
                                                               settings.security, hosts));
  }
  if (settings.tempo_endpoint) {
    options.tempo_endpoint = ToNet(*settings.tempo_endpoint);
    WEFT_ASSIGN(
        options.tempo_listen,
        listener_options_.Options(tempo_name, *settings.tempo_endpoint, settings.security, hosts));
  }
  auto server = std::make_unique<api::QueryServer>(std::move(options), std::move(facts),
                                                   store->store(), net_.get(), &metrics_, clock_,
                                                   [this] { return WhyNotReady(); });
  WEFT_TRY(server->Start());
  bool tls = settings.security.tls.has_value();
  auto bound = [](config::Endpoint endpoint, uint16_t port) {
    endpoint.port = port;
    return endpoint;
  };
  listeners_.push_back({name, bound(settings.endpoint, server->port()), tls});
  if (settings.grpc_endpoint)
    listeners_.push_back({grpc_name, bound(*settings.grpc_endpoint, server->grpc_port()), tls});
  if (settings.tempo_endpoint)
    listeners_.push_back({tempo_name, bound(*settings.tempo_endpoint, server->tempo_port()), tls});
  query_servers_.push_back(std::move(server));
  return {};
}

Status RunningServer::StartHealthCheck(const std::string& name,
                                       const config::HealthCheckSettings& settings) {
  WEFT_ASSIGN(net::ListenOptions listen,
              listener_options_.Options(name, settings.endpoint, settings.security,
                                        {.allowed = settings.allowed_hosts,
                                         .setting = "extensions::" + name + "::allowed_hosts"}));
  auto router = std::make_shared<net::Router>();
  router->Add(
      "GET", settings.path, {.open = true}, [this](net::Request, net::ExchangePtr exchange) {
        std::string why_not = WhyNotReady();
        exchange->Respond({.status = why_not.empty() ? 200 : 503,
                           .content_type = "application/json",
                           .headers = {},
                           .body = why_not.empty() ? R"({"status":"Server available"})"
                                                   : R"({"status":"Server not available"})"});
      });
  api::AddHealthRoutes([this] { return WhyNotReady(); }, &metrics_, {}, router.get());
  WEFT_ASSIGN(uint16_t port,
              net_->Listen(ToNet(settings.endpoint), std::move(router), std::move(listen)));
  listeners_.push_back({name,
                        {settings.endpoint.host, port, settings.endpoint.path},
                        settings.security.tls.has_value()});
  return {};
}

Status RunningServer::StartMetrics() {
  for (const config::Endpoint& endpoint : config_.telemetry.metrics_endpoints) {
    auto router = std::make_shared<net::Router>();
    router->Add("GET", "/metrics", {}, [this](net::Request request, net::ExchangePtr exchange) {
      exchange->Respond(api::AnswerMetrics(metrics_, net::FindHeader(request.headers, "accept")));
    });
    WEFT_ASSIGN(net::ListenOptions listen, listener_options_.Options("metrics", endpoint, {}, {}));
    Result<uint16_t> port = net_->Listen(ToNet(endpoint), std::move(router), std::move(listen));
    if (!port) return Fail(port.error().WithPrefix("service::telemetry::metrics"));
    listeners_.push_back({"metrics", {endpoint.host, *port}});
  }
  return {};
}

Status RunningServer::StartReceivers() {
  for (const config::Component& component : config_.components) {
    const auto* settings = std::get_if<config::OtlpReceiverSettings>(&component.settings);
    if (settings == nullptr || !graph_->Uses(component.id)) continue;
    auto otlp = std::make_unique<receiver::OtlpReceiver>(
        component.id, *settings, graph_->InputsOf(component.id),
        receiver::OtlpReceiver::Deps{
            .server = net_.get(),
            .memory = memory_->requests(),
            .metrics = &metrics_,
            .clock = clock_,
            .serving = [this] { return WhyNotReady().empty(); },
            .tracer = tracer_.get(),
            .listen_options =
                [this](const std::string& name, const config::Endpoint& endpoint,
                       const config::ListenerSecurity& security, net::HostRule hosts) {
                  return listener_options_.Options(name, endpoint, security, std::move(hosts));
                }});
    WEFT_TRY(otlp->Start());
    listeners_.insert(listeners_.end(), otlp->listeners().begin(), otlp->listeners().end());
    receivers_.push_back(std::move(otlp));
  }
  return {};
}

void RunningServer::ReportSelf() {
  metrics_.OnScrape(ReportProcess);
  metrics_.OnScrape([this](MetricsScrape* scrape) {
    scrape->Info("weft_build_info", "The version.", {{"version", version_}});
    scrape->Gauge("weft_connections", "Open connections.", {},
                  static_cast<double>(net_->connections()));
    scrape->Counter("weft_connections_refused_total",
                    "Connections turned away because too many were open.", {},
                    static_cast<double>(net_->connections_refused()));
    scrape->Gauge("weft_in_flight_bytes", "Bytes held by requests under way.", {},
                  static_cast<double>(memory_->requests()->used()));
    scrape->Gauge("weft_in_flight_max_bytes", "The most they may hold.", {},
                  static_cast<double>(memory_->requests()->bytes_max()));
    memory_->Report(scrape);
    LogCounts log = GetLogCounts();
    for (auto [level, lines] : {std::pair{"debug", log.debug},
                                {"info", log.info},
                                {"warn", log.warn},
                                {"error", log.error}})
      scrape->Counter("weft_log_lines_total", "Lines of the log.", {{"level", level}},
                      static_cast<double>(lines));
    scrape->Counter("weft_log_suppressed_lines_total", "Lines held back because they repeated.", {},
                    static_cast<double>(log.suppressed));
  });
}

std::string RunningServer::WhyNotReady() const {
  if (!ready_) return "starting or stopping";
  for (const exporter::StoreExporter* store : stores_) {
    if (store->store() == nullptr) continue;
    store::StoreStats stats = store->store()->stats();
    if (stats.read_only) return "the store takes nothing: " + stats.read_only_reason;
  }
  return "";
}

void RunningServer::Stop() {
  ready_ = false;
  // Queries are cut short, so that draining waits for ingest only.
  for (auto& server : query_servers_) server->Stop();
  if (net_) net_->Stop();
  metrics_.StopScrapes();
  if (memory_watch_) memory_watch_->Stop();
  if (memory_) memory_->budget().StopShrinking();
  if (tracer_) tracer_->Stop();
  if (graph_) graph_->StopExporters();
}

}  // namespace weft::server

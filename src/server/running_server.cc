// SPDX-License-Identifier: Apache-2.0
#include "server/running_server.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/metrics_page.h"
#include "base/log.h"
#include "base/processors.h"

namespace weft::server {
namespace {

// Net threads: a request is decoded and logged on one, so one a processor; two are enough where more
// processors are for queries and compaction.
int NetThreads() {
  return static_cast<int>(std::clamp(AvailableProcessors(), 2u, 16u));
}

}  // namespace

RunningServer::RunningServer(config::Config config, const pipeline::ComponentTable& table,
                             std::string version, Env* env, Clock* clock)
    : config_(std::move(config)),
      table_(table),
      version_(std::move(version)),
      env_(env),
      clock_(clock),
      started_ns_(clock->NowNs()),
      budget_(config_.in_flight_bytes_max) {}

RunningServer::~RunningServer() { Stop(); }

Status RunningServer::Start() {
  Status status = StartAll();
  if (!status) Stop();
  return status;
}

Status RunningServer::StartAll() {
  net_ = std::make_unique<net::Server>(net::ServerLimits{}, NetThreads());
  doors_ = std::make_unique<ServerDoors>(net_.get(), &services_, &metrics_);
  MakeTracer();
  const pipeline::Deps deps{.env = env_,
                            .clock = clock_,
                            .metrics = &metrics_,
                            .budget = &budget_,
                            .doors = doors_.get(),
                            .services = &services_,
                            .tracer = tracer_.get(),
                            .not_ready = [this] { return WhyNotReady(); },
                            .version = version_,
                            .started_ns = started_ns_};
  WEFT_ASSIGN(graph_, pipeline::Graph::Build(config_, table_, deps));
  WEFT_TRY(MakeExtensions(deps));
  WEFT_TRY(FindTracerExporter());
  WEFT_TRY(graph_->Start());
  if (tracer_) tracer_->Start();
  WEFT_TRY(StartExtensions());
  WEFT_TRY(StartMetrics());
  WEFT_TRY(graph_->StartReceivers());
  ReportSelf();
  net_->Start();
  ready_ = true;
  return {};
}

void RunningServer::MakeTracer() {
  selftrace::DeclareTracerMetrics(&metrics_);
  const config::TelemetrySettings& telemetry = config_.telemetry;
  if (telemetry.traces_exporter.empty()) return;
  selftrace::TraceSink sink;
  sink.admit = [this](uint64_t bytes) { return tracer_exporter_->Admit(bytes); };
  sink.consume = [this](SpanBatch batch, std::move_only_function<void(Status)> done) {
    tracer_exporter_->Consume(
        std::move(batch),
        pipeline::Ack([done = std::move(done)](pipeline::Outcome outcome) mutable {
          done(std::move(outcome.status));
        }));
  };
  tracer_ = std::make_unique<selftrace::Tracer>(
      selftrace::TracerOptions{.version = version_,
                               .resource = telemetry.resource,
                               .ingest_per_second = telemetry.ingest_traces_per_second},
      std::move(sink), &metrics_, clock_);
}

Status RunningServer::FindTracerExporter() {
  if (!tracer_) return {};
  const std::string& name = config_.telemetry.traces_exporter;
  WEFT_ASSIGN(config::ComponentId id, config::ParseComponentId(name));
  tracer_exporter_ = graph_->FindExporter(id);
  if (tracer_exporter_ != nullptr) return {};
  return Fail(
      ErrorCode::kInvalidArgument,
      fmt::format("service::telemetry::traces::exporter: no pipeline has an exporter \"{}\"",
                  name));
}

Status RunningServer::MakeExtensions(const pipeline::Deps& deps) {
  for (const config::ComponentId& id : config_.extensions) {
    const config::Component* component = config_.Find(config::ComponentKind::kExtension, id);
    if (component == nullptr) continue;
    const pipeline::ComponentRow& row = table_.RowOf(*component);
    if (row.make_extension == nullptr) continue;
    auto made = row.make_extension(*component, deps);
    if (!made) return Fail(made.error().WithPrefix("extension " + id.ToString()));
    extensions_.emplace_back("extension " + id.ToString(), std::move(*made));
  }
  return {};
}

Status RunningServer::StartExtensions() {
  for (const auto& [name, extension] : extensions_)
    if (Status status = extension->Start(); !status) return Fail(status.error().WithPrefix(name));
  return {};
}

Status RunningServer::StartMetrics() {
  for (const config::Endpoint& endpoint : config_.telemetry.metrics_endpoints) {
    auto router = std::make_shared<net::Router>();
    router->Add("GET", "/metrics", {}, [this](net::Request request, net::ExchangePtr exchange) {
      exchange->Respond(api::AnswerMetrics(metrics_, net::FindHeader(request.headers, "accept")));
    });
    WEFT_ASSIGN(net::ListenOptions options, doors_->Options("metrics", endpoint, {}, {}));
    if (Status status = doors_->Open({.name = "metrics", .endpoint = endpoint}, std::move(options),
                                     std::move(router));
        !status)
      return Fail(status.error().WithPrefix("service::telemetry::metrics"));
  }
  return {};
}

const store::ServedStore* RunningServer::store() const {
  const auto stores = services_.All<store::ServedStore>();
  return stores.empty() ? nullptr : stores.front();
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
                  static_cast<double>(budget_.used()));
    scrape->Gauge("weft_in_flight_max_bytes", "The most they may hold.", {},
                  static_cast<double>(budget_.bytes_max()));
    scrape->Counter("weft_lost_acks_total",
                    "Batches that a component gave up without an answer; their senders send again.",
                    {}, static_cast<double>(pipeline::Ack::lost()));
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
  for (const pipeline::Readiness* component : services_.All<pipeline::Readiness>())
    if (std::string why = component->WhyNotReady(); !why.empty()) return why;
  return "";
}

void RunningServer::Stop() {
  ready_ = false;
  for (auto& [name, extension] : extensions_) extension->Stop();
  if (net_) net_->Stop();
  if (graph_) graph_->StopReceivers();
  metrics_.StopScrapes();
  if (tracer_) tracer_->Stop();
  if (graph_) graph_->Stop();
}

}  // namespace weft::server

// SPDX-License-Identifier: Apache-2.0
#include "server/running_server.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/metrics_page.h"
#include "base/log.h"
#include "base/processors.h"

namespace weft::server {
namespace {

// Net threads: a request is decoded and logged on one, so one a processor; two are enough where
// more processors are for queries and compaction.
int NetThreads() { return static_cast<int>(std::clamp(AvailableProcessors(), 2u, 16u)); }

}  // namespace

RunningServer::RunningServer(config::Config config, const pipeline::ComponentTable& table,
                             std::string version, Env* env, Clock* clock)
    : config_(std::move(config)),
      table_(table),
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
  WEFT_ASSIGN(const MemoryPlan plan, PlanMemoryOf(config_));
  memory_ = std::make_unique<MemoryAccounts>(plan);
  net_ = std::make_unique<http::Server>(http::ServerLimits{.answers = memory_->shares().answers},
                                        NetThreads());
  doors_ = std::make_unique<ServerDoors>(net_.get(), &services_, &metrics_);
  MakeTracer();
  reloader_ =
      std::make_unique<Reloader>(Reloader::Steps{.reload = [this] { return Reload(); },
                                                 .is_drained = [this] { return IsDrained(); },
                                                 .end_drain = [this] { EndDrain(); }},
                                 &metrics_, clock_);
  WEFT_ASSIGN(graph_, pipeline::Graph::Build(config_, table_, MakeDeps()));
  WEFT_TRY(FindTracerExporter());
  WEFT_TRY(graph_->Start());
  FindWatched();
  memory_watch_ = std::make_unique<MemoryWatch>(&memory_->budget(), memory_->head(),
                                                [this] { return HeadBytes(); });
  memory_watch_->Start();
  if (tracer_) tracer_->Start();
  WEFT_TRY(graph_->StartExtensions());
  WEFT_TRY(StartMetrics(config_.telemetry));
  WEFT_TRY(graph_->StartReceivers());
  ReportSelf();
  net_->Start();
  ready_ = true;
  return {};
}

Result<MemoryPlan> RunningServer::PlanMemoryOf(const config::Config& config) const {
  const uint64_t limit = config.memory_bytes_max != 0
                             ? config.memory_bytes_max
                             : DefaultMemoryLimit(AvailableMemory(ReadRealText));
  return PlanMemory(NeedOf(config, table_), config.in_flight_bytes_max, limit);
}

pipeline::Deps RunningServer::MakeDeps() {
  return {.env = env_,
          .clock = clock_,
          .metrics = &metrics_,
          .memory = &memory_->shares(),
          .doors = doors_.get(),
          .services = &services_,
          .tracer = tracer_.get(),
          .reloads = loader_ ? reloader_.get() : nullptr,
          .not_ready = [this] { return WhyNotReady(); },
          .version = version_,
          .started_ns = started_ns_};
}

void RunningServer::MakeTracer() {
  selftrace::DeclareTracerMetrics(&metrics_);
  const config::TelemetrySettings& telemetry = config_.telemetry;
  if (telemetry.traces_exporter.empty()) return;
  selftrace::TraceSink sink;
  sink.admit = [this](uint64_t bytes) { return tracer_way_.Admit(bytes); };
  sink.consume = [this](SpanBatch batch, std::move_only_function<void(Status)> done) {
    tracer_way_.Consume(std::move(batch),
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
  if (pipeline::Exporter* exporter = graph_->FindExporter(id)) {
    tracer_way_.Lead(graph_->Leased(exporter));
    return {};
  }
  return Fail(
      ErrorCode::kInvalidArgument,
      fmt::format("service::telemetry::traces::exporter: no pipeline has an exporter \"{}\"",
                  name));
}

Status RunningServer::StartMetrics(const config::TelemetrySettings& telemetry) {
  for (const config::Endpoint& endpoint : telemetry.metrics_endpoints) {
    auto router = std::make_shared<http::Router>();
    router->Add("GET", "/metrics", {}, [this](http::Request request, http::ExchangePtr exchange) {
      exchange->Respond(api::AnswerMetrics(metrics_, http::FindHeader(request.headers, "accept")));
    });
    WEFT_ASSIGN(http::ListenOptions options, doors_->Options("metrics", endpoint, {}, {}));
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
                  static_cast<double>(memory_->shares().requests->used()));
    scrape->Gauge("weft_in_flight_max_bytes", "The most they may hold.", {},
                  static_cast<double>(memory_->shares().requests->bytes_max()));
    scrape->Counter("weft_lost_acks_total",
                    "Batches that a component gave up without an answer; their senders send again.",
                    {}, static_cast<double>(pipeline::Ack::lost()));
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

void RunningServer::FindWatched() {
  std::lock_guard lock(watched_mutex_);
  stores_.clear();
  for (const store::ServedStore* served : services_.All<store::ServedStore>())
    stores_.push_back(served);
  readiness_.clear();
  for (const pipeline::Readiness* component : services_.All<pipeline::Readiness>())
    readiness_.push_back(component);
}

uint64_t RunningServer::HeadBytes() const {
  std::lock_guard lock(watched_mutex_);
  uint64_t bytes = 0;
  for (const store::ServedStore* served : stores_)
    if (served->store != nullptr) bytes += served->store->stats().head_bytes;
  return bytes;
}

std::string RunningServer::WhyNotReady() const {
  if (!ready_) return "starting or stopping";
  std::lock_guard lock(watched_mutex_);
  for (const pipeline::Readiness* component : readiness_)
    if (std::string why = component->WhyNotReady(); !why.empty()) return why;
  return "";
}

void RunningServer::Stop() {
  ready_ = false;
  if (reloader_) reloader_->Stop();
  if (graph_) graph_->StopExtensions();
  if (net_) net_->Stop();
  if (graph_) graph_->StopReceivers();
  metrics_.StopScrapes();
  if (memory_watch_) memory_watch_->Stop();
  if (memory_) memory_->budget().StopShrinking();
  if (tracer_) tracer_->Stop();
  EndRetired();
  if (graph_) graph_->Stop();
}

}  // namespace weft::server

// SPDX-License-Identifier: Apache-2.0
//
// RunningServer's reload. Prepare: the new graph is built and started beside the running one, its
// listeners are bound or taken over in secret; whatever fails, what was made is given up and
// nothing has changed. Commit: batches and requests go the new ways; it cannot fail. Then the old
// graph drains and is stopped.
#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "server/running_server.h"

namespace weft::server {
namespace {

constexpr std::string_view kMetricsName = "metrics";

// What is made once, at the start; "" when it stays.
std::string_view FixedSettingThatDiffers(const config::Config& now, const config::Config& next) {
  const config::TelemetrySettings &a = now.telemetry, &b = next.telemetry;
  if (a.traces_exporter != b.traces_exporter ||
      a.ingest_traces_per_second != b.ingest_traces_per_second)
    return "service::telemetry::traces";
  if (!a.traces_exporter.empty() && a.resource != b.resource) return "service::telemetry::resource";
  return "";
}

std::string_view Word(pipeline::Graph::Fate::Kind kind) {
  static constexpr std::string_view kWords[] = {"kept", "takes other settings", "replaced", "added",
                                                "removed"};
  return kWords[static_cast<size_t>(kind)];
}

std::vector<std::string> TextsOf(const std::vector<pipeline::Listener>& listeners) {
  std::vector<std::string> texts;
  for (const pipeline::Listener& listener : listeners)
    texts.push_back(listener.name + " on " + listener.endpoint.ToString());
  return texts;
}

// "otlp/http listens on 127.0.0.1:5318".
void AddListeners(const std::vector<std::string>& before, const std::vector<std::string>& now,
                  std::vector<std::string>* changes) {
  auto add = [&](const auto& these, const auto& others, std::string_view what) {
    for (const std::string& text : these)
      if (std::ranges::find(others, text) == others.end())
        changes->push_back(fmt::format("listener {}: {}", text, what));
  };
  add(now, before, "opened");
  add(before, now, "closed");
}

}  // namespace

pipeline::ReloadReport RunningServer::Reload() {
  auto failed = [this](const Error& error) {
    return pipeline::ReloadReport{.status = Fail(error), .changes = {}, .generation = generation_};
  };
  if (!loader_)
    return failed({ErrorCode::kUnimplemented, "there is nothing to load a configuration from", 0});
  Result<config::Config> next = loader_();
  if (!next) return failed(next.error());
  if (std::string_view fixed = FixedSettingThatDiffers(config_, *next); !fixed.empty())
    return failed({ErrorCode::kInvalidArgument,
                   std::string(fixed) + " cannot change while weft runs: restart it", 0});
  const Result<MemoryPlan> plan = PlanMemoryOf(*next);
  if (!plan) return failed(plan.error());
  const MemoryPlan plan_before = memory_->plan();
  // Before components are made that ask for their shares; what runs keeps what it holds.
  memory_->Apply(*plan);
  const pipeline::Services services = services_;
  doors_->BeginChange();
  Result<std::unique_ptr<pipeline::Graph>> graph = Prepare(*next);
  if (graph) return Commit(std::move(*next), std::move(*graph));
  doors_->AbandonChange();
  services_ = services;
  memory_->Apply(plan_before);
  return failed(graph.error());
}

// When it fails, what it has made is stopped on the way out.
Result<std::unique_ptr<pipeline::Graph>> RunningServer::Prepare(const config::Config& next) {
  WEFT_ASSIGN(std::unique_ptr<pipeline::Graph> graph,
              pipeline::Graph::Build(next, table_, MakeDeps(), graph_.get()));
  WEFT_TRY(graph->Start());
  WEFT_TRY(graph->StartExtensions());
  if (next.telemetry.metrics_endpoints != config_.telemetry.metrics_endpoints)
    WEFT_TRY(StartMetrics(next.telemetry));
  WEFT_TRY(graph->StartReceivers());
  return graph;
}

pipeline::ReloadReport RunningServer::Commit(config::Config next,
                                             std::unique_ptr<pipeline::Graph> graph) {
  std::vector<std::string> kept;
  for (config::Component& component : next.components) {
    if (component.type->listens == nullptr || !graph->Carries(component)) continue;
    for (const config::ListenSetting& setting :
         component.type->listens(component.id, &component.settings))
      kept.push_back(setting.name);
  }
  if (next.telemetry.metrics_endpoints == config_.telemetry.metrics_endpoints)
    kept.emplace_back(kMetricsName);
  const std::vector<std::string> listened = TextsOf(doors_->listeners());
  graph->Lead();
  doors_->CommitChange(kept);
  retired_.push_back(std::exchange(graph_, std::move(graph)));
  config_ = std::move(next);
  FindWatched();
  if (tracer_) (void)FindTracerExporter();  // config::Load() has seen that there is one
  SetLogLevel(config_.telemetry.log_level);
  SetLogEncoding(config_.telemetry.log_encoding);
  SetLogSampling(config_.telemetry.log_sampling);
  pipeline::ReloadReport report{.generation = ++generation_};
  for (const pipeline::Graph::Fate& fate : graph_->fates())
    if (fate.kind != pipeline::Graph::Fate::Kind::kKept)
      report.changes.push_back(fmt::format("{}: {}", fate.name, Word(fate.kind)));
  AddListeners(listened, TextsOf(doors_->listeners()), &report.changes);
  return report;
}

bool RunningServer::IsDrained() {
  return net_->RetiredAreGone() &&
         std::ranges::all_of(retired_, [](const auto& graph) { return graph->IsDone(); });
}

void RunningServer::EndDrain() {
  if (!IsDrained()) net_->CloseRetired();
  for (const auto& graph : retired_) {
    graph->StopExtensions();
    graph->StopReceivers();
    graph->Stop();
  }
  // What still waits for an answer holds parts of it.
  if (IsDrained()) retired_.clear();
}

void RunningServer::EndRetired() {
  for (const auto& graph : retired_) {
    graph->StopExtensions();
    graph->StopReceivers();
    graph->Stop();
  }
}

}  // namespace weft::server

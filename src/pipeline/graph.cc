// SPDX-License-Identifier: Apache-2.0
#include "pipeline/graph.h"

#include <algorithm>
#include <ranges>

#include "base/check.h"
#include "pipeline/fan_out.h"

namespace weft::pipeline {

Result<std::unique_ptr<Graph>> Graph::Build(const config::Config& config,
                                            const ExporterFactory& make) {
  auto graph = std::make_unique<Graph>();
  struct Feed {
    config::ComponentId receiver;
    std::vector<Consumer*> traces, logs;
  };
  std::vector<Feed> feeds;
  for (const config::Pipeline& pipeline : config.pipelines) {
    std::vector<Consumer*> exporters;
    for (const config::ComponentId& id : pipeline.exporters) {
      if (graph->FindExporter(id) == nullptr) {
        const config::Component* component = config.Find(config::ComponentKind::kExporter, id);
        WEFT_CHECK_MSG(component != nullptr, "config::Load() checks references");
        WEFT_ASSIGN(std::unique_ptr<Exporter> exporter, make(*component));
        graph->exporters_.push_back({id, std::move(exporter)});
      }
      exporters.push_back(graph->FindExporter(id));
    }
    Consumer* head = graph->Join(std::move(exporters));
    for (const config::ComponentId& id : pipeline.receivers) {
      auto feed = std::ranges::find(feeds, id, &Feed::receiver);
      if (feed == feeds.end()) feed = feeds.insert(feeds.end(), {id, {}, {}});
      if (pipeline.signal == config::Signal::kTraces) feed->traces.push_back(head);
      if (pipeline.signal == config::Signal::kLogs) feed->logs.push_back(head);
    }
  }
  for (Feed& feed : feeds) {
    Inputs inputs{.traces = graph->Join(std::move(feed.traces)),
                  .logs = graph->Join(std::move(feed.logs))};
    graph->receivers_.push_back({feed.receiver, inputs});
  }
  return graph;
}

Consumer* Graph::Join(std::vector<Consumer*> targets) {
  if (targets.empty()) return nullptr;
  if (targets.size() == 1) return targets[0];
  fan_outs_.push_back(std::make_unique<FanOut>(std::move(targets)));
  return fan_outs_.back().get();
}

Status Graph::StartExporters() {
  for (Node& node : exporters_) {
    if (Status status = node.exporter->Start(); !status) {
      StopExporters();
      return Fail(status.error().WithPrefix("exporter " + node.id.ToString()));
    }
    node.started = true;
  }
  return {};
}

void Graph::StopExporters() {
  for (Node& node : std::views::reverse(exporters_)) {
    if (node.started) node.exporter->Stop();
    node.started = false;
  }
}

Inputs Graph::InputsOf(const config::ComponentId& receiver) const {
  auto found = std::ranges::find(receivers_, receiver, &ReceiverInput::id);
  return found == receivers_.end() ? Inputs{} : found->inputs;
}

bool Graph::Uses(const config::ComponentId& receiver) const {
  return std::ranges::find(receivers_, receiver, &ReceiverInput::id) != receivers_.end();
}

Exporter* Graph::FindExporter(const config::ComponentId& id) const {
  auto found = std::ranges::find(exporters_, id, &Node::id);
  return found == exporters_.end() ? nullptr : found->exporter.get();
}

}  // namespace weft::pipeline

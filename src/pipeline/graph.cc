// SPDX-License-Identifier: Apache-2.0
#include "pipeline/graph.h"

#include <algorithm>
#include <ranges>

#include "base/check.h"

namespace weft::pipeline {

class Graph::Builder {
 public:
  Builder(const config::Config& config, const ComponentTable& table, const Deps& deps, Graph* graph)
      : config_(config), table_(table), deps_(deps), graph_(graph) {}

  Status Build() {
    for (const config::Pipeline& pipeline : config_.pipelines) {
      WEFT_ASSIGN(Consumer * head, BuildPipeline(pipeline));
      for (const config::ComponentId& id : pipeline.receivers)
        FeedOf(id).branches[static_cast<int>(pipeline.signal)].push_back(
            {head, "pipeline " + pipeline.name});
    }
    for (Feed& feed : feeds_) WEFT_TRY(BuildReceiver(&feed));
    return {};
  }

 private:
  using Kind = config::ComponentKind;

  const config::Component& Find(Kind kind, const config::ComponentId& id) const {
    const config::Component* component = config_.Find(kind, id);
    WEFT_CHECK_MSG(component != nullptr, "config::Load() checks references");
    return *component;
  }
  static std::unexpected<Error> Failed(std::string_view kind, const config::ComponentId& id,
                                       const Error& error) {
    return Fail(error.WithPrefix(std::string(kind) + " " + id.ToString()));
  }

  // The first consumer of the pipeline.
  Result<Consumer*> BuildPipeline(const config::Pipeline& pipeline) {
    std::vector<FanOut::Branch> ends;
    for (const config::ComponentId& id : pipeline.exporters) {
      WEFT_ASSIGN(Exporter * exporter, ExporterOf(id));
      ends.push_back({exporter, "exporter " + id.ToString()});
    }
    Consumer* head = graph_->Join(std::move(ends));
    for (const config::ComponentId& id : std::views::reverse(pipeline.processors)) {
      const config::Component& component = Find(Kind::kProcessor, id);
      auto made = table_.RowOf(component).make_processor(component, head, deps_);
      if (!made) return Failed("processor", id, made.error());
      head = made->get();
      graph_->nodes_.push_back({"processor " + id.ToString(), made->get()});
      graph_->processors_.push_back(std::move(*made));
    }
    return head;
  }

  Result<Exporter*> ExporterOf(const config::ComponentId& id) {
    if (Exporter* exporter = graph_->FindExporter(id)) return exporter;
    const config::Component& component = Find(Kind::kExporter, id);
    auto made = table_.RowOf(component).make_exporter(component, deps_);
    if (!made) return Failed("exporter", id, made.error());
    Exporter* exporter = made->get();
    // Exporters start before every processor.
    auto first_processor = std::ranges::find_if(
        graph_->nodes_, [](const Node& node) { return node.name.starts_with("processor "); });
    graph_->nodes_.insert(first_processor, {"exporter " + id.ToString(), exporter});
    graph_->exporters_.emplace_back(id, std::move(*made));
    return exporter;
  }

  Feed& FeedOf(const config::ComponentId& receiver) {
    auto feed = std::ranges::find(feeds_, receiver, &Feed::receiver);
    return feed != feeds_.end() ? *feed : feeds_.emplace_back(Feed{receiver, {}});
  }

  Status BuildReceiver(Feed* feed) {
    auto input = [&](config::Signal signal) {
      return graph_->Join(std::move(feed->branches[static_cast<int>(signal)]));
    };
    const Inputs inputs{.traces = input(config::Signal::kTraces),
                        .logs = input(config::Signal::kLogs),
                        .metrics = input(config::Signal::kMetrics)};
    const config::Component& component = Find(Kind::kReceiver, feed->receiver);
    auto made = table_.RowOf(component).make_receiver(component, inputs, deps_);
    if (!made) return Failed("receiver", feed->receiver, made.error());
    graph_->receiver_nodes_.push_back({"receiver " + feed->receiver.ToString(), made->get()});
    graph_->receivers_.push_back(std::move(*made));
    return {};
  }

  const config::Config& config_;
  const ComponentTable& table_;
  const Deps& deps_;
  Graph* const graph_;
  std::vector<Feed> feeds_;
};

Result<std::unique_ptr<Graph>> Graph::Build(const config::Config& config,
                                            const ComponentTable& table, const Deps& deps) {
  std::unique_ptr<Graph> graph(new Graph(deps.metrics));
  WEFT_TRY(Builder(config, table, deps, graph.get()).Build());
  return graph;
}

Graph::~Graph() {
  StopReceivers();
  Stop();
}

Consumer* Graph::Join(std::vector<FanOut::Branch> branches) {
  if (branches.empty()) return nullptr;
  if (branches.size() == 1) {
    FanOut::LossesOf(branches[0].name, metrics_);
    return branches[0].to;
  }
  fan_outs_.push_back(std::make_unique<FanOut>(std::move(branches), metrics_));
  return fan_outs_.back().get();
}

Status Graph::StartAll(std::vector<Node>* nodes) {
  for (Node& node : *nodes) {
    if (Status status = node.component->Start(); !status) {
      StopAll(nodes);
      return Fail(status.error().WithPrefix(node.name));
    }
    node.started = true;
  }
  return {};
}

void Graph::StopAll(std::vector<Node>* nodes) {
  for (Node& node : std::views::reverse(*nodes)) {
    if (node.started) node.component->Stop();
    node.started = false;
  }
}

Status Graph::Start() { return StartAll(&nodes_); }
Status Graph::StartReceivers() { return StartAll(&receiver_nodes_); }
void Graph::StopReceivers() { StopAll(&receiver_nodes_); }
void Graph::Stop() { StopAll(&nodes_); }

Exporter* Graph::FindExporter(const config::ComponentId& id) const {
  for (const auto& [exporter_id, exporter] : exporters_)
    if (exporter_id == id) return exporter.get();
  return nullptr;
}

}  // namespace weft::pipeline

// SPDX-License-Identifier: Apache-2.0
#include "pipeline/graph.h"

#include <algorithm>
#include <ranges>

#include "pipeline/graph_builder.h"
#include "pipeline/graph_slot.h"

namespace weft::pipeline {

Result<std::unique_ptr<Graph>> Graph::Build(const config::Config& config,
                                            const ComponentTable& table, const Deps& deps,
                                            Graph* running) {
  std::unique_ptr<Graph> graph(new Graph(deps.metrics));
  graph->running_ = running;
  WEFT_TRY(Builder(config, table, deps, running, graph.get()).Build());
  deps.services->Retain([&](const void* owner) {
    for (const Slots* slots : {&graph->nodes_, &graph->extensions_, &graph->receivers_})
      for (const std::shared_ptr<Slot>& slot : *slots)
        if (slot.get() == owner) return true;
    return false;
  });
  if (running == nullptr) graph->Lead();
  return graph;
}

Graph::~Graph() {
  StopExtensions();
  StopReceivers();
  Stop();
}

void Graph::Lead() {
  for (const std::function<void()>& lead : leads_) lead();
  leads_.clear();
  for (const Slots* slots : {&nodes_, &extensions_, &receivers_})
    for (const std::shared_ptr<Slot>& slot : *slots) slot->owner = this;
  if (running_ != nullptr) running_->lease_.reset();
  running_ = nullptr;
}

Consumer* Graph::Join(std::vector<FanOut::Branch> branches) {
  if (branches.empty()) return nullptr;
  if (branches.size() == 1) {
    FanOut::LossesOf(branches[0].name, metrics_);
    return branches[0].to;
  }
  fan_outs_.push_back(std::make_unique<FanOut>(std::move(branches), metrics_));
  FanOut* joined = fan_outs_.back().get();
  leads_.push_back([joined] { joined->Settle(); });
  return joined;
}

Status Graph::StartAll(Slots* slots) {
  for (const std::shared_ptr<Slot>& slot : *slots) {
    if (slot->started) continue;
    if (Status status = slot->component->Start(); !status) {
      StopAll(slots);
      return Fail(status.error().WithPrefix(slot->name));
    }
    slot->started = true;
  }
  return {};
}

void Graph::StopAll(Slots* slots) {
  for (const std::shared_ptr<Slot>& slot : std::views::reverse(*slots)) {
    if (slot->owner != this) continue;
    if (slot->started) slot->component->Stop();
    slot->started = false;
  }
}

Status Graph::Start() { return StartAll(&nodes_); }
Status Graph::StartExtensions() { return StartAll(&extensions_); }
Status Graph::StartReceivers() { return StartAll(&receivers_); }
void Graph::StopExtensions() { StopAll(&extensions_); }
void Graph::StopReceivers() { StopAll(&receivers_); }
void Graph::Stop() { StopAll(&nodes_); }

const Graph::Slot* Graph::Find(config::ComponentKind kind, const config::ComponentId& id,
                               const std::string& pipeline) const {
  for (const Slots* slots : {&nodes_, &extensions_, &receivers_})
    for (const std::shared_ptr<Slot>& slot : *slots)
      if (slot->kind == kind && slot->id == id && slot->pipeline == pipeline) return slot.get();
  return nullptr;
}

bool Graph::Carries(const config::Component& component) const {
  for (const Slots* slots : {&nodes_, &extensions_, &receivers_})
    for (const std::shared_ptr<Slot>& slot : *slots)
      if (slot->kind == component.kind() && slot->id == component.id && slot->owner != this)
        return true;
  return false;
}

Exporter* Graph::FindExporter(const config::ComponentId& id) const {
  const Slot* slot = Find(config::ComponentKind::kExporter, id, "");
  return slot == nullptr ? nullptr : slot->exporter;
}

}  // namespace weft::pipeline

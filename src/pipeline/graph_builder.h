// SPDX-License-Identifier: Apache-2.0
//
// Graph::Builder makes a graph out of a configuration: which components of the running graph go on,
// which are made, and how they are joined. What is new is joined at once; what goes on is led to
// its new neighbours when the graph is.
//
// Thread rule: one thread. Used by pipeline/graph.cc alone.
#pragma once

#include <map>
#include <vector>

#include "pipeline/graph.h"
#include "pipeline/graph_slot.h"

namespace weft::pipeline {

class Graph::Builder {
 public:
  Builder(const config::Config& config, const ComponentTable& table, const Deps& deps,
          Graph* running, Graph* graph)
      : config_(config), table_(table), deps_(deps), running_(running), graph_(graph) {}

  Status Build();

 private:
  using Kind = config::ComponentKind;
  struct Feed {
    config::ComponentId receiver;
    std::vector<FanOut::Branch> branches[std::size(config::kSignals)];
  };
  // A component of the running graph under new settings.
  struct Judged {
    bool stays = false;
    Component::Change change = nullptr;  // null: its settings are the same
  };

  const config::Component& Find(Kind kind, const config::ComponentId& id) const;
  Result<const Judged*> Judge(const config::Component& component, const std::string& pipeline);
  // What it names goes on, too: it holds a part of that.
  Result<bool> NeighboursStay(const config::Component& component);
  // The slot of a component: the running graph's, or a new one, without its component.
  Result<std::shared_ptr<Slot>> SlotOf(const config::Component& component,
                                       const std::string& pipeline, uint32_t inputs = 0);
  // Joins what a slot's way leads to, once that is settled.
  void LeadLater(Entry* way, Consumer* to);
  Result<Consumer*> BuildPipeline(const config::Pipeline& pipeline);
  Result<Exporter*> ExporterOf(const config::ComponentId& id);
  Feed& FeedOf(const config::ComponentId& receiver);
  Status BuildReceiver(Feed* feed);
  Status BuildExtension(const config::ComponentId& id);
  void LetOldOnesFade();
  void NoteRemoved(const Slots& slots);

  const config::Config& config_;
  const ComponentTable& table_;
  const Deps& deps_;
  Graph* const running_;
  Graph* const graph_;
  std::vector<Feed> feeds_;
  std::vector<std::shared_ptr<Slot>> exporters_, processors_;
  std::map<const Slot*, Judged> judged_;
};

}  // namespace weft::pipeline

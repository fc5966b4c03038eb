// SPDX-License-Identifier: Apache-2.0
//
// Graph: the pipelines of a configuration, wired. One instance of an exporter or a receiver serves
// all pipelines that name it; each pipeline has processors of its own.
//
//   receiver -> FanOut over its pipelines -> processors -> FanOut over exporters
//
// Life: Build, Start, StartReceivers; StopReceivers, Stop.
// Thread rule: built and ended by one thread; the consumers may be used from any.
// Next: pipeline/component_row.h, pipeline/fan_out.h.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "pipeline/component_row.h"
#include "pipeline/fan_out.h"

namespace weft::pipeline {

class Graph {
 public:
  // Makes the components that pipelines name; what no pipeline names is not made.
  static Result<std::unique_ptr<Graph>> Build(const config::Config& config,
                                              const ComponentTable& table, const Deps& deps);
  ~Graph();

  // Exporters, then processors, in the order of the configuration; when one fails, those before it
  // are stopped again.
  Status Start();
  Status StartReceivers();
  void StopReceivers();
  // In reverse: what processors hold reaches exporters that still run. Idempotent.
  void Stop();

  // Null when no pipeline names it.
  Exporter* FindExporter(const config::ComponentId& id) const;

 private:
  // A component that has a life.
  struct Node {
    std::string name;  // "exporter store"
    Component* component;
    bool started = false;
  };
  struct Feed {
    config::ComponentId receiver;
    std::vector<FanOut::Branch> branches[std::size(config::kSignals)];
  };
  class Builder;
  explicit Graph(Metrics* metrics) : metrics_(metrics) {}
  Consumer* Join(std::vector<FanOut::Branch> branches);
  static Status StartAll(std::vector<Node>* nodes);
  static void StopAll(std::vector<Node>* nodes);

  Metrics* const metrics_;
  std::vector<std::pair<config::ComponentId, std::unique_ptr<Exporter>>> exporters_;
  std::vector<std::unique_ptr<Consumer>> fan_outs_;
  std::vector<std::unique_ptr<Processor>> processors_;  // of a pipeline: the last one first
  std::vector<std::unique_ptr<Component>> receivers_;
  std::vector<Node> nodes_;           // in the order in which they start
  std::vector<Node> receiver_nodes_;  // the same
};

}  // namespace weft::pipeline

// SPDX-License-Identifier: Apache-2.0
//
// Graph: the components of a configuration, wired. One instance of an exporter or a receiver serves
// all pipelines that name it; each pipeline has processors of its own.
//
//   receiver -> Entry -> FanOut over its pipelines -> processor -> Entry -> ... -> FanOut over
//   exporters
//
// Life: Build, Start, StartExtensions, StartReceivers; StopExtensions, StopReceivers, Stop. A
// reload builds another beside one that runs: Build takes what is as it was over, the Starts start
// what is new, Lead makes the new one the way of all batches; what the old one alone has is stopped
// once IsDone. A new one that is given up is simply destroyed. Thread rule: built, led and ended by
// one thread; the consumers may be used from any. Next: pipeline/component_row.h, pipeline/entry.h,
// pipeline/fan_out.h.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "pipeline/component_row.h"
#include "pipeline/entry.h"
#include "pipeline/fan_out.h"

namespace weft::pipeline {

class Graph {
 public:
  // What became of a component: beside a running graph, else all are kAdded.
  struct Fate {
    enum class Kind : uint8_t {
      kKept,      // goes on as it was
      kAdjusted,  // goes on with other settings
      kReplaced,  // another one takes its place
      kAdded,
      kRemoved,
    };
    std::string name;  // "exporter store", "processor batch of pipeline traces"
    Kind kind;
  };

  // Makes the components that pipelines and service::extensions name; what nothing names is not
  // made. Without a running graph, its batches are led from the start.
  static Result<std::unique_ptr<Graph>> Build(const config::Config& config,
                                              const ComponentTable& table, const Deps& deps,
                                              Graph* running = nullptr);
  ~Graph();

  // Exporters, then processors, in the order of the configuration; when one fails, those before it
  // that this graph started are stopped again.
  Status Start();
  Status StartExtensions();
  Status StartReceivers();
  void StopExtensions();
  void StopReceivers();
  // In reverse: what processors hold reaches exporters that still run. Idempotent.
  void Stop();

  // Cannot fail. From here on batches go this graph's ways, and the components of the running graph
  // that are not its own wait for their end. REQUIRES: all was started.
  void Lead();
  // Nothing of a batch that came before another graph was led is under way any more.
  bool IsDone() const { return watch_.expired(); }

  // Null when no pipeline names it.
  Exporter* FindExporter(const config::ComponentId& id) const;
  // What the way to `exporter` that others than receivers take should be owned by.
  std::shared_ptr<Consumer> Leased(Consumer* to) const { return {lease_, to}; }
  // The component goes on from the running graph. Before Lead().
  bool Carries(const config::Component& component) const;
  const std::vector<Fate>& fates() const { return fates_; }

 private:
  struct Slot;
  using Slots = std::vector<std::shared_ptr<Slot>>;
  class Builder;
  explicit Graph(Metrics* metrics) : metrics_(metrics) {}
  Consumer* Join(std::vector<FanOut::Branch> branches);
  Status StartAll(Slots* slots);
  void StopAll(Slots* slots);
  const Slot* Find(config::ComponentKind kind, const config::ComponentId& id,
                   const std::string& pipeline) const;

  Metrics* const metrics_;
  Graph* running_ = nullptr;  // until it is led
  std::vector<std::unique_ptr<FanOut>> fan_outs_;
  // In the order in which they start. Slots of a running graph are shared with it until Lead().
  Slots nodes_, extensions_, receivers_;
  std::vector<std::function<void()>> leads_;
  std::vector<Fate> fates_;
  // Held by every batch under way; by this while it is the one that is led.
  std::shared_ptr<int> lease_ = std::make_shared<int>(0);
  std::weak_ptr<int> watch_ = lease_;
};

}  // namespace weft::pipeline

// SPDX-License-Identifier: Apache-2.0
//
// Graph: the pipelines of a configuration, wired. One instance of an exporter serves all pipelines
// that name it; a receiver that several pipelines name feeds all of them.
//
//   config: receivers -> [processors] -> exporters, for each signal
//   graph:  receiver's Inputs{traces, logs} -> FanOut over pipelines -> FanOut over exporters
//
// Life: Build, StartExporters, (receivers start and stop), StopExporters.
// Thread rule: built and ended by one thread; the Inputs may be used from any.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "config/config.h"
#include "pipeline/component.h"

namespace weft::pipeline {

// Where a receiver sends what it decodes; null where no pipeline of that signal names it.
struct Inputs {
  Consumer* traces = nullptr;
  Consumer* logs = nullptr;
};

using ExporterFactory =
    std::function<Result<std::unique_ptr<Exporter>>(const config::Component& component)>;

class Graph {
 public:
  // Makes the exporters that pipelines name; what no pipeline names is not made.
  static Result<std::unique_ptr<Graph>> Build(const config::Config& config,
                                              const ExporterFactory& make);

  // In order; when one fails, those before it are stopped again.
  Status StartExporters();
  // In reverse. Idempotent.
  void StopExporters();

  // Empty when no pipeline names the receiver: it need not run.
  Inputs InputsOf(const config::ComponentId& receiver) const;
  // True when a pipeline of any signal, metrics too, names the receiver.
  bool Uses(const config::ComponentId& receiver) const;
  // Null when no pipeline names it.
  Exporter* FindExporter(const config::ComponentId& id) const;

 private:
  struct Node {
    config::ComponentId id;
    std::unique_ptr<Exporter> exporter;
    bool started = false;
  };
  struct ReceiverInput {
    config::ComponentId id;
    Inputs inputs;
  };
  Consumer* Join(std::vector<Consumer*> targets);

  std::vector<Node> exporters_;
  std::vector<std::unique_ptr<Consumer>> fan_outs_;
  std::vector<ReceiverInput> receivers_;
};

}  // namespace weft::pipeline

// SPDX-License-Identifier: Apache-2.0
//
// A component in a graph: what it is, its ways out, its life. A slot is handed from graph to graph
// as long as its component goes on.
//
// Thread rule: as Graph. Used by pipeline/graph.cc and graph_builder.h alone.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "pipeline/entry.h"
#include "pipeline/graph.h"

namespace weft::pipeline {

struct Graph::Slot {
  config::ComponentKind kind;
  config::ComponentId id;
  std::string pipeline;  // of a processor: the one that it stands in
  std::string name;      // "exporter store"
  const config::ComponentType* type;
  std::string print;
  uint32_t inputs = 0;  // of a receiver: a bit for each signal that it has a way for
  // Of a receiver one for each signal, of a processor one. They outlive the component.
  std::unique_ptr<Entry> ways[std::size(config::kSignals)];
  std::unique_ptr<Component> component;
  Exporter* exporter = nullptr;    // component, where it is one
  Processor* processor = nullptr;  // the same
  const Graph* owner = nullptr;    // whose StopAll() ends it
  bool started = false;
};

}  // namespace weft::pipeline

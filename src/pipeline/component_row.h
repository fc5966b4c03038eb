// SPDX-License-Identifier: Apache-2.0
//
// ComponentRow: one kind of component, whole: what a configuration knows of it, and how it is made.
// It stands beside the component in its room; server/components.cc lists the rows.
//
//   constexpr pipeline::ComponentRow kDebugExporter = {
//       .type = {.kind = config::ComponentKind::kExporter, .name = "debug", ...},
//       .make_exporter = [](const config::Component& component, const pipeline::Deps& deps) ...};
//
// Making takes nothing exclusive and starts nothing: that is Start().
// Thread rule: constants. Next: pipeline/graph.h; a worked example: CONTRIBUTING.md.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/check.h"
#include "config/config.h"
#include "pipeline/component.h"
#include "pipeline/deps.h"

namespace weft::pipeline {

// Where a receiver sends what it decodes; null where no pipeline of that signal names it.
struct Inputs {
  Consumer* traces = nullptr;
  Consumer* logs = nullptr;
  Consumer* metrics = nullptr;
};

// Of the functions, the one of its kind is there.
struct ComponentRow {
  template <class T>
  using Made = Result<std::unique_ptr<T>>;

  config::ComponentType type;
  Made<Component> (*make_receiver)(const config::Component&, Inputs, const Deps&) = nullptr;
  Made<Processor> (*make_processor)(const config::Component&, Consumer* next,
                                    const Deps&) = nullptr;
  Made<Exporter> (*make_exporter)(const config::Component&, const Deps&) = nullptr;
  // Null: there is nothing to run, its settings alone are of use.
  Made<Component> (*make_extension)(const config::Component&, const Deps&) = nullptr;
  // Null: nothing of note.
  MemoryNeed (*memory)(const config::Component&) = nullptr;
};

class ComponentTable {
 public:
  explicit ComponentTable(std::vector<const ComponentRow*> rows) : rows_(std::move(rows)) {
    std::vector<const config::ComponentType*> types;
    for (const ComponentRow* row : rows_) types.push_back(&row->type);
    types_ = config::ComponentTypes(std::move(types));
  }
  const config::ComponentTypes& types() const { return types_; }
  const std::vector<const ComponentRow*>& rows() const { return rows_; }
  // REQUIRES: the component was loaded with types().
  const ComponentRow& RowOf(const config::Component& component) const {
    for (const ComponentRow* row : rows_)
      if (&row->type == component.type) return *row;
    WEFT_CHECK_MSG(false, "a component of another table");
  }

 private:
  std::vector<const ComponentRow*> rows_;
  config::ComponentTypes types_;
};

}  // namespace weft::pipeline

// SPDX-License-Identifier: Apache-2.0
//
// The front door of configuration: OpenTelemetry Collector YAML in, a checked and typed Config out.
// Every mistake is named in one run, in the order of files and lines, with file, line, key path and
// the nearest key that exists; what only follows from another mistake is left out.
//
//   LoadOptions options{.uris = {"weft.yaml"}, .settings = {"exporters.store.durability=relaxed"}};
//   WEFT_ASSIGN(config::Loaded loaded,
//               config::Load(options, config::RealSurroundings(), server::ComponentTypes()));
//
// Without a URI the built-in configuration is used: the one `weft print-config` prints.
// Thread rule: pure functions; a Config is an immutable value.
// Next: config/component_type.h, config/sources.h, docs/config.md.
#pragma once

#include <any>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/component_type.h"
#include "config/sources.h"
#include "config/telemetry.h"

namespace weft::config {

struct Component {
  const ComponentType* type;
  ComponentId id;
  std::any settings;  // of the type that `type` reads
  // Equal for equal settings, with what stands in the files that they name; otherwise means
  // nothing.
  std::string print = {};
  std::vector<ComponentId> refers = {};  // components that its settings name

  ComponentKind kind() const { return type->kind; }
  // Null where they are of another type.
  template <class T>
  const T* As() const {
    return std::any_cast<T>(&settings);
  }
};

struct Pipeline {
  Signal signal;
  std::string name;  // "traces/second"
  std::vector<ComponentId> receivers, processors, exporters;
};

struct Config {
  std::vector<Component> components;
  std::vector<ComponentId> extensions;  // in the order of service::extensions
  std::vector<Pipeline> pipelines;
  TelemetrySettings telemetry;
  // Requests being read, decoded and stored may hold this much at once, over all receivers.
  uint64_t in_flight_bytes_max = 128ull << 20;
  // The whole process; 0: by what the cgroup or the machine has.
  uint64_t memory_bytes_max = 0;

  // Null when there is none.
  const Component* Find(ComponentKind kind, const ComponentId& id) const;
};

struct LoadOptions {
  std::vector<std::string> uris;      // --config, in order
  std::vector<std::string> settings;  // --set, in order
};
struct Loaded {
  Config config;
  Node tree;  // merged and expanded; secrets stand there as [REDACTED]
  std::vector<std::string> warnings;
};

// kInvalidArgument; the message has one line for each mistake. The Config points into `types`.
Result<Loaded> Load(const LoadOptions& options, const Surroundings& surroundings,
                    const ComponentTypes& types);

// What "no arguments" uses.
std::string_view BuiltInYaml();
// $XDG_DATA_HOME/weft, or ~/.local/share/weft.
std::string DefaultDataDirectory(const Surroundings& surroundings);

}  // namespace weft::config

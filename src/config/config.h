// SPDX-License-Identifier: Apache-2.0
//
// The front door of configuration: OpenTelemetry Collector YAML in, a checked and typed Config out.
// Every mistake is named in one run, in the order of files and lines, with file, line, key path and
// the nearest key that exists; what only follows from another mistake is left out.
//
//   LoadOptions options{.uris = {"weft.yaml"}, .settings = {"exporters.store.durability=relaxed"}};
//   WEFT_ASSIGN(config::Loaded loaded, config::Load(options, config::RealSurroundings()));
//
// Without a URI the built-in configuration is used: the one `weft print-config` prints.
// Thread rule: pure functions; a Config is an immutable value.
// Next: config/settings.h, config/sources.h, docs/config.md.
#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/settings.h"
#include "config/sources.h"
#include "config/telemetry.h"

namespace weft::config {

// "otlp" or "otlp/second".
struct ComponentId {
  std::string type, name;
  std::string ToString() const { return name.empty() ? type : type + "/" + name; }
  auto operator<=>(const ComponentId&) const = default;
};
Result<ComponentId> ParseComponentId(std::string_view text);

struct Component {
  ComponentKind kind;
  ComponentId id;
  Settings settings;
};

enum class Signal : uint8_t { kTraces, kLogs, kMetrics };
std::string_view SignalName(Signal signal);

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

// kInvalidArgument; the message has one line for each mistake.
Result<Loaded> Load(const LoadOptions& options, const Surroundings& surroundings);

// What "no arguments" uses.
std::string_view BuiltInYaml();
// $XDG_DATA_HOME/weft, or ~/.local/share/weft.
std::string DefaultDataDirectory(const Surroundings& surroundings);

}  // namespace weft::config

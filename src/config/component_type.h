// SPDX-License-Identifier: Apache-2.0
//
// ComponentType: what a configuration has to know of a component: its names, what it takes, how its
// settings are read. Each component's row stands beside it in its own room
// (pipeline/component_row.h adds how it is made); server/components.cc lists all rows, and hands
// them to config::Load().
//
// Settings are of a type that only the row knows: a std::any that its functions open.
// Lifetime: rows are constants; everything borrowed. Thread rule: pure functions.
// Next: config/section.h (reading settings), config/config.h.
#pragma once

#include <any>
#include <compare>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/section.h"
#include "config/security.h"

namespace weft::config {

// "otlp" or "otlp/second".
struct ComponentId {
  std::string type, name;
  std::string ToString() const { return name.empty() ? type : type + "/" + name; }
  auto operator<=>(const ComponentId&) const = default;
};
Result<ComponentId> ParseComponentId(std::string_view text);

enum class ComponentKind : uint8_t { kReceiver, kProcessor, kExporter, kConnector, kExtension };
// "receiver", ...
std::string_view KindName(ComponentKind kind);

enum class Signal : uint8_t { kTraces, kLogs, kMetrics };
inline constexpr Signal kSignals[] = {Signal::kTraces, Signal::kLogs, Signal::kMetrics};
// "traces", ...
std::string_view SignalName(Signal signal);

class SignalSet {
 public:
  constexpr SignalSet() = default;
  constexpr SignalSet(std::initializer_list<Signal> signals) {
    for (Signal signal : signals)
      bits_ = static_cast<uint8_t>(bits_ | 1u << static_cast<int>(signal));
  }
  constexpr bool Has(Signal signal) const { return (bits_ >> static_cast<int>(signal) & 1) != 0; }
  constexpr bool operator==(const SignalSet&) const = default;

 private:
  uint8_t bits_ = 0;
};
inline constexpr SignalSet kAllSignals = {Signal::kTraces, Signal::kLogs, Signal::kMetrics};

// The Collector's levels, of promises about keys and behaviour.
enum class Stability : uint8_t { kDevelopment, kAlpha, kBeta, kStable };
std::string_view StabilityName(Stability stability);

// Where a component listens, by its settings.
struct ListenSetting {
  std::string name;  // "otlp/grpc"
  std::string key;   // "receivers::otlp::protocols::grpc::endpoint"
  Endpoint* endpoint;
  const ListenerSecurity* security;
  // Answers questions about what is stored; others only take what is sent, or answer probes.
  bool shows_data = false;
};

// What a component may be named for by the settings of others, beside kAuthenticatorRole.
inline constexpr std::string_view kStoreRole = "store";  // keeps what comes
inline constexpr std::string_view kQueryRole = "query";  // shows what a store keeps

struct ComponentType {
  // The settings, of the row's own type; empty after a problem that says why not.
  using Read = std::any (*)(Section section);
  struct Alias {
    std::string_view name;
    std::string_view warning;  // empty: as good as the name; else what is said of it
    Read read = nullptr;       // null: as under the name
  };

  ComponentKind kind;
  std::string_view name;
  std::string_view summary;  // what it does, in a line of `weft components`
  // Not empty: nobody should name it any more, it is not offered, and this is said of it.
  std::string_view warning = "";
  Stability stability = Stability::kBeta;
  SignalSet signals = {};  // none: an extension
  std::span<const Alias> aliases = {};
  Read read = nullptr;
  std::string_view role = "";
  // Null: it listens nowhere.
  std::vector<ListenSetting> (*listens)(const ComponentId& id, std::any* settings) = nullptr;
  // The directory that it keeps data in; null: none. Empty text there stands for the default one.
  std::string* (*directory)(std::any* settings) = nullptr;
};

// The rows of a program.
class ComponentTypes {
 public:
  ComponentTypes() = default;
  explicit ComponentTypes(std::vector<const ComponentType*> types) : types_(std::move(types)) {}

  struct Found {
    const ComponentType* type = nullptr;          // null: there is none of this name
    const ComponentType::Alias* alias = nullptr;  // null: it is the type's own name
  };
  Found Find(ComponentKind kind, std::string_view name) const;
  std::span<const ComponentType* const> all() const { return types_; }
  // Names, without aliases, in the order of the rows.
  std::vector<std::string> NamesOf(ComponentKind kind) const;
  std::vector<std::string> NamesOf(ComponentKind kind, std::string_view role) const;

 private:
  std::vector<const ComponentType*> types_;
};

}  // namespace weft::config

// SPDX-License-Identifier: Apache-2.0
//
// Typed settings of every component that this version has, with their defaults. ReadSettings()
// fills them from the configuration's text; server/components.cc makes components of them.
//
// Thread rule: plain values. Next: config/config.h; every key: docs/config.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/node.h"
#include "config/section.h"
#include "config/security.h"

namespace weft::config {

// receivers::otlp
struct OtlpReceiverSettings {
  struct Grpc {
    Endpoint endpoint{"localhost", 4317};
    ListenerSecurity security;
    uint64_t message_bytes_max = 64ull << 20;  // decompressed
  };
  struct Http {
    Endpoint endpoint{"localhost", 4318};
    ListenerSecurity security;
    uint64_t body_bytes_max = 64ull << 20;  // before and after decompression
    std::string traces_path = "/v1/traces";
    std::string logs_path = "/v1/logs";
    std::string metrics_path = "/v1/metrics";
    std::vector<std::string> cors_origins;  // empty: no CORS headers. "*" inside matches anything
    std::vector<std::string> cors_headers;
    std::vector<std::string> cors_exposed_headers;
    uint64_t cors_max_age_s = 0;
    std::vector<std::string> allowed_hosts;  // Host headers accepted besides loopback names
  };
  std::optional<Grpc> grpc;
  std::optional<Http> http;
};

// exporters::store
struct StoreSettings {
  std::string directory;  // empty: $XDG_DATA_HOME/weft
  enum class Durability : uint8_t { kDurable, kRelaxed, kMemory } durability = Durability::kDurable;
  uint64_t retention_age_ns = 14ull * 24 * 3600 * 1'000'000'000;
  uint64_t retention_bytes = 20ull << 30;
  uint64_t max_clock_shift_ns = 3600ull * 1'000'000'000;
  // Absent: the store's own defaults (store/store.h).
  std::optional<uint64_t> head_bytes_max, flush_bytes, flush_age_ns, page_cache_bytes,
      free_bytes_min, scrub_bytes_per_s, scrub_interval_ns;
};

// exporters::debug
struct DebugSettings {
  enum class Verbosity : uint8_t { kBasic, kNormal, kDetailed } verbosity = Verbosity::kBasic;
};

// extensions::query
struct QuerySettings {
  Endpoint endpoint{"localhost", 16686};
  // Jaeger's gRPC API alone, which `endpoint` answers too. Unless it is set: port 16685 beside
  // 16686, as Jaeger has them, and none beside another port.
  std::optional<Endpoint> grpc_endpoint = Endpoint{"localhost", 16685};
  // Tempo's API alone, which `endpoint` has under /tempo. Unless it is set: port 3200 beside 16686,
  // where Tempo's clients look for it, and none beside another port.
  std::optional<Endpoint> tempo_endpoint = Endpoint{"localhost", 3200};
  ListenerSecurity security;    // of every listener of the extension
  std::string store = "store";  // id of the exporter whose data it answers from
  uint64_t workers = 2;
  uint64_t timeout_ns = 30ull * 1'000'000'000;
  uint64_t memory_bytes = 256ull << 20;    // of one query
  std::vector<std::string> allowed_hosts;  // Host headers accepted besides loopback names
  std::string base_path;                   // "/weft" behind a proxy; "": none
};

// extensions::health_check
struct HealthCheckSettings {
  Endpoint endpoint{"localhost", 13133};
  ListenerSecurity security;
  std::string path = "/";
  std::vector<std::string> allowed_hosts;  // Host headers accepted besides loopback names
};

// Accepted, and does nothing (extensions::memory_ballast).
struct NothingSettings {};

using Settings =
    std::variant<OtlpReceiverSettings, StoreSettings, DebugSettings, QuerySettings,
                 HealthCheckSettings, BearerTokenSettings, BasicAuthSettings, NothingSettings>;

enum class ComponentKind : uint8_t { kReceiver, kProcessor, kExporter, kConnector, kExtension };
// "receiver", ...
std::string_view KindName(ComponentKind kind);
// Types that this version has, by kind.
std::vector<std::string> TypesOf(ComponentKind kind);
// The settings of a component of this type; nothing after a problem that says why not. Warns for
// old names.
std::optional<Settings> ReadSettings(ComponentKind kind, std::string_view type, Section section,
                                     const Node& at);

}  // namespace weft::config

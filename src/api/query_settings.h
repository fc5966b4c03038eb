// SPDX-License-Identifier: Apache-2.0
//
// Settings of extensions::query, with their defaults.
//
// Thread rule: plain values. Next: api/query_extension.h; every key: docs/config.md.
#pragma once

#include <algorithm>
#include <any>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/processors.h"
#include "config/component_type.h"

namespace weft::api {

struct QuerySettings {
  config::Endpoint endpoint{"localhost", 16686};
  // Jaeger's gRPC API alone, which `endpoint` answers too. Unless it is set: port 16685 beside
  // 16686, as Jaeger has them, and none beside another port.
  std::optional<config::Endpoint> grpc_endpoint = config::Endpoint{"localhost", 16685};
  // Tempo's API alone, which `endpoint` has under /tempo. Unless it is set: port 3200 beside 16686,
  // where Tempo's clients look for it, and none beside another port.
  std::optional<config::Endpoint> tempo_endpoint = config::Endpoint{"localhost", 3200};
  config::ListenerSecurity security;  // of every listener of the extension
  std::string store = "store";        // id of the exporter whose data it answers from
  // Each may take memory_bytes: on a large machine no more than eight, unless it is set.
  uint64_t workers = std::clamp(AvailableProcessors(), 2u, 8u);
  uint64_t timeout_ns = 30ull * 1'000'000'000;
  uint64_t memory_bytes = 256ull << 20;    // of one query
  std::vector<std::string> allowed_hosts;  // Host headers accepted besides loopback names
  std::string base_path;                   // "/weft" behind a proxy; "": none
};

// Gives QuerySettings.
std::any ReadQuerySettings(config::Section section);
// `settings` are QuerySettings.
std::vector<config::ListenSetting> QueryListens(const config::ComponentId& id, std::any* settings);

}  // namespace weft::api

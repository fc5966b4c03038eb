// SPDX-License-Identifier: Apache-2.0
//
// The native API under /api/weft/v1: what the UI and the CLI speak (docs/api.md says every field).
//
// Thread rule: routes are added before the server starts; handlers run on net threads and hand
// every question to the QueryRunner. Next: api/query_server.h.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "api/query_runner.h"
#include "http/server.h"
#include "pipeline/reloads.h"

namespace weft::api {

inline constexpr std::string_view kNativeRoot = "/api/weft/v1";

struct ListenerAddress {
  std::string name;     // "otlp/grpc"
  std::string address;  // "localhost:4317"
  bool tls = false;
};

// What /status says besides the store's numbers.
struct ServerFacts {
  std::string version;
  uint64_t started_ns = 0;
  std::string durability;
  std::string data_directory;
  uint64_t retention_age_ns = 0, retention_bytes = 0;
  std::function<std::vector<ListenerAddress>()> listeners;
  // Age and bytes in place of those above, where they may change; null: they do not.
  std::function<std::pair<uint64_t, uint64_t>()> retention = nullptr;
  pipeline::Reloads* reloads = nullptr;  // null: the configuration stays as it is
};

// `options` goes to every route. Both pointers are borrowed.
void AddNativeRoutes(const ServerFacts& facts, QueryRunner* runner, http::RouteOptions options,
                     http::Router* router);

}  // namespace weft::api

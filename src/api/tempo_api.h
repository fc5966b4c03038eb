// SPDX-License-Identifier: Apache-2.0
//
// Tempo's HTTP API as Grafana's Tempo source, Traces Drilldown and Kiali call it: trace by id,
// search, tags and their values, and what probes ask. Every question goes to the same engine as the
// native API's. Errors are plain text, because Grafana shows them as they are.
//
// Thread rule: as api/native_api.h. Source: Tempo's HTTP API documentation; docs/tempo_api.md.
// Next: api/tempo_parameters.h, api/tempo_json.h.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "api/query_runner.h"
#include "http/server.h"

namespace weft::api {

struct TempoFacts {
  std::string version;                 // weft's
  std::function<std::string()> ready;  // empty: ready; else why not
};

// Adds `prefix`/api/search and so on. `runner` is borrowed; `options` goes to every route.
void AddTempoRoutes(std::string_view prefix, const TempoFacts& facts, QueryRunner* runner,
                    const http::RouteOptions& options, http::Router* router);

}  // namespace weft::api

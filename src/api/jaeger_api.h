// SPDX-License-Identifier: Apache-2.0
//
// Jaeger's v1 query API as jaeger-ui and Grafana's Jaeger source call it: services, operations,
// search and one trace. A search becomes a TraceQL span query, so that there is one engine.
//
// Thread rule: as api/native_api.h. Next: codec/jaeger_json_encode.h.
#pragma once

#include "api/query_runner.h"
#include "net/server.h"

namespace weft::api {

// `runner` is borrowed; `options` goes to every route.
void AddJaegerRoutes(QueryRunner* runner, Clock* clock, net::RouteOptions options,
                     net::Router* router);

// The search that the parameters of GET /api/traces ask for. `now_ns` is the default end.
Result<query::SearchRequest> ReadJaegerSearch(std::string_view query_string, uint64_t now_ns);

}  // namespace weft::api

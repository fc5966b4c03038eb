// SPDX-License-Identifier: Apache-2.0
//
// Jaeger's v1 query API as jaeger-ui and Grafana's Jaeger source call it: services, operations,
// search, one trace or several, dependencies, uploaded OTLP shown as Jaeger's JSON. What Jaeger
// does with an archive or a metrics store, and what it answers with made-up numbers, is refused in
// the same shape.
//
// Thread rule: as api/native_api.h. Next: api/jaeger_search.h, codec/jaeger_json_encode.h.
#pragma once

#include "api/query_runner.h"
#include "http/server.h"

namespace weft::api {

// `runner` is borrowed; `options` goes to every route.
void AddJaegerRoutes(QueryRunner* runner, Clock* clock, const http::RouteOptions& options,
                     http::Router* router);

}  // namespace weft::api

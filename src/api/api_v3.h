// SPDX-License-Identifier: Apache-2.0
//
// Jaeger's api_v3 over HTTP, as jaeger-ui (since 2.15) and Grafana's Jaeger source call it:
// services, operations, search, summaries and one trace. Traces are OTLP/JSON in one "result"
// object, streamed; errors have the shape of Jaeger's gateway.
//
// Thread rule: as api/native_api.h. Next: api/api_v3_grpc.h, api/jaeger_search.h, docs/api.md.
#pragma once

#include "api/query_runner.h"
#include "http/server.h"

namespace weft::api {

// `runner` is borrowed; `options` goes to every route.
void AddApiV3Routes(QueryRunner* runner, const http::RouteOptions& options, http::Router* router);

}  // namespace weft::api

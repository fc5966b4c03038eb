// SPDX-License-Identifier: Apache-2.0
//
// What a sender of OTLP hears at a port that only answers questions: where OTLP goes. Such a port
// is the one that people know, so it is the one that ends up in an SDK's settings.
//
// Thread rule: routes are added before the server starts.
// Source: OTLP specification, "OTLP/HTTP Response" (google.rpc.Status in the request's encoding).
// Used by api/query_server.h.
#pragma once

#include "api/native_api.h"
#include "http/server.h"

namespace weft::api {

// Adds OTLP's paths and methods to `router`; who may ask at all is up to `options`.
void AddOtlpElsewhere(ServerFacts facts, http::RouteOptions options, http::Router* router);

}  // namespace weft::api

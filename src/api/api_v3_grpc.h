// SPDX-License-Identifier: Apache-2.0
//
// gRPC service jaeger.api_v3.QueryService: services, operations, search, summaries, one trace,
// dependencies. Traces are streamed in messages of about a megabyte. An answer that is not whole
// ends with a status that says why, behind the messages that could be given.
//
// Thread rule: as api/native_api.h. Next: api/api_v3_messages.h, api/trace_chunks.h.
#pragma once

#include "api/query_runner.h"
#include "http/server.h"

namespace weft::api {

// `runner` is borrowed; `options` goes to every method.
void AddApiV3Grpc(QueryRunner* runner, const http::GrpcOptions& options, http::Router* router);

}  // namespace weft::api

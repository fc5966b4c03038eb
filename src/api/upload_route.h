// SPDX-License-Identifier: Apache-2.0
//
// Routes of the query server that take data, not a question: their bodies may be large, and wait
// for a worker with the rest. So each is charged to one account as it comes.
//
// Thread rule: pure functions. Next: api/native_api.h, api/jaeger_api.h.
#pragma once

#include <cstdint>

#include "api/query_runner.h"
#include "base/memory_budget.h"
#include "http/http.h"

namespace weft::api {

constexpr uint64_t kUploadBytesMax = 64ull << 20;

// `route` for bodies up to kUploadBytesMax. `memory` is borrowed; `refuse` says in the API's own
// shape that it is exhausted.
http::RouteOptions UploadRoute(http::RouteOptions route, MemoryAccount* memory,
                               QueryRunner::Refuse refuse);

}  // namespace weft::api

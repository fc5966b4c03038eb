// SPDX-License-Identifier: Apache-2.0
//
// POST /api/reload: reads the configuration again. Whoever has passed an authenticator may ask, or,
// where there is none, programs of this machine: no page of a browser, and nobody who comes through
// a proxy. What the answer looks like: docs/api.md.
//
// Thread rule: the route is added before the server starts; its handler does not wait.
// Next: pipeline/reloads.h.
#pragma once

#include "http/server.h"
#include "pipeline/reloads.h"

namespace weft::api {

// `reloads` is borrowed.
void AddReloadRoute(pipeline::Reloads* reloads, bool authenticated, http::Router* router);

}  // namespace weft::api

// SPDX-License-Identifier: Apache-2.0
//
// Serves the web UI out of the binary (api/ui_assets.h): its files, and its page for every address
// of the UI such as /search or /trace/ID. A build without the UI says so in plain words.
//
// Thread rule: as api/native_api.h.
#pragma once

#include <functional>

#include "net/server.h"

namespace weft::api {

// Becomes the router's fallback: asked for what no other route answers. `admit` may refuse first.
void ServeWebUi(std::function<net::Admission(const net::RequestHead&)> admit, net::Router* router);

}  // namespace weft::api

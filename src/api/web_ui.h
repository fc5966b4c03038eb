// SPDX-License-Identifier: Apache-2.0
//
// Serves the web UI out of the binary (api/ui_assets.h): its files, and its page for every address
// of the UI such as /search or /trace/ID. A build without the UI says so in plain words.
//
// Thread rule: as api/native_api.h.
#pragma once

#include <string>

#include "http/server.h"

namespace weft::api {

// Becomes the router's fallback: asked for what no other route answers. The page says that it lies
// under `base_path` ("" or "/weft").
void ServeWebUi(const std::string& base_path, http::Router* router);

}  // namespace weft::api

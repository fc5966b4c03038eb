// SPDX-License-Identifier: Apache-2.0
//
// extensions::health_check: the Collector's probe on a port of its own, and weft's /healthz,
// /readyz and /metrics beside it.
//
// Thread rule: Start() and Stop() by one thread. Next: api/query_server.h (the routes).
#pragma once

#include <string>
#include <vector>

#include "pipeline/component_row.h"

namespace weft::extension {

// extensions::health_check
struct HealthCheckSettings {
  config::Endpoint endpoint{"localhost", 13133};
  config::ListenerSecurity security;
  std::string path = "/";
  std::vector<std::string> allowed_hosts;  // Host headers accepted besides loopback names
};

extern const pipeline::ComponentRow kHealthCheck;

}  // namespace weft::extension

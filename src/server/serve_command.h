// SPDX-License-Identifier: Apache-2.0
//
// `weft serve`, also plain `weft`: loads the configuration, starts everything, says where it
// listens and what is durable, waits for SIGTERM or SIGINT, stops in order.
//
// Thread rule: called once, by main. Next: server/running_server.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/config.h"

namespace CLI {
class App;
}

namespace weft::server {

void AddServeCommand(CLI::App* app, int* exit_code);

// What the command line says over the configuration.
struct ServeOverrides {
  std::string data;  // --data: directory of the store exporter
  uint32_t port_offset = 0;
  bool insecure = false;
  std::string memory_limit;  // --memory-limit: "512MiB"; empty: as configured
};
// Applies them, fills the default directory in and judges the listeners (config/listen_rules.h).
Status ApplyOverrides(const ServeOverrides& overrides, const std::string& default_directory,
                      config::Config* config, std::vector<std::string>* warnings);

}  // namespace weft::server

// SPDX-License-Identifier: Apache-2.0
//
// Deps: what a component finds around it when it is made. Everything is borrowed and outlives it.
//
// Thread rule: components are made and started by one thread; what the members allow says each.
// Next: pipeline/component_row.h.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/env.h"
#include "base/metrics.h"
#include "config/config.h"
#include "http/server.h"
#include "pipeline/memory.h"
#include "pipeline/reloads.h"
#include "pipeline/services.h"
#include "selftrace/tracer.h"

namespace weft::pipeline {

// An address that is listened on, for start-up's words and the status page.
struct Listener {
  std::string name;           // "otlp/grpc"
  config::Endpoint endpoint;  // with the port that was bound
  bool tls = false;
  bool is_main = false;    // where people ask: told by an address that leads there
  bool has_pages = false;  // for a browser, under `base_path`
  std::string base_path = {};
};

// How a component comes to listen.
class Doors {
 public:
  virtual ~Doors() = default;
  // TLS, authentication and host rule of a listener. `hosts` counts where only this machine's
  // addresses lead to `endpoint`.
  virtual Result<http::ListenOptions> Options(const std::string& name,
                                              const config::Endpoint& endpoint,
                                              const config::ListenerSecurity& security,
                                              http::HostRule hosts) const = 0;
  // Listens, and keeps the listener for listeners(). The error names it.
  virtual Status Open(Listener listener, http::ListenOptions options,
                      std::shared_ptr<const http::Router> router) = 0;
  // Tells of one that a component has opened on server() itself.
  virtual void Tell(Listener listener) = 0;
  // Any thread.
  virtual std::vector<Listener> listeners() const = 0;
  virtual http::Server* server() = 0;
};

struct Deps {
  Env* env;
  Clock* clock;
  Metrics* metrics;
  const Memory* memory;
  Doors* doors;
  Services* services;
  selftrace::Tracer* tracer = nullptr;     // null: weft does not trace itself
  Reloads* reloads = nullptr;              // null: the configuration stays as it is
  std::function<std::string()> not_ready;  // empty when requests are taken, else why not
  std::string version;
  uint64_t started_ns = 0;
};

}  // namespace weft::pipeline

// SPDX-License-Identifier: Apache-2.0
//
// ServerDoors: how components come to listen on the process's one net::Server, and what `tls` and
// `auth` of a listener become there. Which listeners may start at all: config/listen_rules.h.
//
// Thread rule: one thread; listeners() from any once all are open.
// Next: net/listen_options.h, config/security.h, docs/security.md.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "net/server.h"
#include "pipeline/deps.h"

namespace weft::server {

class ServerDoors : public pipeline::Doors {
 public:
  // Borrowed. Authenticators are looked up in `services`, where their extensions offer them.
  ServerDoors(net::Server* server, const pipeline::Services* services, Metrics* metrics)
      : server_(server), services_(services), metrics_(metrics) {}

  Result<net::ListenOptions> Options(const std::string& name, const config::Endpoint& endpoint,
                                     const config::ListenerSecurity& security,
                                     net::HostRule hosts) const override;
  Status Open(pipeline::Listener listener, net::ListenOptions options,
              std::shared_ptr<const net::Router> router) override;
  void Tell(pipeline::Listener listener) override { listeners_.push_back(std::move(listener)); }
  const std::vector<pipeline::Listener>& listeners() const override { return listeners_; }
  net::Server* server() override { return server_; }

 private:
  net::Server* const server_;
  const pipeline::Services* const services_;
  Metrics* const metrics_;
  std::vector<pipeline::Listener> listeners_;
};

}  // namespace weft::server

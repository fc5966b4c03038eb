// SPDX-License-Identifier: Apache-2.0
//
// ServerDoors: how components come to listen on the process's one net::Server, and what `tls` and
// `auth` of a listener become there. Which listeners may start at all: config/listen_rules.h.
//
// Thread rule: one thread; listeners() from any.
// Next: net/listen_options.h, config/security.h, docs/security.md.
#pragma once

#include <memory>
#include <mutex>
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
  void Tell(pipeline::Listener listener) override;
  std::vector<pipeline::Listener> listeners() const override;
  net::Server* server() override { return server_; }

  // As those of net::Server: what is opened meanwhile is shown by listeners() after the commit.
  void BeginChange();
  void CommitChange(const std::vector<std::string>& kept);
  void AbandonChange();

 private:
  net::Server* const server_;
  const pipeline::Services* const services_;
  Metrics* const metrics_;
  mutable std::mutex mutex_;
  bool changing_ = false;                      // guarded by mutex_
  std::vector<pipeline::Listener> listeners_;  // guarded by mutex_
  std::vector<pipeline::Listener> opened_;     // by the change under way; guarded by mutex_
};

}  // namespace weft::server

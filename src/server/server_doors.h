// SPDX-License-Identifier: Apache-2.0
//
// ServerDoors: how components come to listen on the process's one http::Server, and what `tls` and
// `auth` of a listener become there. Which listeners may start at all: config/listen_rules.h.
//
// Thread rule: one thread; listeners() from any.
// Next: http/listen_options.h, config/security.h, docs/security.md.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "http/server.h"
#include "pipeline/deps.h"

namespace weft::server {

class ServerDoors : public pipeline::Doors {
 public:
  // Borrowed. Authenticators are looked up in `services`, where their extensions offer them.
  ServerDoors(http::Server* server, const pipeline::Services* services, Metrics* metrics)
      : server_(server), services_(services), metrics_(metrics) {}

  Result<http::ListenOptions> Options(const std::string& name, const config::Endpoint& endpoint,
                                      const config::ListenerSecurity& security,
                                      http::HostRule hosts) const override;
  Status Open(pipeline::Listener listener, http::ListenOptions options,
              std::shared_ptr<const http::Router> router) override;
  void Tell(pipeline::Listener listener) override;
  std::vector<pipeline::Listener> listeners() const override;
  http::Server* server() override { return server_; }

  // As those of http::Server: what is opened meanwhile is shown by listeners() after the commit.
  void BeginChange();
  void CommitChange(const std::vector<std::string>& kept);
  void AbandonChange();

 private:
  http::Server* const server_;
  const pipeline::Services* const services_;
  Metrics* const metrics_;
  mutable std::mutex mutex_;
  bool changing_ = false;                      // guarded by mutex_
  std::vector<pipeline::Listener> listeners_;  // guarded by mutex_
  std::vector<pipeline::Listener> opened_;     // by the change under way; guarded by mutex_
};

}  // namespace weft::server

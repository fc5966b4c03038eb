// SPDX-License-Identifier: Apache-2.0
//
// OpenDoors: listeners without TLS, authentication and host rules, for tests of components.
//
// Thread rule: one thread.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/deps.h"

namespace weft::testing {

class OpenDoors : public pipeline::Doors {
 public:
  // Borrowed.
  explicit OpenDoors(http::Server* server) : server_(server) {}

  Result<http::ListenOptions> Options(const std::string&, const config::Endpoint&,
                                      const config::ListenerSecurity&,
                                      http::HostRule) const override {
    return http::ListenOptions();
  }
  Status Open(pipeline::Listener listener, http::ListenOptions options,
              std::shared_ptr<const http::Router> router) override {
    const config::Endpoint& at = listener.endpoint;
    WEFT_ASSIGN(listener.endpoint.port, server_->Listen({at.host, at.port, at.path},
                                                        std::move(router), std::move(options)));
    Tell(std::move(listener));
    return {};
  }
  void Tell(pipeline::Listener listener) override { listeners_.push_back(std::move(listener)); }
  std::vector<pipeline::Listener> listeners() const override { return listeners_; }
  http::Server* server() override { return server_; }

 private:
  http::Server* const server_;
  std::vector<pipeline::Listener> listeners_;
};

}  // namespace weft::testing

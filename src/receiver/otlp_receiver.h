// SPDX-License-Identifier: Apache-2.0
//
// The otlp receiver as a component: it adds its routes and listens on its addresses. The
// net::Server that it listens on is the process's one; server/ starts and stops that.
//
// Thread rule: Start() and Stop() by one thread. Next: receiver/otlp_intake.h.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "net/server.h"
#include "pipeline/component.h"
#include "receiver/otlp_intake.h"

namespace weft::receiver {

// An address that is listened on, for start-up's words and the status page.
struct Listener {
  std::string name;  // "otlp/grpc"
  config::Endpoint endpoint;
  bool tls = false;
};

class OtlpReceiver : public pipeline::Component {
 public:
  struct Deps {
    net::Server* server;
    MemoryAccount* memory;  // of requests under way
    Metrics* metrics;
    Clock* clock;
    std::function<bool()> serving;        // what the health service answers
    selftrace::Tracer* tracer = nullptr;  // null: weft does not trace itself
    // TLS, authentication and host rule of a listener of this name; absent: none of them.
    std::function<Result<net::ListenOptions>(
        const std::string& name, const config::Endpoint& endpoint,
        const config::ListenerSecurity& security, net::HostRule hosts)>
        listen_options = {};
  };
  OtlpReceiver(const config::ComponentId& id, const config::OtlpReceiverSettings& settings,
               pipeline::Inputs inputs, Deps deps);

  Status Start() override;
  void Stop() override {}  // net::Server::Stop() drains all listeners at once
  // With the ports that were bound; after Start().
  const std::vector<Listener>& listeners() const { return listeners_; }

 private:
  Status Listen(const std::string& name, const config::Endpoint& endpoint,
                const config::ListenerSecurity& security, net::HostRule hosts,
                std::shared_ptr<const net::Router> router);

  const config::ComponentId id_;
  const config::OtlpReceiverSettings settings_;
  const Deps deps_;
  OtlpIntake grpc_intake_, http_intake_;
  std::vector<Listener> listeners_;
};

}  // namespace weft::receiver

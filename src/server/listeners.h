// SPDX-License-Identifier: Apache-2.0
//
// From configuration to listeners: what a listener's `tls` and `auth` become in net, and which
// listeners may start beyond this machine.
//
// Made once by RunningServer; one authenticator serves all listeners that name it.
// Thread rule: one thread. Next: net/listen_options.h, config/security.h, docs/security.md.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "config/config.h"
#include "net/listen_options.h"

namespace weft::server {

class Listeners {
 public:
  // Borrowed.
  Listeners(const config::Config* config, Metrics* metrics) : config_(config), metrics_(metrics) {}

  // Makes the authenticators of service::extensions: their files must be there.
  Status MakeAuthenticators();
  Result<net::ListenOptions> Options(const std::string& name,
                                     const config::ListenerSecurity& security) const;

 private:
  const config::Config* const config_;
  Metrics* const metrics_;
  std::map<std::string, std::shared_ptr<net::Authenticator>> authenticators_;
};

// A listening address of a component, for rules over all of them.
struct ListenAddress {
  std::string name;  // "otlp/grpc"
  config::Endpoint* endpoint;
  const config::ListenerSecurity* security;
  // Answers questions about what is stored; others only take what is sent, or answer probes.
  bool shows_data;
};
std::vector<ListenAddress> AddressesOf(config::Component* component);

// Empty: the listener may start. Otherwise an address that others can reach without protection;
// fatal where it shows data.
std::string ExposureOf(const ListenAddress& address);

}  // namespace weft::server

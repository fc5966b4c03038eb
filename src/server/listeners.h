// SPDX-License-Identifier: Apache-2.0
//
// From configuration to listeners: what a listener's `tls` and `auth` become in net. Which
// listeners may start at all: config/listen_rules.h.
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
  // `hosts` counts where only this machine's addresses lead to `endpoint`.
  Result<net::ListenOptions> Options(const std::string& name, const config::Endpoint& endpoint,
                                     const config::ListenerSecurity& security,
                                     net::HostRule hosts) const;

 private:
  const config::Config* const config_;
  Metrics* const metrics_;
  std::map<std::string, std::shared_ptr<net::Authenticator>> authenticators_;
};

}  // namespace weft::server

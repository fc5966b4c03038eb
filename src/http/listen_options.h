// SPDX-License-Identifier: Apache-2.0
//
// What a listener is besides its address and routes: whether it speaks TLS, and who may use it.
// Any kind of listener takes the same options (http/server.h); server/ makes them from the
// configuration.
//
// Thread rule: plain values; an Authenticator is asked from every net thread at once.
// Next: net/tls_context.h, auth/bearer_auth.h, auth/basic_auth.h.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.h"
#include "http/http.h"
#include "net/tls_options.h"

namespace weft::http {

// Why a request may not pass. The words are for the peer and never repeat what it sent.
struct AuthRefusal {
  enum class Reason : uint8_t { kNoCredentials, kWrongCredentials, kBusy };
  Reason reason = Reason::kNoCredentials;
  std::string message;
  std::string challenge;       // WWW-Authenticate; empty: none is sent
  uint32_t retry_after_s = 0;  // not 0: it was not judged, for lack of time
};

// Says who may send requests, by their heads. Must not block.
class Authenticator {
 public:
  virtual ~Authenticator() = default;
  // Nothing: the request may pass.
  virtual std::optional<AuthRefusal> Check(const RequestHead& head) = 0;
};

// Who may be meant: a web page can give its own name the address 127.0.0.1 and then talk to a
// server that trusts this machine alone, but the browser sends that name as Host.
struct HostRule {
  std::vector<std::string> allowed;  // names besides those of the loopback interface, lower case
  std::string setting;               // the key that adds names: refusals name it; "": there is none
  // gRPC too. Browsers cannot speak it in cleartext, and proxies beside a receiver send any name.
  bool grpc = true;
};

struct ListenOptions {
  std::string name;                              // "otlp/grpc": the label of its metrics
  Metrics* metrics = nullptr;                    // borrowed, outlives the server; null: none
  std::optional<net::TlsOptions> tls;            // absent: cleartext
  std::shared_ptr<Authenticator> authenticator;  // null: everyone may
  std::optional<HostRule> hosts;                 // absent: any Host
};

}  // namespace weft::http

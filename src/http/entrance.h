// SPDX-License-Identifier: Apache-2.0
//
// What connections find behind the listener they came through: its routes, its TLS, and the one
// place where it is decided, for HTTP and gRPC alike, who may pass.
//
// Made by Server::Listen(), kept by the listener and the connections that came through it.
// Thread rule: any thread. Next: http/route.h, http/listen_options.h.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>

#include "http/listen_options.h"
#include "http/server.h"
#include "net/rare_log.h"

namespace weft::net {
class TlsContext;
}  // namespace weft::net

namespace weft::http {

class Entrance {
 public:
  explicit Entrance(std::shared_ptr<const Router> router) : router_(std::move(router)) {}
  // Reads the certificate, where there is one.
  static Result<std::shared_ptr<Entrance>> Make(std::shared_ptr<const Router> router,
                                                ListenOptions options);

  const std::string& name() const { return options_.name; }
  const Router& router() const { return *router_; }
  // Null: cleartext.
  const std::shared_ptr<net::TlsContext>& tls() const { return tls_; }
  // False: `head` means another server than the listener's rule has; counted and said likewise.
  bool HostFits(const RequestHead& head, bool grpc) const;
  std::string HostRefusal() const;
  // Nothing: `head` may pass. A refusal is counted here, and said in the log now and then. `open`
  // is what the request's route says about itself (RouteOptions::open).
  std::optional<AuthRefusal> Check(const RequestHead& head, bool open) const;
  // A peer took too little of its answer.
  void CountEndedReader() const {
    if (ended_readers_ != nullptr) ended_readers_->Add();
  }

 private:
  void MakeCounters();

  const std::shared_ptr<const Router> router_;
  ListenOptions options_;
  std::shared_ptr<net::TlsContext> tls_;
  mutable net::RareLog refusal_log_;
  std::array<Counter*, 3> refused_{};  // by AuthRefusal::Reason; null without metrics
  Counter* refused_hosts_ = nullptr;
  Counter* ended_readers_ = nullptr;
};

}  // namespace weft::http

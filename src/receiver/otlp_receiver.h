// SPDX-License-Identifier: Apache-2.0
//
// The otlp receiver as a component: it adds its routes and listens on its addresses. The
// http::Server that it listens on is the process's one; server/ starts and stops that.
//
// Thread rule: Start() and Stop() by one thread. Next: receiver/otlp_intake.h.
#pragma once

#include <memory>
#include <string>

#include "config/config.h"
#include "http/server.h"
#include "pipeline/component_row.h"
#include "receiver/otlp_intake.h"
#include "receiver/otlp_settings.h"

namespace weft::receiver {

class OtlpReceiver : public pipeline::Component {
 public:
  // What `deps` point to is borrowed.
  OtlpReceiver(const config::ComponentId& id, const OtlpReceiverSettings& settings,
               pipeline::Inputs inputs, pipeline::Deps deps);

  Status Start() override;
  void Stop() override {}  // http::Server::Stop() drains all listeners at once

 private:
  std::function<bool()> Serving() const;
  Status Listen(const std::string& name, const config::Endpoint& endpoint,
                const config::ListenerSecurity& security, http::HostRule hosts,
                std::shared_ptr<const http::Router> router);

  const config::ComponentId id_;
  const OtlpReceiverSettings settings_;
  const pipeline::Deps deps_;
  OtlpIntake grpc_intake_, http_intake_;
};

extern const pipeline::ComponentRow kOtlpReceiver;

}  // namespace weft::receiver

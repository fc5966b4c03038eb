// SPDX-License-Identifier: Apache-2.0
#include "net/server_session.h"

#include <algorithm>

namespace weft::net {

ServerSession::ServerSession(SessionHost* host, const ServerLimits& limits, const Router& router,
                             std::string peer)
    : host_(host), limits_(limits), router_(router), peer_(std::move(peer)) {
  auto http1 = std::make_unique<Http1Session>(host_, limits_, router_, peer_);
  http1_ = http1.get();
  session_ = std::move(http1);
}

void ServerSession::OnBytes(std::string_view bytes) { session_->OnBytes(bytes); }

void ServerSession::BeginDrain() {
  draining_ = true;
  session_->BeginDrain();
}

}  // namespace weft::net

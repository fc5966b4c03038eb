// SPDX-License-Identifier: Apache-2.0
#include "http/server_session.h"

#include <algorithm>
#include <utility>

#include "http/http2_session.h"

namespace weft::http {
namespace {
constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
}  // namespace

ServerSession::ServerSession(net::SessionHost* host, const ServerLimits& limits,
                             std::shared_ptr<const Door> door, std::string peer)
    : host_(host), limits_(limits), door_(std::move(door)), peer_(std::move(peer)) {
  auto http1 = std::make_unique<Http1Session>(host_, limits_, *door_, peer_);
  http1_ = http1.get();
  session_ = std::move(http1);
}

void ServerSession::OnBytes(std::string_view bytes) {
  if (sniffing_) {
    sniffed_.append(bytes);
    size_t known = std::min(sniffed_.size(), kPreface.size());
    if (std::string_view(sniffed_).substr(0, known) != kPreface.substr(0, known)) {
      BecomeHttp1();
    } else if (known == kPreface.size()) {
      sniffing_ = false;
      BecomeHttp2()->OnBytes(std::exchange(sniffed_, {}));
    }
    return;
  }
  session_->OnBytes(bytes);
  if (http1_ != nullptr) FollowUpgrade();
}

void ServerSession::BecomeHttp1() {
  sniffing_ = false;
  http1_->OnBytes(std::exchange(sniffed_, {}));
  FollowUpgrade();
  if (draining_ && http1_ != nullptr) http1_->BeginDrain();
}

void ServerSession::OnEof() {
  // Fewer bytes than the preface has.
  if (sniffing_ && !sniffed_.empty()) BecomeHttp1();
  session_->OnEof();
}

void ServerSession::OnDeadline(int64_t now_ms) {
  // A head that ends inside what could be a preface is as late as any other.
  if (sniffing_ && !sniffed_.empty()) BecomeHttp1();
  session_->OnDeadline(now_ms);
}

void ServerSession::FollowUpgrade() {
  std::unique_ptr<H2cUpgrade> upgrade = http1_->TakeUpgrade();
  if (!upgrade) return;
  std::string rest = std::move(upgrade->rest);
  net::OutputQueue before = std::move(http1_->output());
  Http2Session* http2 = BecomeHttp2();
  http2->output() = std::move(before);  // the 101 goes out first
  if (http2->TakeUpgrade(std::move(*upgrade)) && !rest.empty()) http2->OnBytes(rest);
}

Http2Session* ServerSession::BecomeHttp2() {
  auto http2 = std::make_unique<Http2Session>(host_, limits_, *door_, peer_);
  Http2Session* out = http2.get();
  http1_ = nullptr;
  session_ = std::move(http2);
  if (draining_) out->BeginDrain();
  if (wind_down_ms_ != net::kNever) out->WindDown(wind_down_ms_);
  return out;
}

void ServerSession::BeginDrain() {
  draining_ = true;
  // A request that has begun to come is served.
  if (sniffing_ && !sniffed_.empty()) return;
  session_->BeginDrain();
}

void ServerSession::WindDown(int64_t until_ms) {
  wind_down_ms_ = std::min(wind_down_ms_, until_ms);
  session_->WindDown(until_ms);
}

}  // namespace weft::http

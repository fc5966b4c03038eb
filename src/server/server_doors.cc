// SPDX-License-Identifier: Apache-2.0
#include "server/server_doors.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace weft::server {
namespace {

// Longer than any server runs: files are read once.
constexpr uint64_t kNeverMs = 100ull * 365 * 24 * 3600 * 1000;

net::TlsOptions ToNet(const config::TlsSettings& settings) {
  using net::TlsVersion;
  return {.cert_file = settings.cert_file,
          .key_file = settings.key_file,
          .cert_pem = settings.cert_pem,
          .key_pem = settings.key_pem,
          .client_ca_file = settings.client_ca_file,
          .min_version = settings.only_13 ? TlsVersion::k13 : TlsVersion::k12,
          .max_version = settings.only_12 ? TlsVersion::k12 : TlsVersion::k13,
          .cipher_suites = settings.cipher_suites,
          .curve_preferences = settings.curve_preferences,
          .reload_interval_ms = settings.reload_interval_ns == 0
                                    ? kNeverMs
                                    : settings.reload_interval_ns / 1'000'000};
}

}  // namespace

Result<http::ListenOptions> ServerDoors::Options(const std::string& name,
                                                 const config::Endpoint& endpoint,
                                                 const config::ListenerSecurity& security,
                                                 http::HostRule hosts) const {
  http::ListenOptions options;
  // A web page cannot come over a socket's path.
  if (endpoint.IsLoopback() && endpoint.path.empty()) options.hosts = std::move(hosts);
  options.name = name;
  options.metrics = metrics_;
  if (security.tls) options.tls = ToNet(*security.tls);
  if (security.authenticator.empty()) return options;
  WEFT_ASSIGN(config::ComponentId id, config::ParseComponentId(security.authenticator));
  auto* authenticator = services_->Find<std::shared_ptr<http::Authenticator>>(id);
  // Never open by accident: a name that leads nowhere stops the start.
  if (authenticator == nullptr)
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("{}: there is no authenticator \"{}\"", name, security.authenticator));
  options.authenticator = *authenticator;
  return options;
}

Status ServerDoors::Open(pipeline::Listener listener, http::ListenOptions options,
                         std::shared_ptr<const http::Router> router) {
  const config::Endpoint& at = listener.endpoint;
  Result<uint16_t> port = server_->Listen({at.host.empty() ? "0.0.0.0" : at.host, at.port, at.path},
                                          std::move(router), std::move(options));
  if (!port) return Fail(port.error().WithPrefix(listener.name));
  listener.endpoint.port = *port;
  Tell(std::move(listener));
  return {};
}

void ServerDoors::Tell(pipeline::Listener listener) {
  std::lock_guard lock(mutex_);
  (changing_ ? opened_ : listeners_).push_back(std::move(listener));
}

std::vector<pipeline::Listener> ServerDoors::listeners() const {
  std::lock_guard lock(mutex_);
  return listeners_;
}

void ServerDoors::BeginChange() {
  server_->BeginChange();
  std::lock_guard lock(mutex_);
  changing_ = true;
}

void ServerDoors::CommitChange(const std::vector<std::string>& kept) {
  server_->CommitChange(kept);
  std::lock_guard lock(mutex_);
  changing_ = false;
  std::erase_if(listeners_, [&](const pipeline::Listener& listener) {
    return std::ranges::find(kept, listener.name) == kept.end();
  });
  std::ranges::move(opened_, std::back_inserter(listeners_));
  opened_.clear();
}

void ServerDoors::AbandonChange() {
  server_->AbandonChange();
  std::lock_guard lock(mutex_);
  changing_ = false;
  opened_.clear();
}

}  // namespace weft::server

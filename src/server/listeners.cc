// SPDX-License-Identifier: Apache-2.0
#include "server/listeners.h"

#include <fmt/format.h>

#include "net/basic_auth.h"
#include "net/bearer_auth.h"

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

Result<std::shared_ptr<net::Authenticator>> MakeAuthenticator(const config::Settings& settings) {
  if (const auto* bearer = std::get_if<config::BearerTokenSettings>(&settings)) {
    net::BearerAuthOptions options;
    options.header = bearer->header;
    options.scheme = bearer->scheme;
    options.tokens = bearer->tokens;
    options.file = bearer->filename;
    return net::MakeBearerAuth(std::move(options));
  }
  if (const auto* basic = std::get_if<config::BasicAuthSettings>(&settings)) {
    net::BasicAuthOptions options;
    options.file = basic->file;
    options.inline_passwords = basic->inline_passwords;
    return net::MakeBasicAuth(std::move(options));
  }
  return nullptr;
}

}  // namespace

Status Listeners::MakeAuthenticators() {
  for (const config::ComponentId& id : config_->extensions) {
    const config::Component* component = config_->Find(config::ComponentKind::kExtension, id);
    if (component == nullptr) continue;
    auto made = MakeAuthenticator(component->settings);
    if (!made) return Fail(made.error().WithPrefix("extension " + id.ToString()));
    if (*made != nullptr) authenticators_.emplace(id.ToString(), std::move(*made));
  }
  return {};
}

Result<net::ListenOptions> Listeners::Options(const std::string& name,
                                              const config::Endpoint& endpoint,
                                              const config::ListenerSecurity& security,
                                              net::HostRule hosts) const {
  net::ListenOptions options;
  // A web page cannot come over a socket's path.
  if (endpoint.IsLoopback() && endpoint.path.empty()) options.hosts = std::move(hosts);
  options.name = name;
  options.metrics = metrics_;
  if (security.tls) options.tls = ToNet(*security.tls);
  if (security.authenticator.empty()) return options;
  WEFT_ASSIGN(config::ComponentId id, config::ParseComponentId(security.authenticator));
  auto it = authenticators_.find(id.ToString());
  // Never open by accident: a name that leads nowhere stops the start.
  if (it == authenticators_.end())
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("{}: there is no authenticator \"{}\"", name, security.authenticator));
  options.authenticator = it->second;
  return options;
}

}  // namespace weft::server

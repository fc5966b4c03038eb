// SPDX-License-Identifier: Apache-2.0
//
// Settings of listeners that other machines may reach: TLS, and the extension that says who may
// pass. Keys are the Collector's (configtls, configauth).
//
// Thread rule: plain values. Next: config/section.h, docs/security.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"
#include "config/section.h"

namespace weft::config {

// `tls:` of a listener. Of certificate and key, either the file or the text is given.
struct TlsSettings {
  std::string cert_file, key_file;
  Secret cert_pem, key_pem;
  std::string client_ca_file;  // not empty: clients need a certificate signed by one of these
  bool only_13 = false;        // min_version: "1.3"
  bool only_12 = false;        // max_version: "1.2"
  std::vector<std::string> cipher_suites, curve_preferences;
  uint64_t reload_interval_ns = 5ull * 1'000'000'000;  // 0: files are read once
};

// What every listener takes beside its address.
struct ListenerSecurity {
  std::optional<TlsSettings> tls;
  std::string authenticator;  // id of the extension that says who may pass; empty: everyone

  // Nobody can listen in, and nobody unknown may pass.
  bool IsProtected() const {
    return tls && (!authenticator.empty() || !tls->client_ca_file.empty());
  }
};

// What a component may be named for by the settings of others. An authenticator says who may pass.
inline constexpr std::string_view kAuthenticatorRole = "authenticator";

// Reads `tls` (once `tls_settings`) and `auth`.
void ReadListenerSecurity(Section* section, ListenerSecurity* out);

}  // namespace weft::config

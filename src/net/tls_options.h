// SPDX-License-Identifier: Apache-2.0
//
// What a listener that speaks TLS is told: certificate, key, whose clients' certificates count, and
// what may be spoken. server/ makes it from the configuration.
//
// Thread rule: plain values. Next: net/tls_context.h, net/tls_files.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/secret.h"

namespace weft::net {

enum class TlsVersion : uint8_t { k12, k13 };

// Certificate and key are PEM, each from a file or as text. Files are read again when they change.
struct TlsOptions {
  std::string cert_file;  // the certificate first, then the rest of its chain
  std::string key_file;
  Secret cert_pem;
  Secret key_pem;
  std::string client_ca_file;  // not empty: clients must show a certificate signed by one of these
  TlsVersion min_version = TlsVersion::k12;
  TlsVersion max_version = TlsVersion::k13;
  std::vector<std::string> cipher_suites;      // IANA names; empty: those with forward secrecy
  std::vector<std::string> curve_preferences;  // "X25519", "P256"; empty: OpenSSL's
  uint64_t reload_interval_ms = 5'000;         // between two looks at the files
};

}  // namespace weft::net

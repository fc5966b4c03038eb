// SPDX-License-Identifier: Apache-2.0
#include "config/security.h"

#include <fmt/format.h>

#include <algorithm>

namespace weft::config {
namespace {

// True for "1.3"; `out` is left alone where the key is absent or wrong.
void ReadTlsVersion(Section* section, std::string_view key, std::string_view strict, bool* out) {
  std::string version;
  section->Read(key, &version);
  if (version.empty()) return;
  if (version == "1.2" || version == "1.3") {
    *out = version == strict;
  } else if (version == "1.0" || version == "1.1") {
    section->Error(*section->Get(key), key,
                   fmt::format("TLS {} is broken; weft speaks 1.2 and 1.3", version));
  } else {
    section->Error(*section->Get(key), key, fmt::format("\"{}\" is not one of 1.2, 1.3", version));
  }
}

TlsSettings ReadTls(Section section) {
  TlsSettings tls;
  section.Read("cert_file", &tls.cert_file);
  section.Read("key_file", &tls.key_file);
  section.ReadSecret("cert_pem", &tls.cert_pem);
  section.ReadSecret("key_pem", &tls.key_pem);
  section.Read("client_ca_file", &tls.client_ca_file);
  ReadTlsVersion(&section, "min_version", "1.3", &tls.only_13);
  ReadTlsVersion(&section, "max_version", "1.2", &tls.only_12);
  section.Read("cipher_suites", &tls.cipher_suites);
  section.Read("curve_preferences", &tls.curve_preferences);
  section.ReadDuration("reload_interval", &tls.reload_interval_ns);
  section.Ignore({"client_ca_file_reload"});  // it always is
  for (std::string_view key : {"ca_file", "ca_pem", "include_system_ca_certs_pool"})
    section.IgnoreWithWarning(
        key, "has no effect on a listener; client_ca_file asks clients for certificates");
  section.Unbuilt({"tpm"});
  section.Finish();
  for (const std::string& file : {tls.cert_file, tls.key_file, tls.client_ca_file})
    section.NameFile(file);
  const Node& at = section.node();
  bool has_cert = !tls.cert_file.empty() || !tls.cert_pem.empty();
  bool has_key = !tls.key_file.empty() || !tls.key_pem.empty();
  // What is missing may be what was misspelt.
  if ((!has_cert || !has_key) && section.IsSound())
    section.Error(at, "",
                  "TLS configuration must include both certificate and key for server connections: "
                  "cert_file (or cert_pem) and key_file (or key_pem)");
  if (!tls.cert_file.empty() && !tls.cert_pem.empty())
    section.Error(at, "", "provide either cert_file or cert_pem, but not both");
  if (!tls.key_file.empty() && !tls.key_pem.empty())
    section.Error(at, "", "provide either key_file or key_pem, but not both");
  if (tls.only_13 && tls.only_12)
    section.Error(at, "", "min_version cannot be greater than max_version");
  return tls;
}

}  // namespace

void ReadListenerSecurity(Section* section, ListenerSecurity* out) {
  for (std::string_view key : {"tls", "tls_settings"}) {
    std::optional<Section> tls = section->Sub(key);
    if (!tls) continue;
    if (key == "tls_settings")
      section->problems()->Warn(tls->node(), tls->path(), "the old name of tls");
    if (out->tls) section->Error(tls->node(), key, "cannot be set together with tls");
    out->tls = ReadTls(std::move(*tls));
  }
  if (std::optional<Section> auth = section->Sub("auth")) {
    auth->Read("authenticator", &out->authenticator);
    auth->Unbuilt({"request_params"});
    auth->Finish();
    if (out->authenticator.empty() && auth->IsSound()) {
      auth->Error(auth->node(), "authenticator",
                  "missing: the id of an extension such as bearertokenauth or basicauth");
    } else if (const Node* named = auth->Get("authenticator"); named != nullptr) {
      auth->Refer(kAuthenticatorRole, "authenticator", out->authenticator);
    }
  }
}

}  // namespace weft::config

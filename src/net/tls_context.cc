// SPDX-License-Identifier: Apache-2.0
#include "net/tls_context.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <array>
#include <ctime>

#include "net/tls_files.h"

namespace weft::net {
namespace {

// In the order of our preference, each with its length before it.
constexpr unsigned char kAlpnNames[] = "\x02h2\x08http/1.1";

Status DemandClientCertificates(SSL_CTX* context, const std::string& file) {
  Result<std::string> text = ReadSmallFile(file);
  if (!text) return TlsWrong("tls::client_ca_file: " + text.error().message);
  std::vector<X509Ptr> authorities = ReadCertificates(*text);
  for (const X509Ptr& authority : authorities) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority.get());
    SSL_CTX_add_client_CA(context, authority.get());
  }
  if (authorities.empty())
    return TlsWrong("tls::client_ca_file " + file + ": no certificate in PEM form is there");
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  // A session may be resumed only where clients were checked by the same rules.
  constexpr std::string_view kId = "weft";
  SSL_CTX_set_session_id_context(context, reinterpret_cast<const unsigned char*>(kId.data()),
                                 kId.size());
  return {};
}

Status UseCiphers(SSL_CTX* context, const std::vector<std::string>& names) {
  std::string of_12, of_13;
  for (const std::string& name : names) {
    // The names of TLS 1.3 are those of OpenSSL too; the older ones have two spellings.
    bool is_13 = name.starts_with("TLS_AES_") || name.starts_with("TLS_CHACHA20_");
    const char* known = is_13 ? name.c_str() : OPENSSL_cipher_name(name.c_str());
    if (known == nullptr || std::string_view(known) == "(NONE)")
      return TlsWrong("tls::cipher_suites: \"" + name + "\" is unknown");
    std::string& list = is_13 ? of_13 : of_12;
    list += (list.empty() ? "" : ":") + std::string(known);
  }
  if (SSL_CTX_set_cipher_list(context, of_12.empty() ? kTlsCiphers12 : of_12.c_str()) != 1)
    return TlsWrong("tls::cipher_suites: this OpenSSL has none of them");
  if (!of_13.empty() && SSL_CTX_set_ciphersuites(context, of_13.c_str()) != 1)
    return TlsWrong("tls::cipher_suites: this OpenSSL does not have all of " + of_13);
  return {};
}

Status UseCurves(SSL_CTX* context, const std::vector<std::string>& names) {
  std::string list;
  for (std::string name : names) {
    if (name.starts_with("P") && name.size() == 4) name.insert(1, "-");  // P256: OpenSSL's P-256
    list += (list.empty() ? "" : ":") + name;
  }
  if (!list.empty() && SSL_CTX_set1_groups_list(context, list.c_str()) != 1)
    return TlsWrong("tls::curve_preferences: this OpenSSL does not have all of " + list);
  return {};
}

int SelectProtocol(SSL*, const unsigned char** out, unsigned char* out_size,
                   const unsigned char* offered, unsigned int offered_size, void*) {
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, kAlpnNames, sizeof(kAlpnNames) - 1, offered,
                            offered_size) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

int64_t NotAfter(const X509* certificate) {
  tm parts{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &parts) != 1) return 0;
  return timegm(&parts);
}

std::string DayText(int64_t seconds) {
  std::time_t time = seconds;
  tm parts{};
  gmtime_r(&time, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof(text), "%Y-%m-%d %H:%M UTC", &parts)};
}

}  // namespace

std::string_view NameOf(TlsFailure failure) {
  static constexpr std::array<std::string_view, kTlsFailures> kNames = {"plain_http",
                                                                        "not_tls",
                                                                        "version",
                                                                        "no_shared_cipher",
                                                                        "no_shared_protocol",
                                                                        "no_client_certificate",
                                                                        "bad_client_certificate",
                                                                        "peer_alert",
                                                                        "timeout",
                                                                        "closed",
                                                                        "protocol",
                                                                        "memory"};
  return kNames[static_cast<size_t>(failure)];
}

void SslFree::operator()(ssl_st* ssl) const { SSL_free(ssl); }
void SslFree::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }

TlsContext::TlsContext(TlsOptions options, std::string listener, Metrics* metrics)
    : options_(std::move(options)),
      listener_(std::move(listener)),
      metrics_(metrics),
      files_({options_.cert_file, options_.key_file, options_.client_ca_file},
             options_.reload_interval_ms) {
  MakeCounters();
}

Result<std::shared_ptr<TlsContext>> TlsContext::Make(TlsOptions options, std::string listener,
                                                     Metrics* metrics) {
  std::shared_ptr<TlsContext> context(
      new TlsContext(std::move(options), std::move(listener), metrics));
  WEFT_ASSIGN(Loaded loaded, Load(context->options_));
  context->context_ = std::move(loaded.context);
  context->not_after_s_ = loaded.not_after_s;
  context->ReportExpiry();
  if (loaded.not_after_s < std::time(nullptr)) {
    Log(LogLevel::kWarn, "net",
        context->listener_ + ": the certificate has expired: " + DayText(loaded.not_after_s));
  }
  return context;
}

Result<TlsContext::Loaded> TlsContext::Load(const TlsOptions& options) {
  Loaded loaded;
  loaded.context.reset(SSL_CTX_new(TLS_server_method()));
  SSL_CTX* context = loaded.context.get();
  if (context == nullptr) return TlsWrong("OpenSSL cannot be initialised");
  SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
  SetTlsModes(context, options.min_version, options.max_version);
  SSL_CTX_set_alpn_select_cb(context, SelectProtocol, nullptr);
  WEFT_TRY(UseCiphers(context, options.cipher_suites));
  WEFT_TRY(UseCurves(context, options.curve_preferences));
  WEFT_ASSIGN(Pem chain, ReadPem(options.cert_file, options.cert_pem, "cert"));
  WEFT_ASSIGN(Pem key, ReadPem(options.key_file, options.key_pem, "key"));
  WEFT_ASSIGN(X509Ptr certificate, UseTlsChain(context, chain));
  WEFT_TRY(UseTlsKey(context, key, chain.name));
  if (!options.client_ca_file.empty())
    WEFT_TRY(DemandClientCertificates(context, options.client_ca_file));
  loaded.not_after_s = NotAfter(certificate.get());
  return loaded;
}

void TlsContext::Reload() {
  Result<Loaded> loaded = Load(options_);
  if (Counter* counter = reloads_[loaded.has_value()]) counter->Add();
  if (!loaded) {
    Log(LogLevel::kError, "net",
        listener_ + ": goes on with the old certificate, because the new files do not do: " +
            loaded.error().message);
    files_.TryAgain();
    return;
  }
  not_after_s_ = loaded->not_after_s;
  Log(LogLevel::kInfo, "net",
      listener_ + ": new certificate, valid until " + DayText(loaded->not_after_s));
  std::lock_guard lock(mutex_);
  context_ = std::move(loaded->context);
}

SslPtr TlsContext::NewConnection() {
  if (files_.Changed()) Reload();
  std::lock_guard lock(mutex_);
  SslPtr ssl(SSL_new(context_.get()));
  if (ssl) SSL_set_accept_state(ssl.get());
  return ssl;
}

void TlsContext::CountHandshake() {
  if (handshakes_ != nullptr) handshakes_->Add();
}

void TlsContext::CountFailure(TlsFailure failure, std::string_view peer) {
  if (Counter* counter = failures_[static_cast<size_t>(failure)]) counter->Add();
  failure_log_.Say(
      LogLevel::kWarn, "net",
      listener_ + ": no TLS with " + std::string(peer) + ": " + std::string(NameOf(failure)));
}

void TlsContext::MakeCounters() {
  if (metrics_ == nullptr) return;
  handshakes_ = metrics_->GetCounter(
      "weft_tls_handshakes_total", "TLS connections that were opened.", {{"listener", listener_}});
  for (size_t i = 0; i < failures_.size(); ++i) {
    failures_[i] = metrics_->GetCounter(
        "weft_tls_handshake_failures_total", "Connections that did not become TLS.",
        {{"listener", listener_}, {"reason", NameOf(static_cast<TlsFailure>(i))}});
  }
  for (bool good : {false, true}) {
    reloads_[good] = metrics_->GetCounter(
        "weft_tls_reloads_total", "Changed certificate files that were read again.",
        {{"listener", listener_}, {"result", good ? "ok" : "failed"}});
  }
}

void TlsContext::ReportExpiry() {
  if (metrics_ == nullptr) return;
  // The callback lives as long as the Metrics, which is longer than a reload lets this live.
  metrics_->OnScrape([listener = listener_, self = weak_from_this()](MetricsScrape* scrape) {
    const std::shared_ptr<const TlsContext> context = self.lock();
    if (context == nullptr) return;
    scrape->Gauge("weft_tls_certificate_expiry_timestamp_seconds",
                  "When the certificate in use stops being valid.", {{"listener", listener}},
                  static_cast<double>(context->not_after_s_.load()));
  });
}

}  // namespace weft::net

// SPDX-License-Identifier: Apache-2.0
//
// Certificates and keys in PEM form into an OpenSSL context, the same way for servers and clients.
// Errors are kInvalidArgument and name the setting, "tls::cert_file", and the file.
//
// Thread rule: functions without state. Next: net/tls_context.h, outgoing/outgoing_tls.h.
#pragma once

#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "net/tls_options.h"

namespace weft::net {

// Forward secrecy and authenticated encryption; what HTTP/2 asks of TLS 1.2 (RFC 9113 9.2.2).
inline constexpr const char* kTlsCiphers12 = "ECDHE+AESGCM:ECDHE+CHACHA20";

struct X509Free {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
using X509Ptr = std::unique_ptr<X509, X509Free>;

// kInvalidArgument; OpenSSL's own queue of errors is emptied.
std::unexpected<Error> TlsWrong(std::string message);

// PEM from a file or from the configuration, and what to call it in an error.
struct Pem {
  Secret text;
  std::string name;
};
// `key` is "cert" or "key". An empty `file`: the text.
Result<Pem> ReadPem(const std::string& file, const Secret& text, std::string_view key);

// The certificate, with the rest of its chain behind it.
Result<X509Ptr> UseTlsChain(SSL_CTX* context, const Pem& pem);
Status UseTlsKey(SSL_CTX* context, const Pem& pem, const std::string& certificate_name);
// Every certificate of `pem` up to its end or the first damage.
std::vector<X509Ptr> ReadCertificates(std::string_view pem);

// What all our contexts have in common: the versions, and writing in pieces from where bytes lie.
void SetTlsModes(SSL_CTX* context, TlsVersion min_version, TlsVersion max_version);

}  // namespace weft::net

// SPDX-License-Identifier: Apache-2.0
#include "net/tls_files.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "net/file_watch.h"

namespace weft::net {
namespace {

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using BioPtr = std::unique_ptr<BIO, Free>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Free>;

// A key with a passphrase must not make the server ask on its terminal.
int NoPassphrase(char*, int, int, void*) { return -1; }

BioPtr Bytes(std::string_view text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

int VersionNumber(TlsVersion version) {
  return version == TlsVersion::k12 ? TLS1_2_VERSION : TLS1_3_VERSION;
}

}  // namespace

std::unexpected<Error> TlsWrong(std::string message) {
  ERR_clear_error();
  return Fail(ErrorCode::kInvalidArgument, std::move(message));
}

Result<Pem> ReadPem(const std::string& file, const Secret& text, std::string_view key) {
  if (file.empty()) return Pem{text, "tls::" + std::string(key) + "_pem"};
  Result<std::string> read = ReadSmallFile(file);
  if (!read) return TlsWrong("tls::" + std::string(key) + "_file: " + read.error().message);
  return Pem{Secret(std::move(*read)), "tls::" + std::string(key) + "_file " + file};
}

Result<X509Ptr> UseTlsChain(SSL_CTX* context, const Pem& pem) {
  BioPtr bytes = Bytes(pem.text.Reveal());
  X509Ptr first(PEM_read_bio_X509_AUX(bytes.get(), nullptr, NoPassphrase, nullptr));
  if (!first) return TlsWrong(pem.name + ": no certificate in PEM form is there");
  ERR_clear_error();
  if (SSL_CTX_use_certificate(context, first.get()) != 1) {
    const char* reason = ERR_reason_error_string(ERR_peek_last_error());
    return TlsWrong(pem.name + ": the certificate is refused: " +
                    (reason != nullptr ? reason : "OpenSSL does not say why"));
  }
  for (;;) {
    X509Ptr next(PEM_read_bio_X509(bytes.get(), nullptr, NoPassphrase, nullptr));
    if (!next) break;
    SSL_CTX_add1_chain_cert(context, next.get());
  }
  bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (!at_end) return TlsWrong(pem.name + ": a certificate of the chain is damaged");
  ERR_clear_error();
  return first;
}

Status UseTlsKey(SSL_CTX* context, const Pem& pem, const std::string& certificate_name) {
  KeyPtr key(
      PEM_read_bio_PrivateKey(Bytes(pem.text.Reveal()).get(), nullptr, NoPassphrase, nullptr));
  if (!key) {
    bool locked = pem.text.Reveal().find("ENCRYPTED") != std::string_view::npos;
    return TlsWrong(pem.name + (locked ? ": the key has a passphrase; weft needs one without"
                                       : ": no private key in PEM form is there"));
  }
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1) {
    return TlsWrong(pem.name + ": the key does not belong to the certificate of " +
                    certificate_name);
  }
  return {};
}

std::vector<X509Ptr> ReadCertificates(std::string_view pem) {
  BioPtr bytes = Bytes(pem);
  std::vector<X509Ptr> out;
  for (;;) {
    X509Ptr next(PEM_read_bio_X509(bytes.get(), nullptr, NoPassphrase, nullptr));
    if (!next) break;
    out.push_back(std::move(next));
  }
  ERR_clear_error();
  return out;
}

void SetTlsModes(SSL_CTX* context, TlsVersion min_version, TlsVersion max_version) {
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_min_proto_version(context, VersionNumber(min_version));
  SSL_CTX_set_max_proto_version(context, VersionNumber(max_version));
}

}  // namespace weft::net

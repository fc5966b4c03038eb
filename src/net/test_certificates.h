// SPDX-License-Identifier: Apache-2.0
//
// Certificates for tests and fuzz targets, made when they run: an authority of its own, and what it
// signs for localhost and 127.0.0.1.
//
// Thread rule: one thread per object. Next: net/tls_test.cc.
#pragma once

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

namespace weft::net {

struct TestCertificate {
  std::string cert_pem;
  std::string key_pem;
};

class TestAuthority {
 public:
  explicit TestAuthority(const std::string& name = "weft test authority")
      : key_(EVP_EC_gen("P-256"), EVP_PKEY_free), cert_(X509_new(), X509_free) {
    Fill(cert_.get(), key_.get(), name, name, 0, 3600);
    Extend(cert_.get(), NID_basic_constraints, "critical,CA:TRUE");
    X509_sign(cert_.get(), key_.get(), EVP_sha256());
  }

  // Valid from `from_s` to `until_s`, from now.
  TestCertificate Issue(const std::string& name = "localhost", long from_s = -60,
                        long until_s = 3600) const {
    std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
    std::unique_ptr<X509, decltype(&X509_free)> cert(X509_new(), X509_free);
    std::string issuer = NameOf(cert_.get());
    Fill(cert.get(), key.get(), name, issuer, from_s, until_s);
    Extend(cert.get(), NID_subject_alt_name, "DNS:" + name + ",IP:127.0.0.1,IP:::1");
    X509_sign(cert.get(), key_.get(), EVP_sha256());
    return {PemOf(cert.get()), PemOf(key.get())};
  }
  std::string pem() const { return PemOf(cert_.get()); }

 private:
  static void Fill(X509* cert, EVP_PKEY* key, const std::string& subject, const std::string& issuer,
                   long from_s, long until_s) {
    static long serial = 1;
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(cert), from_s);
    X509_gmtime_adj(X509_getm_notAfter(cert), until_s);
    X509_set_pubkey(cert, key);
    SetName(X509_get_subject_name(cert), subject);
    SetName(X509_get_issuer_name(cert), issuer);
  }
  static void SetName(X509_NAME* name, const std::string& text) {
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(text.c_str()), -1, -1, 0);
  }
  static std::string NameOf(const X509* cert) {
    char text[128] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, text, sizeof(text));
    return text;
  }
  static void Extend(X509* cert, int nid, const std::string& value) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
    X509_add_ext(cert, extension, -1);
    X509_EXTENSION_free(extension);
  }
  static std::string TextOf(BIO* bio) {
    char* bytes = nullptr;
    long size = BIO_get_mem_data(bio, &bytes);
    std::string text(bytes, static_cast<size_t>(size));
    BIO_free(bio);
    return text;
  }
  static std::string PemOf(X509* cert) {
    BIO* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(bio, cert);
    return TextOf(bio);
  }
  static std::string PemOf(EVP_PKEY* key) {
    BIO* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
    return TextOf(bio);
  }

  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_;
  std::unique_ptr<X509, decltype(&X509_free)> cert_;
};

}  // namespace weft::net

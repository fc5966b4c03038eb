// SPDX-License-Identifier: Apache-2.0
#include "outgoing/outgoing_tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <boost/asio/ip/address.hpp>

#include "base/log.h"
#include "net/tls_files.h"

namespace weft::outgoing {

using net::IoResult;
using net::IoState;
using net::SslContextPtr;
using net::TlsWrong;
using net::X509Ptr;

namespace {

bool IsAddress(const std::string& host) {
  boost::system::error_code error;
  boost::asio::ip::make_address(host, error);
  return !error;
}

// Alerts by which a server says that it does not take our certificate (RFC 8446 6.2).
bool IsAboutCertificate(int alert) {
  switch (alert) {
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_CERTIFICATE_EXPIRED:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNKNOWN_CA:
    case SSL_AD_ACCESS_DENIED:
    case TLS13_AD_CERTIFICATE_REQUIRED:
      return true;
    default:
      return false;
  }
}

std::string AlpnNames(OutgoingProtocol protocol) {
  std::string names;
  if (protocol != OutgoingProtocol::kHttp1) names += "\x02h2";
  if (protocol != OutgoingProtocol::kHttp2) names += "\x08http/1.1";
  return names;
}

Status UseAuthorities(SSL_CTX* context, const OutgoingTls& options) {
  if (options.ca_file.empty() && options.ca_pem.empty()) {
    if (SSL_CTX_set_default_verify_paths(context) != 1)
      return TlsWrong("the system's certificate authorities cannot be read");
    return {};
  }
  std::string text = options.ca_pem;
  std::string name = "tls::ca_pem";
  if (!options.ca_file.empty()) {
    Result<std::string> read = net::ReadSmallFile(options.ca_file);
    if (!read) return TlsWrong("tls::ca_file: " + read.error().message);
    text = std::move(*read);
    name = "tls::ca_file " + options.ca_file;
  }
  std::vector<X509Ptr> authorities = net::ReadCertificates(text);
  if (authorities.empty()) return TlsWrong(name + ": no certificate in PEM form is there");
  for (const X509Ptr& authority : authorities)
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority.get());
  return {};
}

}  // namespace

OutgoingTlsContext::OutgoingTlsContext(OutgoingTls options, const std::string& host,
                                       OutgoingProtocol protocol)
    : options_(std::move(options)),
      name_(options_.server_name.empty() ? host : options_.server_name),
      name_is_address_(IsAddress(name_)),
      protocol_(protocol),
      files_({options_.ca_file, options_.cert_file, options_.key_file},
             options_.reload_interval_ms) {}

Result<std::shared_ptr<OutgoingTlsContext>> OutgoingTlsContext::Make(OutgoingTls options,
                                                                     const std::string& host,
                                                                     OutgoingProtocol protocol) {
  std::shared_ptr<OutgoingTlsContext> context(
      new OutgoingTlsContext(std::move(options), host, protocol));
  WEFT_ASSIGN(context->context_, context->Load());
  return context;
}

Result<SslContextPtr> OutgoingTlsContext::Load() const {
  SslContextPtr loaded(SSL_CTX_new(TLS_client_method()));
  SSL_CTX* context = loaded.get();
  if (context == nullptr) return TlsWrong("OpenSSL cannot be initialised");
  net::SetTlsModes(context, options_.min_version, options_.max_version);
  SSL_CTX_set_cipher_list(context, net::kTlsCiphers12);
  std::string alpn = AlpnNames(protocol_);
  SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(alpn.data()),
                          static_cast<unsigned>(alpn.size()));
  if (!options_.insecure_skip_verify) WEFT_TRY(UseAuthorities(context, options_));
  SSL_CTX_set_verify(context, options_.insecure_skip_verify ? SSL_VERIFY_NONE : SSL_VERIFY_PEER,
                     nullptr);
  bool has_cert = !options_.cert_file.empty() || !options_.cert_pem.empty();
  bool has_key = !options_.key_file.empty() || !options_.key_pem.empty();
  if (has_cert != has_key)
    return TlsWrong("tls: a certificate needs its key, and a key its certificate");
  if (has_cert) {
    WEFT_ASSIGN(net::Pem chain, net::ReadPem(options_.cert_file, options_.cert_pem, "cert"));
    WEFT_ASSIGN(net::Pem key, net::ReadPem(options_.key_file, options_.key_pem, "key"));
    WEFT_ASSIGN(X509Ptr certificate, net::UseTlsChain(context, chain));
    WEFT_TRY(net::UseTlsKey(context, key, chain.name));
  }
  return loaded;
}

void OutgoingTlsContext::Reload() {
  Result<SslContextPtr> loaded = Load();
  if (!loaded) {
    Log(LogLevel::kError, "outgoing",
        "outgoing TLS to " + name_ +
            " goes on with the old files, because the new ones do not do: " +
            loaded.error().message);
    files_.TryAgain();
    return;
  }
  Log(LogLevel::kInfo, "outgoing", "outgoing TLS to " + name_ + " has new certificates");
  std::lock_guard lock(mutex_);
  context_ = std::move(*loaded);
}

net::SslPtr OutgoingTlsContext::NewConnection() {
  if (files_.Changed()) Reload();
  std::lock_guard lock(mutex_);
  net::SslPtr ssl(SSL_new(context_.get()));
  if (!ssl) return ssl;
  SSL_set_connect_state(ssl.get());
  if (name_is_address_) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl.get()), name_.c_str());
  } else {
    SSL_set_hostflags(ssl.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    SSL_set1_host(ssl.get(), name_.c_str());
    SSL_set_tlsext_host_name(ssl.get(), name_.c_str());
  }
  return ssl;
}

IoState OutgoingTlsStream::Handshake(OutgoingTlsContext* context) {
  if (!attached_) {
    attached_ = true;
    if (!Attach(context->NewConnection())) {
      error_->text = "out of memory";
      return IoState::kGone;
    }
  }
  IoState state = ShakeHands();
  if (state == IoState::kAgain) return state;
  open_ = state == IoState::kDone;
  if (open_) return state;
  NoteError();
  return IoState::kGone;
}

void OutgoingTlsStream::NoteError() {
  unsigned long error = ERR_peek_error();
  long verified = SSL_get_verify_result(ssl());
  int reason = ERR_GET_REASON(error);
  // A connection that just ends has a reset's reasons, not TLS's own.
  if (reason == SSL_R_UNEXPECTED_EOF_WHILE_READING) error = 0;
  bool is_alert = ERR_GET_LIB(error) == ERR_LIB_SSL && reason > SSL_AD_REASON_OFFSET;
  if (!open_ && verified != X509_V_OK && reason == SSL_R_CERTIFICATE_VERIFY_FAILED) {
    error_->of_certificate = true;
    error_->text = X509_verify_cert_error_string(verified);
  } else if (error != 0) {
    const char* text = ERR_reason_error_string(error);
    error_->of_certificate = is_alert && IsAboutCertificate(reason - SSL_AD_REASON_OFFSET);
    error_->text = text != nullptr ? text : "OpenSSL does not say why";
  } else if (!open_) {
    error_->text = "the peer closed during the handshake";
  }
  error_->before_requests = !open_ || error_->of_certificate;
  ERR_clear_error();
}

std::string OutgoingTlsStream::protocol() {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl(), &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

IoResult OutgoingTlsStream::Read(std::span<char> out) {
  bool knew = ended();
  IoResult result = ReadOpen(out);
  if (!knew && (ended() || result.state == IoState::kGone)) NoteError();
  return result;
}

IoResult OutgoingTlsStream::Write(std::span<iovec> pieces) { return WriteOpen(pieces); }

void OutgoingTlsStream::ShutdownSend() {
  SayGoodbye();
  ShutdownSocket();
}

void OutgoingTlsStream::Close() {
  if (open_ && !ended() && error_->text.empty()) SayGoodbye();
  CloseSocket();
}

}  // namespace weft::outgoing

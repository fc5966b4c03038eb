// SPDX-License-Identifier: Apache-2.0
//
// The certificate, key and rules of one TLS listener. Looks at its files when a connection comes
// and has OpenSSL read them again when they have changed; files that do not fit together leave the
// old certificate in place and are named in the log, once for each change.
//
// OpenSSL is initialised by the first context, so a server without TLS never pays for it.
// Thread rule: any thread. Source: RFC 8446, RFC 7301 (ALPN). Next: net/tls_stream.h.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/metrics.h"
#include "base/result.h"
#include "net/file_watch.h"
#include "net/rare_log.h"
#include "net/tls_options.h"

struct ssl_st;
struct ssl_ctx_st;

namespace weft::net {

struct SslFree {
  void operator()(ssl_st* ssl) const;
  void operator()(ssl_ctx_st* context) const;
};
using SslPtr = std::unique_ptr<ssl_st, SslFree>;
using SslContextPtr = std::unique_ptr<ssl_ctx_st, SslFree>;

// Why a connection did not become TLS.
enum class TlsFailure : uint8_t {
  kPlainHttp,
  kNotTls,
  kVersion,
  kNoSharedCipher,
  kNoSharedProtocol,
  kNoClientCertificate,
  kBadClientCertificate,
  kPeerAlert,  // the peer was not content with us
  kTimeout,
  kClosed,
  kProtocol,
  kMemory,
};
inline constexpr size_t kTlsFailures = 12;
// The label of metrics: "plain_http".
std::string_view NameOf(TlsFailure failure);

class TlsContext : public std::enable_shared_from_this<TlsContext> {
 public:
  // `listener` labels the metrics. kInvalidArgument names the file or setting that is wrong.
  static Result<std::shared_ptr<TlsContext>> Make(TlsOptions options, std::string listener,
                                                  Metrics* metrics);

  // The server's end of a new connection, with the newest good certificate; null when out of
  // memory.
  SslPtr NewConnection();

  void CountHandshake();
  // `peer` is an address.
  void CountFailure(TlsFailure failure, std::string_view peer);

 private:
  struct Loaded {
    SslContextPtr context;
    int64_t not_after_s = 0;  // since 1970
  };
  TlsContext(TlsOptions options, std::string listener, Metrics* metrics);
  static Result<Loaded> Load(const TlsOptions& options);
  void Reload();
  void ReportExpiry();
  void MakeCounters();

  const TlsOptions options_;
  const std::string listener_;
  Metrics* const metrics_;
  FileWatch files_;
  RareLog failure_log_;
  // Null without metrics.
  Counter* handshakes_ = nullptr;
  std::array<Counter*, kTlsFailures> failures_{};
  std::array<Counter*, 2> reloads_{};  // failed, good
  std::atomic<int64_t> not_after_s_{0};
  std::mutex mutex_;
  SslContextPtr context_;  // guarded by mutex_
};

}  // namespace weft::net

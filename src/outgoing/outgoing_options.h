// SPDX-License-Identifier: Apache-2.0
//
// The settings of one OutgoingClient: whom it talks to, how, and what it may hold. All bounds are
// per client; those of connections are per client and loop.
//
// Thread rule: plain values. Next: outgoing/outgoing_client.h.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "base/secret.h"
#include "net/tls_options.h"

namespace weft::outgoing {

enum class OutgoingProtocol : uint8_t {
  kAuto,   // what a TLS server chooses (ALPN); HTTP/1.1 in cleartext
  kHttp1,  //
  kHttp2,  // in cleartext with prior knowledge; gRPC needs it
};

// For "https://". Certificate and key are PEM, each from a file or as text, for servers that ask
// for one. Files are read again when they change.
struct OutgoingTls {
  std::string ca_file;  // the authorities that are believed; empty, and no ca_pem: the system's
  std::string ca_pem;
  std::string cert_file, key_file;
  Secret cert_pem, key_pem;
  std::string server_name;  // expected in the certificate; empty: the host of the URL
  bool insecure_skip_verify = false;
  net::TlsVersion min_version = net::TlsVersion::k12;
  net::TlsVersion max_version = net::TlsVersion::k13;
  uint64_t reload_interval_ms = 5'000;  // between two looks at the files
};

// As the usual environment variables say it; net itself reads none. A proxy is
// "http://[user:password@]host:port": it is asked for a tunnel (CONNECT) by https and by HTTP/2,
// and for the resource itself (absolute-form) by HTTP/1.1 in cleartext.
struct OutgoingProxy {
  std::string http_proxy;   // of http:// remotes; empty: none
  std::string https_proxy;  // of https:// remotes
  // "localhost,.example.com,10.0.0.0/8,host:8080,*": remotes that are reached directly.
  std::string no_proxy;
};

struct OutgoingOptions {
  std::string url;  // "http://127.0.0.1:4318", "https://collector:4317"; no path
  // Not empty: connects to this Unix socket ("@name": abstract); the URL still says scheme and
  // name.
  std::string unix_path = {};
  OutgoingProtocol protocol = OutgoingProtocol::kAuto;
  OutgoingTls tls = {};
  OutgoingProxy proxy = {};
  std::string user_agent = "weft";

  int64_t connect_timeout_ms = 10'000;  // name, TCP, proxy and TLS together
  int64_t timeout_ms = 30'000;          // of a whole exchange, waiting for a connection included
  int64_t idle_timeout_ms = 60'000;     // of a connection that nothing uses
  int64_t ping_interval_ms = 0;         // HTTP/2: a quiet connection in use is pinged; 0: never
  int64_t ping_timeout_ms = 20'000;     // without an answer to it the connection is given up

  uint32_t http1_connections_max = 8;
  uint32_t http2_connections_max = 1;      // further ones open when the streams of these are used
  uint32_t requests_max = 10'000;          // open at a time, waiting ones included
  uint64_t request_bytes_max = 256 << 20;  // bodies of those
  uint64_t answer_bytes_max = 4 << 20;     // of one answer's body
  uint32_t header_bytes_max = 64 * 1024;   // of one answer's head, and of its trailers
  // HTTP/2: what a peer may send of one answer before we have taken it.
  uint32_t stream_window_bytes = 4 << 20;
  uint32_t connection_window_bytes = 16 << 20;
};

// What the client has done since it was made. Any thread may read.
struct OutgoingCounters {
  std::atomic<uint64_t> connections_opened{0};
  std::atomic<uint64_t> connections_failed{0};  // that were tried and never stood
  std::atomic<uint64_t> connections_open{0};    // now
  std::atomic<uint64_t> connections_reused{0};  // requests on a connection that had served before
  std::atomic<uint64_t> requests{0};            // taken by Send()
  std::atomic<uint64_t> requests_refused{0};    // by Send(), with kBusy
  std::atomic<uint64_t> requests_open{0};       // now
  std::atomic<uint64_t> request_bytes_open{0};  // now
  std::atomic<uint64_t> retries{0};
  std::atomic<uint64_t> answers{0};                 // of any status
  std::atomic<uint64_t> failures{0};                // ended without an answer
  std::atomic<uint64_t> bytes_out{0}, bytes_in{0};  // of HTTP, before and behind TLS
};

}  // namespace weft::outgoing

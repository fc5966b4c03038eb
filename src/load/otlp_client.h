// SPDX-License-Identifier: Apache-2.0
//
// OtlpClient: one connection to an OTLP receiver, kept open, one request at a time. It sends bytes
// that are made already, so that what a bench measures is the server. The demo and loadgen own one
// for each connection they keep.
//
// Thread rule: one thread at a time; several clients may live in several threads.
// Source: OTLP specification (opentelemetry-proto, specification.md), gRPC PROTOCOL-HTTP2.md.
// Next: load/load_sender.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "outgoing/client.h"

namespace weft::load {

enum class OtlpProtocol : uint8_t { kHttp, kGrpc };
enum class OtlpSignal : uint8_t { kTraces, kLogs };

// What an OK answer said about records that were not kept.
struct OtlpAnswer {
  uint64_t rejected = 0;
  std::string message;
};

class OtlpClient {
 public:
  // `url` is "http://host:port" or "https://...", without a path.
  OtlpClient(OtlpProtocol protocol, std::string url, outgoing::ClientSecurity security = {});
  ~OtlpClient();
  OtlpClient(OtlpClient&&) noexcept;

  // Sends one protobuf request and waits for the answer. An Error with retry_after_s, or of code
  // kUnavailable, is worth another try later; kIo means that no answer came.
  Result<OtlpAnswer> Send(OtlpSignal signal, std::string_view body);

 private:
  struct Connection;
  std::unique_ptr<Connection> connection_;
};

}  // namespace weft::load

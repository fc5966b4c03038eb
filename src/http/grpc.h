// SPDX-License-Identifier: Apache-2.0
//
// gRPC calls as a handler sees them: one request message in (unary or server-streaming methods),
// any number of messages out, one status. Message bytes are protobuf, encoded and decoded by the
// caller. Framing, grpc-encoding (identity, gzip, and what the decompressor hook knows),
// grpc-timeout, size limits and trailers are done here.
//
// Thread rule: as http/http.h.
// Source: gRPC PROTOCOL-HTTP2.md, google/rpc/status.proto.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "http/http.h"

namespace weft::http {

// gRPC's numbers.
enum class GrpcCode : uint32_t {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

struct GrpcStatus {
  GrpcCode code = GrpcCode::kOk;
  std::string message;         // percent-encoded on the wire by http
  uint32_t retry_after_s = 0;  // not 0: google.rpc.RetryInfo in grpc-status-details-bin
};

class GrpcCall {
 public:
  virtual ~GrpcCall() = default;
  // Sends one response message. REQUIRES: Finish() was not called.
  virtual WriteState Send(std::string message) = 0;
  virtual void Finish(GrpcStatus status) = 0;
  virtual void OnWritable(std::function<void()> callback) = 0;
  virtual bool cancelled() const = 0;
  // As Exchange::traceparent().
  virtual std::string_view traceparent() const { return {}; }
};
using GrpcCallPtr = std::shared_ptr<GrpcCall>;

struct GrpcRequest : RequestHead {
  std::string message;      // decompressed
  uint64_t wire_bytes = 0;  // as it came
};
using GrpcHandler = std::function<void(GrpcRequest, GrpcCallPtr)>;

struct GrpcOptions {
  bool open = false;  // as RouteOptions::open
  // The method only says where it is served: its service is none of this server's.
  bool is_elsewhere = false;
  uint64_t message_bytes_max = 64ull
                               << 20;  // decompressed; over it RESOURCE_EXHAUSTED, no RetryInfo
  // As RouteOptions::admit, but a refusal is a status. Runs when the message's 5-byte prefix is in.
  std::function<GrpcStatus(const RequestHead&, uint64_t declared_bytes,
                           std::shared_ptr<void>* token)>
      admit;
  // As Admission::grow, with the token that admit() has set.
  std::function<GrpcStatus(const RequestHead&, uint64_t message_bytes, void* token)> grow = nullptr;
  // Decompresses a message of an encoding other than identity; net knows none itself.
  // Called with "gzip", "zstd", "snappy", "deflate" and admit()'s token; an Error becomes the
  // status.
  std::function<Result<std::string>(std::string_view encoding, std::string_view bytes,
                                    uint64_t bytes_max, void* token)>
      decompress;
};

// Registers grpc.health.v1.Health (Check and Watch) on a router; `serving` is asked at each call.
class Router;
void AddGrpcHealth(Router* router, std::function<bool()> serving);

GrpcCode ToGrpcCode(ErrorCode code);
int ToHttpStatus(ErrorCode code);
// What a refusing status means; `otherwise` for one that says no more than its class.
ErrorCode FromHttpStatus(int status, ErrorCode otherwise);

}  // namespace weft::http

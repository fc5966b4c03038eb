// SPDX-License-Identifier: Apache-2.0
//
// gRPC calls over an OutgoingClient: one message each way, or streams of them. Message bytes are
// protobuf, encoded and decoded by the caller. Framing, compression, the deadline on the wire and
// the status, wherever it stands, are done here.
//
// A call that ends with a status is answered, whatever the status; an OutgoingError means that none
// came. An answer of HTTP alone (a proxy's 502) becomes a status by gRPC's own table.
//
// Thread rule: the functions from any thread; callbacks on a loop thread. Source: gRPC
// PROTOCOL-HTTP2.md, http-grpc-status-mapping.md. Next: http/grpc.h, outgoing/outgoing_client.h.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>

#include "http/grpc.h"
#include "outgoing/outgoing_client.h"

namespace weft::outgoing {

// "gzip", as wire/compression.h makes and takes it; net itself knows no encoding.
struct OutgoingGrpcCoding {
  std::string name;  // grpc-encoding; empty: messages go as they are
  std::function<std::string(std::string_view bytes)> compress;
  // Of answers, in the encoding that they name.
  std::function<Result<std::string>(std::string_view encoding, std::string_view bytes,
                                    uint64_t bytes_max)>
      decompress;
  std::string accepts;  // grpc-accept-encoding: "gzip"; empty: none is sent
};

struct OutgoingGrpcRequest {
  std::string path;             // "/package.Service/Method"
  http::Headers metadata = {};  // names in any case
  net::SharedBytes message = {};
  int64_t timeout_ms = 0;  // as OutgoingRequest's; the peer is told it
  std::shared_ptr<const OutgoingGrpcCoding> coding = {};  // null: none
};

// How a call ended.
struct OutgoingGrpcEnd {
  http::GrpcStatus status;          // retry_after_s is not filled: it stands in the details
  std::string status_details;       // grpc-status-details-bin, decoded: google.rpc.Status
  http::Headers headers, trailers;  // names in lower case
  int http_status = 0;
};
struct OutgoingGrpcAnswer : OutgoingGrpcEnd {
  std::string message;  // decompressed; of an OK alone
};
using OutgoingGrpcDone = std::function<void(std::expected<OutgoingGrpcAnswer, OutgoingError>)>;

// One message each way. The errors that come at once are OutgoingClient::Send()'s. An answer over
// OutgoingOptions::answer_bytes_max is kTooLarge.
Result<OutgoingCallPtr> CallGrpc(OutgoingClient* client, OutgoingGrpcRequest request,
                                 OutgoingGrpcDone done);

// A stream of messages each way. A method that streams one way alone sends its one message by
// Write() and WritesDone().
class OutgoingGrpcStream : public OutgoingCall {
 public:
  // kWait: more than write_bytes_max waits to be sent, on_writable says when to go on. kClosed: the
  // call has ended, or WritesDone() was called.
  virtual http::WriteState Write(net::SharedBytes message) = 0;
  virtual void WritesDone() = 0;
  // After on_message has said to stop: messages come again.
  virtual void Resume() = 0;
};
using OutgoingGrpcStreamPtr = std::shared_ptr<OutgoingGrpcStream>;

struct OutgoingGrpcHandlers {
  // False: no more until Resume(). The peer is then stopped by its window, of
  // OutgoingOptions::stream_window_bytes.
  std::function<bool(std::string message)> on_message;
  std::function<void()> on_writable = {};
  // Once, the last call.
  std::function<void(std::expected<OutgoingGrpcEnd, OutgoingError>)> on_end;
  uint64_t message_bytes_max = 4 << 20;  // of one, decompressed
  uint64_t write_bytes_max = 1 << 20;
};
// `request.message` is the first to be written, where it is not empty. A stream of no end needs a
// timeout_ms of its own length.
Result<OutgoingGrpcStreamPtr> OpenGrpcStream(OutgoingClient* client, OutgoingGrpcRequest request,
                                             OutgoingGrpcHandlers handlers);

}  // namespace weft::outgoing

// SPDX-License-Identifier: Apache-2.0
//
// What a gRPC server sends, taken apart: the five bytes before each message, and the status, which
// stands in the trailers, or in the head where there is nothing else.
//
// Made by the sinks of outgoing_grpc.cc. Thread rule: loop thread. Source: gRPC PROTOCOL-HTTP2.md.
// Next: outgoing/outgoing_grpc.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "http/grpc_call.h"
#include "outgoing/outgoing_grpc.h"

namespace weft::outgoing {

class OutgoingGrpcReader {
 public:
  OutgoingGrpcReader(std::shared_ptr<const OutgoingGrpcCoding> coding, uint64_t message_bytes_max)
      : coding_(std::move(coding)), message_bytes_max_(message_bytes_max) {}

  enum class Step : uint8_t {
    kMore,     // `in` is used up
    kMessage,  // message() is whole
    kBroken,   // why() says so; nothing can follow
  };

  void OnHead(int status, http::Headers headers);
  // Takes from the front of `in` up to the end of a message. Called again with the rest.
  Step Next(std::string_view* in);
  // The status of the call: the peer's, or what its answer comes to.
  OutgoingGrpcEnd TakeEnd(http::Headers trailers);

  std::string& message() { return message_; }
  const std::string& why() const { return why_; }
  bool too_large() const { return too_large_; }

 private:
  Step OnPrefix();
  Step OnMessage();
  Step Break(std::string why);

  const std::shared_ptr<const OutgoingGrpcCoding> coding_;
  const uint64_t message_bytes_max_;
  OutgoingGrpcEnd end_;
  bool is_grpc_ = false;
  bool too_large_ = false;
  std::string why_;
  uint8_t prefix_[http::kGrpcPrefixBytes] = {};
  size_t prefix_filled_ = 0;
  uint64_t declared_ = 0;
  std::string message_;  // as far as it has come
};

// "a%20b" -> "a b"; bad escapes stay as they are.
std::string DecodeGrpcMessage(std::string_view text);

}  // namespace weft::outgoing

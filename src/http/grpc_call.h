// SPDX-License-Identifier: Apache-2.0
//
// What makes an HTTP/2 exchange a gRPC call: the five bytes before each message, the status in the
// trailers, the deadline in a header. The bytes in come through GrpcMessageReader, the answer goes
// out through GrpcCallDoor as parts of an ExchangeState.
//
// Made by Http2Stream for requests of content type application/grpc. Thread rule: the reader on the
// loop thread; the door as http/http.h. Source: gRPC PROTOCOL-HTTP2.md, google/rpc/status.proto and
// error_details.proto. Next: http/http2_stream.h.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/exchange_state.h"
#include "http/grpc.h"

namespace weft::http {

inline constexpr size_t kGrpcPrefixBytes = 5;  // compressed flag, length in four bytes big-endian

// "application/grpc", alone or with "+proto" or parameters behind; not "application/grpc-web".
bool IsGrpcContentType(std::string_view content_type);

// "250m" -> 250. Empty: not of the form 1-8 digits and a unit of H M S m u n.
std::optional<int64_t> ParseGrpcTimeoutMs(std::string_view text);

// grpc-status, grpc-message and, with a retry hint, grpc-status-details-bin.
Headers GrpcTrailers(const GrpcStatus& status);

// Takes the one message of a request as its bytes come, into one string, without its prefix.
class GrpcMessageReader {
 public:
  GrpcMessageReader(const GrpcOptions* options, const RequestHead* head)
      : options_(options), head_(head) {}

  // A status other than kOk ends the call.
  GrpcStatus OnData(std::string_view bytes);
  // After the last byte: the request is whole, or the status says what is wrong with it.
  GrpcStatus Finish(GrpcRequest* request);

  std::shared_ptr<void> TakeToken() { return std::move(token_); }
  uint64_t received_bytes() const { return received_; }

 private:
  GrpcStatus OnPrefix();
  GrpcStatus Decompress(GrpcRequest* request);

  const GrpcOptions* const options_;
  const RequestHead* const head_;
  uint8_t prefix_[kGrpcPrefixBytes] = {};
  size_t prefix_filled_ = 0;
  bool compressed_ = false;
  uint64_t declared_ = 0;
  uint64_t received_ = 0;
  std::string message_;
  std::shared_ptr<void> token_;
};

class GrpcCallDoor final : public GrpcCall {
 public:
  GrpcCallDoor(std::shared_ptr<ExchangeState> state, std::string traceparent)
      : state_(std::move(state)), traceparent_(std::move(traceparent)) {}
  ~GrpcCallDoor() override;

  WriteState Send(std::string message) override;
  void Finish(GrpcStatus status) override;
  void OnWritable(std::function<void()> callback) override {
    state_->OnWritable(std::move(callback));
  }
  bool cancelled() const override { return state_->cancelled(); }
  std::string_view traceparent() const override { return traceparent_; }

  ExchangeState& state() { return *state_; }

 private:
  const std::shared_ptr<ExchangeState> state_;
  const std::string traceparent_;
  bool started_ = false;
  bool finished_ = false;
};

}  // namespace weft::http

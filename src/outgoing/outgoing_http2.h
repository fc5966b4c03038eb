// SPDX-License-Identifier: Apache-2.0
//
// The client's end of one HTTP/2 connection over nghttp2: many exchanges at a time, as many as the
// peer allows; the rest waits in the pool. Until the peer's SETTINGS have come, one.
//
// Windows: the connection's is given back at once, a stream's when its sink has taken the bytes, so
// that a sink that holds stops its peer and nobody else. GOAWAY: streams that the peer has not seen
// fail as never reached, the others go on, and the connection takes no more. A stream that ran into
// its deadline on a connection that has said nothing since retires the connection.
//
// Made by OutgoingPool. Thread rule: loop thread. Source: RFC 9113. Next:
// outgoing/outgoing_exchange.h, http/http2_headers.h.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <unordered_map>

#include "http/http2_frame_cutter.h"
#include "outgoing/outgoing_exchange.h"
#include "outgoing/outgoing_remote.h"

struct nghttp2_session;

namespace weft::outgoing {

struct OutgoingTlsError;
struct OutgoingHttp2Callbacks;

class OutgoingHttp2 final : public OutgoingSession {
 public:
  // `host` owns the session; `owner` outlives its last call.
  OutgoingHttp2(net::SessionHost* host, OutgoingSessionOwner* owner,
                std::shared_ptr<const OutgoingRemote> remote,
                std::shared_ptr<const OutgoingTlsError> tls_error);
  ~OutgoingHttp2() override;

  // ---- Session
  bool wants_read() const override;
  std::span<char> DirectSpace() override { return {}; }
  void OnDirect(size_t) override {}
  void OnBytes(std::string_view bytes) override;
  void OnEof() override;
  void OnClosed() override;
  void FillOutput() override;
  net::OutputQueue& output() override { return output_; }
  void OnWritten(size_t bytes) override;
  bool finished() const override;
  bool lingers() const override { return false; }
  bool reads_last_words() const override { return !streams_.empty(); }
  int64_t deadline_ms() const override;
  void OnDeadline(int64_t now_ms) override;
  void BeginDrain() override { Retire(); }

  // ---- OutgoingSession
  size_t room() const override;
  void Take(const OutgoingExchangePtr& exchange) override;
  void Drop(OutgoingExchange* exchange, bool timed_out) override;
  bool HasReached(const OutgoingExchange& exchange) const override;
  void Resume(OutgoingExchange* exchange) override;
  void MoreBody(OutgoingExchange* exchange) override;
  bool idle() const override { return streams_.empty(); }
  bool retired() const override { return retired_; }
  void Retire() override;
  bool http2() const override { return true; }

 private:
  friend struct OutgoingHttp2Callbacks;
  static constexpr uint64_t kNotSent = UINT64_MAX;

  struct Stream {
    OutgoingExchangePtr exchange;
    std::deque<net::SharedBytes> body;  // not framed yet
    size_t body_offset = 0;             // into the first
    bool body_done = false;             // its last frame is made
    http::Headers headers;              // of the head that comes, then the trailers
    size_t head_bytes = 0;              // of all heads
    bool answered = false;              // the head was handed on
    bool ended = false;                 // END_STREAM came
    bool too_large = false;
    bool holds = false;
    size_t held_bytes = 0;          // of the window, while it holds
    uint64_t sent_from = kNotSent;  // where in our bytes its head begins
    uint64_t taken_at = 0;          // of receipts_
    bool kept = false;              // the connection had served others
  };

  void Receive(std::string_view bytes);
  Stream* Find(int32_t id);
  // Takes the body's pieces from the exchange.
  static void MoveBody(Stream* stream);
  int32_t SubmitHead(const OutgoingExchange& exchange, bool has_body);
  void OnHeadEnd(int32_t id);
  void OnData(int32_t id, std::string_view bytes);
  void OnStreamEnd(int32_t id);
  void OnStreamClosed(int32_t id, uint32_t code);
  void Reset(int32_t id, uint32_t code);
  // Lets go of the stream with that error.
  void FailStream(int32_t id, OutgoingFailure failure, std::string why, bool reached);
  void FailAll(OutgoingFailure failure, const std::string& why);
  bool Reached(const Stream& stream) const { return written_ > stream.sent_from; }
  void Break(OutgoingFailure failure, std::string why);
  void SendData(Stream* stream, std::string_view frame_head, size_t bytes);

  net::SessionHost* const host_;
  OutgoingSessionOwner* const owner_;
  const std::shared_ptr<const OutgoingRemote> remote_;
  const std::shared_ptr<const OutgoingTlsError> tls_error_;  // null in cleartext
  nghttp2_session* session_ = nullptr;
  net::OutputQueue output_;
  http::Http2FrameCutter cutter_{0};
  std::unordered_map<int32_t, Stream> streams_;
  uint64_t framed_ = 0;   // bytes that were ever put into output_
  uint64_t written_ = 0;  // of those, what the socket has taken
  uint64_t served_ = 0;
  size_t unrefused_max_ = SIZE_MAX;  // streams at a time, since one was refused
  bool first_bytes_ = true;
  bool settings_seen_ = false;
  bool retired_ = false;
  bool dead_ = false;
  std::string broken_;  // why the connection ends, in words
  OutgoingFailure broken_as_ = OutgoingFailure::kReset;
  int64_t idle_since_ms_;
  int64_t received_ms_;
  uint64_t receipts_ = 0;                   // how often bytes have come
  int64_t ping_deadline_ms_ = net::kNever;  // of the answer to a PING
};

}  // namespace weft::outgoing

// SPDX-License-Identifier: Apache-2.0
//
// One stream of an HTTP/2 connection: a request coming in, its answer going out. Plain HTTP and
// gRPC differ in how the body is taken and how errors are said.
//
// Made and owned by Http2Session from HEADERS to the stream's close.
// Thread rule: loop thread. Next: http/grpc_call.h, http/http2_session.h.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "http/exchange_state.h"
#include "http/grpc_call.h"
#include "http/route.h"
#include "http/waiting_bytes.h"
#include "net/session.h"

namespace weft::http {

// What a stream asks of its connection.
class Http2Wire {
 public:
  virtual ~Http2Wire() = default;
  // HEADERS; with `end` the stream's last frame. `trailers` leaves out :status.
  virtual void SubmitHead(int32_t id, int status, const Headers& headers, bool end) = 0;
  // 100 Continue.
  virtual void SubmitContinue(int32_t id) = 0;
  // May be called while the stream's data is being read.
  virtual void SubmitTrailers(int32_t id, const Headers& trailers) = 0;
  virtual void ResumeData(int32_t id) = 0;
  virtual void SubmitReset(int32_t id, uint32_t code) = 0;
  virtual net::SessionHost* host() = 0;
  virtual const ServerLimits& limits() const = 0;
  virtual std::shared_ptr<const Entrance> entrance() const = 0;
};

class Http2Stream final : public AnswerSink {
 public:
  Http2Stream(Http2Wire* wire, int32_t id, const std::string& peer);
  ~Http2Stream() override;

  // ---- the request
  // False: the head is far over its limit, stop decoding it.
  bool OnHeader(std::string_view name, std::string_view value);
  // An upgraded HTTP/1.1 request has its head already.
  void TakeHead(RequestHead head);
  void OnHeadEnd();
  void OnData(std::string_view bytes);
  void OnRequestEnd();
  void MarkCancelled() {
    if (exchange_) exchange_->MarkCancelled();
  }
  // The answer's last frame is out. If the request still comes, the peer is told to stop.
  void OnAnswerSent();
  // The stream is closed, cleanly or by a reset.
  void OnClosed();

  // ---- the answer
  struct ReadResult {
    size_t bytes = 0;
    bool wait = false;  // nothing now, ResumeData() will come
    bool end = false;
    bool trailers = false;
  };
  // Moves up to `out.size()` bytes of the answer into `out`.
  ReadResult ReadAnswer(std::span<char> out);
  // Credits the writer for what ReadAnswer moved. Runs the writer's callback.
  void PayCredit();

  int32_t id() const { return id_; }
  bool request_ended() const { return request_ended_; }

  int64_t deadline_ms() const;
  void OnDeadline(int64_t now_ms);
  void BeginDrain();

 private:
  enum class Phase : uint8_t {
    kHead,
    kBody,
    kAnswer,  // the handler has it
    kEnded,   // answered without the handler, or closed: what still comes is dropped
  };

  void OnAnswer(AnswerPart part) override;
  void RouteHttp();
  void RouteGrpc();
  void DispatchHttp();
  void DispatchGrpc();
  void MakeState(std::shared_ptr<void> token);
  void SendHead(Response response, bool end);
  void QueueData(std::string bytes);
  void EndAnswer();
  // The server's own answers, before or instead of the handler's.
  void Refuse(Response response);
  void Refuse(int status, std::string message);
  void FinishGrpc(const GrpcStatus& status);
  // Sends `part`; but while a moderate rest of the request is on its way, holds it until that has
  // come and was dropped: some clients (curl) take an answer in the middle of their upload for an
  // error.
  void AnswerEarly(AnswerPart part);
  void ReleaseHeld();

  Http2Wire* const wire_;
  const int32_t id_;
  Phase phase_ = Phase::kHead;
  bool grpc_ = false;
  bool is_head_ = false;
  bool request_ended_ = false;
  bool expects_continue_ = false;
  bool hasty_ = false;  // out of time: no answer is held
  bool bad_target_ = false;
  bool two_hosts_ = false;
  bool body_admitted_ = false;
  bool started_ = false;     // the answer's head is out
  bool end_queued_ = false;  // nothing will be added to queue_
  uint64_t head_bytes_ = 0;
  std::shared_ptr<const Entrance> entrance_;  // once the head has come
  Request request_;
  RouteChoice choice_;
  const Router::Route* grpc_route_ = nullptr;
  std::unique_ptr<GrpcMessageReader> reader_;
  std::shared_ptr<ExchangeState> exchange_;

  std::deque<std::string> queue_;
  size_t queue_offset_ = 0;
  uint64_t queue_bytes_ = 0;
  uint64_t credit_ = 0;
  Headers trailers_;

  int64_t body_started_ms_ = 0;
  std::unique_ptr<AnswerPart> held_;
  uint64_t discarded_ = 0;
  int64_t discard_deadline_ms_ = net::kNever;
  int64_t call_deadline_ms_ = net::kNever;
  WaitingBytes waiting_;  // those in queue_
};

}  // namespace weft::http

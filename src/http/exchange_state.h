// SPDX-License-Identifier: Apache-2.0
//
// The bridge between a handler, on whatever thread, and the session that sends its answer. The
// handler's side queues parts of the answer under a lock; the session's side takes them on the loop
// thread. Bytes that are queued but not yet handed to the kernel are counted, which is what makes
// Exchange::Write() say kWait.
//
// Made by a session for each request; held by the session until the answer is out or the peer is
// gone, and by the handler's Exchange (MakeExchange) or GrpcCall (http/grpc_call.h).
// Thread rule: as marked. Next: net/session.h.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "http/http.h"
#include "net/session.h"

namespace weft::http {

struct AnswerPart {
  enum class Kind : uint8_t {
    kWhole,    // `response` is all
    kStart,    // `response` without its body
    kData,     // response.body
    kEnd,      // response.headers are trailers (HTTP/2 only)
    kAbandon,  // the handler has let go without finishing
  };
  Kind kind = Kind::kWhole;
  Response response;
};

// A session, or one HTTP/2 stream of it. Called on the loop thread.
class AnswerSink {
 public:
  virtual ~AnswerSink() = default;
  virtual void OnAnswer(AnswerPart part) = 0;
};

class ExchangeState : public std::enable_shared_from_this<ExchangeState> {
 public:
  ExchangeState(std::shared_ptr<net::SessionHost> host, AnswerSink* sink, uint32_t buffer_bytes_max)
      : host_(std::move(host)), sink_(sink), buffer_bytes_max_(buffer_bytes_max) {}

  // ---- the handler's side, any thread
  WriteState Submit(AnswerPart part);
  void OnWritable(std::function<void()> callback);
  bool cancelled() const { return cancelled_.load(std::memory_order_relaxed); }

  // ---- the session's side, loop thread
  // `bytes` of kData have reached the kernel.
  void Credit(uint64_t bytes);
  // The peer said goodbye but might still read: work may stop, an answer is still sent.
  void MarkCancelled() { cancelled_.store(true, std::memory_order_relaxed); }
  // The answer is complete or can no longer be sent. The sink is not called again.
  void Detach();
  // Kept as long as the exchange (Admission::token).
  void set_token(std::shared_ptr<void> token) { token_ = std::move(token); }

  // A timer for handlers of net itself (HTTP/2 only): `task` runs once, on the loop thread, at
  // `at_ms` or when the server begins to drain. Loop thread.
  void WakeAt(int64_t at_ms, std::function<void()> task);
  int64_t wake_at_ms() const { return wake_at_ms_; }
  void Wake();
  void BeginDrain();
  bool draining() const { return draining_; }
  int64_t NowMs() const { return host_->NowMs(); }

 private:
  void Drain();

  const std::shared_ptr<net::SessionHost> host_;
  AnswerSink* sink_;  // loop thread only
  const uint32_t buffer_bytes_max_;
  std::shared_ptr<void> token_;
  std::function<void()> on_writable_;  // loop thread only
  std::function<void()> wake_task_;    // loop thread only
  int64_t wake_at_ms_ = net::kNever;
  bool draining_ = false;
  std::atomic<uint64_t> buffered_{0};
  std::atomic<bool> cancelled_{false};
  std::atomic<bool> detached_{false};
  std::mutex mutex_;
  std::vector<AnswerPart> pending_;  // guarded by mutex_
  bool posted_ = false;              // guarded by mutex_
};

// The handler's door to `state`. Dropping it unfinished answers 500 or cuts the stream.
ExchangePtr MakeExchange(std::shared_ptr<ExchangeState> state, std::string traceparent);

}  // namespace weft::http

// SPDX-License-Identifier: Apache-2.0
//
// One request on its way through an OutgoingClient, and the seams between its stations: the sink
// that takes the answer, the session that has the request, the pool that owns both.
//
// Life: made by Send(), queued by the pool, taken by a session, finished once: by its answer's end,
// by an error that no retry helps, by its deadline, or by Cancel(). Whoever finishes it goes
// through the pool. Thread rule: filled by the thread that sends; from then on the loop thread of
// its pool. Next: outgoing/outgoing_pool.h, outgoing/outgoing_http1.h, outgoing/outgoing_http2.h.
#pragma once

#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/session.h"
#include "outgoing/outgoing_options.h"
#include "outgoing/outgoing_request.h"

namespace weft::outgoing {

class OutgoingPool;
class OutgoingSession;
struct OutgoingTlsError;
struct OutgoingExchange;
using OutgoingExchangePtr = std::shared_ptr<OutgoingExchange>;

// Where one answer goes, as it comes.
class OutgoingSink {
 public:
  enum class Take : uint8_t {
    kGo,
    kHold,      // no more until OutgoingPool::Resume(); what has been read already still comes
    kTooLarge,  // enough: the exchange ends with kTooLarge
    kBad,       // it makes no sense: the exchange ends with kProtocol
  };
  virtual ~OutgoingSink() = default;
  // Heads of 1xx are not shown.
  virtual void OnHead(int status, http::Headers headers) = 0;
  virtual Take OnData(std::string_view bytes) = 0;
  // Behind kTooLarge and kBad.
  virtual std::string why() const { return "the answer is over its limit"; }
  // It holds back what nobody takes for now: the end, too, waits for Resume().
  virtual bool holds() const { return false; }
  virtual Take OnResume() { return Take::kGo; }
  // `bytes` of the request's body are on their way: room for more of a streamed one.
  virtual void OnBodyMoved(uint64_t) {}
  // One of these two is the last call.
  virtual void OnEnd(http::Headers trailers) = 0;
  virtual void OnError(OutgoingError error) = 0;
};

struct OutgoingExchange : std::enable_shared_from_this<OutgoingExchange> {
  // ---- the request
  std::string method, path;
  http::Headers headers;               // names in lower case
  std::vector<net::SharedBytes> body;  // streamed: what has not been given to the wire
  bool streams = false;                // more of the body comes, by OutgoingPool::AddBody()
  bool needs_http2 = false;
  bool tells_timeout = false;  // by grpc-timeout: what is left of it when it is sent
  bool idempotent = false;
  int64_t timeout_ms = 0;
  std::unique_ptr<OutgoingSink> sink;

  // ---- the pool's
  int64_t deadline_ms = net::kNever;
  uint64_t charged_bytes = 0;
  std::weak_ptr<OutgoingPool> pool;
  OutgoingSession* session = nullptr;  // that has it; null: queued or done
  std::list<OutgoingExchangePtr>::iterator queued_at;
  bool queued = false;
  uint64_t queued_count = 0;  // how many had been queued with it
  int retries = 0;
  bool answered = false;   // the head of an answer has come
  bool ended = false;      // its end too, but the sink holds
  http::Headers trailers;  // of that end
  bool streamed = false;   // a part of a streamed body has left `body`: it cannot be sent again
  bool done = false;
  int32_t stream_id = 0;  // HTTP/2

  uint64_t body_bytes() const {
    uint64_t bytes = 0;
    for (const net::SharedBytes& piece : body) bytes += piece.size();
    return bytes;
  }
};

OutgoingError MakeOutgoingError(OutgoingFailure failure, std::string message,
                                bool reached_peer = false);
// Of a request whose connection broke behind the handshake, by what TLS said.
OutgoingError TlsBrokenError(const OutgoingTlsError& tls, const std::string& remote,
                             bool request_sent);

// What Send() hands out.
class OutgoingExchangeCall : public OutgoingCall {
 public:
  explicit OutgoingExchangeCall(OutgoingExchangePtr exchange) : exchange_(std::move(exchange)) {}
  void Cancel() override;

 private:
  const OutgoingExchangePtr exchange_;
};

// What a session tells its pool. A call may lead to others on the session, inside the same
// Enter/Leave of its host.
class OutgoingSessionOwner {
 public:
  virtual ~OutgoingSessionOwner() = default;
  // The session has let go of `exchange`.
  virtual void OnAnswered(const OutgoingExchangePtr& exchange, http::Headers trailers) = 0;
  // `kept`: the connection had served others, and no byte of this answer had come.
  virtual void OnFailed(const OutgoingExchangePtr& exchange, OutgoingError error, bool kept) = 0;
  // It may have room() now. REQUIRES of the session: it calls this last.
  virtual void OnRoom(OutgoingSession* session) = 0;
  virtual OutgoingCounters& counters() = 0;
};

// The client's end of one connection.
class OutgoingSession : public net::Session {
 public:
  // How many more exchanges it can take now.
  virtual size_t room() const = 0;
  // REQUIRES: room() > 0.
  virtual void Take(const OutgoingExchangePtr& exchange) = 0;
  // The exchange is over, whatever the peer does: the session forgets it and says no more of it.
  // `timed_out`: by its deadline, which may be the connection's fault.
  virtual void Drop(OutgoingExchange* exchange, bool timed_out) = 0;
  // Bytes of its request may be at the peer.
  virtual bool HasReached(const OutgoingExchange& exchange) const = 0;
  virtual void Resume(OutgoingExchange* exchange) = 0;
  virtual void MoreBody(OutgoingExchange* exchange) = 0;
  // Nothing is under way.
  virtual bool idle() const = 0;
  // Takes no more; closes once idle.
  virtual void Retire() = 0;
  virtual bool retired() const = 0;
  virtual bool http2() const = 0;
};

}  // namespace weft::outgoing

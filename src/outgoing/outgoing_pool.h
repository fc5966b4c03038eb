// SPDX-License-Identifier: Apache-2.0
//
// What one client has on one loop: the requests that wait, the connections that stand or come
// about, and the deadlines of all. Gives each request to a connection with room, opens connections
// where there is none, and decides what is sent a second time.
//
// Made by OutgoingClient, which calls the first group from any thread; the loop holds it until
// Shutdown().
// Thread rule: as said at each group. Next: outgoing/outgoing_exchange.h,
// outgoing/outgoing_connect.h.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "net/loop.h"
#include "outgoing/outgoing_connect.h"
#include "outgoing/outgoing_exchange.h"
#include "outgoing/outgoing_remote.h"

namespace weft::outgoing {

class OutgoingPool final : public net::LoopMember,
                           private OutgoingSessionOwner,
                           public std::enable_shared_from_this<OutgoingPool> {
 public:
  OutgoingPool(std::shared_ptr<net::Loop> loop, std::shared_ptr<const OutgoingRemote> remote,
               std::shared_ptr<OutgoingCounters> counters);

  // ---- any thread
  bool on_loop() const { return loop_->on_loop(); }
  // Takes a charged exchange; finishes it, whatever comes.
  // False: the loop has stopped, and the exchange is still the caller's.
  bool Submit(OutgoingExchangePtr exchange);
  void Cancel(OutgoingExchangePtr exchange);
  // The sink, which had said kHold, takes again.
  void Resume(OutgoingExchangePtr exchange);
  // More of a streamed body, and with `last` its end. Nothing where the exchange is over.
  void AddBody(OutgoingExchangePtr exchange, std::vector<net::SharedBytes> pieces, bool last);
  // Finishes everything with kCancelled, then calls `done` on the loop thread. False: the loop has
  // stopped.
  bool Shutdown(std::function<void()> done);

  // ---- loop thread: LoopMember
  int64_t deadline_ms() const override;
  void OnDeadline(int64_t now_ms) override;
  void BeginDrain() override {}
  void ForceClose() override { CloseAll(); }

 private:
  struct Slot {
    std::shared_ptr<net::SessionHost> host;
    std::shared_ptr<net::LoopMember> member;
    OutgoingSession* session = nullptr;
    bool used = false;  // has been given an exchange
  };
  struct Connecting {
    std::shared_ptr<OutgoingConnect> connect;
    uint64_t begun_at = 0;  // exchanges queued before fail with it
  };

  // ---- loop thread: OutgoingSessionOwner
  void OnAnswered(const OutgoingExchangePtr& exchange, http::Headers trailers) override;
  void OnFailed(const OutgoingExchangePtr& exchange, OutgoingError error, bool kept) override;
  void OnRoom(OutgoingSession* session) override;
  OutgoingCounters& counters() override { return *counters_; }

  // ---- loop thread
  void TakeInbox();
  void Queue(const OutgoingExchangePtr& exchange, bool in_front);
  void Unqueue(OutgoingExchange* exchange);
  // Gives what waits to whom has room, and opens what is missing. Never inside a session.
  void Pump();
  void SchedulePump();
  Slot* FindRoom();
  Slot* SlotOf(const OutgoingSession* session);
  void Give(Slot* slot);
  bool WantsConnection() const;
  void Connect();
  void OnConnected(OutgoingConnect* connect, std::expected<OutgoingStream, OutgoingError> result);
  void OnConnectFailed(uint64_t begun_at, const OutgoingError& error);
  template <class Stream>
  void Open(Stream stream, bool http2, std::shared_ptr<const OutgoingTlsError> tls_error);
  void OnGone(const OutgoingSession* session);
  void RetireIdle();
  // Takes the exchange from where it is; the session below says no more of it.
  void Detach(OutgoingExchange* exchange, bool timed_out);
  void Complete(const OutgoingExchangePtr& exchange, OutgoingError error);
  void Release(OutgoingExchange* exchange);
  void CloseAll();

  const std::shared_ptr<net::Loop> loop_;
  const std::shared_ptr<const OutgoingRemote> remote_;
  const std::shared_ptr<OutgoingCounters> counters_;

  std::mutex mutex_;
  std::vector<OutgoingExchangePtr> inbox_;  // guarded by mutex_
  bool inbox_posted_ = false;               // guarded by mutex_

  std::list<OutgoingExchangePtr> queue_;
  std::set<std::pair<int64_t, OutgoingExchange*>> deadlines_;  // of all that are open
  std::vector<Slot> slots_;
  std::vector<Connecting> connecting_;
  enum class Known : uint8_t { kNothing, kHttp1, kHttp2 } known_ = Known::kNothing;
  uint64_t queued_count_ = 0;
  int64_t no_connect_before_ms_ = 0;
  bool pump_scheduled_ = false;
  bool member_ = false;  // of the loop
  bool closed_ = false;
};

}  // namespace weft::outgoing

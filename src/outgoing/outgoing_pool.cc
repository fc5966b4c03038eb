// SPDX-License-Identifier: Apache-2.0
#include "outgoing/outgoing_pool.h"

#include <algorithm>

#include "net/connection.h"
#include "outgoing/outgoing_http1.h"
#include "outgoing/outgoing_http2.h"

namespace weft::outgoing {

using net::MonotonicMs;
using net::SessionHost;

namespace {

// While connections stand, one that could not be opened is not tried again at once.
constexpr int64_t kConnectPauseMs = 1'000;
// Of a request that no peer has looked at.
constexpr int kRetriesMax = 3;
// Connections that only finish what they have, beside those that take more.
constexpr size_t kRetiredMax = 8;

void Add(std::atomic<uint64_t>& counter, uint64_t count = 1) {
  counter.fetch_add(count, std::memory_order_relaxed);
}
void Subtract(std::atomic<uint64_t>& counter, uint64_t count = 1) {
  counter.fetch_sub(count, std::memory_order_relaxed);
}

}  // namespace

OutgoingPool::OutgoingPool(std::shared_ptr<net::Loop> loop,
                           std::shared_ptr<const OutgoingRemote> remote,
                           std::shared_ptr<OutgoingCounters> counters)
    : loop_(std::move(loop)), remote_(std::move(remote)), counters_(std::move(counters)) {
  if (remote_->options.protocol == OutgoingProtocol::kHttp2) known_ = Known::kHttp2;
  if (remote_->options.protocol == OutgoingProtocol::kHttp1) known_ = Known::kHttp1;
  if (known_ == Known::kNothing && !remote_->tls) known_ = Known::kHttp1;
}

// --------------------------------------------------------------------------------------- any
// thread

bool OutgoingPool::Submit(OutgoingExchangePtr exchange) {
  exchange->pool = weak_from_this();
  exchange->deadline_ms = MonotonicMs() + exchange->timeout_ms;
  std::lock_guard lock(mutex_);
  inbox_.push_back(std::move(exchange));
  if (inbox_posted_) return true;
  inbox_posted_ = loop_->Post([self = shared_from_this()] { self->TakeInbox(); });
  if (!inbox_posted_) inbox_.pop_back();
  return inbox_posted_;
}

void OutgoingPool::Cancel(OutgoingExchangePtr exchange) {
  loop_->Post([self = shared_from_this(), exchange = std::move(exchange)] {
    if (exchange->done) return;
    bool reached = exchange->session != nullptr && exchange->session->HasReached(*exchange);
    self->Detach(exchange.get(), false);
    self->Complete(exchange, MakeOutgoingError(OutgoingFailure::kCancelled,
                                               "the request was cancelled", reached));
  });
}

void OutgoingPool::Resume(OutgoingExchangePtr exchange) {
  loop_->Post([self = shared_from_this(), exchange = std::move(exchange)] {
    if (exchange->done) return;
    const OutgoingSink::Take take = exchange->sink->OnResume();
    if (take == OutgoingSink::Take::kHold) return;
    if (take != OutgoingSink::Take::kGo) {
      OutgoingFailure failure = take == OutgoingSink::Take::kBad ? OutgoingFailure::kProtocol
                                                                 : OutgoingFailure::kTooLarge;
      std::string why = exchange->sink->why();
      self->Detach(exchange.get(), false);
      self->Complete(exchange, MakeOutgoingError(failure, std::move(why), true));
      return;
    }
    if (exchange->ended) {
      self->OnAnswered(exchange, std::move(exchange->trailers));
      return;
    }
    Slot* slot = self->SlotOf(exchange->session);
    if (slot == nullptr) return;
    std::shared_ptr<SessionHost> host = slot->host;
    host->Enter();
    exchange->session->Resume(exchange.get());
    host->Leave();
  });
}

void OutgoingPool::AddBody(OutgoingExchangePtr exchange, std::vector<net::SharedBytes> pieces,
                           bool last) {
  loop_->Post([self = shared_from_this(), exchange = std::move(exchange),
               pieces = std::move(pieces), last]() mutable {
    if (exchange->done || !exchange->streams) return;
    for (net::SharedBytes& piece : pieces) exchange->body.push_back(std::move(piece));
    exchange->streams = !last;
    Slot* slot = self->SlotOf(exchange->session);
    if (slot == nullptr) return;
    std::shared_ptr<SessionHost> host = slot->host;
    host->Enter();
    exchange->session->MoreBody(exchange.get());
    host->Leave();
  });
}

bool OutgoingPool::Shutdown(std::function<void()> done) {
  return loop_->Post([self = shared_from_this(), done = std::move(done)] {
    self->TakeInbox();
    self->CloseAll();
    done();
  });
}

// ------------------------------------------------------------------------------------------- queue

void OutgoingPool::TakeInbox() {
  std::vector<OutgoingExchangePtr> taken;
  {
    std::lock_guard lock(mutex_);
    taken.swap(inbox_);
    inbox_posted_ = false;
  }
  if (!member_ && !closed_) {
    member_ = true;
    loop_->Add(shared_from_this());
  }
  for (const OutgoingExchangePtr& exchange : taken) {
    deadlines_.emplace(exchange->deadline_ms, exchange.get());
    Queue(exchange, false);
  }
  if (!deadlines_.empty()) loop_->Arm(deadlines_.begin()->first);
  Pump();
}

void OutgoingPool::Queue(const OutgoingExchangePtr& exchange, bool in_front) {
  exchange->queued = true;
  if (!in_front) exchange->queued_count = ++queued_count_;
  exchange->queued_at = queue_.insert(in_front ? queue_.begin() : queue_.end(), exchange);
}

void OutgoingPool::Unqueue(OutgoingExchange* exchange) {
  if (!exchange->queued) return;
  exchange->queued = false;
  queue_.erase(exchange->queued_at);
}

void OutgoingPool::SchedulePump() {
  if (pump_scheduled_ || queue_.empty()) return;
  pump_scheduled_ = loop_->Post([self = shared_from_this()] {
    self->pump_scheduled_ = false;
    self->Pump();
  });
}

void OutgoingPool::Pump() {
  while (!queue_.empty() && !closed_) {
    Slot* slot = FindRoom();
    if (queue_.empty()) break;  // what had come by then made room, and use of it
    if (slot != nullptr) {
      Give(slot);
    } else if (WantsConnection()) {
      Connect();
    } else {
      break;
    }
  }
  if (!queue_.empty() && no_connect_before_ms_ > MonotonicMs()) loop_->Arm(no_connect_before_ms_);
}

OutgoingPool::Slot* OutgoingPool::FindRoom() {
  // The one used last comes first: the others may become idle and go.
  for (size_t i = slots_.size(); i-- > 0;) {
    if (i >= slots_.size() || slots_[i].session->room() == 0) continue;
    Slot& slot = slots_[i];
    if (!slot.session->idle()) return &slot;
    // It may have been closed meanwhile without the loop having seen it.
    std::shared_ptr<SessionHost> host = slot.host;
    const OutgoingSession* session = slot.session;
    host->ReadNow();
    Slot* again = SlotOf(session);
    if (again != nullptr && again->session->room() > 0) return again;
  }
  return nullptr;
}

OutgoingPool::Slot* OutgoingPool::SlotOf(const OutgoingSession* session) {
  auto it = std::ranges::find(slots_, session, &Slot::session);
  return session == nullptr || it == slots_.end() ? nullptr : &*it;
}

void OutgoingPool::Give(Slot* slot) {
  OutgoingExchangePtr exchange = queue_.front();
  Unqueue(exchange.get());
  if (exchange->needs_http2 && !slot->session->http2()) {
    Complete(exchange, MakeOutgoingError(OutgoingFailure::kProtocol,
                                         remote_->text + " does not speak HTTP/2"));
    return;
  }
  if (slot->used) Add(counters_->connections_reused);
  slot->used = true;
  exchange->session = slot->session;
  std::shared_ptr<SessionHost> host = slot->host;
  host->Enter();
  exchange->session->Take(exchange);
  host->Leave();
}

// ------------------------------------------------------------------------------------- connections

bool OutgoingPool::WantsConnection() const {
  const OutgoingOptions& options = remote_->options;
  auto live = static_cast<size_t>(
      std::ranges::count_if(slots_, [](const Slot& slot) { return !slot.session->retired(); }));
  const size_t standing = live + connecting_.size();
  const size_t max =
      known_ == Known::kHttp1 ? options.http1_connections_max : options.http2_connections_max;
  if (standing >= max || slots_.size() + connecting_.size() >= max + kRetiredMax) return false;
  if (!slots_.empty() && MonotonicMs() < no_connect_before_ms_) return false;
  // Of HTTP/2, and of what may become it, the next one is judged when this one stands.
  if (known_ != Known::kHttp1) return connecting_.empty();
  return connecting_.size() < queue_.size();
}

void OutgoingPool::Connect() {
  auto self = shared_from_this();
  auto connect = std::make_shared<OutgoingConnect>(
      loop_, remote_,
      [self](OutgoingConnect* made, std::expected<OutgoingStream, OutgoingError> result) {
        self->OnConnected(made, std::move(result));
      });
  connecting_.push_back({connect, queued_count_});
  connect->Start();
}

void OutgoingPool::OnConnected(OutgoingConnect* connect,
                               std::expected<OutgoingStream, OutgoingError> result) {
  auto it = std::ranges::find_if(connecting_,
                                 [&](const Connecting& c) { return c.connect.get() == connect; });
  if (it == connecting_.end()) return;
  const uint64_t begun_at = it->begun_at;
  connecting_.erase(it);
  if (!result) {
    OnConnectFailed(begun_at, result.error());
  } else {
    Add(counters_->connections_opened);
    Add(counters_->connections_open);
    known_ = result->http2 ? Known::kHttp2 : Known::kHttp1;
    if (auto* tls = std::get_if<OutgoingTlsStream>(&result->stream)) {
      std::shared_ptr<const OutgoingTlsError> error = tls->error();
      Open(std::move(*tls), result->http2, std::move(error));
    } else {
      Open(std::move(std::get<net::SocketStream>(result->stream)), result->http2, nullptr);
    }
  }
  Pump();
}

void OutgoingPool::OnConnectFailed(uint64_t begun_at, const OutgoingError& error) {
  Add(counters_->connections_failed);
  no_connect_before_ms_ = MonotonicMs() + kConnectPauseMs;
  if (!slots_.empty()) return;
  // Later ones have an attempt of their own to wait for.
  std::vector<OutgoingExchangePtr> failed;
  for (const OutgoingExchangePtr& exchange : queue_)
    if (exchange->queued_count <= begun_at) failed.push_back(exchange);
  for (const OutgoingExchangePtr& exchange : failed) {
    Unqueue(exchange.get());
    Complete(exchange, error);
  }
}

template <class Stream>
void OutgoingPool::Open(Stream stream, bool http2,
                        std::shared_ptr<const OutgoingTlsError> tls_error) {
  // The session is known only when its host is.
  auto session_of = std::make_shared<OutgoingSession*>(nullptr);
  auto connection = std::make_shared<net::Connection<Stream>>(
      loop_, std::move(stream),
      [self = shared_from_this(), session_of] { self->OnGone(*session_of); });
  std::unique_ptr<OutgoingSession> session;
  OutgoingSessionOwner* const owner = this;
  if (http2) {
    session =
        std::make_unique<OutgoingHttp2>(connection.get(), owner, remote_, std::move(tls_error));
  } else {
    session =
        std::make_unique<OutgoingHttp1>(connection.get(), owner, remote_, std::move(tls_error));
  }
  *session_of = session.get();
  slots_.push_back({connection, connection, session.get()});
  connection->Start(std::move(session));
}

void OutgoingPool::OnGone(const OutgoingSession* session) {
  std::erase_if(slots_, [&](const Slot& slot) { return slot.session == session; });
  Subtract(counters_->connections_open);
  SchedulePump();
}

void OutgoingPool::RetireIdle() {
  for (const Slot& slot : std::vector<Slot>(slots_)) {
    if (!slot.session->idle()) continue;
    slot.host->Enter();
    slot.session->Retire();
    slot.host->Leave();
  }
}

// ---------------------------------------------------------------------------------------- sessions

void OutgoingPool::OnRoom(OutgoingSession* session) {
  while (!queue_.empty() && !closed_ && session->room() > 0) {
    Slot* slot = SlotOf(session);
    if (slot == nullptr) return;
    Give(slot);
  }
}

void OutgoingPool::OnAnswered(const OutgoingExchangePtr& exchange, http::Headers trailers) {
  if (exchange->sink->holds()) {
    exchange->session = nullptr;
    exchange->ended = true;
    exchange->trailers = std::move(trailers);
    return;
  }
  Add(counters_->answers);
  Release(exchange.get());
  std::unique_ptr<OutgoingSink> sink = std::move(exchange->sink);
  sink->OnEnd(std::move(trailers));
}

void OutgoingPool::OnFailed(const OutgoingExchangePtr& exchange, OutgoingError error, bool kept) {
  exchange->session = nullptr;
  // Once where we trust in a second time doing no harm, more often where there was no first.
  const int retries_max = !error.reached_peer ? kRetriesMax : kept && exchange->idempotent ? 1 : 0;
  if (closed_ || exchange->retries >= retries_max || exchange->streamed || exchange->answered ||
      error.failure != OutgoingFailure::kReset) {
    Complete(exchange, std::move(error));
    return;
  }
  // What lies idle beside a connection that had been closed unseen has most likely been closed too.
  if (error.reached_peer) RetireIdle();
  ++exchange->retries;
  Add(counters_->retries);
  Queue(exchange, true);
  SchedulePump();
}

void OutgoingPool::Detach(OutgoingExchange* exchange, bool timed_out) {
  Unqueue(exchange);
  Slot* slot = SlotOf(exchange->session);
  if (slot == nullptr) return;
  std::shared_ptr<SessionHost> host = slot->host;
  host->Enter();
  exchange->session->Drop(exchange, timed_out);
  host->Leave();
  exchange->session = nullptr;
}

void OutgoingPool::Complete(const OutgoingExchangePtr& exchange, OutgoingError error) {
  Add(counters_->failures);
  Release(exchange.get());
  std::unique_ptr<OutgoingSink> sink = std::move(exchange->sink);
  sink->OnError(std::move(error));
}

void OutgoingPool::Release(OutgoingExchange* exchange) {
  exchange->done = true;
  exchange->session = nullptr;
  deadlines_.erase({exchange->deadline_ms, exchange});
  exchange->body.clear();
  Subtract(counters_->requests_open);
  Subtract(counters_->request_bytes_open, exchange->charged_bytes);
}

// -------------------------------------------------------------------------------------------- time

int64_t OutgoingPool::deadline_ms() const {
  int64_t out = deadlines_.empty() ? net::kNever : deadlines_.begin()->first;
  if (!queue_.empty() && !slots_.empty() && no_connect_before_ms_ > MonotonicMs())
    out = std::min(out, no_connect_before_ms_);
  return out;
}

void OutgoingPool::OnDeadline(int64_t now_ms) {
  auto self = shared_from_this();
  while (!deadlines_.empty() && deadlines_.begin()->first <= now_ms) {
    OutgoingExchangePtr exchange = deadlines_.begin()->second->shared_from_this();
    bool reached = exchange->session != nullptr && exchange->session->HasReached(*exchange);
    bool waits = exchange->queued;
    Detach(exchange.get(), true);
    Complete(exchange, MakeOutgoingError(OutgoingFailure::kTimeout,
                                         remote_->text +
                                             (waits ? ": no connection was free within "
                                                    : ": no whole answer within ") +
                                             std::to_string(exchange->timeout_ms) + " ms",
                                         reached));
  }
  Pump();
}

void OutgoingPool::CloseAll() {
  auto self = shared_from_this();
  closed_ = true;
  for (const Connecting& connecting : std::exchange(connecting_, {})) connecting.connect->Abandon();
  while (!deadlines_.empty()) {
    OutgoingExchangePtr exchange = deadlines_.begin()->second->shared_from_this();
    bool reached = exchange->session != nullptr && exchange->session->HasReached(*exchange);
    Detach(exchange.get(), false);
    Complete(exchange,
             MakeOutgoingError(OutgoingFailure::kCancelled, "the client was closed", reached));
  }
  for (const Slot& slot : std::vector<Slot>(slots_)) {
    // What can be said at once is said; the rest is not waited for.
    slot.host->Enter();
    slot.session->Retire();
    slot.host->Leave();
    slot.member->ForceClose();
  }
  if (member_) loop_->Remove(self);
  member_ = false;
}

}  // namespace weft::outgoing

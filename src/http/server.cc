// SPDX-License-Identifier: Apache-2.0
#include "http/server.h"

#include <algorithm>
#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "base/log.h"
#include "http/answer_head.h"
#include "http/entrance.h"
#include "http/route.h"
#include "http/server_session.h"
#include "net/connection.h"
#include "net/listening_socket.h"
#include "net/loop.h"
#include "net/tls_stream.h"

namespace weft::http {

using net::Loop;
using net::LoopMember;
using net::StreamSocket;

namespace {

namespace asio = boost::asio;
using Tcp = asio::ip::tcp;
using ErrorCodeOf = boost::system::error_code;

constexpr auto kAcceptPause = std::chrono::milliseconds(100);
constexpr int kFreePortTries = 20;

Result<std::vector<asio::ip::address>> ParseHost(const std::string& host) {
  if (host == "localhost") {
    return std::vector<asio::ip::address>{asio::ip::address_v4::loopback(),
                                          asio::ip::address_v6::loopback()};
  }
  std::string_view text = host;
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  ErrorCodeOf error;
  auto address = asio::ip::make_address(std::string(text), error);
  if (error) {
    return Fail(
        ErrorCode::kInvalidArgument,
        "\"" + host + "\" is no IP address to listen on; use an address, localhost, 0.0.0.0 or ::");
  }
  return std::vector<asio::ip::address>{address};
}

// Only "localhost" may do without one of its two addresses.
bool IsMissingFamily(const ErrorCodeOf& error) {
  return error == asio::error::address_family_not_supported ||
         error == boost::system::errc::address_not_available;
}

// Whom a connection comes from, as limits and logs see it: what comes over a path of this machine
// counts as loopback, and each connection as somebody else.
struct Peer {
  asio::ip::address address = asio::ip::address_v4::loopback();
  std::string text;
};

Peer UnixPeer() {
  static std::atomic<uint64_t> count{0};
  return {.text = "unix#" + std::to_string(count.fetch_add(1) + 1)};
}

std::optional<Peer> PeerOf(const StreamSocket& socket) {
  ErrorCodeOf error;
  auto remote = socket.remote_endpoint(error);
  if (error) return std::nullopt;
  const int family = remote.protocol().family();
  if (family != AF_INET && family != AF_INET6) return UnixPeer();
  Tcp::endpoint endpoint;
  endpoint.resize(remote.size());
  std::copy_n(reinterpret_cast<const char*>(remote.data()), remote.size(),
              reinterpret_cast<char*>(endpoint.data()));
  return Peer{endpoint.address(), net::EndpointText(endpoint)};
}

// Connections counted against their limits.
class Census {
 public:
  explicit Census(const ServerLimits& limits) : limits_(limits) {}

  bool Enter(const asio::ip::address& address) {
    std::lock_guard lock(mutex_);
    if (count_ >= limits_.connections_max) return false;
    if (!address.is_loopback()) {
      uint32_t& of_ip = per_ip_[address];
      if (of_ip >= limits_.connections_per_ip_max) return false;
      ++of_ip;
    }
    ++count_;
    return true;
  }
  void Leave(const asio::ip::address& address) {
    std::lock_guard lock(mutex_);
    --count_;
    if (auto it = per_ip_.find(address); it != per_ip_.end() && --it->second == 0)
      per_ip_.erase(it);
    if (count_ == 0) none_left_.notify_all();
  }
  bool WaitNone(std::chrono::milliseconds timeout) {
    std::unique_lock lock(mutex_);
    return none_left_.wait_for(lock, timeout, [this] { return count_ == 0; });
  }
  uint64_t count() const {
    std::lock_guard lock(mutex_);
    return count_;
  }

 private:
  const ServerLimits& limits_;
  mutable std::mutex mutex_;
  std::condition_variable none_left_;
  uint64_t count_ = 0;
  std::map<asio::ip::address, uint32_t> per_ip_;
};

}  // namespace

struct Server::Impl {
  struct Listener {
    Listener(std::shared_ptr<Loop> home, std::shared_ptr<const Entrance> entrance)
        : loop(std::move(home)),
          socket(loop->io()),
          pause(loop->io()),
          name(entrance->name()),
          door_(std::make_shared<Door>(std::move(entrance))) {}
    std::shared_ptr<Door> door() const {
      std::lock_guard lock(mutex);
      return door_;
    }
    bool IsAt(const asio::ip::address& ip, uint16_t at_port) const {
      return path.empty() && address == ip && port == at_port;
    }

    std::shared_ptr<Loop> loop;
    net::ListeningSocket socket;
    asio::steady_timer pause;
    std::string name;
    std::string path;  // empty: address and port
    asio::ip::address address;
    uint16_t port = 0;
    std::atomic<bool> retired{false};
    // Of the change under way: what will be behind the door; whether it is there since the change.
    std::shared_ptr<const Entrance> next;
    bool is_new = false;
    mutable std::mutex mutex;
    std::shared_ptr<Door> door_;  // guarded by mutex
  };

  Impl(ServerLimits limits_in, int threads) : limits(limits_in), census(limits) {
    for (int i = 0; i < std::max(1, threads); ++i) loops.push_back(std::make_shared<Loop>());
  }

  std::shared_ptr<Listener> NewListener(const std::shared_ptr<const Entrance>& entrance);
  bool TakeOver(const std::function<bool(const Listener&)>& is_it,
                const std::shared_ptr<const Entrance>& entrance);
  Result<uint16_t> Bind(const asio::ip::address& address, uint16_t port, Listener* listener,
                        ErrorCodeOf* error);
  void Commit(const std::vector<std::string>& kept);
  void Abandon();
  void PassOn(Listener* listener);
  void Retire(const std::shared_ptr<Listener>& listener);
  void Mourn(const std::shared_ptr<Door>& door);
  Status OpenPath(const std::string& path, const std::shared_ptr<const Entrance>& entrance);
  Result<uint16_t> Open(const asio::ip::address& address, uint16_t port,
                        const std::shared_ptr<const Entrance>& entrance, ErrorCodeOf* error);
  Result<uint16_t> OpenAll(const std::vector<asio::ip::address>& addresses, uint16_t port,
                           const std::shared_ptr<const Entrance>& entrance, bool* retry);
  void Accept(const std::shared_ptr<Listener>& listener);
  void Adopt(const std::shared_ptr<Listener>& listener, const std::shared_ptr<Loop>& loop,
             StreamSocket socket);
  template <class Stream>
  void StartConnection(const std::shared_ptr<Listener>& listener, const std::shared_ptr<Door>& door,
                       const std::shared_ptr<Loop>& loop, Stream stream,
                       const asio::ip::address& address, const std::string& peer);
  void RefuseConnection(StreamSocket socket);
  // Of the group, null: of all.
  void ForEachMember(void (LoopMember::*method)(), const void* group = nullptr);
  void Stop();

  const ServerLimits limits;
  Census census;
  std::vector<std::shared_ptr<Loop>> loops;
  std::vector<std::shared_ptr<Listener>> listeners;
  std::atomic<size_t> next_loop{0};
  std::atomic<bool> stopping{false};
  std::atomic<uint64_t> refused{0};
  bool started = false;
  bool stopped = false;
  bool changing = false;
  // What changes took away and may still be in use.
  std::vector<std::weak_ptr<const Entrance>> retired_entrances;
  std::vector<std::weak_ptr<const Door>> retired_doors;
};

std::shared_ptr<Server::Impl::Listener> Server::Impl::NewListener(
    const std::shared_ptr<const Entrance>& entrance) {
  auto listener = std::make_shared<Listener>(loops[listeners.size() % loops.size()], entrance);
  listener->is_new = changing;
  return listener;
}

Status Server::Impl::OpenPath(const std::string& path,
                              const std::shared_ptr<const Entrance>& entrance) {
  if (TakeOver([&](const Listener& have) { return have.path == path; }, entrance)) return {};
  auto listener = NewListener(entrance);
  WEFT_TRY(listener->socket.OpenPath(path));
  listener->path = path;
  listeners.push_back(std::move(listener));
  return {};
}

Result<uint16_t> Server::Impl::Open(const asio::ip::address& address, uint16_t port,
                                    const std::shared_ptr<const Entrance>& entrance,
                                    ErrorCodeOf* error) {
  auto is_there = [&](const Listener& have) { return have.IsAt(address, port); };
  if (port != 0 && TakeOver(is_there, entrance)) return port;
  auto listener = NewListener(entrance);
  WEFT_ASSIGN(uint16_t bound, Bind(address, port, listener.get(), error));
  listener->address = address;
  listener->port = bound;
  listeners.push_back(std::move(listener));
  return bound;
}

Result<uint16_t> Server::Impl::OpenAll(const std::vector<asio::ip::address>& addresses,
                                       uint16_t port,
                                       const std::shared_ptr<const Entrance>& entrance,
                                       bool* retry) {
  uint16_t bound = port;
  bool is_open = false;
  size_t before = listeners.size();
  for (const auto& address : addresses) {
    ErrorCodeOf error;
    Result<uint16_t> opened = Open(address, bound, entrance, &error);
    if (opened) {
      bound = *opened;
      is_open = true;
      continue;
    }
    bool optional = addresses.size() > 1 && address.is_v6() && is_open;
    if (optional && IsMissingFamily(error)) continue;
    *retry = port == 0 && bound != 0 && error == asio::error::address_in_use;
    listeners.resize(before);
    return opened;
  }
  return bound;
}

void Server::Impl::Accept(const std::shared_ptr<Listener>& listener) {
  const auto& loop = loops[next_loop.fetch_add(1) % loops.size()];
  listener->socket.acceptor().async_accept(
      loop->io(), [this, listener, loop](ErrorCodeOf error, StreamSocket socket) {
        if (stopping || error == asio::error::operation_aborted) return;
        if (!error) Adopt(listener, loop, std::move(socket));
        if (listener->retired) return;
        if (!error) return Accept(listener);
        // Out of descriptors, or the peer was faster: go on, but not in a busy loop.
        listener->pause.expires_after(kAcceptPause);
        listener->pause.async_wait([this, listener](ErrorCodeOf cancelled) {
          if (!cancelled && !stopping && !listener->retired) Accept(listener);
        });
      });
}

void Server::Impl::Adopt(const std::shared_ptr<Listener>& listener,
                         const std::shared_ptr<Loop>& loop, StreamSocket socket) {
  std::optional<Peer> peer = PeerOf(socket);
  if (!peer) return;
  const asio::ip::address& address = peer->address;
  const std::shared_ptr<Door> door = listener->door();
  const std::shared_ptr<net::TlsContext> tls = door->Now()->tls();
  if (!census.Enter(address)) {
    refused.fetch_add(1, std::memory_order_relaxed);
    Log(LogLevel::kWarn, "http", "refused a connection: too many are open",
        {{"connections_max", limits.connections_max},
         {"connections_per_ip_max", limits.connections_per_ip_max}});
    // A handshake is the work that the limit saves.
    if (tls == nullptr) RefuseConnection(std::move(socket));
    return;
  }
  const std::string& text = peer->text;
  if (tls == nullptr) {
    StartConnection(listener, door, loop, net::SocketStream(std::move(socket)), address, text);
  } else {
    StartConnection(listener, door, loop, net::TlsStream(std::move(socket), tls, text), address,
                    text);
  }
}

template <class Stream>
void Server::Impl::StartConnection(const std::shared_ptr<Listener>& listener,
                                   const std::shared_ptr<Door>& door,
                                   const std::shared_ptr<Loop>& loop, Stream stream,
                                   const asio::ip::address& address, const std::string& peer) {
  auto connection = std::make_shared<net::Connection<Stream>>(
      loop, std::move(stream), [this, address] { census.Leave(address); });
  connection->set_group(door.get());
  auto start = [this, connection, listener, door, peer] {
    connection->Start(std::make_unique<ServerSession>(connection.get(), limits, door, peer));
    if (stopping) connection->BeginDrain();
    if (listener->retired || listener->door() != door) connection->WindDown();
  };
  if (loop->on_loop()) {
    start();
  } else {
    asio::post(loop->io(), std::move(start));
  }
}

void Server::Impl::RefuseConnection(StreamSocket socket) {
  Response response = PlainResponse(503, "503 too many connections");
  response.headers.emplace_back("Retry-After", "5");
  AnswerHead head{.response = &response,
                  .content_length = static_cast<int64_t>(response.body.size()),
                  .keep_alive = false};
  std::string text = FormatAnswerHead(head) + response.body;
  ErrorCodeOf ignored;
  socket.non_blocking(true, ignored);
  socket.write_some(asio::buffer(text), ignored);
  socket.shutdown(Tcp::socket::shutdown_send, ignored);
}

void Server::Impl::ForEachMember(void (LoopMember::*method)(), const void* group) {
  for (const auto& loop : loops) {
    loop->Post([loop, method, group] {
      for (const auto& member : loop->Members())
        if (group == nullptr || member->group() == group) (member.get()->*method)();
    });
  }
}

// ------------------------------------------------------------------------------------------
// changes

// Of the listeners from before the change, the one that `is_it` gets another entrance, unless it
// has got one already.
bool Server::Impl::TakeOver(const std::function<bool(const Listener&)>& is_it,
                            const std::shared_ptr<const Entrance>& entrance) {
  if (!changing) return false;
  for (const auto& listener : listeners) {
    if (listener->is_new || listener->next != nullptr || !is_it(*listener)) continue;
    listener->next = entrance;
    return true;
  }
  return false;
}

// A change may move a listener between one address and all of them: both are open for a moment.
Result<uint16_t> Server::Impl::Bind(const asio::ip::address& address, uint16_t port,
                                    Listener* listener, ErrorCodeOf* error) {
  Result<uint16_t> bound = listener->socket.OpenIp(address, port, error);
  if (bound || !changing || port == 0 || *error != asio::error::address_in_use) return bound;
  std::vector<Listener*> in_the_way;
  for (const auto& have : listeners)
    if (!have->is_new && have->path.empty() && have->port == port &&
        (have->address.is_unspecified() || address.is_unspecified()))
      in_the_way.push_back(have.get());
  if (in_the_way.empty()) return bound;
  listener->socket.Close();
  for (Listener* have : in_the_way) have->socket.AllowBeside(true);
  bound = listener->socket.OpenIp(address, port, error, true);
  for (Listener* have : in_the_way) have->socket.AllowBeside(false);
  return bound;
}

// To be waited for, and if need be cut.
void Server::Impl::Mourn(const std::shared_ptr<Door>& door) {
  retired_entrances.push_back(door->Now());
  retired_doors.push_back(door);
  ForEachMember(&LoopMember::WindDown, door.get());
}

// What was agreed with a peer when it connected by TLS may not be what the new entrance asks for.
void Server::Impl::PassOn(Listener* listener) {
  std::shared_ptr<const Entrance> next = std::move(listener->next);
  listener->name = next->name();
  const std::shared_ptr<Door> door = listener->door();
  const std::shared_ptr<const Entrance> before = door->Now();
  if (before->tls() == nullptr && next->tls() == nullptr) {
    retired_entrances.push_back(before);
    return door->Replace(std::move(next));
  }
  {
    std::lock_guard lock(listener->mutex);
    listener->door_ = std::make_shared<Door>(std::move(next));
  }
  Mourn(door);
}

void Server::Impl::Retire(const std::shared_ptr<Listener>& listener) {
  listener->loop->Post([this, listener] {
    listener->retired = true;
    listener->pause.cancel();
    ErrorCodeOf error;
    listener->socket.acceptor().cancel(error);
    listener->socket.acceptor().non_blocking(true, error);
    while (!error) {
      const auto& loop = loops[next_loop.fetch_add(1) % loops.size()];
      StreamSocket socket = listener->socket.acceptor().accept(loop->io(), error);
      if (!error) Adopt(listener, loop, std::move(socket));
    }
    listener->socket.Close();
    ForEachMember(&LoopMember::WindDown, listener->door().get());
  });
  Mourn(listener->door());
}

void Server::Impl::Commit(const std::vector<std::string>& kept) {
  changing = false;
  std::vector<std::shared_ptr<Listener>> before = std::move(listeners);
  listeners.clear();
  std::vector<std::shared_ptr<Listener>> gone;
  for (const auto& listener : before) {
    const bool stays = listener->is_new || listener->next != nullptr ||
                       std::ranges::find(kept, listener->name) != kept.end();
    (stays ? listeners : gone).push_back(listener);
    if (listener->next != nullptr) PassOn(listener.get());
    if (!std::exchange(listener->is_new, false)) continue;
    listener->loop->Post([this, listener] { Accept(listener); });
  }
  for (const auto& listener : gone) Retire(listener);
}

void Server::Impl::Abandon() {
  changing = false;
  std::erase_if(listeners, [](const auto& listener) { return listener->is_new; });
  for (const auto& listener : listeners) listener->next.reset();
}

void Server::Impl::Stop() {
  if (stopped) return;
  stopped = true;
  stopping = true;
  for (const auto& listener : listeners) {
    if (!started) {
      listener->socket.Close();
      continue;
    }
    listener->loop->Post([listener] {
      listener->socket.Close();
      listener->pause.cancel();
    });
  }
  if (started) {
    ForEachMember(&LoopMember::BeginDrain);
    if (!census.WaitNone(std::chrono::milliseconds(limits.drain_timeout_ms))) {
      ForEachMember(&LoopMember::ForceClose);
      // A connection accepted in the last moment may still be on its way to its loop.
      while (!census.WaitNone(std::chrono::milliseconds(50))) {
        ForEachMember(&LoopMember::ForceClose);
      }
    }
  }
  for (const auto& loop : loops) loop->Stop();
  listeners.clear();
}

Server::Server(ServerLimits limits, int threads) : impl_(std::make_unique<Impl>(limits, threads)) {}
Server::~Server() { Stop(); }

Result<uint16_t> Server::Listen(const Endpoint& endpoint, std::shared_ptr<const Router> router,
                                ListenOptions options) {
  std::vector<asio::ip::address> addresses;
  if (endpoint.path.empty()) {
    WEFT_ASSIGN(addresses, ParseHost(endpoint.host));
  }
  WEFT_ASSIGN(std::shared_ptr<const Entrance> entrance,
              Entrance::Make(std::move(router), std::move(options)));
  if (!endpoint.path.empty()) {
    WEFT_TRY(impl_->OpenPath(endpoint.path, entrance));
    return 0;
  }
  for (int i = 0;; ++i) {
    bool retry = false;
    Result<uint16_t> bound = impl_->OpenAll(addresses, endpoint.port, entrance, &retry);
    // "Any free port" of one address family may be taken in the other: another try draws another.
    if (bound || !retry || i == kFreePortTries) return bound;
  }
}

void Server::Start() {
  impl_->started = true;
  for (const auto& loop : impl_->loops) loop->Start();
  for (const auto& listener : impl_->listeners) {
    listener->loop->Post([impl = impl_.get(), listener] { impl->Accept(listener); });
  }
}

void Server::Stop() { impl_->Stop(); }

void Server::BeginChange() { impl_->changing = impl_->started; }
void Server::CommitChange(const std::vector<std::string>& kept) { impl_->Commit(kept); }
void Server::AbandonChange() { impl_->Abandon(); }

bool Server::RetiredAreGone() {
  std::erase_if(impl_->retired_entrances, [](const auto& entrance) { return entrance.expired(); });
  std::erase_if(impl_->retired_doors, [](const auto& door) { return door.expired(); });
  return impl_->retired_entrances.empty();
}

void Server::CloseRetired() {
  for (const auto& door : impl_->retired_doors)
    if (const std::shared_ptr<const Door> held = door.lock())
      impl_->ForEachMember(&LoopMember::ForceClose, held.get());
}

uint64_t Server::connections() const { return impl_->census.count(); }
uint64_t Server::connections_refused() const {
  return impl_->refused.load(std::memory_order_relaxed);
}

}  // namespace weft::http

// SPDX-License-Identifier: Apache-2.0
#include "outgoing/outgoing_connect.h"

#include <algorithm>
#include <array>
#include <boost/asio/local/stream_protocol.hpp>

#include "net/listening_socket.h"
#include "outgoing/outgoing_exchange.h"

namespace weft::outgoing {

using net::IoState;
using net::kNever;
using net::StreamSocket;

namespace {

namespace asio = boost::asio;
using AsioError = boost::system::error_code;
using Tcp = asio::ip::tcp;
using Unix = asio::local::stream_protocol;

constexpr int64_t kNextAddressMs = 250;  // RFC 8305 5
constexpr size_t kAddressesMax = 16;     // of one name
constexpr size_t kTunnelHeadBytesMax = 16 * 1024;

// As the resolver ordered them, but no family twice in a row while both are left (RFC 8305 4).
std::vector<Tcp::endpoint> Mixed(const Tcp::resolver::results_type& results) {
  std::deque<Tcp::endpoint> first, second;
  for (const auto& entry : results) {
    bool is_first = first.empty() || entry.endpoint().protocol() == first.front().protocol();
    (is_first ? first : second).push_back(entry.endpoint());
  }
  std::vector<Tcp::endpoint> out;
  while (!first.empty() || !second.empty()) {
    for (auto* family : {&first, &second}) {
      if (family->empty()) continue;
      out.push_back(family->front());
      family->pop_front();
    }
  }
  if (out.size() > kAddressesMax) out.resize(kAddressesMax);
  return out;
}

}  // namespace

OutgoingConnect::OutgoingConnect(std::shared_ptr<net::Loop> loop,
                                 std::shared_ptr<const OutgoingRemote> remote, Done done)
    : loop_(std::move(loop)),
      remote_(std::move(remote)),
      done_(std::move(done)),
      resolver_(loop_->io()) {}

void OutgoingConnect::Start() {
  loop_->Add(shared_from_this());
  deadline_ms_ = net::MonotonicMs() + remote_->options.connect_timeout_ms;
  loop_->Arm(deadline_ms_);
  const std::string& path = remote_->options.unix_path;
  if (path.empty()) {
    Resolve();
    return;
  }
  std::string name = path;
  if (name.starts_with('@')) name[0] = '\0';
  if (name.size() > sizeof(sockaddr_un{}.sun_path) - 1) {
    loop_->Post([self = shared_from_this(), path] {
      self->Fail(OutgoingFailure::kConnect, "the path " + path + " is too long for a socket");
    });
    return;
  }
  addresses_.emplace_back(Endpoint(Unix::endpoint(name)), path);
  TryNext();
}

void OutgoingConnect::Resolve() {
  const bool by_proxy = remote_->proxy.used;
  const std::string& host = by_proxy ? remote_->proxy.host : remote_->address.host;
  const uint16_t port = by_proxy ? remote_->proxy.port : remote_->address.port;
  AsioError error;
  asio::ip::address address = asio::ip::make_address(host, error);
  if (!error) {
    Tcp::endpoint endpoint(address, port);
    addresses_.emplace_back(Endpoint(endpoint), net::EndpointText(endpoint));
    TryNext();
    return;
  }
  stage_ = "looking up " + host;
  resolver_.async_resolve(
      host, std::to_string(port), Tcp::resolver::numeric_service,
      [self = shared_from_this()](AsioError failed, const Tcp::resolver::results_type& results) {
        self->OnResolved(failed, results);
      });
}

void OutgoingConnect::OnResolved(AsioError error, const Tcp::resolver::results_type& results) {
  if (!done_) return;
  for (const Tcp::endpoint& endpoint : Mixed(results))
    addresses_.emplace_back(Endpoint(endpoint), net::EndpointText(endpoint));
  if (error || addresses_.empty()) {
    const std::string& host = remote_->proxy.used ? remote_->proxy.host : remote_->address.host;
    Fail(OutgoingFailure::kDns,
         "no address of \"" + host + "\": " + (error ? error.message() : "there is none"));
    return;
  }
  TryNext();
}

void OutgoingConnect::TryNext() {
  next_try_ms_ = kNever;
  if (addresses_.empty()) return;
  auto [endpoint, where] = std::move(addresses_.front());
  addresses_.pop_front();
  stage_ = "connecting to " + where;
  auto attempt = std::make_shared<Attempt>(StreamSocket(loop_->io()), std::move(where));
  attempts_.push_back(attempt);
  if (!addresses_.empty()) {
    next_try_ms_ = net::MonotonicMs() + kNextAddressMs;
    loop_->Arm(next_try_ms_);
  }
  attempt->socket.async_connect(endpoint, [self = shared_from_this(), attempt](AsioError error) {
    self->OnConnected(attempt, error);
  });
}

void OutgoingConnect::OnConnected(const std::shared_ptr<Attempt>& attempt, AsioError error) {
  if (!done_ || socket_ || tls_) return;
  std::erase(attempts_, attempt);
  if (!error) {
    attempts_.clear();  // closes the others
    addresses_.clear();
    next_try_ms_ = kNever;
    AsioError ignored;
    attempt->socket.non_blocking(true, ignored);
    socket_ = std::make_unique<StreamSocket>(std::move(attempt->socket));
    OpenTunnel();
    return;
  }
  timed_out_ |= error == asio::error::timed_out;
  last_failure_ = attempt->where + ": " + error.message();
  if (!addresses_.empty()) {
    TryNext();
  } else if (attempts_.empty()) {
    Fail(timed_out_ ? OutgoingFailure::kConnectTimeout : OutgoingFailure::kConnect, last_failure_);
  }
}

// ------------------------------------------------------------------------------------------- proxy

void OutgoingConnect::OpenTunnel() {
  if (!remote_->tunnels()) {
    ShakeHands();
    return;
  }
  stage_ = "waiting for " + remote_->proxy.text;
  tunnel_ = ConnectRequest(remote_->proxy, remote_->address.Text(), remote_->options.user_agent);
  SendTunnelRequest();
}

void OutgoingConnect::SendTunnelRequest() {
  while (!tunnel_.empty()) {
    ssize_t sent = ::send(socket_->native_handle(), tunnel_.data(), tunnel_.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      tunnel_.erase(0, static_cast<size_t>(sent));
      continue;
    }
    if (errno != EAGAIN && errno != EINTR) {
      Fail(OutgoingFailure::kProxy, remote_->proxy.text + " closed the connection");
      return;
    }
    socket_->async_wait(StreamSocket::wait_write, [self = shared_from_this()](AsioError error) {
      if (self->done_ && !error) self->SendTunnelRequest();
    });
    return;
  }
  ReadTunnelAnswer();
}

// Takes no byte behind the head: those are the remote's.
void OutgoingConnect::ReadTunnelAnswer() {
  for (;;) {
    char byte = 0;
    ssize_t got = ::recv(socket_->native_handle(), &byte, 1, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) break;
    if (got <= 0) {
      Fail(OutgoingFailure::kProxy,
           remote_->proxy.text + " closed the connection without an answer");
      return;
    }
    tunnel_.push_back(byte);
    if (byte != '\n' && tunnel_.size() > 8) continue;
    std::optional<int> status = ConnectStatus(tunnel_);
    if (status && *status >= 200 && *status < 300) {
      tunnel_.clear();
      ShakeHands();
      return;
    }
    if (status) {
      OutgoingError error = MakeOutgoingError(
          OutgoingFailure::kProxy,
          *status == 0
              ? remote_->proxy.text + " does not answer in HTTP"
              : remote_->proxy.text + " refuses to lead to " + remote_->address.Text() + ": " +
                    std::to_string(*status) + " " + std::string(http::StatusText(*status)));
      if (*status == 407) error.code = ErrorCode::kUnauthenticated;
      Fail(std::move(error));
      return;
    }
    if (tunnel_.size() > kTunnelHeadBytesMax) {
      Fail(OutgoingFailure::kProxy, remote_->proxy.text + " sends an endless head");
      return;
    }
  }
  socket_->async_wait(StreamSocket::wait_read, [self = shared_from_this()](AsioError error) {
    if (self->done_ && !error) self->ReadTunnelAnswer();
  });
}

// --------------------------------------------------------------------------------------------- TLS

void OutgoingConnect::ShakeHands() {
  if (!remote_->tls) {
    bool http2 = remote_->options.protocol == OutgoingProtocol::kHttp2;
    End(OutgoingStream{net::SocketStream(std::move(*socket_)), http2});
    return;
  }
  if (!tls_) {
    stage_ = "the TLS handshake";
    tls_ = std::make_unique<OutgoingTlsStream>(std::move(*socket_));
    socket_.reset();
  }
  IoState state = tls_->Handshake(remote_->tls_context.get());
  if (state == IoState::kAgain) {
    tls_->WaitReadable([self = shared_from_this()](AsioError error) {
      if (self->done_ && !error) self->ShakeHands();
    });
    return;
  }
  if (state == IoState::kDone) {
    OnHands();
    return;
  }
  OutgoingError error =
      MakeOutgoingError(OutgoingFailure::kTls, remote_->text + ": no TLS: " + tls_->error()->text);
  if (tls_->error()->of_certificate) error.code = ErrorCode::kPermissionDenied;
  Fail(std::move(error));
}

void OutgoingConnect::OnHands() {
  bool http2 = tls_->protocol() == "h2";
  if (!http2 && remote_->options.protocol == OutgoingProtocol::kHttp2) {
    Fail(OutgoingFailure::kTls, remote_->text + ": the server does not offer HTTP/2 (ALPN h2)");
    return;
  }
  std::unique_ptr<OutgoingTlsStream> tls = std::move(tls_);
  End(OutgoingStream{std::move(*tls), http2});
}

// --------------------------------------------------------------------------------------------- end

void OutgoingConnect::Fail(OutgoingFailure failure, std::string why) {
  Fail(MakeOutgoingError(
      failure, failure == OutgoingFailure::kConnect || failure == OutgoingFailure::kConnectTimeout
                   ? "no connection to " + remote_->text + ": " + why
                   : std::move(why)));
}

void OutgoingConnect::Fail(OutgoingError error) { End(std::unexpected(std::move(error))); }

void OutgoingConnect::End(std::expected<OutgoingStream, OutgoingError> result) {
  if (!done_) return;
  auto self = shared_from_this();
  Done done = std::move(done_);
  Abandon();
  done(this, std::move(result));
}

void OutgoingConnect::Abandon() {
  auto self = shared_from_this();
  done_ = nullptr;
  deadline_ms_ = next_try_ms_ = kNever;
  resolver_.cancel();
  AsioError ignored;
  for (const auto& attempt : attempts_) attempt->socket.close(ignored);
  attempts_.clear();
  socket_.reset();
  if (tls_) tls_->Close();
  tls_.reset();
  loop_->Remove(self);
}

int64_t OutgoingConnect::deadline_ms() const { return std::min(deadline_ms_, next_try_ms_); }

void OutgoingConnect::OnDeadline(int64_t now_ms) {
  auto self = shared_from_this();
  if (deadline_ms_ <= now_ms) {
    Fail(OutgoingFailure::kConnectTimeout,
         stage_ + " took more than " + std::to_string(remote_->options.connect_timeout_ms) + " ms");
    return;
  }
  if (next_try_ms_ <= now_ms) TryNext();
}

}  // namespace weft::outgoing

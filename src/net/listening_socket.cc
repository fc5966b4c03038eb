// SPDX-License-Identifier: Apache-2.0
#include "net/listening_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <cerrno>

#include "net/port_holder.h"

namespace weft::net {
namespace {

namespace asio = boost::asio;
using Tcp = asio::ip::tcp;
using Unix = asio::local::stream_protocol;
using asio::generic::stream_protocol;

Error BindError(const Tcp::endpoint& endpoint, const boost::system::error_code& error) {
  std::string where = EndpointText(endpoint);
  if (error == asio::error::address_in_use) {
    std::string holder = FindPortHolder(endpoint.port());
    return {weft::ErrorCode::kUnavailable,
            where + " is already in use" + (holder.empty() ? "" : " by " + holder), 0};
  }
  if (error == asio::error::access_denied) {
    return {weft::ErrorCode::kPermissionDenied, "no permission to listen on " + where, 0};
  }
  return {weft::ErrorCode::kUnavailable, "cannot listen on " + where + ": " + error.message(), 0};
}

// Makes way for a socket at `path`, where what stands there was left by a server that is gone.
Status ClearPath(const std::string& path) {
  struct stat facts;
  if (::lstat(path.c_str(), &facts) != 0) return {};
  if (!S_ISSOCK(facts.st_mode))
    return Fail(weft::ErrorCode::kInvalidArgument,
                "cannot listen on " + path + ": it exists and is no socket");
  asio::io_context io;
  Unix::socket probe(io);
  boost::system::error_code error;
  // A server that is too busy to accept must not hold up the start: it is there.
  probe.open(Unix(), error);
  if (!error) probe.non_blocking(true, error);
  if (!error) probe.connect(Unix::endpoint(path), error);
  if (error == asio::error::connection_refused) {
    ::unlink(path.c_str());
    return {};
  }
  if (!error || error == asio::error::would_block)
    return Fail(weft::ErrorCode::kUnavailable, path + " is already in use");
  return Fail(weft::ErrorCode::kPermissionDenied,
              "cannot listen on " + path +
                  ": a socket is there that cannot be looked at: " + error.message());
}

}  // namespace

std::string EndpointText(const Tcp::endpoint& endpoint) {
  std::string address = endpoint.address().to_string();
  if (endpoint.address().is_v6()) address = "[" + address + "]";
  return address + ":" + std::to_string(endpoint.port());
}

Result<uint16_t> ListeningSocket::OpenIp(const asio::ip::address& address, uint16_t port,
                                         ErrorCode* error, bool beside) {
  Tcp::endpoint endpoint(address, port);
  acceptor_.open(stream_protocol(endpoint.protocol()), *error);
  // A restart must not wait for old connections in TIME_WAIT. REUSEPORT stays off: it would let a
  // second server take a share of the connections in silence.
  if (!*error) acceptor_.set_option(asio::socket_base::reuse_address(true), *error);
  if (!*error && address.is_v6()) {
    acceptor_.set_option(asio::ip::v6_only(!address.is_unspecified()), *error);
  }
  if (!*error && beside) AllowBeside(true);
  if (!*error) acceptor_.bind(endpoint, *error);
  if (!*error) acceptor_.listen(asio::socket_base::max_listen_connections, *error);
  if (*error) return Fail(BindError(endpoint, *error));
  if (beside) AllowBeside(false);
  auto bound = acceptor_.local_endpoint(*error);
  Tcp::endpoint local;
  local.resize(bound.size());
  std::copy_n(reinterpret_cast<const char*>(bound.data()), bound.size(),
              reinterpret_cast<char*>(local.data()));
  return local.port();
}

void ListeningSocket::AllowBeside(bool allowed) {
  const int value = allowed ? 1 : 0;
  ::setsockopt(acceptor_.native_handle(), SOL_SOCKET, SO_REUSEPORT, &value, sizeof value);
}

weft::Status ListeningSocket::OpenPath(const std::string& path) {
  const bool abstract = path.starts_with('@');
  if (path.size() >= sizeof(sockaddr_un::sun_path))
    return Fail(weft::ErrorCode::kInvalidArgument,
                path + ": the path of a socket has at most " +
                    std::to_string(sizeof(sockaddr_un::sun_path) - 1) + " bytes");
  if (!abstract) WEFT_TRY(ClearPath(path));
  ErrorCode error;
  acceptor_.open(stream_protocol(Unix()), error);
  if (!error) acceptor_.bind(Unix::endpoint(abstract ? '\0' + path.substr(1) : path), error);
  if (error == asio::error::address_in_use)
    return Fail(weft::ErrorCode::kUnavailable, path + " is already in use");
  struct stat facts;
  if (!error && !abstract && ::lstat(path.c_str(), &facts) == 0) {
    path_ = path;
    device_ = facts.st_dev;
    inode_ = facts.st_ino;
  }
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (error)
    return Fail(error == asio::error::access_denied ? weft::ErrorCode::kPermissionDenied
                                                    : weft::ErrorCode::kUnavailable,
                "cannot listen on " + path + ": " + error.message());
  return {};
}

void ListeningSocket::Close() {
  ErrorCode ignored;
  acceptor_.close(ignored);
  if (path_.empty()) return;
  // Another server may have put its own there meanwhile.
  struct stat facts;
  if (::lstat(path_.c_str(), &facts) == 0 && facts.st_dev == device_ && facts.st_ino == inode_)
    ::unlink(path_.c_str());
  path_.clear();
}

}  // namespace weft::net

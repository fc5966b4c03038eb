// SPDX-License-Identifier: Apache-2.0
//
// A connected socket, TCP or of the Unix domain, as Connection wants it: tell me when, then read or
// write what is possible now.
// A TLS stream has the same shape (OpenSSL over the socket, WANT_READ and WANT_WRITE map to the two
// waits, the handshake runs inside Read), which is why Connection is a template on it.
//
// Thread rule: loop thread. Next: net/connection.h.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cerrno>
#include <span>

namespace weft::net {

enum class IoState : uint8_t {
  kDone,   // `bytes` were moved
  kAgain,  // nothing now: wait
  kEof,    // the peer will send no more
  kGone,   // the connection is broken
};
struct IoResult {
  IoState state = IoState::kDone;
  size_t bytes = 0;
};

// Of any family.
using StreamSocket = boost::asio::generic::stream_protocol::socket;

class SocketStream {
 public:
  explicit SocketStream(StreamSocket socket) : socket_(std::move(socket)) {
    boost::system::error_code ignored;
    socket_.non_blocking(true, ignored);
    socket_.set_option(boost::asio::ip::tcp::no_delay(true), ignored);  // TCP alone has it
  }

  IoResult Read(std::span<char> out) {
    return Judge(::recv(socket_.native_handle(), out.data(), out.size(), 0), true);
  }
  IoResult Write(std::span<iovec> pieces) {
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = pieces.size();
    return Judge(::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL), false);
  }
  template <class Handler>
  void WaitReadable(Handler handler) {
    socket_.async_wait(boost::asio::socket_base::wait_read, std::move(handler));
  }
  template <class Handler>
  void WaitWritable(Handler handler) {
    socket_.async_wait(boost::asio::socket_base::wait_write, std::move(handler));
  }
  void ShutdownSend() {
    boost::system::error_code ignored;
    socket_.shutdown(boost::asio::socket_base::shutdown_send, ignored);
  }
  void Close() {
    boost::system::error_code ignored;
    socket_.close(ignored);
  }

 private:
  static IoResult Judge(ssize_t result, bool reading) {
    if (result > 0) return {IoState::kDone, static_cast<size_t>(result)};
    if (result == 0) return {reading ? IoState::kEof : IoState::kAgain, 0};
    bool again = errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
    return {again ? IoState::kAgain : IoState::kGone, 0};
  }

  StreamSocket socket_;
};

}  // namespace weft::net

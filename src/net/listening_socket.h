// SPDX-License-Identifier: Apache-2.0
//
// A socket that listens: on an IP address and port, or on a path of the file system or an abstract
// name (Unix domain). It takes over the file that a server left behind which is gone, never one
// that somebody answers on, and removes its own file when it is closed.
//
// Made by Server::Listen(). Thread rule: one thread at a time. Next: http/server.h.
#pragma once

#include <sys/types.h>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <string>

#include "base/result.h"

namespace weft::net {

// "127.0.0.1:4317", "[::1]:4317".
std::string EndpointText(const boost::asio::ip::tcp::endpoint& endpoint);

class ListeningSocket {
 public:
  using Acceptor = boost::asio::basic_socket_acceptor<boost::asio::generic::stream_protocol>;
  using ErrorCode = boost::system::error_code;

  explicit ListeningSocket(boost::asio::io_context& io) : acceptor_(io) {}
  ~ListeningSocket() { Close(); }
  ListeningSocket(const ListeningSocket&) = delete;

  // Port 0 is any free one; returns the bound one. `error` is what the system said.
  // `beside`: where another socket of this process that was told so has the port for all addresses,
  // or for one of those asked for.
  Result<uint16_t> OpenIp(const boost::asio::ip::address& address, uint16_t port, ErrorCode* error,
                          bool beside = false);
  // Whether another of this process may be opened beside this one.
  void AllowBeside(bool allowed);
  // "@name" is an abstract name, which is no file.
  weft::Status OpenPath(const std::string& path);
  Acceptor& acceptor() { return acceptor_; }
  void Close();

 private:
  Acceptor acceptor_;
  // Of the file that is ours to remove; "" without one.
  std::string path_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace weft::net

// SPDX-License-Identifier: Apache-2.0
//
// A server for tests that does what a script says, right or wrong: it listens on loopback and runs
// the script once for each connection, each on a thread of its own.
//
// Thread rule: the script runs on other threads than the test. Next: net/raw_client.h,
// outgoing/outgoing_fault_test.cc.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "base/check.h"
#include "net/raw_client.h"

namespace weft::http {

class RawPeer {
 public:
  // `number` counts connections from 0. The connection closes when the script returns.
  using Script = std::function<void(net::RawClient& peer, int number)>;

  // `port` 0: any free one.
  explicit RawPeer(Script script, uint16_t port = 0) : script_(std::move(script)) {
    listen_fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int yes = 1;
    ::setsockopt(listen_fd_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    WEFT_CHECK(::bind(listen_fd_, generic, sizeof address) == 0);
    WEFT_CHECK(::listen(listen_fd_, 64) == 0);
    socklen_t size = sizeof address;
    WEFT_CHECK(::getsockname(listen_fd_, generic, &size) == 0);
    port_ = ntohs(address.sin_port);
    accepter_ = std::thread([this] { Accept(); });
  }
  ~RawPeer() {
    ::shutdown(listen_fd_, SHUT_RDWR);
    accepter_.join();
    ::close(listen_fd_);
    {
      std::lock_guard lock(mutex_);
      for (int fd : fds_) ::shutdown(fd, SHUT_RDWR);
    }
    for (std::thread& thread : threads_) thread.join();
  }
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;

  uint16_t port() const { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  int accepted() const { return accepted_.load(); }

 private:
  void Accept() {
    for (;;) {
      int fd = ::accept4(listen_fd_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      int number = accepted_.fetch_add(1);
      {
        std::lock_guard lock(mutex_);
        fds_.push_back(fd);
      }
      threads_.emplace_back([this, fd, number] {
        net::RawClient peer(net::RawClient::Accepted{fd});
        script_(peer, number);
        std::lock_guard lock(mutex_);
        std::erase(fds_, fd);
        peer.Close();
      });
    }
  }

  const Script script_;
  int listen_fd_ = -1;
  uint16_t port_ = 0;
  std::atomic<int> accepted_{0};
  std::mutex mutex_;
  std::vector<int> fds_;              // guarded by mutex_
  std::vector<std::thread> threads_;  // the accepter's, then the destructor's
  std::thread accepter_;
};

}  // namespace weft::http

// SPDX-License-Identifier: Apache-2.0
//
// A socket for tests: connects to loopback, sends bytes as they are, reads until a condition holds
// or ten seconds are over. Tests use it where a proper client would refuse to misbehave.
//
// Thread rule: one thread per object. Next: http/server.h.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>

namespace weft::net {

class RawClient {
 public:
  explicit RawClient(uint16_t port, int receive_buffer_bytes = 0) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (receive_buffer_bytes > 0) {
      ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof(int));
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  }
  // Takes over a connected socket: a peer that a test has accepted.
  struct Accepted {
    int fd;
  };
  explicit RawClient(Accepted accepted) : fd_(accepted.fd), connected_(accepted.fd >= 0) {}
  ~RawClient() { Close(); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  bool connected() const { return connected_; }
  int fd() const { return fd_; }
  bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }
  void ShutdownSend() { ::shutdown(fd_, SHUT_WR); }
  void Close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  // Closes so that the peer sees a reset.
  void Reset() {
    linger hard{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    Close();
  }

  // All bytes received so far, after reading until `enough(received)`, end of stream or 10 s.
  const std::string& ReadUntil(const std::function<bool(const std::string&)>& enough) {
    auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!enough(received_) && !eof_ && std::chrono::steady_clock::now() < end) ReadSome(50);
    return received_;
  }
  const std::string& ReadUntil(std::string_view text) {
    return ReadUntil([text](const std::string& in) { return in.find(text) != std::string::npos; });
  }
  const std::string& ReadAll() {
    return ReadUntil([](const std::string&) { return false; });
  }
  // False when nothing came within `timeout_ms`.
  bool WaitReadable(int timeout_ms) {
    pollfd poll_fd{fd_, POLLIN, 0};
    return ::poll(&poll_fd, 1, timeout_ms) > 0;
  }
  // One read, waiting up to `timeout_ms`. False when nothing came.
  bool ReadSome(int timeout_ms, size_t bytes_max = 65536) {
    if (!WaitReadable(timeout_ms)) return false;
    size_t before = received_.size();
    received_.resize(before + bytes_max);
    ssize_t got = ::recv(fd_, received_.data() + before, bytes_max, 0);
    received_.resize(before + (got > 0 ? static_cast<size_t>(got) : 0));
    if (got <= 0) eof_ = true;
    if (got < 0) reset_ = true;
    return got > 0;
  }
  std::string Take() { return std::exchange(received_, {}); }
  bool eof() const { return eof_; }
  bool reset() const { return reset_; }

 private:
  int fd_ = -1;
  bool connected_ = false;
  bool eof_ = false;
  bool reset_ = false;
  std::string received_;
};

}  // namespace weft::net

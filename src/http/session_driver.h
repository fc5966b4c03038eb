// SPDX-License-Identifier: Apache-2.0
//
// A Session without a socket: tests and fuzz targets put bytes in, look at the bytes that come out
// and move the time. Does what net/connection.h does, in the calling thread.
//
// Thread rule: one thread. Next: net/session.h, net/connection.h.
#pragma once

#include <algorithm>
#include <array>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "http/server_session.h"

namespace weft::http {

class SessionDriver final : public net::SessionHost {
 public:
  static std::shared_ptr<SessionDriver> Make(const ServerLimits& limits, const Router& router) {
    // The router is borrowed.
    return Make(limits, std::make_shared<Entrance>(
                            std::shared_ptr<const Router>(std::shared_ptr<void>(), &router)));
  }

  static std::shared_ptr<SessionDriver> Make(const ServerLimits& limits,
                                             std::shared_ptr<const Entrance> entrance) {
    auto driver = std::make_shared<SessionDriver>();
    driver->door_ = std::make_shared<Door>(std::move(entrance));
    driver->limits_ = limits;
    driver->session_ =
        std::make_unique<ServerSession>(driver.get(), driver->limits_, driver->door_, "test:1");
    return driver;
  }

  // ---- SessionHost
  void Post(std::function<void()> task) override { posted_.push_back(std::move(task)); }
  bool OnLoopThread() const override { return true; }
  void Enter() override { ++depth_; }
  void Leave() override {
    if (depth_ == 1 && !closed_) Flush();
    --depth_;
  }
  int64_t NowMs() const override { return now_ms_; }

  // Gives `bytes` to the session as far as it wants them; returns how many it took.
  size_t Feed(std::string_view bytes) {
    size_t before = bytes.size();
    while (!bytes.empty() && !closed_ && !session_->finished() && session_->wants_read()) {
      Enter();
      std::span<char> direct = session_->DirectSpace();
      size_t step = bytes.size();
      if (!direct.empty()) {
        step = std::min(direct.size(), bytes.size());
        std::copy_n(bytes.data(), step, direct.data());
        session_->OnDirect(step);
      } else {
        session_->OnBytes(bytes);
      }
      bytes.remove_prefix(step);
      Leave();
      RunPosted();
    }
    return before - bytes.size();
  }
  void Eof() {
    Enter();
    if (!closed_) session_->OnEof();
    Leave();
    RunPosted();
  }
  // Moves the time to each deadline that falls into the next `ms`, then to their end.
  void Advance(int64_t ms) {
    int64_t end = now_ms_ + ms;
    while (!closed_ && !session_->finished() && session_->deadline_ms() <= end) {
      now_ms_ = std::max(now_ms_, session_->deadline_ms());
      Enter();
      session_->OnDeadline(now_ms_);
      Leave();
      RunPosted();
    }
    now_ms_ = end;
  }
  void RunPosted() {
    while (!posted_.empty()) {
      auto task = std::move(posted_.front());
      posted_.pop_front();
      Enter();
      task();
      Leave();
    }
  }
  void BeginDrain() {
    Enter();
    session_->BeginDrain();
    Leave();
    RunPosted();
  }
  void Close() {
    if (closed_) return;
    closed_ = true;
    session_->OnClosed();
    RunPosted();
  }

  // False: the peer reads nothing.
  void set_reading(bool reading) {
    reading_ = reading;
    Enter();
    Leave();
    RunPosted();
  }
  std::string Take() { return std::exchange(out_, {}); }
  const std::string& out() const { return out_; }
  bool finished() const { return session_->finished() && session_->output().empty(); }
  net::Session& session() { return *session_; }

 private:
  void Flush() {
    for (;;) {
      session_->FillOutput();
      if (session_->output().empty()) return;
      std::array<iovec, 4> pieces;
      size_t count = reading_ ? session_->output().Peek(pieces) : 0;
      size_t bytes = 0;
      for (size_t i = 0; i < count; ++i) {
        out_.append(static_cast<const char*>(pieces[i].iov_base), pieces[i].iov_len);
        bytes += pieces[i].iov_len;
      }
      session_->output().Consume(bytes);
      session_->OnWritten(bytes);
      if (bytes == 0) return;
    }
  }

  std::deque<std::function<void()>> posted_;
  std::shared_ptr<Door> door_;
  ServerLimits limits_;
  std::unique_ptr<net::Session> session_;
  std::string out_;
  int64_t now_ms_ = 1'000'000;
  int depth_ = 0;
  bool reading_ = true;
  bool closed_ = false;
};

}  // namespace weft::http

// SPDX-License-Identifier: Apache-2.0
//
// Drives a Session over a stream: reads when it is readable and the session wants bytes, writes
// what the session has queued, closes when both are done.
//
// Life: Server accepts -> Start() -> ... -> CloseNow(), which leaves the loop and calls `on_gone`
// once. Exchanges may hold the object longer; it is then an empty shell that drops what they send.
// Thread rule: loop thread, except Post. Next: net/session.h, net/socket_stream.h.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <utility>

#include "net/loop.h"
#include "net/session.h"
#include "net/socket_stream.h"

namespace weft::net {

template <class Stream>
class Connection final : public SessionHost, public LoopMember {
 public:
  Connection(std::shared_ptr<Loop> loop, Stream stream, std::function<void()> on_gone)
      : loop_(std::move(loop)), stream_(std::move(stream)), on_gone_(std::move(on_gone)) {}

  void Start(std::unique_ptr<Session> session) {
    session_ = std::move(session);
    loop_->Add(Self());
    Enter();
    Leave();
  }

  // ---- SessionHost
  void Post(std::function<void()> task) override {
    loop_->Post([self = Self(), task = std::move(task)] {
      self->Enter();
      task();
      self->Leave();
    });
  }
  bool OnLoopThread() const override { return loop_->on_loop(); }
  void Enter() override { ++depth_; }
  void Leave() override {
    if (depth_ == 1 && !closed_) Settle();
    --depth_;
  }
  int64_t NowMs() const override { return MonotonicMs(); }
  void ReadNow() override {
    if (closed_) return;
    Enter();
    ReadTurn();
    Leave();
  }

  // ---- LoopMember
  int64_t deadline_ms() const override {
    if (lingering_) return linger_deadline_ms_;
    return closed_ ? kNever : session_->deadline_ms();
  }
  void OnDeadline(int64_t now_ms) override {
    auto self = Self();
    if (lingering_) {
      CloseNow();
      return;
    }
    Enter();
    session_->OnDeadline(now_ms);
    Leave();
  }
  void BeginDrain() override {
    auto self = Self();
    Enter();
    if (!closed_ && !lingering_) session_->BeginDrain();
    Leave();
  }
  void ForceClose() override { CloseNow(); }
  void WindDown() override {
    auto self = Self();
    Enter();
    if (!closed_ && !lingering_) session_->WindDown(NowMs() + kWindDownMs);
    Leave();
  }
  const void* group() const override { return group_; }
  // Before Start().
  void set_group(const void* group) { group_ = group; }

 private:
  // A turn on the loop moves at most this much in each direction; then others have theirs.
  static constexpr size_t kTurnBytes = 1 << 20;
  static constexpr int64_t kLingerMs = 2'000;
  // Longer than what a peer has sent before it heard the goodbye is on its way.
  static constexpr int64_t kWindDownMs = 1'000;

  std::shared_ptr<Connection> Self() {
    return std::static_pointer_cast<Connection>(shared_from_this());
  }

  // After any work on the session: write, then decide how to go on. depth_ stays 1 in here, so that
  // answers given by callbacks during a write are only queued.
  void Settle() {
    Flush();
    if (closed_) return;
    if (session_->finished() && session_->output().empty()) {
      if (!session_->lingers()) {
        CloseNow();
        return;
      }
      if (!lingering_) {
        lingering_ = true;
        linger_deadline_ms_ = NowMs() + kLingerMs;
        stream_.ShutdownSend();
      }
    }
    loop_->Arm(deadline_ms());
    if (!reading_ && (lingering_ || session_->wants_read())) WaitReadable();
  }

  void WaitReadable() {
    reading_ = true;
    stream_.WaitReadable([self = Self()](boost::system::error_code error) {
      self->reading_ = false;
      if (error || self->closed_) return;
      self->Enter();
      self->ReadTurn();
      self->Leave();
    });
  }

  void ReadTurn() {
    size_t moved = 0;
    while (moved < kTurnBytes && (lingering_ || session_->wants_read())) {
      std::span<char> direct = lingering_ ? std::span<char>() : session_->DirectSpace();
      std::span<char> space = direct.empty() ? loop_->scratch() : direct;
      IoResult result = stream_.Read(space);
      if (result.state == IoState::kAgain) return;
      if (result.state == IoState::kGone || (lingering_ && result.state == IoState::kEof)) {
        CloseNow();
        return;
      }
      if (result.state == IoState::kEof) {
        session_->OnEof();
        return;
      }
      moved += result.bytes;
      if (!direct.empty()) {
        session_->OnDirect(result.bytes);
      } else if (!lingering_) {
        session_->OnBytes({space.data(), result.bytes});
      }
      // A short read has emptied the socket: asking again would only cost a system call.
      if (closed_ || result.bytes < space.size()) return;
    }
  }

  void Flush() {
    size_t moved = 0;
    while (!closed_ && !writing_) {
      session_->FillOutput();
      if (session_->output().empty()) return;
      std::array<iovec, 16> pieces;
      size_t count = session_->output().Peek(pieces);
      IoResult result =
          moved < kTurnBytes ? stream_.Write({pieces.data(), count}) : IoResult{IoState::kAgain, 0};
      if (result.state == IoState::kGone) {
        if (session_->reads_last_words()) ReadTurn();
        CloseNow();
        return;
      }
      if (result.state == IoState::kAgain) WaitWritable();
      if (result.state == IoState::kAgain && moved > 0) return;
      moved += result.bytes;
      session_->output().Consume(result.bytes);
      session_->OnWritten(result.bytes);
    }
  }

  void WaitWritable() {
    writing_ = true;
    stream_.WaitWritable([self = Self()](boost::system::error_code error) {
      self->writing_ = false;
      if (error || self->closed_) return;
      self->Enter();
      self->Leave();
    });
  }

  void CloseNow() {
    if (closed_) return;
    auto self = Self();
    closed_ = true;
    lingering_ = false;
    stream_.Close();
    ++depth_;  // nothing that OnClosed leads to may settle a closed connection
    session_->OnClosed();
    --depth_;
    loop_->Remove(self);
    if (auto on_gone = std::move(on_gone_)) on_gone();
  }

  const std::shared_ptr<Loop> loop_;
  Stream stream_;
  std::function<void()> on_gone_;
  std::unique_ptr<Session> session_;
  const void* group_ = nullptr;
  int depth_ = 0;
  bool reading_ = false;
  bool writing_ = false;
  bool closed_ = false;
  bool lingering_ = false;
  int64_t linger_deadline_ms_ = kNever;
};

}  // namespace weft::net

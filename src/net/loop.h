// SPDX-License-Identifier: Apache-2.0
//
// One event-loop thread: an io_context, the read buffer that its connections share, and one timer
// for all their deadlines. A connection that waits costs no buffer and no timer of its own.
//
// Made by Server or by the owner of an OutgoingClient; held by connections too, so that an Exchange
// that outlives the server finds a loop that politely drops its post.
// Thread rule: Post and on_loop from any thread; the rest on the loop thread. Next:
// net/connection.h.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_set>
#include <vector>

#include "net/session.h"

namespace weft::net {

int64_t MonotonicMs();

// Something with a deadline, registered with its loop.
class LoopMember {
 public:
  virtual ~LoopMember() = default;
  virtual int64_t deadline_ms() const = 0;
  virtual void OnDeadline(int64_t now_ms) = 0;
  virtual void BeginDrain() = 0;
  virtual void ForceClose() = 0;
  // As BeginDrain, but in a while: Session::WindDown.
  virtual void WindDown() { BeginDrain(); }
  // Those with the same may be drained or closed apart from others; null: none.
  virtual const void* group() const { return nullptr; }
};

class Loop {
 public:
  static constexpr size_t kScratchBytes = 256 * 1024;

  Loop() : timer_(io_), work_(io_.get_executor()), scratch_(kScratchBytes) {}

  void Start();
  // REQUIRES: all members are gone or will be. Runs what is left, then joins.
  void Stop();

  // False: the loop has stopped, and the task is dropped.
  bool Post(std::function<void()> task);
  bool on_loop() const {
    return thread_id_.load(std::memory_order_relaxed) == std::this_thread::get_id();
  }

  boost::asio::io_context& io() { return io_; }
  std::span<char> scratch() { return scratch_; }
  void Add(std::shared_ptr<LoopMember> member) { members_.insert(std::move(member)); }
  void Remove(const std::shared_ptr<LoopMember>& member) { members_.erase(member); }
  std::vector<std::shared_ptr<LoopMember>> Members() const {
    return {members_.begin(), members_.end()};
  }
  // Called by a member whose deadline may have come nearer.
  void Arm(int64_t deadline_ms);

 private:
  void OnTimer();

  boost::asio::io_context io_{1};
  boost::asio::steady_timer timer_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::vector<char> scratch_;
  std::unordered_set<std::shared_ptr<LoopMember>> members_;
  int64_t armed_ms_ = kNever;
  int64_t last_scan_ms_ = 0;
  std::atomic<std::thread::id> thread_id_;
  std::thread thread_;
  std::mutex mutex_;
  bool stopped_ = false;  // guarded by mutex_
};

}  // namespace weft::net

// SPDX-License-Identifier: Apache-2.0
#include "net/loop.h"

#include <algorithm>
#include <chrono>

namespace weft::net {
namespace {
// Deadlines are looked at no more often than this: a scan touches every connection.
constexpr int64_t kScanEveryMs = 20;
}  // namespace

int64_t MonotonicMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

void Loop::Start() {
  thread_ = std::thread([this] {
    thread_id_.store(std::this_thread::get_id(), std::memory_order_relaxed);
    io_.run();
  });
}

void Loop::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  boost::asio::post(io_, [this] { timer_.cancel(); });
  work_.reset();
  if (thread_.joinable()) thread_.join();
  thread_id_.store(std::thread::id(), std::memory_order_relaxed);
  // A server that was never started has no thread that would have run what is queued.
  io_.restart();
  io_.poll();
}

bool Loop::Post(std::function<void()> task) {
  std::lock_guard lock(mutex_);
  if (!stopped_) boost::asio::post(io_, std::move(task));
  return !stopped_;
}

void Loop::Arm(int64_t deadline_ms) {
  if (deadline_ms == kNever) return;
  int64_t at = std::max(deadline_ms, last_scan_ms_ + kScanEveryMs);
  if (at >= armed_ms_) return;
  armed_ms_ = at;
  timer_.expires_at(std::chrono::steady_clock::time_point(std::chrono::milliseconds(at)));
  timer_.async_wait([this](boost::system::error_code error) {
    if (!error) OnTimer();
  });
}

void Loop::OnTimer() {
  int64_t now = MonotonicMs();
  last_scan_ms_ = now;
  armed_ms_ = kNever;
  int64_t next = kNever;
  for (const auto& member : Members()) {
    if (member->deadline_ms() <= now) member->OnDeadline(now);
    next = std::min(next, member->deadline_ms());
  }
  Arm(next);
}

}  // namespace weft::net

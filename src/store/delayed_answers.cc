// SPDX-License-Identifier: Apache-2.0
#include "store/delayed_answers.h"

#include <utility>

namespace weft::store {

void DelayedAnswers::Start() {
  running_ = true;
  thread_ = std::thread([this] { Run(); });
}

void DelayedAnswers::Add(Time due, Completion done) {
  if (due > std::chrono::steady_clock::now()) {
    std::lock_guard lock(mutex_);
    if (running_) {
      const auto place = waiting_.emplace(due, std::move(done));
      if (place == waiting_.begin()) changed_.notify_one();
      return;
    }
  }
  done({});
}

void DelayedAnswers::Run() {
  std::unique_lock lock(mutex_);
  while (running_) {
    if (waiting_.empty()) {
      changed_.wait(lock);
      continue;
    }
    const Time due = waiting_.begin()->first;
    if (due > std::chrono::steady_clock::now()) {
      changed_.wait_until(lock, due);
      continue;
    }
    Completion done = std::move(waiting_.begin()->second);
    waiting_.erase(waiting_.begin());
    lock.unlock();
    done({});
    lock.lock();
  }
}

void DelayedAnswers::Stop() {
  std::multimap<Time, Completion> left;
  {
    std::lock_guard lock(mutex_);
    running_ = false;
    left.swap(waiting_);
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
  for (auto& [due, done] : left) done({});
}

}  // namespace weft::store

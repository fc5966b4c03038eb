// SPDX-License-Identifier: Apache-2.0
//
// DelayedAnswers: completions that run a while later, in the order in which they are due. The store
// slows its senders down with them: no thread of theirs waits.
//
// Time is the real one. Thread rule: every method may be called from any thread; completions run on
// a thread of its own, or in Add() and Stop(). Next: store/merge_pace.h (how long).
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <thread>

#include "store/store.h"

namespace weft::store {

class DelayedAnswers {
 public:
  using Time = std::chrono::steady_clock::time_point;

  ~DelayedAnswers() { Stop(); }
  void Start();
  // Without a thread, or when `due` has passed, it runs now.
  void Add(Time due, Completion done);
  // Runs what waits, now. Idempotent.
  void Stop();

 private:
  void Run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::multimap<Time, Completion> waiting_;
  bool running_ = false;
  std::thread thread_;
};

}  // namespace weft::store

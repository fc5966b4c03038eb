// SPDX-License-Identifier: Apache-2.0
//
// MemoryWatch: compares what the budget knows with what the process really has, ten times a second:
// the anonymous memory that nobody charged (code's data, stacks, block metadata, chunks that only
// snapshots hold, the allocator's holes) becomes the budget's rest, so that the limit holds for
// all. Where the holes are large they are given back to the system. It also tells the budget what
// the heads hold.
//
// Thread rule: a thread of its own from Start() to Stop(). Source: proc_pid_statm(5).
// Next: base/memory_budget.h.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "base/memory_budget.h"

namespace weft::server {

// Of this process; nothing where /proc does not say.
std::optional<uint64_t> AnonymousBytes();

class MemoryWatch {
 public:
  // `head_bytes` says what the stores' heads hold. All borrowed.
  MemoryWatch(MemoryBudget* budget, MemoryAccount* head, std::function<uint64_t()> head_bytes);
  ~MemoryWatch() { Stop(); }
  void Start();
  void Stop();
  // One look. `anonymous`: what the process has. True: its holes are worth to be given back.
  bool Look(uint64_t anonymous);

 private:
  void Watch();

  MemoryBudget* const budget_;
  const std::function<uint64_t()> head_bytes_;
  MemoryCharge head_;
  uint64_t rest_ = 0;
  int looks_since_trim_ = 0;
  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopping_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace weft::server

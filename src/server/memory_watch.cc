// SPDX-License-Identifier: Apache-2.0
#include "server/memory_watch.h"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

namespace weft::server {
namespace {

constexpr std::chrono::milliseconds kEvery{100};
// Giving memory back walks the heap: no more often than every second.
constexpr int kLooksBetweenTrims = 10;
constexpr uint64_t kTrimDivisor = 8;  // of the limit: holes below it are left

}  // namespace

std::optional<uint64_t> AnonymousBytes() {
  std::FILE* file = std::fopen("/proc/self/statm", "re");
  if (file == nullptr) return std::nullopt;
  // Pages: all, resident, those of them that belong to files or are shared.
  unsigned long long all = 0, resident = 0, shared = 0;
  const int read = std::fscanf(file, "%llu %llu %llu", &all, &resident, &shared);
  std::fclose(file);
  if (read != 3 || resident < shared) return std::nullopt;
  return (resident - shared) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

MemoryWatch::MemoryWatch(MemoryBudget* budget, MemoryAccount* head,
                         std::function<uint64_t()> head_bytes)
    : budget_(budget), head_bytes_(std::move(head_bytes)), head_(head->TakeAnyway(0)) {}

void MemoryWatch::Start() {
  thread_ = std::thread([this] { Watch(); });
}

void MemoryWatch::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool MemoryWatch::Look(uint64_t anonymous) {
  head_.Settle(head_bytes_());
  const uint64_t charged = budget_->charged();
  const uint64_t rest = anonymous > charged ? anonymous - charged : 0;
  // What is charged is not always there yet, and hides as much of the rest: what was seen of it
  // fades over some seconds.
  rest_ = std::max(rest, rest_ - rest_ / 32);
  budget_->SetUncharged(rest_);
  ++looks_since_trim_;
  if (rest < budget_->bytes_max() / kTrimDivisor || looks_since_trim_ < kLooksBetweenTrims)
    return false;
  looks_since_trim_ = 0;
  return true;
}

void MemoryWatch::Watch() {
  std::unique_lock lock(mutex_);
  while (!stop_.wait_for(lock, kEvery, [this] { return stopping_; })) {
    lock.unlock();
    if (std::optional<uint64_t> anonymous = AnonymousBytes(); anonymous && Look(*anonymous)) {
      malloc_trim(0);
      if ((anonymous = AnonymousBytes())) {
        const uint64_t charged = budget_->charged();
        rest_ = *anonymous > charged ? *anonymous - charged : 0;
        budget_->SetUncharged(rest_);
      }
    }
    lock.lock();
  }
}

}  // namespace weft::server

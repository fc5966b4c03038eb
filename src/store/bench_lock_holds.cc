// SPDX-License-Identifier: Apache-2.0
#include "store/bench_lock_holds.h"

#include <cxxabi.h>
#include <dlfcn.h>
#include <pthread.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdlib>

namespace weft::bench {
namespace {

// Sixteen steps for each doubling.
constexpr uint32_t kSteps = 16, kBuckets = 48 * kSteps;
constexpr size_t kLocks = 512, kHeldMax = 16;

uint32_t BucketOf(uint64_t ns) {
  if (ns < kSteps) return static_cast<uint32_t>(ns);
  const auto power = static_cast<uint32_t>(std::bit_width(ns)) - 5;
  return std::min((power + 1) * kSteps + (static_cast<uint32_t>(ns >> power) & (kSteps - 1)),
                  kBuckets - 1);
}
uint64_t EndOf(uint32_t bucket) {
  if (bucket < kSteps) return bucket;
  const uint32_t power = bucket / kSteps - 1;
  return ((uint64_t{kSteps} + bucket % kSteps + 1) << power) - 1;
}

struct Lock {
  std::atomic<const void*> mutex = nullptr;
  std::atomic<const void*> site = nullptr;  // of the first marked thread
  std::atomic<uint64_t> longest_ns = 0, longest_cpu_ns = 0, most_cpu_ns = 0;
  std::array<std::atomic<uint64_t>, kBuckets> buckets{};
};
struct Hold {
  const void* mutex = nullptr;
  uint64_t start_ns = 0, start_cpu_ns = 0;
};

std::array<Lock, kLocks> locks;
std::atomic<bool> measuring = false;
thread_local bool marked = false;
thread_local std::array<Hold, kHeldMax> held;
thread_local size_t held_count = 0;

uint64_t Now(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

Lock* Find(const void* mutex) {
  size_t place = reinterpret_cast<uintptr_t>(mutex) / 8 % kLocks;
  for (size_t i = 0; i < kLocks; ++i, place = (place + 1) % kLocks) {
    const void* known = nullptr;
    if (locks[place].mutex.compare_exchange_strong(known, mutex) || known == mutex)
      return &locks[place];
  }
  return nullptr;
}

void Began(const void* mutex, const void* site) {
  if (!measuring.load(std::memory_order_relaxed) || held_count == kHeldMax) return;
  Lock* lock = Find(mutex);
  if (lock == nullptr) return;
  const void* none = nullptr;
  if (marked) lock->site.compare_exchange_strong(none, site);
  Hold& hold = held[held_count++];
  hold.mutex = mutex;
  hold.start_cpu_ns = Now(CLOCK_THREAD_CPUTIME_ID);
  hold.start_ns = Now(CLOCK_MONOTONIC);
}

void Ended(const void* mutex) {
  if (held_count == 0) return;
  const uint64_t now_ns = Now(CLOCK_MONOTONIC), cpu_ns = Now(CLOCK_THREAD_CPUTIME_ID);
  for (size_t i = held_count; i-- > 0;) {
    if (held[i].mutex != mutex) continue;
    const uint64_t ns = now_ns - held[i].start_ns, cpu = cpu_ns - held[i].start_cpu_ns;
    std::copy(held.begin() + static_cast<ptrdiff_t>(i) + 1,
              held.begin() + static_cast<ptrdiff_t>(held_count),
              held.begin() + static_cast<ptrdiff_t>(i));
    --held_count;
    Lock* lock = Find(mutex);
    if (lock == nullptr || !measuring.load(std::memory_order_relaxed)) return;
    lock->buckets[BucketOf(ns)].fetch_add(1, std::memory_order_relaxed);
    if (ns > lock->longest_ns) {
      lock->longest_ns = ns;
      lock->longest_cpu_ns = cpu;
    }
    if (cpu > lock->most_cpu_ns) lock->most_cpu_ns = cpu;
    return;
  }
}

template <class Function>
Function* Real(Function*, const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

std::string NameOf(const void* site) {
  Dl_info info{};
  if (dladdr(site, &info) == 0 || info.dli_sname == nullptr) return "?";
  int status = 0;
  char* readable = abi::__cxa_demangle(info.dli_sname, nullptr, nullptr, &status);
  std::string name = status == 0 ? readable : info.dli_sname;
  std::free(readable);
  return name.substr(0, name.find('('));
}

uint64_t Quantile(const Lock& lock, uint64_t holds, double share) {
  const auto rank = static_cast<uint64_t>(static_cast<double>(holds) * share);
  uint64_t before = 0;
  for (uint32_t bucket = 0; bucket < kBuckets; ++bucket) {
    before += lock.buckets[bucket];
    if (before > rank) return EndOf(bucket);
  }
  return lock.longest_ns;
}

}  // namespace

void MarkThread() { marked = true; }

void BeginLockHolds() {
  for (Lock& lock : locks) {
    lock.mutex = lock.site = nullptr;
    lock.longest_ns = lock.longest_cpu_ns = lock.most_cpu_ns = 0;
    for (auto& bucket : lock.buckets) bucket = 0;
  }
  measuring = true;
}

std::vector<LockHolds> EndLockHolds() {
  measuring = false;
  std::vector<LockHolds> out;
  for (const Lock& lock : locks) {
    if (lock.site == nullptr) continue;
    LockHolds holds;
    for (const auto& bucket : lock.buckets) holds.holds += bucket;
    holds.name = NameOf(lock.site);
    holds.p50_ns = Quantile(lock, holds.holds, 0.5);
    holds.p999_ns = Quantile(lock, holds.holds, 0.999);
    holds.longest_ns = lock.longest_ns;
    holds.longest_cpu_ns = lock.longest_cpu_ns;
    holds.most_cpu_ns = lock.most_cpu_ns;
    out.push_back(std::move(holds));
  }
  std::ranges::sort(out, std::greater(), &LockHolds::holds);
  return out;
}

}  // namespace weft::bench

extern "C" {

int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept {
  static const auto real = weft::bench::Real(pthread_mutex_lock, "pthread_mutex_lock");
  const int result = real(mutex);
  if (result == 0) weft::bench::Began(mutex, __builtin_return_address(0));
  return result;
}

int pthread_mutex_trylock(pthread_mutex_t* mutex) noexcept {
  static const auto real = weft::bench::Real(pthread_mutex_trylock, "pthread_mutex_trylock");
  const int result = real(mutex);
  if (result == 0) weft::bench::Began(mutex, __builtin_return_address(0));
  return result;
}

int pthread_mutex_unlock(pthread_mutex_t* mutex) noexcept {
  static const auto real = weft::bench::Real(pthread_mutex_unlock, "pthread_mutex_unlock");
  weft::bench::Ended(mutex);
  return real(mutex);
}

int pthread_cond_wait(pthread_cond_t* condition, pthread_mutex_t* mutex) {
  static const auto real = weft::bench::Real(pthread_cond_wait, "pthread_cond_wait");
  weft::bench::Ended(mutex);
  const int result = real(condition, mutex);
  weft::bench::Began(mutex, __builtin_return_address(0));
  return result;
}

int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t clock,
                           const timespec* until) {
  static const auto real = weft::bench::Real(pthread_cond_clockwait, "pthread_cond_clockwait");
  weft::bench::Ended(mutex);
  const int result = real(condition, mutex, clock, until);
  weft::bench::Began(mutex, __builtin_return_address(0));
  return result;
}

}  // extern "C"

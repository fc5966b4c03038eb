// SPDX-License-Identifier: Apache-2.0
//
// For benches: how long each mutex of the process is held. The bench's executable stands before the
// C library's pthread_mutex_lock() and its kin, so that the code that is measured is the code that
// ships. Nothing is measured until Begin().
//
// A lock is named by the function that a marked thread locked it in first. Times in ns. A hold ends
// where its thread waits on a condition. Thread rule: Begin() and End() by one thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace weft::bench {

// The calling thread is one whose locks are asked for.
void MarkThread();

struct LockHolds {
  std::string name;
  uint64_t holds = 0;
  uint64_t p50_ns = 0, p999_ns = 0;
  uint64_t longest_ns = 0, longest_cpu_ns = 0;  // of one hold: on the wall, and of its thread's CPU
  uint64_t most_cpu_ns = 0;                     // of any hold
};
void BeginLockHolds();
// Of the locks that marked threads have taken since, held by whatever thread, most often first.
std::vector<LockHolds> EndLockHolds();

}  // namespace weft::bench

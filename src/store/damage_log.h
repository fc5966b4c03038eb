// SPDX-License-Identifier: Apache-2.0
//
// DamageLog: every piece of damage that the store has met since it was opened. It is told at once,
// and once: a block that is read a thousand times is named the first time. Outlives the engine
// where a snapshot does.
//
// Thread rule: any thread; calls the observer on the caller's.
// Next: store/live_block.h.
#pragma once

#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "store/store.h"

namespace weft::store {

class DamageLog {
 public:
  // `observer` may be null.
  explicit DamageLog(StoreObserver* observer) : observer_(observer) {}

  // A sentence that names the file.
  void Note(std::string what);
  // A file of the log, or a manifest, that goes to quarantine, or a block that has gone there.
  void NoteQuarantined(std::string what);
  // A read of a block failed: counted each time, told once until Forget().
  void NoteBlock(uint64_t number, const std::string& what);
  // The block is whole again, or gone.
  void Forget(uint64_t number);
  // What was met in an attempt to open that begins anew.
  void Clear();
  // The observer goes.
  void Detach();

  std::vector<std::string> sentences() const;
  uint64_t failed_reads() const;
  uint64_t quarantined() const;

 private:
  void Tell(std::string what);  // REQUIRES: mutex_ held

  mutable std::mutex mutex_;
  StoreObserver* observer_;
  std::set<uint64_t> blocks_;
  std::vector<std::string> sentences_;
  uint64_t failed_reads_ = 0;
  uint64_t quarantined_ = 0;
};

}  // namespace weft::store

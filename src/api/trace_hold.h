// SPDX-License-Identifier: Apache-2.0
//
// TraceHold: the memory of the one trace that an answer of several holds at a time. The next is
// charged before it is read, and waits a little for what others hold.
//
// Thread rule: one thread at a time, never a net thread. Next: api/query_memory.h.
#pragma once

#include <memory>

#include "api/stored_trace.h"
#include "base/memory_budget.h"

namespace weft::api {

class TraceHold {
 public:
  // Of nothing yet. `answers` is borrowed.
  explicit TraceHold(MemoryAccount* answers) : answers_(answers) {}
  // For the one trace that was charged beforehand; null: it holds nothing.
  explicit TraceHold(std::shared_ptr<MemoryCharge> charge) : charge_(std::move(charge)) {}

  // Before `id` is read. REQUIRES: the last trace has been freed. kUnavailable or kTooLarge: there
  // is no memory for it.
  Status Cover(const store::Snapshot& snapshot, const TraceId& id);
  // What the trace that was read really holds.
  void Settle(uint64_t bytes) { SettleCharge(bytes, charge_); }
  void Release() { charge_.reset(); }

 private:
  MemoryAccount* answers_ = nullptr;  // null: all is charged
  std::shared_ptr<MemoryCharge> charge_;
};

}  // namespace weft::api

// SPDX-License-Identifier: Apache-2.0
//
// WaitingBytes follows what waits for a peer to read it: charged while it lies there, and with a
// deadline by which the peer must have taken a good piece of it.
//
// Thread rule: loop thread. Used by http/http1_session.h, http/http2_session.h,
// http/http2_stream.h.
#pragma once

#include <cstdint>

#include "base/memory_budget.h"
#include "http/server.h"
#include "net/session.h"

namespace weft::http {

class WaitingBytes {
 public:
  explicit WaitingBytes(const ServerLimits& limits) : limits_(limits) {}

  // `bytes` wait from now on, of which the peer has just taken `taken`.
  void Update(uint64_t bytes, uint64_t taken, int64_t now_ms) {
    Charge(bytes);
    if (bytes == 0) {
      deadline_ms_ = net::kNever;
      return;
    }
    taken_ += taken;
    if (deadline_ms_ != net::kNever && taken_ < limits_.reader_bytes_min) return;
    taken_ = 0;
    deadline_ms_ = now_ms + limits_.reader_timeout_ms;
  }
  // More waits, and the deadline is what it was.
  void Charge(uint64_t bytes) {
    // Most answers are small and gone at once.
    constexpr uint64_t kFree = 16 * 1024;
    if (limits_.answers == nullptr) return;
    const uint64_t counted = bytes > kFree ? bytes : 0;
    if (counted == 0) {
      charge_.Release();
    } else if (charge_.bytes() == 0) {
      charge_ = limits_.answers->TakeAnyway(counted);
    } else {
      charge_.Settle(counted);
    }
  }
  void Clear() { Update(0, 0, 0); }
  int64_t deadline_ms() const { return deadline_ms_; }

 private:
  const ServerLimits& limits_;
  MemoryCharge charge_;
  uint64_t taken_ = 0;  // since the deadline was set
  int64_t deadline_ms_ = net::kNever;
};

}  // namespace weft::http

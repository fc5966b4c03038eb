// SPDX-License-Identifier: Apache-2.0
//
// ByteBudget bounds what requests under way may hold at once, over all receivers. A receiver takes
// its share before it reads a body, and gives it back when the request has been answered; what does
// not fit is refused with a retry hint, so that overload costs a refusal and never the process.
//
// Thread rule: any thread. A reservation keeps the count alive, not the budget object.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "base/result.h"

namespace weft::pipeline {

class ByteBudget {
 public:
  class Reservation {
   public:
    ~Reservation();
    // Counts what could not be known before, such as decoded sizes: never refuses.
    void Add(uint64_t bytes);

   private:
    friend class ByteBudget;
    explicit Reservation(std::shared_ptr<std::atomic<uint64_t>> used) : used_(std::move(used)) {}
    std::shared_ptr<std::atomic<uint64_t>> used_;
    uint64_t bytes_ = 0;
  };

  explicit ByteBudget(uint64_t bytes_max);
  // kTooLarge when `bytes` could never fit; kUnavailable with a retry hint when they do not fit
  // now.
  Result<std::shared_ptr<Reservation>> Take(uint64_t bytes);
  uint64_t used() const { return used_->load(std::memory_order_relaxed); }
  uint64_t bytes_max() const { return bytes_max_; }

 private:
  const uint64_t bytes_max_;
  std::shared_ptr<std::atomic<uint64_t>> used_;
  std::atomic<uint32_t> refusals_{0};
};

}  // namespace weft::pipeline

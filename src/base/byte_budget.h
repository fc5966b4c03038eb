// SPDX-License-Identifier: Apache-2.0
//
// ByteBudget bounds what requests under way may hold at once: one of all receivers, one of what is
// sent to the query server. Who admits a request takes its share before its body is read, more of
// it while a body of undeclared length grows, and gives all back when the request has been
// answered; what does not fit is refused with a retry hint, so that overload costs a refusal and
// never the process.
//
// Thread rule: any thread; a reservation by one at a time. It keeps the count alive, not the budget
// object.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "base/result.h"

namespace weft {

class ByteBudget {
  struct Count;

 public:
  // Taken for a body of undeclared length before it comes, and again as often as it outgrows that.
  static constexpr uint64_t kStepBytes = 1 << 20;

  class Reservation {
   public:
    ~Reservation();
    // Counts what could not be known before, such as decoded sizes: never refuses.
    void Add(uint64_t bytes);
    // Makes it at least `bytes`, by a step or more. Refuses as Take(), and then holds what it held.
    Status Cover(uint64_t bytes);

   private:
    friend class ByteBudget;
    Status Grow(uint64_t bytes);
    explicit Reservation(std::shared_ptr<Count> count) : count_(std::move(count)) {}
    const std::shared_ptr<Count> count_;
    uint64_t bytes_ = 0;
  };

  explicit ByteBudget(uint64_t bytes_max);
  // kTooLarge when `bytes` could never fit; kUnavailable with a retry hint when they do not fit
  // now.
  Result<std::shared_ptr<Reservation>> Take(uint64_t bytes);
  uint64_t used() const { return count_->used.load(std::memory_order_relaxed); }
  uint64_t bytes_max() const { return count_->bytes_max; }

 private:
  struct Count {
    const uint64_t bytes_max;
    std::atomic<uint64_t> used{0};
    std::atomic<uint32_t> refusals{0};
  };
  const std::shared_ptr<Count> count_;
};

}  // namespace weft

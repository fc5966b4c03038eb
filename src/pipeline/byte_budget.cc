// SPDX-License-Identifier: Apache-2.0
#include "pipeline/byte_budget.h"

#include <string>

namespace weft::pipeline {

ByteBudget::ByteBudget(uint64_t bytes_max)
    : bytes_max_(bytes_max), used_(std::make_shared<std::atomic<uint64_t>>(0)) {}

Result<std::shared_ptr<ByteBudget::Reservation>> ByteBudget::Take(uint64_t bytes) {
  if (bytes > bytes_max_)
    return Fail(ErrorCode::kTooLarge, "a request of " + std::to_string(bytes) +
                                          " bytes is over the limit of all requests together, " +
                                          std::to_string(bytes_max_) + " bytes");
  std::shared_ptr<Reservation> reservation(new Reservation(used_));
  reservation->Add(bytes);
  if (used() > bytes_max_) {
    // Clients that were refused together should not come back together: hints of 1 to 4 s.
    uint32_t turn = refusals_.fetch_add(1, std::memory_order_relaxed);
    return Fail(Error{ErrorCode::kUnavailable,
                      "requests under way hold " + std::to_string(used() - bytes) + " of " +
                          std::to_string(bytes_max_) + " bytes",
                      1 + turn % 4});
  }
  return reservation;
}

void ByteBudget::Reservation::Add(uint64_t bytes) {
  bytes_ += bytes;
  used_->fetch_add(bytes, std::memory_order_relaxed);
}

ByteBudget::Reservation::~Reservation() { used_->fetch_sub(bytes_, std::memory_order_relaxed); }

}  // namespace weft::pipeline

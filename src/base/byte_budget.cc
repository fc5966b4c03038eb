// SPDX-License-Identifier: Apache-2.0
#include "base/byte_budget.h"

#include <string>

namespace weft {

ByteBudget::ByteBudget(uint64_t bytes_max) : count_(std::make_shared<Count>(bytes_max)) {}

Result<std::shared_ptr<ByteBudget::Reservation>> ByteBudget::Take(uint64_t bytes) {
  std::shared_ptr<Reservation> reservation(new Reservation(count_));
  WEFT_TRY(reservation->Grow(bytes));
  return reservation;
}

void ByteBudget::Reservation::Add(uint64_t bytes) {
  bytes_ += bytes;
  count_->used.fetch_add(bytes, std::memory_order_relaxed);
}

Status ByteBudget::Reservation::Cover(uint64_t bytes) {
  if (bytes <= bytes_) return {};
  // A whole step is for fewer turns here: what fits without it is not refused for it.
  if (bytes < bytes_ + kStepBytes && Grow(kStepBytes)) return {};
  return Grow(bytes - bytes_);
}

Status ByteBudget::Reservation::Grow(uint64_t bytes) {
  const uint64_t bytes_max = count_->bytes_max;
  if (bytes > bytes_max || bytes_ > bytes_max - bytes)
    return Fail(ErrorCode::kTooLarge, "a request of " + std::to_string(bytes_ + bytes) +
                                          " bytes is over the limit of all requests together, " +
                                          std::to_string(bytes_max) + " bytes");
  uint64_t others = count_->used.fetch_add(bytes, std::memory_order_relaxed);
  if (others <= bytes_max - bytes) {
    bytes_ += bytes;
    return {};
  }
  count_->used.fetch_sub(bytes, std::memory_order_relaxed);
  // Clients that were refused together should not come back together: hints of 1 to 4 s.
  uint32_t turn = count_->refusals.fetch_add(1, std::memory_order_relaxed);
  return Fail(Error{ErrorCode::kUnavailable,
                    "requests under way hold " + std::to_string(others) + " of " +
                        std::to_string(bytes_max) + " bytes",
                    1 + turn % 4});
}

ByteBudget::Reservation::~Reservation() {
  count_->used.fetch_sub(bytes_, std::memory_order_relaxed);
}

}  // namespace weft

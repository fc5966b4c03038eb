// SPDX-License-Identifier: Apache-2.0
#include "base/arena.h"

namespace weft {

// A request larger than a block gets a block of its own, and the current block stays in use.
void* Arena::AllocateSlow(size_t bytes) {
  if (bytes > block_bytes_ / 4) {
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(bytes));
    reserved_bytes_ += bytes;
    return blocks_.back().get();
  }
  blocks_.push_back(std::make_unique_for_overwrite<char[]>(block_bytes_));
  reserved_bytes_ += block_bytes_;
  current_ = blocks_.back().get();
  capacity_ = block_bytes_;
  used_ = bytes;
  return current_;
}

void Arena::Reset() {
  blocks_.clear();
  current_ = nullptr;
  used_ = capacity_ = reserved_bytes_ = 0;
}

}  // namespace weft

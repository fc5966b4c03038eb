// SPDX-License-Identifier: Apache-2.0
//
// Inside of wire/compression.cc: one pair of functions per format, and the buffer that holds every
// decompressor to its budget. Only compression*.cc include this.
//
// Thread rule: pure functions.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace weft::wire {

// Output that grows by doubling up to the budget of one Decompress call: the caller's bytes_max, or
// the bomb ratio, whichever is less. Memory is never asked for on the word of a header alone beyond
// that, and is not touched before it is written.
class BudgetedOutput {
 public:
  BudgetedOutput(uint64_t bytes_in, uint64_t bytes_max, uint64_t budget)
      : bytes_max_(bytes_max), bytes_in_(bytes_in), budget_(budget) {}

  char* free_space() { return text_.data() + used_; }
  size_t free_bytes() const { return text_.size() - used_; }
  size_t bytes() const { return used_; }
  uint64_t budget() const { return budget_; }
  void Advance(size_t bytes) { used_ += bytes; }
  // Makes free_bytes() at least `more`, or larger by some; kTooLarge when the budget forbids it.
  Status Grow(uint64_t more) {
    if (more > budget_ - used_) return TooLarge();
    uint64_t wanted = std::max<uint64_t>({used_ + more, 2 * text_.size(), 4096});
    size_t size = std::min(wanted, budget_);
    // Not the callback's own size: libstdc++ 12 passes the capacity, which is rounded up.
    text_.resize_and_overwrite(size, [size](char*, size_t) { return size; });
    return {};
  }
  Status TooLarge() const {
    if (budget_ < bytes_max_) {
      return Fail(ErrorCode::kTooLarge, "decompresses to more than " + std::to_string(budget_) +
                                            " bytes from " + std::to_string(bytes_in_) +
                                            ": refused as a decompression bomb");
    }
    return Fail(ErrorCode::kTooLarge,
                "decompresses to more than the limit of " + std::to_string(bytes_max_) + " bytes");
  }
  std::string Take() {
    text_.resize(used_);
    return std::move(text_);
  }

 private:
  uint64_t bytes_max_;
  uint64_t bytes_in_;
  uint64_t budget_;
  std::string text_;
  size_t used_ = 0;
};

Status GunzipInto(std::string_view bytes, BudgetedOutput* out);
Status InflateInto(std::string_view bytes, BudgetedOutput* out);  // zlib-wrapped or raw
Status UnzstdInto(std::string_view bytes, BudgetedOutput* out);
Status UnsnappyInto(std::string_view bytes, BudgetedOutput* out);  // framed or block
Status Unlz4Into(std::string_view bytes, BudgetedOutput* out);

std::string Gzip(std::string_view bytes, int level);
std::string Deflate(std::string_view bytes, int level);  // zlib-wrapped
std::string Zstd(std::string_view bytes, int level);
std::string SnappyFramed(std::string_view bytes);
std::string Lz4Frame(std::string_view bytes, int level);

}  // namespace weft::wire

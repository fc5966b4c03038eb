// SPDX-License-Identifier: Apache-2.0
//
// ByteSource: bytes that come in order and once, from a file, a pipe, a decompressor or an archive.
// What reads files of any size reads them through it, in bounded memory.
//
// Thread rule: one thread at a time. Next: wire/decompress_source.h, wire/tar_source.h.
#pragma once

#include <algorithm>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace weft::wire {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // At least one byte, or 0 at the end. REQUIRES: `to` is not empty.
  virtual Result<size_t> Read(std::span<char> to) = 0;
};

// Borrows the bytes.
class MemorySource : public ByteSource {
 public:
  explicit MemorySource(std::string_view bytes) : rest_(bytes) {}
  Result<size_t> Read(std::span<char> to) override {
    size_t count = std::min(to.size(), rest_.size());
    if (count > 0) std::memcpy(to.data(), rest_.data(), count);
    rest_.remove_prefix(count);
    return count;
  }

 private:
  std::string_view rest_;
};

// Another source, whose first bytes can be looked at before they are read.
class PeekedSource : public ByteSource {
 public:
  // `from` must outlive it.
  explicit PeekedSource(ByteSource* from) : from_(from) {}
  // The first `bytes`, fewer where the source has no more. REQUIRES: nothing was read yet.
  Result<std::string_view> Peek(size_t bytes) {
    while (head_.size() < bytes) {
      size_t before = head_.size();
      head_.resize(bytes);
      Result<size_t> count = from_->Read(std::span(head_).subspan(before));
      head_.resize(before + count.value_or(0));
      if (!count) return Fail(count.error());
      if (*count == 0) break;
    }
    return std::string_view(head_);
  }
  Result<size_t> Read(std::span<char> to) override {
    if (used_ == head_.size()) return from_->Read(to);
    size_t count = std::min(to.size(), head_.size() - used_);
    std::memcpy(to.data(), head_.data() + used_, count);
    used_ += count;
    return count;
  }

 private:
  ByteSource* const from_;
  std::string head_;
  size_t used_ = 0;
};

}  // namespace weft::wire

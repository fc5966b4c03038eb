// SPDX-License-Identifier: Apache-2.0
//
// The piece of a ByteSource that a reader is looking at: it grows at its end until the reader has
// what it needs, and gives up its front when the reader is done with it. Knows offset and line.
// How far it may grow is the reader's to bound.
//
// Thread rule: one thread at a time. Used by codec/json_runs.cc and codec/trace_file.cc.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

#include "base/check.h"
#include "base/result.h"
#include "wire/byte_source.h"

namespace weft::codec {

class SourceWindow {
 public:
  explicit SourceWindow(wire::ByteSource* from) : from_(from) {}

  // Moves when More() is called; indexes into it stay.
  std::string_view text() const { return {buffer_.get() + begin_, end_ - begin_}; }
  // False at the end of the source, and at an error: status().
  bool More() {
    if (!status_) return false;
    if (begin_ >= kReadBytes || begin_ == end_) {
      if (begin_ < end_) std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    if (capacity_ - end_ < kReadBytes) Grow();
    Result<size_t> count = from_->Read(std::span(buffer_.get() + end_, kReadBytes));
    if (!count) status_ = Fail(count.error());
    end_ += count.value_or(0);
    peak_bytes_ = std::max(peak_bytes_, end_);
    return count && *count > 0;
  }
  // True when text() has at least so many bytes.
  bool Has(size_t bytes) {
    while (text().size() < bytes)
      if (!More()) return false;
    return true;
  }
  void Consume(size_t bytes) {
    line_ += static_cast<uint64_t>(std::ranges::count(text().substr(0, bytes), '\n'));
    offset_ += bytes;
    begin_ += bytes;
  }
  // Consumes bytes that nobody wants to see. False when the source has fewer.
  bool Skip(uint64_t bytes) {
    while (bytes > text().size()) {
      bytes -= text().size();
      Consume(text().size());
      if (!More()) return false;
    }
    Consume(bytes);
    return true;
  }
  uint64_t offset() const { return offset_; }  // of text()'s first byte
  uint64_t line() const { return line_; }
  const Status& status() const { return status_; }
  // The most that was held at once.
  size_t peak_bytes() const { return peak_bytes_; }

 private:
  static constexpr size_t kReadBytes = 1 << 20;
  struct Free {
    void operator()(char* bytes) const { std::free(bytes); }
  };

  // realloc moves the pages of something large instead of copying it: growing never needs twice the
  // memory, and what is reserved and not yet filled needs none.
  void Grow() {
    capacity_ = std::max(end_ + kReadBytes, capacity_ + capacity_ / 2);
    char* moved = static_cast<char*>(std::realloc(buffer_.get(), capacity_));
    WEFT_CHECK_MSG(moved != nullptr, "out of memory");
    (void)buffer_.release();
    buffer_.reset(moved);
  }

  wire::ByteSource* const from_;
  std::unique_ptr<char, Free> buffer_;
  size_t begin_ = 0, end_ = 0, capacity_ = 0;
  size_t peak_bytes_ = 0;
  uint64_t offset_ = 0, line_ = 1;
  Status status_;
};

}  // namespace weft::codec

// SPDX-License-Identifier: Apache-2.0
//
// The piece of a ByteSource that a reader is looking at: it grows at its end until the reader has
// what it needs, and gives up its front when the reader is done with it. Knows offset and line.
//
// Thread rule: one thread at a time. Used by codec/json_runs.cc and codec/trace_file.cc.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "wire/byte_source.h"

namespace weft::codec {

class SourceWindow {
 public:
  explicit SourceWindow(wire::ByteSource* from) : from_(from) {}

  // Moves when More() is called; indexes into it stay.
  std::string_view text() const { return std::string_view(buffer_).substr(begin_); }
  // False at the end of the source, and at an error: status().
  bool More() {
    if (!status_) return false;
    if (begin_ >= kReadBytes) {
      buffer_.erase(0, begin_);
      begin_ = 0;
    }
    size_t before = buffer_.size();
    Result<size_t> count = size_t{0};
    buffer_.resize_and_overwrite(before + kReadBytes, [&](char* bytes, size_t) {
      count = from_->Read({bytes + before, kReadBytes});
      return before + count.value_or(0);
    });
    if (!count) status_ = Fail(count.error());
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
  uint64_t offset() const { return offset_; }  // of text()'s first byte
  uint64_t line() const { return line_; }
  const Status& status() const { return status_; }

 private:
  static constexpr size_t kReadBytes = 1 << 20;

  wire::ByteSource* const from_;
  std::string buffer_;
  size_t begin_ = 0;
  uint64_t offset_ = 0, line_ = 1;
  Status status_;
};

}  // namespace weft::codec

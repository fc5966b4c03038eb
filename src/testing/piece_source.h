// SPDX-License-Identifier: Apache-2.0
//
// A ByteSource that hands out the pieces it was given, one a read. Thread rule: one thread at a
// time. Next: testing/pieces.h.
#pragma once

#include <utility>

#include "testing/pieces.h"
#include "wire/byte_source.h"

namespace weft::testing {

class PieceSource : public wire::ByteSource {
 public:
  // The bytes must outlive it; pieces without bytes are left out, since they would mean the end.
  explicit PieceSource(Pieces pieces) : pieces_(std::move(pieces)) {}

  Result<size_t> Read(std::span<char> to) override {
    while (next_ < pieces_.size() && pieces_[next_].empty()) ++next_;
    if (next_ == pieces_.size()) return size_t{0};
    std::string_view& piece = pieces_[next_];
    size_t count = std::min(to.size(), piece.size());
    std::memcpy(to.data(), piece.data(), count);
    piece.remove_prefix(count);
    return count;
  }

 private:
  Pieces pieces_;
  size_t next_ = 0;
};

}  // namespace weft::testing

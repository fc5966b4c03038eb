// SPDX-License-Identifier: Apache-2.0
//
// Page: the frame around every piece of a block file: one byte that names the compression, the
// payload, and a checksum over both. docs/format_block.md, section "Pages".
//
// Thread rule: a PageSealer by one thread at a time; OpenPage() is a pure function.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace weft::column {

// Stored in files: never renumbered.
enum class PageCodec : uint8_t { kStored = 0, kZstd = 1 };

class PageSealer {
 public:
  explicit PageSealer(int zstd_level);
  ~PageSealer();

  // The page of this payload, compressed where that makes it smaller by a twentieth. The view lives
  // until the next call.
  std::string_view Seal(std::string_view payload);
  std::string_view SealStored(std::string_view payload);
  // `head` followed by the numbers, encoded whichever way makes the page smaller.
  std::string_view SealNumbers(std::string_view head, std::span<const uint64_t> numbers);

 private:
  struct Zstd;
  size_t Compress(std::string_view payload, std::string* out);
  std::string_view Close();

  int level_;
  std::unique_ptr<Zstd> zstd_;
  std::string page_, payload_, candidate_, sample_;
};

// The payload of a page. kCorruption when the checksum differs (unless `verify` is false: for
// fuzzing what lies behind it) or the compressed bytes are not what they should be.
Result<std::string> OpenPage(std::string_view page, bool verify = true);

}  // namespace weft::column

// SPDX-License-Identifier: Apache-2.0
//
// A stream of numbers in its smallest encoding, chosen by looking at all of them: constant, runs,
// packed (frame of reference, blocks of 256 with exceptions), packed differences, or whole bytes
// that are meant to be compressed with the page. The first byte is the tag; the count is known from
// elsewhere. docs/format_block.md, section "Numbers".
//
// Thread rule: pure functions. Next: column/bit_pack.h, column/page.h.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/result.h"
#include "column/byte_cursor.h"

namespace weft::column {

// Stored in files: never renumbered.
enum class NumberEncoding : uint8_t {
  kConstant = 0,
  kPacked = 1,
  kDelta = 2,
  kRuns = 3,
  kBytes = 4,
};

// Appends the smallest of all encodings but kBytes.
void EncodeNumbers(std::span<const uint64_t> numbers, std::string* out);
// Appends kBytes: 1, 2, 4 or 8 bytes a number. For pages that are compressed.
void EncodeNumberBytes(std::span<const uint64_t> numbers, std::string* out);

// Reads out.size() numbers; kCorruption when the bytes are not such a stream, or when a number does
// not fit.
Status DecodeNumbers(ByteReader* reader, std::span<uint64_t> out);
Status DecodeNumbers(ByteReader* reader, std::span<uint32_t> out);

}  // namespace weft::column

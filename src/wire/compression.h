// SPDX-License-Identifier: Apache-2.0
//
// Decompression with a budget, and compression. Output never grows past `bytes_max`, whatever the
// input claims: declared sizes are checked, streams are cut off at the budget, and more than 100:1
// beyond the first MiB is refused as a bomb. zstd windows above 8 MiB are refused.
//
// Thread rule: pure functions; contexts are per thread inside.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace weft::wire {

enum class Compression : uint8_t { kNone, kGzip, kZlib, kZstd, kSnappy, kLz4 };

// HTTP Content-Encoding / grpc-encoding names: "", "identity", "gzip", "x-gzip", "deflate", "zlib",
// "zstd", "snappy" (framed or block, told apart by the first bytes), "x-snappy-framed", "lz4".
std::optional<Compression> CompressionByName(std::string_view name);
// By magic bytes (files): gzip, zstd, lz4 frame; kNone otherwise.
Compression SniffCompression(std::string_view bytes);

// kInvalidArgument: not this format, truncated, trailing garbage. kTooLarge: over bytes_max or a
// bomb. "deflate" accepts zlib-wrapped and raw streams. gzip and zstd accept several members in a
// row.
Result<std::string> Decompress(Compression kind, std::string_view bytes, uint64_t bytes_max);
// The same without the ratio, for files that a user names himself: traces may compress 200:1.
Result<std::string> DecompressTrusted(Compression kind, std::string_view bytes, uint64_t bytes_max);
// level 0: the library's default.
std::string Compress(Compression kind, std::string_view bytes, int level = 0);

}  // namespace weft::wire

// SPDX-License-Identifier: Apache-2.0
//
// What decoders of outside bytes never exceed. Sizes of whole requests are configuration and come
// in as arguments; these are the limits that no configuration lifts, because code (recursion,
// 32-bit counts) or memory safety under hostile input depends on them.
//
// Thread rule: constants. Used by wire/, codec/ and everything else that reads bytes from outside.
#pragma once

#include <cstdint>

namespace weft::wire {

// Values inside values (array in map in array): the top value is at depth 1. Deeper input is
// refused, which also bounds the recursion of every walk over a decoded Value.
inline constexpr int kValueDepthMax = 32;
// Deprecated protobuf groups are skipped, and may nest this deep.
inline constexpr int kGroupDepthMax = 32;
// One message. Value::count has 32 bits.
inline constexpr uint64_t kMessageBytesMax = UINT32_MAX;

// Decoded form against encoded form: two bytes of protobuf can ask for an 80-byte Link, so what a
// decoder allocates is charged against this many bytes per byte of input, plus a flat allowance.
// The smallest valid span (30 bytes) needs 8 bytes a byte, a usual one 2.
inline constexpr uint64_t kDecodedBytesPerByteMax = 16;
inline constexpr uint64_t kDecodedBytesFree = 1 << 20;
// JSON needs 60 bytes for the smallest span, which is 4 decoded bytes a byte: documents of many
// megabytes, as files have them, get no more.
inline constexpr uint64_t kDecodedBytesPerJsonByteMax = 4;
inline constexpr uint64_t kDecodedJsonBytesFree = 64 << 20;

// Decompression: past the first MiB, more output bytes per input byte than this is a bomb. Spans
// that all carry the same long stack trace reach some hundreds with zstd.
inline constexpr uint64_t kRatioMax = 1000;
inline constexpr uint64_t kRatioFreeBytes = 1 << 20;
// zstd frames that need a larger window are refused: 2^23 = 8 MiB.
inline constexpr int kZstdWindowLogMax = 23;
// In files that a user names: 128 MiB, what `zstd` itself accepts without being told to.
inline constexpr int kZstdFileWindowLogMax = 27;

}  // namespace weft::wire

// SPDX-License-Identifier: Apache-2.0
//
// TraceId and SpanId: 16 and 8 opaque bytes, as W3C Trace Context and OTLP define them. All zero
// means "none" and is invalid as an identity. Text form is lower-case hex.
//
// Thread rule: plain values.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace weft {

template <size_t kBytes>
struct Id {
  static constexpr size_t kSize = kBytes;
  std::array<uint8_t, kBytes> bytes{};

  bool empty() const { return *this == Id{}; }
  std::string ToHex() const;
  // Exactly kBytes raw bytes, or nothing.
  static std::optional<Id> FromBytes(std::string_view raw) {
    if (raw.size() != kBytes) return std::nullopt;
    Id id;
    std::memcpy(id.bytes.data(), raw.data(), kBytes);
    return id;
  }
  // Hex of either case, exactly 2 * kBytes digits, or nothing.
  static std::optional<Id> FromHex(std::string_view hex);
  std::string_view view() const { return {reinterpret_cast<const char*>(bytes.data()), kBytes}; }
  // Ordered as unsigned big-endian numbers, which is also the order of the hex text.
  auto operator<=>(const Id&) const = default;
};

using TraceId = Id<16>;
using SpanId = Id<8>;

extern template struct Id<16>;
extern template struct Id<8>;

// Trace id as people paste it: 1 to 32 hex digits, zero-extended on the left (a 64-bit id has 16),
// or nothing.
std::optional<TraceId> ParseTraceId(std::string_view text);

// Random in each process, so that a sender cannot choose ids that meet in one slot of a hash table.
extern const uint64_t id_hash_seed;

// Ids are random as a rule, but some tracers count: every input bit reaches every output bit
// (the finaliser of splitmix64). Never stored: another process hashes otherwise.
struct IdHash {
  template <size_t kBytes>
  size_t operator()(const Id<kBytes>& id) const {
    uint64_t hash = id_hash_seed;
    for (size_t i = 0; i < kBytes; i += 8) {
      uint64_t word;
      std::memcpy(&word, id.bytes.data() + i, 8);
      hash ^= word;
      hash = (hash ^ hash >> 30) * 0xBF58476D1CE4E5B9u;
      hash = (hash ^ hash >> 27) * 0x94D049BB133111EBu;
      hash ^= hash >> 31;
    }
    return hash;
  }
};

}  // namespace weft

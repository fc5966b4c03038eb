// SPDX-License-Identifier: Apache-2.0
#include "model/ids.h"

#include <random>

namespace weft {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

template <size_t kBytes>
std::string Id<kBytes>::ToHex() const {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex(2 * kBytes, '0');
  for (size_t i = 0; i < kBytes; ++i) {
    hex[2 * i] = kDigits[bytes[i] >> 4];
    hex[2 * i + 1] = kDigits[bytes[i] & 15];
  }
  return hex;
}

template <size_t kBytes>
std::optional<Id<kBytes>> Id<kBytes>::FromHex(std::string_view hex) {
  if (hex.size() != 2 * kBytes) return std::nullopt;
  Id id;
  for (size_t i = 0; i < kBytes; ++i) {
    int high = HexDigit(hex[2 * i]), low = HexDigit(hex[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    id.bytes[i] = static_cast<uint8_t>(high << 4 | low);
  }
  return id;
}

const uint64_t id_hash_seed = [] {
  std::random_device device;
  return static_cast<uint64_t>(device()) << 32 | device();
}();

template struct Id<16>;
template struct Id<8>;

std::optional<TraceId> ParseTraceId(std::string_view text) {
  if (text.empty() || text.size() > 2 * TraceId::kSize) return std::nullopt;
  std::string padded(2 * TraceId::kSize - text.size(), '0');
  padded += text;
  return TraceId::FromHex(padded);
}

}  // namespace weft

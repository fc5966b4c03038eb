// SPDX-License-Identifier: Apache-2.0
//
// HTTP/2 frames as bytes, for tests and fuzz targets that break the rules or look at what went out.
//
// Thread rule: pure functions. Source: RFC 9113 section 4.1. Next: http/h2_peer.h.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace weft::http {

inline std::string RawFrame(uint8_t type, uint8_t flags, uint32_t stream,
                            std::string_view payload) {
  auto size = static_cast<uint32_t>(payload.size());
  std::string out = {static_cast<char>(size >> 16),   static_cast<char>(size >> 8),
                     static_cast<char>(size),         static_cast<char>(type),
                     static_cast<char>(flags),        static_cast<char>(stream >> 24),
                     static_cast<char>(stream >> 16), static_cast<char>(stream >> 8),
                     static_cast<char>(stream)};
  return out.append(payload);
}

struct FrameView {
  uint8_t type = 0, flags = 0;
  uint32_t stream = 0;
  std::string_view payload;
};

// The whole frames at the front of `bytes`, in order; the last one may be cut off.
template <class Visit>
void ForEachFrame(std::string_view bytes, Visit visit) {
  constexpr size_t kHeadBytes = 9;
  while (bytes.size() >= kHeadBytes) {
    auto byte = [&](size_t i) { return uint32_t{static_cast<unsigned char>(bytes[i])}; };
    size_t size = byte(0) << 16 | byte(1) << 8 | byte(2);
    FrameView frame{static_cast<uint8_t>(byte(3)), static_cast<uint8_t>(byte(4)),
                    (byte(5) & 0x7F) << 24 | byte(6) << 16 | byte(7) << 8 | byte(8),
                    bytes.substr(kHeadBytes, size)};
    visit(frame);
    bytes.remove_prefix(std::min(bytes.size(), kHeadBytes + size));
  }
}

}  // namespace weft::http

// SPDX-License-Identifier: Apache-2.0
//
// For tests that damage block files: where the parts of a file lie, read off its footer without the
// reader (docs/format_block.md).
//
// Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <string_view>

namespace weft::block {

struct FileRegion {
  uint64_t offset = 0, bytes = 0;
};

inline uint64_t TakeVarint(std::string_view* in) {
  uint64_t value = 0;
  for (int shift = 0; !in->empty(); shift += 7) {
    const auto byte = static_cast<uint8_t>(in->front());
    in->remove_prefix(1);
    value |= uint64_t{byte & 0x7Fu} << shift;
    if (byte < 0x80) break;
  }
  return value;
}

// "magic", "pages" (all before the sections), "summary", "columns", "groups", "traces", "filter",
// "index", "overflow" (where there is one), "footer", "trailer". REQUIRES: a whole block file.
inline std::map<std::string, FileRegion> RegionsOf(std::string_view file) {
  constexpr uint64_t kTrailerBytes = 32, kMagicBytes = 8;
  const std::string_view trailer = file.substr(file.size() - kTrailerBytes);
  uint64_t offset = 0;
  uint32_t bytes = 0;
  std::memcpy(&offset, trailer.data(), sizeof offset);
  std::memcpy(&bytes, trailer.data() + sizeof offset, sizeof bytes);
  std::map<std::string, FileRegion> regions;
  regions["magic"] = {0, kMagicBytes};
  regions["footer"] = {offset, bytes};
  regions["trailer"] = {file.size() - kTrailerBytes, kTrailerBytes};
  constexpr const char* kNames[] = {"",       "summary", "columns", "groups",
                                    "traces", "filter",  "index",   "overflow"};
  std::string_view entries = file.substr(offset + 1, bytes - 5);
  uint64_t first = offset;
  for (uint64_t left = TakeVarint(&entries); left > 0; --left) {
    const uint64_t tag = TakeVarint(&entries);
    FileRegion region;
    region.offset = TakeVarint(&entries);
    region.bytes = TakeVarint(&entries);
    first = region.offset < first ? region.offset : first;
    if (tag < std::size(kNames)) regions[kNames[tag]] = region;
  }
  regions["pages"] = {kMagicBytes, first - kMagicBytes};
  return regions;
}

}  // namespace weft::block

// SPDX-License-Identifier: Apache-2.0
//
// Times and durations as protojson writes them: "2022-05-16T07:58:38.503123Z" and "0.000225s".
//
// Thread rule: pure functions. Source: RFC 3339; google.protobuf.Timestamp and Duration in JSON.
// Used by codec/span_list_decoder.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace weft::codec {

// Unix nanoseconds; nothing for other text, times before 1970 and after 2554. Digits beyond
// nanoseconds are cut off.
std::optional<uint64_t> ParseRfc3339(std::string_view text);
// Nanoseconds; nothing for other text and negative durations.
std::optional<uint64_t> ParseSeconds(std::string_view text);

}  // namespace weft::codec

// SPDX-License-Identifier: Apache-2.0
//
// UTF-8 (RFC 3629): how long a sound piece is, and text made sound for those who insist (JSON,
// string fields of protobuf).
//
// Thread rule: pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace weft::wire {

inline constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";  // U+FFFD

// Bytes of the well-formed character at the front of `text` (1 to 4), or 0 when there is none.
// REQUIRES: text is not empty.
size_t Utf8CharacterBytes(std::string_view text);
// Bytes at the front of `text` that one replacement character stands for: the longest start of a
// character that could have become well-formed, at least 1 (Unicode's "maximal subpart").
// REQUIRES: Utf8CharacterBytes(text) is 0.
size_t Utf8BrokenBytes(std::string_view text);
bool IsUtf8(std::string_view text);
// `text` with U+FFFD for each broken piece.
std::string SoundUtf8(std::string_view text);

}  // namespace weft::wire

// SPDX-License-Identifier: Apache-2.0
//
// Base64 (RFC 4648 sections 4 and 5) and lower-case hex: how JSON and headers carry bytes.
//
// Thread rule: pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace weft {

// With padding.
void AppendBase64(std::string_view bytes, std::string* out);
void AppendHex(std::string_view bytes, std::string* out);

// The largest number of bytes that `text` can decode to.
constexpr size_t Base64BytesMax(std::string_view text) { return text.size() / 4 * 3 + 3; }
// Standard and URL-safe alphabets, padding optional, as protojson readers accept it. Writes into
// `to`, which has room for Base64BytesMax(text); returns the count, or nothing for any other text.
std::optional<size_t> DecodeBase64(std::string_view text, char* to);
std::optional<std::string> DecodeBase64(std::string_view text);

}  // namespace weft

// SPDX-License-Identifier: Apache-2.0
//
// The HTTP2-Settings header of an Upgrade: h2c request, a SETTINGS payload in base64url; and base64
// as headers have it.
//
// Thread rule: pure. Source: RFC 7540 section 3.2.1, RFC 4648 section 5. Next: net/http1_session.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace weft::net {
// Empty: not base64url, or no whole number of settings.
std::optional<std::string> DecodeH2cSettings(std::string_view text);
// Either alphabet, with or without padding. Empty: it is none.
std::optional<std::string> DecodeBase64(std::string_view text);
// Base64url without padding; for tests and for binary gRPC metadata with `standard` alphabet.
std::string EncodeBase64(std::string_view bytes, bool url);
}  // namespace weft::net

// SPDX-License-Identifier: Apache-2.0
//
// The HTTP2-Settings header of an Upgrade: h2c request, a SETTINGS payload in base64url.
//
// Thread rule: pure. Source: RFC 7540 section 3.2.1. Next: http/http1_session.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace weft::http {
// Empty: not base64url, or no whole number of settings.
std::optional<std::string> DecodeH2cSettings(std::string_view text);
}  // namespace weft::http

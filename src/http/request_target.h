// SPDX-License-Identifier: Apache-2.0
//
// From the target of a request line (or :path) to the path that routes are matched against. There
// is one spelling per path after this step, so that no rule on a path can be passed by writing it
// in another way: escapes decoded once, "." and ".." resolved, runs of slashes made one.
//
// Thread rule: pure functions. Source: RFC 3986 section 5.2.4, RFC 9112 section 3.2.
// Next: http/route.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "http/http.h"

namespace weft::http {

// Empty when `raw` does not start with "/", has a broken escape or a control character.
// ".." above the root stays at the root.
std::optional<std::string> CanonicalPath(std::string_view raw);

// Sets path, raw_path, query and authority of `head` from origin-form or absolute-form (http and
// https, without a user). False: answer 400.
bool ParseTarget(std::string_view target, RequestHead* head);

// Do two spellings of host and port name the same? A port that is left out is any scheme's default.
// A request that names two authorities is refused: what one of them was checked for would be done
// in the name of the other (RFC 9112 section 3.2.2, RFC 9113 section 8.3.1).
bool SameAuthority(std::string_view a, std::string_view b);

}  // namespace weft::http

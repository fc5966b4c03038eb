// SPDX-License-Identifier: Apache-2.0
//
// Finds the quote of a YAML text that nothing closes. The YAML library takes the rest of the file
// for the value where the text ends in a line break, or closes it at the next quote far below, and
// then speaks of something else.
//
// Source: YAML 1.2.2, sections 6 to 8: where quotes begin a scalar, how deep its lines are
// indented. Thread rule: pure function. Next: config/yaml.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace weft::config {

// The line, from 1, of the first quote that is never closed: the text or the document ends first,
// or a line comes that can only be the next entry, for it is a key or a "- " and not indented as
// YAML wants the lines of a value to be.
std::optional<uint32_t> FindUnclosedQuote(std::string_view text);

}  // namespace weft::config

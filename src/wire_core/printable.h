// SPDX-License-Identifier: Apache-2.0
//
// Text that came from elsewhere (spans, arguments, files, peers), made fit for a terminal. One
// judgement for everything that prints: what drives a terminal, reorders or breaks its line is not
// printable. That is control characters (C0, DEL, C1), the controls of Unicode's bidirectional
// algorithm, its line and paragraph separators, and bytes that are no UTF-8, for terminals take
// 0x80 to 0x9F for C1.
//
// Thread rule: pure functions. Source: Unicode UAX #9 section 2, ECMA-48. Used by base/log.h,
// terminal/terminal.h, config/yaml.h.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace weft {

struct Character {
  size_t bytes = 1;       // at the front of the text; 1 where it is no UTF-8
  char32_t code = 0;      // the byte where it is no UTF-8
  bool is_utf8 = false;   // well-formed
  bool printable = true;  // may reach a terminal as it is
};
// REQUIRES: text is not empty.
Character FirstCharacter(std::string_view text);

// True of a code point that must not reach a terminal.
bool IsUnprintable(char32_t code);

// Each character that is not printable replaced by "?".
std::string ReplaceUnprintable(std::string_view text);
// The same for a text of several lines: line feeds stay, a tab becomes a space.
std::string ReplaceUnprintableInLines(std::string_view text);
// Each written so that it can be told: \x1b for a byte below 0x80 and for one that is no UTF-8,
// \u202e for others.
std::string EscapeUnprintable(std::string_view text);

}  // namespace weft

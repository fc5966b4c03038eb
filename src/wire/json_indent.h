// SPDX-License-Identifier: Apache-2.0
//
// JSON for people: one value a line, four spaces a level. Works on a text in pieces, cut anywhere.
//
// Thread rule: one thread at a time.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace weft::wire {

class JsonIndenter {
 public:
  // Appends the indented form of the next piece. The text must be JSON without white space between
  // its parts, as JsonWriter makes it.
  void Append(std::string_view piece, std::string* out);

 private:
  void BreakLine(std::string* out) const;

  size_t depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;  // the character before was a backslash in a string
  bool opened_ = false;   // the character before opened an object or array
};

}  // namespace weft::wire

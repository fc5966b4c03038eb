// SPDX-License-Identifier: Apache-2.0
#include "wire/json_indent.h"

namespace weft::wire {

void JsonIndenter::Append(std::string_view piece, std::string* out) {
  for (char c : piece) {
    if (in_string_) {
      *out += c;
      in_string_ = escaped_ || c != '"';
      escaped_ = !escaped_ && c == '\\';
      continue;
    }
    bool closes = c == '}' || c == ']';
    if (closes && depth_ > 0) --depth_;
    // An empty object or array stays on its line.
    if (opened_ != closes) BreakLine(out);
    opened_ = c == '{' || c == '[';
    *out += c;
    if (opened_) ++depth_;
    if (c == ',') BreakLine(out);
    if (c == ':') *out += ' ';
    in_string_ = c == '"';
  }
}

void JsonIndenter::BreakLine(std::string* out) const {
  *out += '\n';
  out->append(depth_ * 4, ' ');
}

}  // namespace weft::wire

// SPDX-License-Identifier: Apache-2.0
#include "traceql/excerpt.h"

#include <fmt/format.h>

#include <algorithm>

namespace weft::traceql {
namespace {

// The line of `at`, cut to a window around it, and a caret below.
std::string Excerpt(std::string_view text, const Position& at) {
  constexpr size_t kBefore = 60, kAfter = 40;
  size_t newline = text.substr(0, at.offset).rfind('\n');
  size_t begin = newline == std::string_view::npos ? 0 : newline + 1;
  size_t end = std::min(text.find('\n', at.offset), text.size());
  if (at.offset - begin > kBefore) begin = at.offset - kBefore;
  if (end - at.offset > kAfter) end = at.offset + kAfter;
  auto is_continuation = [&](size_t i) {
    return (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80;
  };
  while (begin < at.offset && is_continuation(begin)) ++begin;
  while (end < text.size() && end > at.offset && is_continuation(end)) --end;
  std::string line, caret;
  for (size_t i = begin; i < end; ++i) {
    bool control = static_cast<unsigned char>(text[i]) < 0x20 || text[i] == 0x7F;
    line += control ? ' ' : text[i];
    if (i < at.offset && !is_continuation(i)) caret += ' ';
  }
  return line + "\n" + caret + "^";
}

}  // namespace

Error ToError(ErrorCode code, std::string_view text, const Diagnostic& diagnostic) {
  std::string message = fmt::format("line {}, column {}: {}\n{}", diagnostic.position.line,
                                    diagnostic.position.column, diagnostic.message,
                                    Excerpt(text, diagnostic.position));
  if (!diagnostic.hint.empty()) message += "\nhint: " + diagnostic.hint;
  return Error{code, std::move(message)};
}

}  // namespace weft::traceql

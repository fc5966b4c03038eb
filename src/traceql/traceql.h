// SPDX-License-Identifier: Apache-2.0
//
// The front door of the TraceQL language: text in, checked syntax tree out. No I/O, no evaluation.
// Errors carry line, column and what was expected, and point at the text with a caret.
// What weft parses but does not evaluate yet is kUnimplemented and named.
//
// Source: the TraceQL documentation; facts about traps in docs/traceql.md.
// Thread rule: pure functions, immutable trees. Next: traceql/tree.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "traceql/tree.h"

namespace weft::traceql {

inline constexpr size_t kTextBytesMax = 64 * 1024;
inline constexpr uint32_t kNestingMax = 64;
// Operators in one chain such as `.a = 1 || .a = 2 || ...`, between braces and between spansets:
// bounds every walk over a tree.
inline constexpr uint32_t kHeightMax = 1024;

// The same error in pieces, for answers that show it beside the text.
struct Diagnostic {
  Position position;
  std::string message;  // without position
  std::string hint;     // may be empty
};

// kInvalidArgument: the text is wrong. kUnimplemented: right, but of a later release. The error's
// message holds position, line of text, caret and hint; `diagnostic` (may be null) gets the pieces.
Result<Query> Parse(std::string_view text, Diagnostic* diagnostic = nullptr);
// Canonical text of a tree; Parse(ToString(q)) gives q again.
std::string ToString(const Query& query);
std::string ToString(const Expression& expression);
// A field as a query writes it: `span:name`, `span.http.route`, `resource."a key"`.
std::string FieldText(const Field& field);
// The key of an attribute behind its scope and dot, in quotes where it needs them.
std::string KeyText(std::string_view key);

}  // namespace weft::traceql

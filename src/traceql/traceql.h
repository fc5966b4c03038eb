// SPDX-License-Identifier: Apache-2.0
//
// The front door of the TraceQL language: text in, checked syntax tree out. No I/O, no evaluation.
// Errors carry line, column and what was expected, and point at the text with a caret.
// What weft parses but does not evaluate yet is kUnimplemented and named.
//
// Source: the TraceQL documentation; facts about traps in docs/traceql.md.
// Thread rule: pure functions, immutable trees. Next: traceql/tree.h.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "traceql/tree.h"

namespace weft::traceql {

// Limits: 64 KiB of text, 64 levels of nesting.
Result<Query> Parse(std::string_view text);
// Canonical text of a tree; Parse(ToString(q)) gives q again.
std::string ToString(const Query& query);
std::string ToString(const Expression& expression);

}  // namespace weft::traceql

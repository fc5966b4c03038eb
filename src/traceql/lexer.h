// SPDX-License-Identifier: Apache-2.0
//
// The lexer: TraceQL text to tokens. Fields are one token each (`span."a b".c`, `trace:duration`),
// because an attribute name runs up to whitespace or one of { } ( ) = ~ ! < > & | ^ , and therefore
// needs the text, not tokens: `.a-b` is one name, `.a - b` a subtraction.
//
// Thread rule: pure function. Next: traceql/parser.cc.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "traceql/traceql.h"

namespace weft::traceql {

enum class TokenKind : uint8_t {
  kEnd,
  kPunctuation,  // ( ) { } , |
  kOperator,     // by its text
  kLiteral,      // number, duration or string
  kField,        // attribute or scoped intrinsic
  kWord,         // keyword, unscoped intrinsic, function name
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  Position position;
  std::string_view text;  // as written
  Literal literal;
  Field field;
  bool of_parent = false;  // `parent.x`
};

struct LexError {
  Position position;
  std::string message;
  std::string hint;
};

// Ends with a kEnd token. The views point into `text`.
std::expected<std::vector<Token>, LexError> Tokenize(std::string_view text);

}  // namespace weft::traceql

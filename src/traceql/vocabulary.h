// SPDX-License-Identifier: Apache-2.0
//
// The words of TraceQL: intrinsics, enum names, scopes, in one table that lexer, parser, printer
// and documentation tests share.
//
// Thread rule: constants. Next: traceql/tree.h.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "traceql/tree.h"

namespace weft::traceql {

struct IntrinsicWord {
  Intrinsic intrinsic;
  std::string_view scoped;    // "span:duration", or empty
  std::string_view unscoped;  // "duration", or empty
  Type type;
  bool whole_trace;
};
std::span<const IntrinsicWord> IntrinsicWords();

struct EnumWord {
  std::string_view word;
  Type type;  // kStatus or kKind
  int64_t number;
};
std::span<const EnumWord> EnumWords();
// The literals that are words: true, false, nil, minInt, maxInt and the enum names.
std::optional<Literal> LiteralOfWord(std::string_view word);

struct ScopeWord {
  std::string_view word;
  Scope scope;
};
std::span<const ScopeWord> ScopeWords();

}  // namespace weft::traceql

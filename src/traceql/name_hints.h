// SPDX-License-Identifier: Apache-2.0
//
// What an error suggests: the word that was probably meant, the field that other systems call
// differently, the operator that SQL, PromQL or KQL write as a word. Short words are no typos of
// each other: a guess may change only a small part of what was written.
//
// Tokens are those of one query, ended by kEnd; `at` is the one the error points at.
// Thread rule: pure functions over constants. Next: traceql/foreign_words.h.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "traceql/lexer.h"
#include "traceql/tree.h"

namespace weft::traceql {

// For a word that is neither field nor value. `against` is what it is compared with, or null.
std::string WordHint(std::span<const Token> tokens, size_t at, const Expression* against);
// For something else where a field or a value is expected; empty where nothing is known.
std::string OperandHint(std::span<const Token> tokens, size_t at);
// Where an operator or an end is expected; empty where nothing is known.
std::string OperatorHint(std::span<const Token> tokens, size_t at);
// For `a.b.c`, where `a` is not a scope; `before` are the tokens in front of it.
std::string DottedHint(std::string_view written, std::span<const Token> before);
// For `a:b`, which is not an intrinsic.
std::string ScopedHint(std::string_view name);
// For what starts with a digit and is no number; `hint` is what its scan says.
std::string NumberHint(std::string_view hint, std::span<const Token> before);
// The names a status or a kind has, as a sentence.
std::string EnumHint(Type type);

}  // namespace weft::traceql

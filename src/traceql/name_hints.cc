// SPDX-License-Identifier: Apache-2.0
#include "traceql/name_hints.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/edit_distance.h"
#include "traceql/foreign_words.h"
#include "traceql/literals.h"
#include "traceql/vocabulary.h"

namespace weft::traceql {
namespace {

constexpr std::string_view kDurationForm = "durations look like 10ms, 1.5s or 1h30m";

// How many letters a typo may have changed: never most of the word.
size_t EditsMax(size_t letters) {
  if (letters <= 2) return 0;
  return letters <= 4 ? 1 : std::max<size_t>(2, letters / 3);
}

// The one of `candidates` that `word` most likely was meant to be, or empty.
std::string_view NearestWord(std::string_view word,
                             const std::vector<std::string_view>& candidates) {
  if (word.size() > 64) return {};
  std::string_view best;
  size_t best_distance = 1 + EditsMax(word.size());
  for (std::string_view candidate : candidates) {
    size_t distance = EditDistance(word, candidate);
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

std::vector<std::string_view> ConstantWords() {
  return {"true", "false", "nil", "minInt", "maxInt"};
}

std::vector<std::string_view> KnownWords() {
  std::vector<std::string_view> known = ConstantWords();
  for (const IntrinsicWord& word : IntrinsicWords())
    if (!word.unscoped.empty()) known.push_back(word.unscoped);
  for (const EnumWord& word : EnumWords()) known.push_back(word.word);
  return known;
}

bool IsScope(std::string_view word) {
  return std::ranges::any_of(ScopeWords(), [&](const ScopeWord& scope) {
    return !scope.word.empty() && scope.word == word;
  });
}

bool IsComparisonSign(const Token& token) {
  if (token.kind != TokenKind::kOperator) return false;
  for (std::string_view sign : {"=", "!=", "<", "<=", ">", ">=", "=~", "!~"})
    if (token.text == sign) return true;
  return false;
}

bool IsRegexSign(const Token& token) {
  return token.kind == TokenKind::kOperator && (token.text == "=~" || token.text == "!~");
}

bool Touches(const Token& left, const Token& right) {
  return left.position.offset + left.text.size() == right.position.offset;
}

// The token at `at` and all that hangs on it without a blank: `qa-front` is three tokens.
std::string_view WrittenAt(std::span<const Token> tokens, size_t at) {
  size_t last = at;
  while (last + 1 < tokens.size() && Touches(tokens[last], tokens[last + 1])) {
    const Token& next = tokens[last + 1];
    bool joins = next.kind == TokenKind::kWord || next.kind == TokenKind::kField ||
                 next.kind == TokenKind::kLiteral ||
                 (next.kind == TokenKind::kOperator &&
                  std::string_view("-+*/%").find(next.text) != std::string_view::npos);
    if (!joins || next.text.find_first_of("\"`") != std::string_view::npos) break;
    ++last;
  }
  size_t begin = tokens[at].position.offset;
  size_t end = tokens[last].position.offset + tokens[last].text.size();
  return {tokens[at].text.data(), end - begin};
}

std::string QuotesHint(std::string_view written) {
  return "strings stand in quotes: " + QuoteText(written);
}

// STATUS_CODE_ERROR and SPAN_KIND_SERVER are OTLP's names.
std::string EnumValueHint(std::string_view word, Type type) {
  std::string lower = LowerCase(word);
  std::string_view name = lower;
  for (std::string_view prefix : {"status_code_", "span_kind_"})
    if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
  std::vector<std::string_view> known;
  for (const EnumWord& candidate : EnumWords())
    if (candidate.type == type) known.push_back(candidate.word);
  std::string_view nearest = NearestWord(name, known);
  return nearest.empty() ? EnumHint(type) : fmt::format("did you mean {}?", nearest);
}

// For a word on the right of a comparison.
std::string ValueHint(std::string_view word, std::string_view written, Type against) {
  if (against == Type::kString) return QuotesHint(written);
  if (against == Type::kStatus || against == Type::kKind) return EnumValueHint(word, against);
  std::string_view meant = ForeignValue(word);
  if (against == Type::kAny) {
    if (meant.empty() && written == word) meant = NearestWord(word, ConstantWords());
    return meant.empty()
               ? QuotesHint(written)
               : fmt::format("did you mean {}, or the string {}?", meant, QuoteText(written));
  }
  if (std::string_view field = ForeignField(word); !field.empty())
    return fmt::format("write {}", field);
  if (std::string_view near = NearestWord(word, KnownWords()); !near.empty())
    return fmt::format("did you mean {}, or the attribute .{}?", near, word);
  if (against == Type::kDuration) return std::string(kDurationForm);
  return fmt::format("attributes start with a dot or a scope: .{}", word);
}

// The type of the field that `token` is; kNil where it is none.
Type FieldType(const Token& token) {
  if (token.kind == TokenKind::kField) return IntrinsicType(token.field.intrinsic);
  for (const IntrinsicWord& word : IntrinsicWords())
    if (token.kind == TokenKind::kWord && word.unscoped == token.text) return word.type;
  return Type::kNil;
}

// For an operator that is a word elsewhere; `before` stands in front of it, or is null.
std::string OperatorWordHint(const Token& token, const Token* before) {
  Type type = before == nullptr ? Type::kNil : FieldType(*before);
  std::string_view field = type == Type::kNil ? ".a" : before->text;
  std::string meaning = ForeignOperator(token.text, field);
  if (meaning.empty()) return {};
  // Intrinsics are never nil, and only strings have patterns.
  bool intrinsic = type != Type::kNil && type != Type::kAny;
  if (intrinsic && meaning.find("nil") != std::string::npos)
    return fmt::format("{} always has a value; write = or !=", field);
  if (intrinsic && type != Type::kString && meaning.find("=~") != std::string::npos)
    return "write = and !=, joined by || and &&; only strings match a pattern";
  return "write " + meaning;
}

// `5 seconds`.
std::string UnitHint(const Token& number, const Token& word) {
  if (number.kind != TokenKind::kLiteral ||
      (number.literal.type != Type::kInt && number.literal.type != Type::kFloat))
    return {};
  std::string_view unit = ForeignUnit(word.text);
  if (unit.empty()) return {};
  std::string duration = fmt::format("{}{}", number.text, unit);
  return ScanNumber(duration).error.empty() ? fmt::format("write {}", duration)
                                            : std::string(kDurationForm);
}

// The type of the field that a value after `before` is compared with; kNil where none is.
Type ComparedType(std::span<const Token> before) {
  if (before.size() < 2 || !IsComparisonSign(before.back())) return Type::kNil;
  if (IsRegexSign(before.back())) return Type::kString;
  return FieldType(before[before.size() - 2]);
}

}  // namespace

std::string WordHint(std::span<const Token> tokens, size_t at, const Expression* against) {
  const Token& token = tokens[at];
  std::string_view word = token.text, written = WrittenAt(tokens, at);
  if (at > 0 && IsRegexSign(tokens[at - 1])) return QuotesHint(written);
  bool before_operand = at + 1 < tokens.size() && (tokens[at + 1].kind == TokenKind::kLiteral ||
                                                   tokens[at + 1].kind == TokenKind::kField);
  if (against != nullptr && before_operand && LowerCase(written) == "not") return "write !=";
  if (against != nullptr && against->kind != Expression::Kind::kLiteral)
    return ValueHint(word, written, against->type);
  // An attribute may have the name of an operator.
  if (at + 1 < tokens.size() && !IsComparisonSign(tokens[at + 1]))
    if (std::string hint = OperatorWordHint(token, nullptr); !hint.empty()) return hint;
  if (std::string_view field = ForeignField(word); !field.empty())
    return fmt::format("write {}", field);
  if (IsScope(word)) return fmt::format("attributes stand behind a dot: {}.x", word);
  if (std::string_view near = NearestWord(word, KnownWords()); !near.empty())
    return fmt::format("did you mean {}, or the attribute .{}?", near, word);
  return fmt::format("attributes start with a dot or a scope: .{}; {}", word, QuotesHint(written));
}

std::string OperandHint(std::span<const Token> tokens, size_t at) {
  if (at == 0 || tokens[at].kind != TokenKind::kOperator) return {};
  const Token& before = tokens[at - 1];
  if (before.kind == TokenKind::kOperator && Touches(before, tokens[at])) {
    std::string both = fmt::format("{}{}", before.text, tokens[at].text);
    std::string_view meaning = ForeignSign(both);
    if (!meaning.empty()) return fmt::format("write {}", meaning);
  }
  if (tokens[at].text == "/" && IsComparisonSign(before)) return QuotesHint(WrittenAt(tokens, at));
  return {};
}

std::string OperatorHint(std::span<const Token> tokens, size_t at) {
  const Token& token = tokens[at];
  if (token.kind == TokenKind::kPunctuation && token.text == "|") return "write || for or";
  if (token.kind == TokenKind::kPunctuation && token.text == ",")
    return "conditions are joined by && and ||: .a = 1 || .a = 2";
  if (token.kind == TokenKind::kOperator && token.text == "~")
    return "write =~ for a regular expression";
  if (token.kind == TokenKind::kField && token.text.starts_with('.'))
    return "write spaces around + - * / and around operators";
  if (token.kind != TokenKind::kWord || at == 0) return {};
  const Token& before = tokens[at - 1];
  if (std::string hint = UnitHint(before, token); !hint.empty()) return hint;
  return OperatorWordHint(token, &before);
}

std::string DottedHint(std::string_view written, std::span<const Token> before) {
  Type compared = ComparedType(before);
  if (compared == Type::kString) return QuotesHint(written);
  if (std::string_view field = ForeignField(written); !field.empty())
    return fmt::format("write {}", field);
  if (written.starts_with("service.")) return fmt::format("write resource.{}", written);
  std::string_view first = written.substr(0, written.find('.'));
  std::string_view rest = written.substr(first.size());
  for (std::string_view bag : {"attributes", "attribute", "tags", "tag"})
    if (first == bag) return fmt::format("write {}", rest);
  std::vector<std::string_view> scopes;
  for (const ScopeWord& scope : ScopeWords())
    if (!scope.word.empty()) scopes.push_back(scope.word);
  if (std::string_view near = NearestWord(first, scopes); !near.empty())
    return fmt::format("did you mean {}{}, or the attribute .{}?", near, rest, written);
  if (compared != Type::kNil)
    return fmt::format("{}; the attribute is .{}", QuotesHint(written), written);
  return fmt::format(
      "scopes are span, resource, event, link, instrumentation; or write .{} for any", written);
}

std::string ScopedHint(std::string_view name) {
  std::vector<std::string_view> known;
  for (const IntrinsicWord& word : IntrinsicWords())
    if (!word.scoped.empty()) known.push_back(word.scoped);
  std::string_view nearest = NearestWord(name, known);
  std::string_view scope = name.substr(0, name.find(':'));
  std::string_view rest = name.substr(scope.size() + 1);
  if (!nearest.empty() && EditDistance(name, nearest) == 0)
    return fmt::format("did you mean {}?", nearest);
  if (std::string_view field = ForeignField(rest); !field.empty())
    return fmt::format("write {}", field);
  if (!nearest.empty()) return fmt::format("did you mean {}?", nearest);
  if (IsScope(scope) && !rest.empty())
    return fmt::format("attributes stand behind a dot: {}.{}", scope, rest);
  return "fields and values are joined by =, as in name = \"x\"";
}

std::string NumberHint(std::string_view hint, std::span<const Token> before) {
  Type compared = ComparedType(before);
  if (compared == Type::kString) return "strings stand in quotes";
  if (compared == Type::kAny) return fmt::format("{}; strings stand in quotes", hint);
  return std::string(hint);
}

std::string EnumHint(Type type) {
  std::string hint = fmt::format("a {} is one of:", TypeName(type));
  for (const EnumWord& word : EnumWords())
    if (word.type == type) hint += fmt::format(" {}", word.word);
  return hint;
}

}  // namespace weft::traceql

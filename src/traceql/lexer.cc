// SPDX-License-Identifier: Apache-2.0
#include "traceql/lexer.h"

#include "traceql/literals.h"
#include "traceql/name_hints.h"
#include "traceql/vocabulary.h"

namespace weft::traceql {
namespace {

bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool EndsName(char c) {
  return IsSpace(c) || std::string_view("{}()=~!<>&|^,").find(c) != std::string_view::npos;
}

// Longest first, so that the first hit is the longest.
constexpr std::string_view kOperators[] = {
    "!>>", "!<<", "&>>", "&<<", "&&", "||", "!=", "=~", "!~", "<=", ">=", ">>", "<<", "!>", "!<",
    "&>",  "&<",  "&~",  "=",   "<",  ">",  "!",  "+",  "-",  "*",  "/",  "%",  "^",  "~"};

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  std::expected<std::vector<Token>, LexError> Run() {
    while (true) {
      if (!SkipBlanks()) return std::unexpected(std::move(error_));
      Token token;
      token.position = position_;
      size_t begin = position_.offset;
      if (begin == text_.size()) {
        tokens_.push_back(std::move(token));
        return std::move(tokens_);
      }
      if (!ReadToken(&token)) return std::unexpected(std::move(error_));
      token.text = text_.substr(begin, position_.offset - begin);
      tokens_.push_back(std::move(token));
    }
  }

 private:
  char Peek(size_t ahead = 0) const {
    size_t at = position_.offset + ahead;
    return at < text_.size() ? text_[at] : '\0';
  }
  bool AtEnd() const { return position_.offset >= text_.size(); }
  std::string_view Rest() const { return text_.substr(position_.offset); }

  void Advance(size_t bytes) {
    for (size_t i = 0; i < bytes; ++i) {
      char c = text_[position_.offset++];
      if (c == '\n') {
        ++position_.line;
        position_.column = 1;
      } else if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) {
        ++position_.column;
      }
    }
  }

  bool Fail(Position at, std::string message, std::string hint = "") {
    error_ = {at, std::move(message), std::move(hint)};
    return false;
  }

  bool SkipBlanks() {
    while (!AtEnd()) {
      if (IsSpace(Peek())) {
        Advance(1);
      } else if (Rest().starts_with("//")) {
        size_t end = Rest().find('\n');
        Advance(end == std::string_view::npos ? Rest().size() : end);
      } else if (Rest().starts_with("/*")) {
        size_t end = Rest().find("*/", 2);
        if (end == std::string_view::npos) return Fail(position_, "this comment has no end", "*/");
        Advance(end + 2);
      } else {
        break;
      }
    }
    return true;
  }

  bool ReadToken(Token* token) {
    char c = Peek();
    if (c == '"' || c == '`') return ReadString(token);
    if (IsDigit(c) || (c == '.' && IsDigit(Peek(1)))) return ReadNumber(token);
    if (c == '.') {
      Advance(1);
      return ReadAttribute(token, Scope::kAny);
    }
    if (IsLetter(c)) return ReadWord(token);
    for (std::string_view op : kOperators) {
      if (!Rest().starts_with(op)) continue;
      token->kind = TokenKind::kOperator;
      Advance(op.size());
      return true;
    }
    if (std::string_view("{}(),|").find(c) != std::string_view::npos) {
      token->kind = TokenKind::kPunctuation;
      Advance(1);
      return true;
    }
    if (c == '\'') return Fail(position_, "unexpected '", "strings stand in \"double quotes\"");
    if (c == '&') return Fail(position_, "unexpected &", "and is &&");
    return Fail(position_, "unexpected character", "");
  }

  bool ReadString(Token* token) {
    Position start = position_;
    StringScan scan = ScanString(Rest());
    if (!scan.error.empty()) {
      Advance(scan.bytes);
      return Fail(scan.whole ? start : position_, std::string(scan.error), std::string(scan.hint));
    }
    Advance(scan.bytes);
    token->kind = TokenKind::kLiteral;
    token->literal.type = Type::kString;
    token->literal.text = std::move(scan.value);
    return true;
  }

  bool ReadNumber(Token* token) {
    NumberScan scan = ScanNumber(Rest());
    if (!scan.error.empty())
      return Fail(position_, std::string(scan.error), NumberHint(scan.hint, tokens_));
    Advance(scan.bytes);
    token->kind = TokenKind::kLiteral;
    token->literal = std::move(scan.value);
    return true;
  }

  // A word, and what hangs on it: `span.x`, `span:duration`, `parent.resource.x`.
  bool ReadWord(Token* token) {
    Position start = position_;
    std::string_view word = TakeWord();
    if (word == "parent" && Peek() == '.') {
      Advance(1);
      token->of_parent = true;
      for (std::string_view scope : {"span", "resource"}) {
        if (!Rest().starts_with(scope) || Peek(scope.size()) != '.') continue;
        Advance(scope.size() + 1);
        return ReadAttribute(token, scope == "span" ? Scope::kSpan : Scope::kResource);
      }
      return ReadAttribute(token, Scope::kAny);
    }
    if (Peek() == '.') {
      for (const ScopeWord& scope : ScopeWords()) {
        if (scope.word != word) continue;
        Advance(1);
        return ReadAttribute(token, scope.scope);
      }
      size_t length = word.size();
      while (start.offset + length < text_.size() && !EndsName(text_[start.offset + length]) &&
             text_[start.offset + length] != '"')
        ++length;
      return Fail(start, "'" + std::string(word) + "' is not a scope",
                  DottedHint(text_.substr(start.offset, length), tokens_));
    }
    if (Peek() == ':') {
      Advance(1);
      return ReadScopedIntrinsic(token, start);
    }
    token->kind = TokenKind::kWord;
    return true;
  }

  std::string_view TakeWord() {
    size_t length = 0;
    while (IsLetter(Peek(length)) || IsDigit(Peek(length))) ++length;
    std::string_view word = Rest().substr(0, length);
    Advance(length);
    return word;
  }

  bool ReadScopedIntrinsic(Token* token, Position start) {
    TakeWord();
    std::string_view name = text_.substr(start.offset, position_.offset - start.offset);
    for (const IntrinsicWord& word : IntrinsicWords()) {
      if (word.scoped.empty() || word.scoped != name) continue;
      token->kind = TokenKind::kField;
      token->field.intrinsic = word.intrinsic;
      return true;
    }
    return Fail(start, "'" + std::string(name) + "' is not an intrinsic", ScopedHint(name));
  }

  // After the dot. Quoted parts may stand anywhere in a name.
  bool ReadAttribute(Token* token, Scope scope) {
    Position start = position_;
    token->kind = TokenKind::kField;
    token->field.scope = scope;
    bool quoted = false;
    while (!AtEnd() && !EndsName(Peek())) {
      if (Peek() != '"') {
        token->field.key += Peek();
        Advance(1);
        continue;
      }
      quoted = true;
      if (!ReadQuotedPart(&token->field.key)) return false;
    }
    if (position_.offset == start.offset && !quoted)
      return Fail(start, "an attribute name is missing after the dot",
                  "quote names with special characters: .\"my key\"");
    return true;
  }

  bool ReadQuotedPart(std::string* key) {
    Position start = position_;
    Advance(1);
    while (!AtEnd() && Peek() != '"') {
      if (Peek() == '\\') {
        if (Peek(1) != '"' && Peek(1) != '\\')
          return Fail(position_, "unknown escape in an attribute name",
                      "only \\\" and \\\\ are known there");
        Advance(1);
      }
      *key += Peek();
      Advance(1);
    }
    if (AtEnd()) return Fail(start, "this quoted attribute name has no end", "");
    Advance(1);
    return true;
  }

  std::string_view text_;
  Position position_;
  std::vector<Token> tokens_;  // read so far
  LexError error_;
};

}  // namespace

std::expected<std::vector<Token>, LexError> Tokenize(std::string_view text) {
  return Lexer(text).Run();
}

}  // namespace weft::traceql

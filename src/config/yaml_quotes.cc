// SPDX-License-Identifier: Apache-2.0
#include "config/yaml_quotes.h"

#include <re2/re2.h>

#include <vector>

namespace weft::config {
namespace {

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

// Walks over tokens, as far as needed to know which quotes begin a scalar: those in comments, in
// plain scalars and in block scalars do not. Takes wrong YAML for what it looks most like.
class QuoteScan {
 public:
  explicit QuoteScan(std::string_view text) : text_(text) {
    if (text_.starts_with("\xEF\xBB\xBF")) text_.remove_prefix(3);
  }

  std::optional<uint32_t> Find() {
    BeginLine();
    while (!AtEnd()) {
      char c = Peek();
      bool is_value = c == '"' || c == '\'';
      if (is_value) {
        uint32_t opened = line_;
        BeginNode();
        if (!SkipQuoted(c)) return opened;
      } else if (!SkipStructure(c)) {
        BeginNode();
        SkipPlain();
      }
      if (!IsBlank(c) && c != '\n') after_json_ = is_value || c == ']' || c == '}';
    }
    return std::nullopt;
  }

 private:
  static constexpr int kNoColumn = -1;

  bool AtEnd() const { return at_ >= text_.size(); }
  char Peek(size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\n';
  }
  int Column() const { return static_cast<int>(at_ - line_start_); }
  bool BlankAt(size_t ahead) const { return IsBlank(Peek(ahead)) || Peek(ahead) == '\n'; }
  bool LineIsBlank() const {
    size_t at = text_.find_first_not_of(" \t\r", at_);
    return at == std::string_view::npos || text_[at] == '\n';
  }
  bool AtMarker() const {
    std::string_view three = text_.substr(at_, 3);
    return Column() == 0 && (three == "---" || three == "...") && BlankAt(3);
  }
  // The column of the innermost list or map; what belongs to it is indented more.
  int Parent() const { return parents_.empty() ? -1 : parents_.back(); }

  void NextLine() {
    size_t newline = text_.find('\n', at_);
    at_ = newline == std::string_view::npos ? text_.size() : newline + 1;
    line_start_ = at_;
    ++line_;
  }
  void SkipSpaces() {
    while (!AtEnd() && Peek() == ' ') ++at_;
  }

  // At a line's first byte, outside of every scalar.
  void BeginLine() {
    SkipSpaces();
    while (!AtEnd() && (BlankAt(0) || Peek() == '#')) {
      if (IsBlank(Peek())) {
        ++at_;
      } else {
        NextLine();
        SkipSpaces();
      }
    }
    if (AtEnd() || flows_ > 0) return;
    node_column_ = kNoColumn;
    while (!parents_.empty() && parents_.back() >= Column()) parents_.pop_back();
  }

  void BeginNode() {
    if (node_column_ == kNoColumn) node_column_ = Column();
  }
  void Enter(int column) {
    if (column > Parent()) parents_.push_back(column);
    node_column_ = kNoColumn;
  }

  // Whatever is no quoted and no plain scalar; false before a plain one.
  bool SkipStructure(char c) {
    if (c == '\n' || c == '#') {
      NextLine();
      BeginLine();
    } else if (IsBlank(c)) {
      ++at_;
    } else if (AtMarker()) {
      at_ += 3;
      parents_.clear();
      flows_ = 0;
      node_column_ = kNoColumn;
    } else if (c == '[' || c == '{') {
      BeginNode();
      ++flows_;
      ++at_;
    } else if (flows_ > 0 && (c == ']' || c == '}' || c == ',')) {
      if (c != ',') --flows_;
      ++at_;
    } else if (c == ':' && EndsKey()) {
      if (flows_ == 0) Enter(node_column_ == kNoColumn ? Column() : node_column_);
      ++at_;
    } else if ((c == '-' || c == '?') && BlankAt(1)) {
      if (flows_ == 0) Enter(Column());
      ++at_;
    } else if (c == '&' || c == '!' || c == '*') {
      BeginNode();
      while (!BlankAt(0) && !EndsFlowWord()) ++at_;
    } else if ((c == '|' || c == '>') && flows_ == 0) {
      SkipBlockScalar();
    } else {
      return false;
    }
    return true;
  }

  bool EndsFlowWord() const {
    return flows_ > 0 && std::string_view(",[]{}").find(Peek()) != std::string_view::npos;
  }
  // At a colon. {"a":1} needs no space behind it.
  bool EndsKey() const {
    if (BlankAt(1)) return true;
    return flows_ > 0 &&
           (after_json_ || std::string_view(",[]{}").find(Peek(1)) != std::string_view::npos);
  }

  void SkipPlain() {
    for (;;) {
      while (!AtEnd() && Peek() != '\n') {
        if (EndsFlowWord()) return;
        if (Peek() == ':' && (BlankAt(1) || (flows_ > 0 && EndsKey()))) return;
        if (Peek() == '#' && BlankBefore()) return;
        ++at_;
      }
      if (!ContinuesBelow()) return;
    }
  }
  bool BlankBefore() const { return at_ > line_start_ && IsBlank(text_[at_ - 1]); }

  // At the end of a plain scalar's line: goes to its next line when there is one.
  bool ContinuesBelow() {
    size_t at = at_, line_start = line_start_;
    uint32_t line = line_;
    while (!AtEnd() && BlankAt(0)) {
      if (Peek() == '\n') {
        NextLine();
      } else {
        ++at_;
      }
    }
    if (!AtEnd() && Peek() != '#' && !AtMarker() && (flows_ > 0 || Column() > Parent()))
      return true;
    at_ = at;
    line_start_ = line_start;
    line_ = line;
    return false;
  }

  // At "|" or ">".
  void SkipBlockScalar() {
    NextLine();
    while (!AtEnd()) {
      SkipSpaces();
      if (!LineIsBlank() && (Column() <= Parent() || AtMarker())) {
        at_ = line_start_;
        break;
      }
      NextLine();
    }
    BeginLine();
  }

  // At the quote; goes behind the one that closes it. False when there is none.
  bool SkipQuoted(char quote) {
    ++at_;
    while (!AtEnd()) {
      char c = Peek();
      if (c == '\n') {
        NextLine();
        if (AtMarker() || AtNextEntry()) return false;
      } else if (c == '\\' && quote == '"') {
        at_ += Peek(1) == '\n' ? 1 : 2;
      } else if (c != quote) {
        ++at_;
      } else if (quote == '\'' && Peek(1) == '\'') {
        at_ += 2;
      } else {
        ++at_;
        return true;
      }
    }
    return false;
  }

  // At the first byte of a line between quotes.
  bool AtNextEntry() {
    SkipSpaces();
    if (Column() > Parent()) return false;
    static const RE2 kEntry(R"(^(- |-\r?$|[^\s"'#:]+:(\s|$)|"[^"]*":(\s|$)|'[^']*':(\s|$)))");
    std::string_view line = text_.substr(at_, text_.find('\n', at_) - at_);
    return RE2::PartialMatch(re2::StringPiece(line.data(), line.size()), kEntry);
  }

  std::string_view text_;
  size_t at_ = 0, line_start_ = 0;
  uint32_t line_ = 1;
  std::vector<int> parents_;     // columns of the lists and maps around this place
  int node_column_ = kNoColumn;  // where the key or value began that is being read
  int flows_ = 0;                // brackets and braces that are open
  bool after_json_ = false;      // the last token was quoted or closed a bracket
};

}  // namespace

std::optional<uint32_t> FindUnclosedQuote(std::string_view text) { return QuoteScan(text).Find(); }

}  // namespace weft::config

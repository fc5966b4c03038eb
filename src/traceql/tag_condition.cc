// SPDX-License-Identifier: Apache-2.0
#include "traceql/tag_condition.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <re2/re2.h>

#include <charconv>
#include <limits>
#include <optional>
#include <vector>

#include "traceql/foreign_words.h"
#include "traceql/literals.h"
#include "traceql/traceql.h"
#include "traceql/vocabulary.h"

namespace weft::traceql {
namespace {

// Where an attribute may stand.
constexpr Scope kPlaces[] = {Scope::kSpan, Scope::kResource, Scope::kInstrumentation, Scope::kEvent,
                             Scope::kLink};

// Names of the span's own fields in Jaeger's JSON, older spellings included, and in Tempo's tags.
struct Property {
  std::string_view key;
  std::string_view field;
  bool of_tempo = false;  // only there: to others it is an attribute's name like any other
};
constexpr Property kProperties[] = {{"span.kind", "kind"},
                                    {"otel.status_code", "status"},
                                    {"span.status", "status"},
                                    {"status.code", "status"},
                                    {"otel.status_description", "statusMessage"},
                                    {"otel.scope.name", "instrumentation:name"},
                                    {"otel.library.name", "instrumentation:name"},
                                    {"scope.name", "instrumentation:name"},
                                    {"otel.scope.version", "instrumentation:version"},
                                    {"otel.library.version", "instrumentation:version"},
                                    {"scope.version", "instrumentation:version"},
                                    {"w3c.tracestate", "span:traceState"},
                                    {"event", "event:name"},
                                    {"root.name", "rootName", true},
                                    {"root.service.name", "rootServiceName", true}};

// The value as a number of TraceQL, where it is one of JSON: 200, -7.50, 1e+21. A whole number of
// more than 64 bits is a double wherever it was stored.
std::optional<std::string> NumberLiteral(std::string_view text) {
  std::string_view rest = text.substr(text.starts_with('-') ? 1 : 0);
  auto take_digits = [&rest] {
    size_t count = std::min(rest.find_first_not_of("0123456789"), rest.size());
    rest.remove_prefix(count);
    return count > 0;
  };
  if (!take_digits()) return std::nullopt;
  bool is_whole = rest.empty();
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    if (!take_digits()) return std::nullopt;
  }
  if (rest.starts_with('e') || rest.starts_with('E')) {
    rest.remove_prefix(1);
    if (rest.starts_with('+') || rest.starts_with('-')) rest.remove_prefix(1);
    if (!take_digits()) return std::nullopt;
  }
  if (!rest.empty()) return std::nullopt;
  const char* end = text.data() + text.size();
  int64_t integer = 0;
  double real = 0;
  if (is_whole && std::from_chars(text.data(), end, integer).ec == std::errc())
    return integer == std::numeric_limits<int64_t>::min() ? "minInt" : std::string(text);
  if (std::from_chars(text.data(), end, real).ec != std::errc()) return std::nullopt;
  return is_whole ? std::string(text) + ".0" : std::string(text);
}

bool IsTruth(std::string_view value) { return value == "true" || value == "false"; }

// The items of an array of JSON as literals, where the text is one of plain values. So arrays are
// shown; a condition can ask for their items alone. The first ones tell enough.
std::vector<std::string> ItemLiterals(std::string_view text) {
  constexpr size_t kItemsMax = 64;
  std::vector<std::string> items;
  auto skip_blanks = [&text] {
    text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
  };
  if (!text.starts_with('[') || !text.ends_with(']')) return {};
  text = text.substr(1, text.size() - 2);
  for (skip_blanks(); !text.empty() && items.size() < kItemsMax; skip_blanks()) {
    if (text.starts_with('"')) {
      StringScan scan = ScanString(text);
      if (!scan.error.empty()) return {};
      items.push_back(QuoteText(scan.value));
      text.remove_prefix(scan.bytes);
    } else {
      std::string_view word = text.substr(0, text.find_first_of(", \t\r\n"));
      std::optional<std::string> number = NumberLiteral(word);
      if (!number && !IsTruth(word)) return {};
      items.push_back(number ? *number : std::string(word));
      text.remove_prefix(word.size());
    }
    skip_blanks();
    if (!text.empty() && !text.starts_with(',')) return {};
    text.remove_prefix(std::min<size_t>(1, text.size()));
  }
  return items;
}

// Texts that match the value, in TraceQL.
std::string TextCondition(std::string_view field, std::string_view value, TagMatch match) {
  if (match == TagMatch::kEqual) return fmt::format("{} = {}", field, QuoteText(value));
  return fmt::format("{} =~ {}", field, QuoteText("(?i).*" + RE2::QuoteMeta(value) + ".*"));
}

class Alternatives {
 public:
  explicit Alternatives(TagMatch match) : match_(match) {}

  void AddAttribute(Scope scope, std::string_view key, std::string_view value) {
    std::string field = FieldText(Field{.scope = scope, .key = std::string(key)});
    either_.push_back(TextCondition(field, value, match_));
    if (auto number = NumberLiteral(value)) either_.push_back(field + " = " + *number);
    if (IsTruth(value)) either_.push_back(fmt::format("{} = {}", field, value));
    std::vector<std::string> items = ItemLiterals(value);
    for (std::string& item : items) item = field + " = " + item;
    if (!items.empty()) either_.push_back(fmt::format("({})", fmt::join(items, " && ")));
  }
  void AddAttributes(std::string_view key, std::string_view value) {
    for (Scope scope : kPlaces) AddAttribute(scope, key, value);
  }
  // A field of the language; nothing where it cannot have such a value.
  void AddField(std::string_view field, Type type, std::string_view value) {
    // What is empty is shown nowhere, but contained in everything.
    if (value.empty() && match_ == TagMatch::kEqual) return;
    if (type == Type::kString) {
      bool is_id = field.ends_with("id") || field.ends_with("ID");
      std::string equal = fmt::format("{} = {}", field, QuoteText(value));
      if (!is_id) equal = TextCondition(field, value, match_);
      if (!is_id || IsCondition(equal)) either_.push_back(std::move(equal));
      return;
    }
    std::string lower = LowerCase(value);
    std::string condition = fmt::format("{} = {}", field, lower);
    bool is_word = lower.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-") == lower.npos;
    if (is_word && IsCondition(condition)) either_.push_back(std::move(condition));
  }
  void AddError() {
    either_.emplace_back("status = error");
    for (Scope scope : kPlaces) {
      std::string field = FieldText(Field{.scope = scope, .key = "error"});
      either_.push_back(field + " = true");
      either_.push_back(field + " = \"true\"");
    }
  }

  std::string Join() const { return AnyOf(either_); }

 private:
  // A field beside a literal, not beside a word that happens to be another field.
  static bool IsCondition(const std::string& text) {
    auto query = Parse("{ " + text + " }");
    return query && query->spanset->filter->right->kind == Expression::Kind::kLiteral;
  }

  const TagMatch match_;
  std::vector<std::string> either_;
};

void AddProperties(std::string_view key, std::string_view value, TagMatch match,
                   Alternatives* alternatives) {
  bool tempo = match == TagMatch::kContains;
  auto type_of = [](std::string_view field) {
    for (const IntrinsicWord& word : IntrinsicWords())
      if (word.scoped == field || word.unscoped == field) return word.type;
    return Type::kString;
  };
  for (const Property& property : kProperties)
    if (property.key == key && (tempo || !property.of_tempo))
      alternatives->AddField(property.field, type_of(property.field), value);
  if (!tempo || key.empty()) return;
  for (const IntrinsicWord& word : IntrinsicWords())
    if (!word.scoped.empty() && (word.scoped == key || word.unscoped == key))
      alternatives->AddField(key, word.type, value);
}

bool IsProperty(std::string_view key) {
  for (const Property& property : kProperties)
    if (property.key == key) return true;
  return false;
}

}  // namespace

std::string AnyOf(const std::vector<std::string>& conditions) {
  return fmt::format("({})", fmt::join(conditions, " || "));
}

std::string TagCondition(std::string_view key, std::string_view value, TagMatch match) {
  Alternatives alternatives(match);
  std::string lower = key == "error" ? LowerCase(value) : "";
  if (lower == "true" || lower == "false") {
    alternatives.AddError();
    // What is shown as TRUE is no error, and found all the same.
    if (lower == "true" && value != lower) alternatives.AddAttributes(key, value);
    return (lower == "false" ? "!" : "") + alternatives.Join();
  }
  AddProperties(key, value, match, &alternatives);
  if (!IsProperty(key))
    for (const ScopeWord& scope : ScopeWords())
      if (!scope.word.empty() && key.size() > scope.word.size() + 1 &&
          key.starts_with(scope.word) && key[scope.word.size()] == '.')
        alternatives.AddAttribute(scope.scope, key.substr(scope.word.size() + 1), value);
  alternatives.AddAttributes(key, value);
  return alternatives.Join();
}

}  // namespace weft::traceql

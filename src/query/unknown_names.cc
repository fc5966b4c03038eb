// SPDX-License-Identifier: Apache-2.0
#include "query/unknown_names.h"

#include <algorithm>
#include <set>

#include "base/edit_distance.h"
#include "query/budget_meter.h"
#include "query/group_columns.h"
#include "query/tag_catalog.h"
#include "traceql/literals.h"
#include "traceql/traceql.h"

namespace weft::query {
namespace {

using segment::AttributeScope;
using traceql::Expression;
using traceql::Field;
using traceql::Intrinsic;
using traceql::Operator;
using traceql::Scope;
using Kind = UnknownName::Kind;

// Longer names are compared with nothing: the work grows with the square of their length.
constexpr size_t kComparedBytesMax = 128;

// One name in the query.
struct Asked {
  Kind kind = Kind::kAttribute;
  std::string name;   // of a service or operation
  Field field;        // of an attribute
  std::string value;  // that it is compared with, as a text
};

bool IsServiceField(const Field& field) {
  bool attribute = field.intrinsic == Intrinsic::kNone && field.key == "service.name" &&
                   (field.scope == Scope::kResource || field.scope == Scope::kAny);
  return attribute || field.intrinsic == Intrinsic::kRootService;
}

std::string TextOf(const traceql::Literal& literal) {
  return literal.type == traceql::Type::kString ? literal.text : traceql::LiteralText(literal);
}

class Finder {
 public:
  Finder(const store::Snapshot& snapshot, const Budget& budget)
      : snapshot_(snapshot), budget_(budget), meter_(budget) {}

  Status Visit(const traceql::Spanset& spanset) {
    if (spanset.kind == traceql::Spanset::Kind::kFilter)
      return spanset.filter == nullptr ? Status{} : Visit(*spanset.filter);
    WEFT_TRY(Visit(*spanset.left));
    return Visit(*spanset.right);
  }
  Result<std::vector<UnknownName>> Finish();

 private:
  Status Visit(const Expression& e);
  Status VisitEither(const Expression& e);
  // The names that one condition asks of; false where it asks only of what every span has.
  static bool NamesOf(const Expression& comparison, std::vector<Asked>* names);
  static void FieldsOf(const Expression& e, std::string_view value, std::vector<Asked>* names);
  Result<bool> IsKnown(const Asked& asked) const;
  Status Report(std::vector<Asked> unknown);
  Result<std::string> NearestAttribute(const Field& field, bool key_alone);
  Result<std::string> NearestOf(const UnknownName& unknown, const Field& field);

  const store::Snapshot& snapshot_;
  const Budget& budget_;
  BudgetMeter meter_;
  std::vector<UnknownName> found_;
  std::vector<Field> fields_;  // of the attributes among them
};

// The alternatives of a chain of ||, flat.
void Flatten(const Expression& e, std::vector<const Expression*>* out) {
  if (e.op != Operator::kOr) return out->push_back(&e);
  Flatten(*e.left, out);
  Flatten(*e.right, out);
}

Status Finder::Visit(const Expression& e) {
  WEFT_TRY(meter_.Check(0));
  if (e.op == Operator::kOr) return VisitEither(e);
  if (e.op == Operator::kAnd || e.op == Operator::kNot) {
    WEFT_TRY(Visit(*e.left));
    return e.right == nullptr ? Status{} : Visit(*e.right);
  }
  std::vector<Asked> names, unknown;
  NamesOf(e, &names);
  for (Asked& asked : names) {
    WEFT_ASSIGN(bool known, IsKnown(asked));
    if (!known) unknown.push_back(std::move(asked));
  }
  return Report(std::move(unknown));
}

Status Finder::VisitEither(const Expression& e) {
  std::vector<const Expression*> sides;
  Flatten(e, &sides);
  std::set<std::string> known_values;
  std::vector<Asked> unknown;
  for (const Expression* side : sides) {
    if (side->op == Operator::kAnd || side->op == Operator::kNot) {
      WEFT_TRY(Visit(*side));
      continue;
    }
    std::vector<Asked> names;
    if (!NamesOf(*side, &names)) {
      // An intrinsic, which every span has: `kind = client || span.span.kind = "client"`.
      const Expression* right = side->right.get();
      if (right != nullptr && right->kind == Expression::Kind::kLiteral)
        known_values.insert(TextOf(right->literal));
    }
    for (Asked& asked : names) {
      WEFT_ASSIGN(bool known, IsKnown(asked));
      if (known) {
        known_values.insert(asked.value);
      } else {
        unknown.push_back(std::move(asked));
      }
    }
  }
  std::erase_if(unknown, [&](const Asked& asked) { return known_values.contains(asked.value); });
  return Report(std::move(unknown));
}

bool Finder::NamesOf(const Expression& e, std::vector<Asked>* names) {
  const Expression *field = e.left.get(), *value = e.right.get();
  if (e.op == Operator::kEqual && field->kind == Expression::Kind::kLiteral)
    std::swap(field, value);
  bool is_text = e.op == Operator::kEqual && field->kind == Expression::Kind::kField &&
                 value->kind == Expression::Kind::kLiteral &&
                 value->literal.type == traceql::Type::kString;
  if (is_text && IsServiceField(field->field)) {
    // What the lists call services without a name.
    if (value->literal.text != ServiceName(Resource{}))
      names->push_back({Kind::kService, value->literal.text, {}, value->literal.text});
    return true;
  }
  bool is_name = field != nullptr && (field->field.intrinsic == Intrinsic::kName ||
                                      field->field.intrinsic == Intrinsic::kRootName);
  if (is_text && is_name) {
    names->push_back({Kind::kOperation, value->literal.text, {}, value->literal.text});
    return true;
  }
  std::string text;
  if (value != nullptr && value->kind == Expression::Kind::kLiteral) text = TextOf(value->literal);
  size_t before = names->size();
  FieldsOf(e, text, names);
  return names->size() > before;
}

void Finder::FieldsOf(const Expression& e, std::string_view value, std::vector<Asked>* names) {
  // `error` stands in what the tag error=true becomes, and many have no such attribute.
  if (e.kind == Expression::Kind::kField && e.field.intrinsic == Intrinsic::kNone &&
      e.field.key != "service.name" && e.field.key != "error")
    names->push_back({Kind::kAttribute, "", e.field, std::string(value)});
  for (const auto& side : {e.left, e.right})
    if (side != nullptr) FieldsOf(*side, value, names);
}

Result<bool> Finder::IsKnown(const Asked& asked) const {
  for (const auto& segment : snapshot_.segments()) {
    if (asked.kind == Kind::kAttribute) {
      segment::TableId table = asked.field.scope == Scope::kEvent  ? segment::TableId::kEvents
                               : asked.field.scope == Scope::kLink ? segment::TableId::kLinks
                                                                   : segment::TableId::kSpans;
      auto has = [&](AttributeScope scope) {
        return std::ranges::any_of(
            segment->table(table).FindColumns(scope, asked.field.key),
            [](const segment::ColumnRef& column) { return column.type != ValueType::kEmpty; });
      };
      if (has(ColumnScope(asked.field.scope))) return true;
      if (asked.field.scope == Scope::kAny && has(AttributeScope::kResource)) return true;
      continue;
    }
    const segment::Table& spans = segment->spans();
    std::string_view column = asked.kind == Kind::kService ? "serviceName" : "name";
    for (segment::ColumnRef ref : spans.FindColumns(AttributeScope::kIntrinsic, column)) {
      WEFT_ASSIGN(auto dictionary, spans.OpenDictionary(ref));
      WEFT_ASSIGN(uint32_t id, dictionary->Find(Value::String(asked.name)));
      if (id != segment::kAbsent) return true;
    }
  }
  return false;
}

// An attribute that was asked for in several places is named by its key alone.
Status Finder::Report(std::vector<Asked> unknown) {
  for (size_t i = 0; i < unknown.size(); ++i) {
    const Asked& asked = unknown[i];
    UnknownName out{asked.kind, asked.name, ""};
    Field field = asked.field;
    if (asked.kind == Kind::kAttribute) {
      bool elsewhere = false, before = false;
      for (size_t j = 0; j < unknown.size(); ++j) {
        bool same = unknown[j].kind == Kind::kAttribute && unknown[j].field.key == field.key;
        elsewhere |= same && unknown[j].field.scope != field.scope;
        before |= same && j < i;
      }
      if (before) continue;
      if (elsewhere) field.scope = Scope::kAny;
      out.name = elsewhere ? traceql::KeyText(field.key) : traceql::FieldText(field);
    }
    bool is_new = std::ranges::none_of(found_, [&](const UnknownName& known) {
      return known.kind == out.kind && known.name == out.name;
    });
    if (!is_new) continue;
    found_.push_back(std::move(out));
    fields_.push_back(std::move(field));
  }
  return {};
}

Result<std::string> Finder::NearestAttribute(const Field& field, bool key_alone) {
  WEFT_ASSIGN(TagNames tags, ListTags(snapshot_, "", {.limit = kTagLimitMax}, budget_));
  std::erase_if(tags.tags,
                [](const TagName& tag) { return tag.scope == "log" || tag.scope == "intrinsic"; });
  std::set<std::string> keys;
  for (const TagName& tag : tags.tags) {
    // The same key elsewhere is the likeliest slip.
    if (tag.key == field.key) return TagText(tag);
    keys.insert(tag.key);
  }
  std::string nearest = NearestName(field.key, std::vector(keys.begin(), keys.end()));
  if (nearest.empty()) return nearest;
  if (key_alone) return traceql::KeyText(nearest);
  Field same_place = field;
  same_place.key = nearest;
  std::string best = traceql::FieldText(same_place);
  if (field.scope == Scope::kAny) return best;
  auto is_there = [&](const TagName& tag) { return tag.key == nearest && TagText(tag) == best; };
  if (std::ranges::any_of(tags.tags, is_there)) return best;
  return TagText(*std::ranges::find(tags.tags, nearest, &TagName::key));
}

Result<std::string> Finder::NearestOf(const UnknownName& unknown, const Field& field) {
  if (unknown.kind == Kind::kAttribute)
    return NearestAttribute(field, unknown.name == traceql::KeyText(field.key));
  std::set<std::string> names;
  std::string_view column = unknown.kind == Kind::kService ? "serviceName" : "name";
  for (const auto& segment : snapshot_.segments()) {
    WEFT_TRY(meter_.Check(0));
    const segment::Table& spans = segment->spans();
    for (segment::ColumnRef ref : spans.FindColumns(AttributeScope::kIntrinsic, column)) {
      WEFT_ASSIGN(auto dictionary, spans.OpenDictionary(ref));
      WEFT_TRY(dictionary->ForEach([&](uint32_t, const Value& value) {
        if (value.type == ValueType::kString) names.emplace(value.string());
      }));
    }
  }
  return NearestName(unknown.name, std::vector(names.begin(), names.end()));
}

Result<std::vector<UnknownName>> Finder::Finish() {
  for (size_t i = 0; i < found_.size(); ++i) {
    WEFT_ASSIGN(found_[i].nearest, NearestOf(found_[i], fields_[i]));
  }
  return std::move(found_);
}

}  // namespace

std::string_view KindWord(Kind kind) {
  switch (kind) {
    case Kind::kService:
      return "service";
    case Kind::kOperation:
      return "operation";
    case Kind::kAttribute:
      break;
  }
  return "attribute";
}

std::optional<Kind> KindOfWord(std::string_view word) {
  for (Kind kind : {Kind::kService, Kind::kOperation, Kind::kAttribute})
    if (KindWord(kind) == word) return kind;
  return std::nullopt;
}

std::string SentenceOf(const UnknownName& unknown) {
  bool quoted = unknown.kind != Kind::kAttribute;
  auto shown = [&](const std::string& name) { return quoted ? '"' + name + '"' : name; };
  std::string out =
      "no data has the " + std::string(KindWord(unknown.kind)) + " " + shown(unknown.name);
  return unknown.nearest.empty() ? out : out + ": did you mean " + shown(unknown.nearest) + "?";
}

std::string NearestName(std::string_view name, std::span<const std::string> candidates) {
  if (name.empty() || name.size() > kComparedBytesMax) return {};
  // About one letter of three may be wrong; what merely continues the name is near too.
  size_t allowed = std::max<size_t>(1, name.size() / 3), least = allowed + 1;
  std::string best;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > kComparedBytesMax) continue;
    size_t gap = std::max(candidate.size(), name.size()) - std::min(candidate.size(), name.size());
    if (gap >= least) continue;
    size_t distance = EditDistance(name, candidate);
    if (distance >= least) continue;
    least = distance;
    best = candidate;
  }
  if (!best.empty() || name.size() < 3) return best;
  for (const std::string& candidate : candidates)
    if (candidate.size() <= kComparedBytesMax && candidate.contains(name) &&
        (best.empty() || candidate.size() < best.size()))
      best = candidate;
  return best;
}

Result<std::vector<UnknownName>> FindUnknownNames(const store::Snapshot& snapshot,
                                                  const traceql::Query& query,
                                                  const Budget& budget) {
  bool has_spans = std::ranges::any_of(
      snapshot.segments(), [](const auto& segment) { return segment->spans().row_count() > 0; });
  // Without data every name is unknown, and that is no news.
  if (!has_spans || !snapshot.unreadable().empty()) return std::vector<UnknownName>();
  Finder finder(snapshot, budget);
  WEFT_TRY(finder.Visit(*query.spanset));
  return finder.Finish();
}

}  // namespace weft::query

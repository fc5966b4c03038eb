// SPDX-License-Identifier: Apache-2.0
#include "traceql/vocabulary.h"

#include <limits>

namespace weft::traceql {
namespace {

constexpr IntrinsicWord kIntrinsics[] = {
    {Intrinsic::kDuration, "span:duration", "duration", Type::kDuration, false},
    {Intrinsic::kName, "span:name", "name", Type::kString, false},
    {Intrinsic::kStatus, "span:status", "status", Type::kStatus, false},
    {Intrinsic::kStatusMessage, "span:statusMessage", "statusMessage", Type::kString, false},
    {Intrinsic::kKind, "span:kind", "kind", Type::kKind, false},
    {Intrinsic::kSpanId, "span:id", "", Type::kString, false},
    {Intrinsic::kParentId, "span:parentID", "", Type::kString, false},
    {Intrinsic::kChildCount, "span:childCount", "", Type::kInt, true},
    {Intrinsic::kTraceDuration, "trace:duration", "traceDuration", Type::kDuration, true},
    {Intrinsic::kRootName, "trace:rootName", "rootName", Type::kString, true},
    {Intrinsic::kRootService, "trace:rootService", "rootServiceName", Type::kString, true},
    {Intrinsic::kTraceId, "trace:id", "", Type::kString, false},
    {Intrinsic::kNestedSetLeft, "", "nestedSetLeft", Type::kInt, true},
    {Intrinsic::kNestedSetRight, "", "nestedSetRight", Type::kInt, true},
    {Intrinsic::kNestedSetParent, "", "nestedSetParent", Type::kInt, true},
    {Intrinsic::kEventName, "event:name", "", Type::kString, false},
    {Intrinsic::kEventTimeSinceStart, "event:timeSinceStart", "", Type::kDuration, false},
    {Intrinsic::kLinkTraceId, "link:traceID", "", Type::kString, false},
    {Intrinsic::kLinkSpanId, "link:spanID", "", Type::kString, false},
    {Intrinsic::kScopeName, "instrumentation:name", "", Type::kString, false},
    {Intrinsic::kScopeVersion, "instrumentation:version", "", Type::kString, false},
    {Intrinsic::kTraceState, "span:traceState", "", Type::kString, false},
};

constexpr EnumWord kEnums[] = {
    {"unset", Type::kStatus, 0},     {"ok", Type::kStatus, 1},     {"error", Type::kStatus, 2},
    {"unspecified", Type::kKind, 0}, {"internal", Type::kKind, 1}, {"server", Type::kKind, 2},
    {"client", Type::kKind, 3},      {"producer", Type::kKind, 4}, {"consumer", Type::kKind, 5},
};

constexpr ScopeWord kScopes[] = {
    {"", Scope::kAny},        {"span", Scope::kSpan}, {"resource", Scope::kResource},
    {"event", Scope::kEvent}, {"link", Scope::kLink}, {"instrumentation", Scope::kInstrumentation},
};

constexpr std::string_view kTypeNames[] = {"nil",    "bool",   "int",  "float",    "duration",
                                           "string", "status", "kind", "attribute"};
constexpr std::string_view kOperatorTexts[] = {
    "",   "&&", "||", "=", "!=", "<", "<=", ">", ">=", "=~",
    "!~", "+",  "-",  "*", "/",  "%", "^",  "!", "-"};

const IntrinsicWord* FindIntrinsic(Intrinsic intrinsic) {
  for (const IntrinsicWord& word : kIntrinsics)
    if (word.intrinsic == intrinsic) return &word;
  return nullptr;
}

}  // namespace

std::span<const IntrinsicWord> IntrinsicWords() { return kIntrinsics; }
std::span<const EnumWord> EnumWords() { return kEnums; }
std::span<const ScopeWord> ScopeWords() { return kScopes; }

std::optional<Literal> LiteralOfWord(std::string_view word) {
  if (word == "nil") return Literal{};
  if (word == "true" || word == "false")
    return Literal{.type = Type::kBool, .integer = word == "true", .text = {}};
  if (word == "minInt")
    return Literal{.type = Type::kInt, .integer = std::numeric_limits<int64_t>::min(), .text = {}};
  if (word == "maxInt")
    return Literal{.type = Type::kInt, .integer = std::numeric_limits<int64_t>::max(), .text = {}};
  for (const EnumWord& name : kEnums)
    if (name.word == word) return Literal{.type = name.type, .integer = name.number, .text = {}};
  return std::nullopt;
}

std::string_view TypeName(Type type) { return kTypeNames[static_cast<size_t>(type)]; }
std::string_view OperatorText(Operator op) { return kOperatorTexts[static_cast<size_t>(op)]; }

bool IsWholeTrace(Intrinsic intrinsic) {
  const IntrinsicWord* word = FindIntrinsic(intrinsic);
  return word != nullptr && word->whole_trace;
}

Type IntrinsicType(Intrinsic intrinsic) {
  const IntrinsicWord* word = FindIntrinsic(intrinsic);
  return word == nullptr ? Type::kAny : word->type;
}

bool IsEventField(const Field& field) {
  return field.intrinsic == Intrinsic::kNone
             ? field.scope == Scope::kEvent
             : field.intrinsic == Intrinsic::kEventName ||
                   field.intrinsic == Intrinsic::kEventTimeSinceStart;
}

bool IsLinkField(const Field& field) {
  return field.intrinsic == Intrinsic::kNone ? field.scope == Scope::kLink
                                             : field.intrinsic == Intrinsic::kLinkTraceId ||
                                                   field.intrinsic == Intrinsic::kLinkSpanId;
}

bool IsSpanIdField(const Field& field) {
  return field.intrinsic == Intrinsic::kSpanId || field.intrinsic == Intrinsic::kParentId ||
         field.intrinsic == Intrinsic::kLinkSpanId;
}

bool IsTraceIdField(const Field& field) {
  return field.intrinsic == Intrinsic::kTraceId || field.intrinsic == Intrinsic::kLinkTraceId;
}

}  // namespace weft::traceql

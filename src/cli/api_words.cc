// SPDX-License-Identifier: Apache-2.0
#include "cli/api_words.h"

#include <array>

namespace weft::cli {
namespace {

struct TypeName {
  ValueType type;
  std::string_view word;
};
constexpr std::array<TypeName, 8> kTypes = {{{ValueType::kString, "string"},
                                             {ValueType::kBool, "bool"},
                                             {ValueType::kInt, "int"},
                                             {ValueType::kDouble, "double"},
                                             {ValueType::kArray, "array"},
                                             {ValueType::kMap, "map"},
                                             {ValueType::kBytes, "bytes"},
                                             {ValueType::kEmpty, "empty"}}};
constexpr std::string_view kKeyword = "keyword";

}  // namespace

SpanKind KindOf(std::string_view word) {
  for (SpanKind kind : {SpanKind::kInternal, SpanKind::kServer, SpanKind::kClient,
                        SpanKind::kProducer, SpanKind::kConsumer})
    if (KindText(kind) == word) return kind;
  return SpanKind::kUnspecified;
}

std::string_view TypeWord(const query::TagValue& value) {
  if (value.keyword) return kKeyword;
  for (const TypeName& name : kTypes)
    if (name.type == value.type) return name.word;
  return kTypes[0].word;
}

query::TagValue TagValueOf(std::string_view type, std::string text) {
  query::TagValue value{.type = ValueType::kString, .keyword = type == kKeyword, .text = text};
  for (const TypeName& name : kTypes)
    if (name.word == type) value.type = name.type;
  return value;
}

}  // namespace weft::cli

// SPDX-License-Identifier: Apache-2.0
//
// JsonWalker steps through one JSON document in the order it was written, on simdjson's On-Demand
// parser, and remembers where and in which field it went wrong. Strings are views into the
// document; only those with escapes are written out, into the arena.
//
// Read functions return false at the first problem, as in OtlpProtoDecoder. Scalars are lax as JSON
// writers in the field need it: numbers also as strings, doubles also as "NaN" or "Infinity".
//
// Includes simdjson: for codec/*_json_decode.cc only. Thread rule: one thread at a time.
#pragma once

#define SIMDJSON_EXCEPTIONS 0
#include <simdjson.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/arena.h"
#include "base/result.h"
#include "codec/otlp_fields.h"

namespace weft::codec {

class JsonWalker {
 public:
  using Json = simdjson::ondemand::value;

  // Reserves padding behind *body, which may move it. Views live as long as body and arena do.
  JsonWalker(std::string* body, Arena* arena);

  // Calls root(Json) with the document's object. False after any problem, trailing bytes included.
  template <class Root>
  bool Document(Root&& root);
  // Calls on_field(number, Json) for every known field that is not null.
  template <class OnField>
  bool Object(Json json, OtlpFields fields, OnField&& on_field);
  // Calls on_item(Json) for every item.
  template <class OnItem>
  bool Array(Json json, OnItem&& on_item);

  bool String(Json json, std::string_view* out);
  bool Bool(Json json, bool* out);
  bool Int64(Json json, int64_t* out);
  bool Uint64(Json json, uint64_t* out);
  bool Uint32(Json json, uint32_t* out);
  bool Double(Json json, double* out);
  bool Base64(Json json, std::string_view* out);
  // A number, or one of `names` (index = number).
  bool Enum(Json json, std::span<const std::string_view> names, uint32_t* out);

  bool IsString(Json& json) { return Token(json).starts_with('"'); }
  // Fails at `json`: "what" says what was expected there.
  bool FailAt(Json& json, std::string_view what) { return FailAt(Token(json).data(), what); }
  bool FailTooLarge(Json& json);
  Error fault() const;

 private:
  static std::string_view Token(Json& json) { return json.raw_json_token(); }
  bool FailAt(const char* position, std::string_view what);
  // An error of the parser, at the place where it stands.
  bool FailParse(simdjson::error_code error);
  // An error that simdjson gives no place for: finds it.
  bool FailText(simdjson::error_code error);
  bool Within(std::string_view name);
  bool WithinItem(size_t index);
  // The text between the quotes, escapes and all. Bounded by the document.
  bool RawString(Json json, std::string_view* out);
  // A number's token as text, whether it stood in quotes or not.
  bool NumberText(Json json, std::string_view* out);
  bool Unescape(std::string_view raw, std::string_view* out);

  std::string* body_;
  Arena* arena_;
  simdjson::ondemand::parser parser_;
  simdjson::ondemand::document document_;
  ErrorCode code_ = ErrorCode::kInvalidArgument;
  std::string path_;
  std::string what_;
  size_t offset_ = 0;
};

template <class Root>
bool JsonWalker::Document(Root&& root) {
  simdjson::padded_string_view text(body_->data(), body_->size(), body_->capacity());
  if (auto error = parser_.iterate(text).get(document_)) return FailText(error);
  Json json;
  if (document_.get_value().get(json)) return FailAt(body_->data(), "expected an object");
  if (!root(json)) return false;
  // The parser has a location as long as it is not at the end.
  const char* rest = nullptr;
  if (document_.current_location().get(rest)) return true;
  return FailAt(rest, "text after the end of the document");
}

template <class OnField>
bool JsonWalker::Object(Json json, OtlpFields fields, OnField&& on_field) {
  const char* start = Token(json).data();
  simdjson::ondemand::object object;
  if (json.get_object().get(object)) return FailAt(start, "expected an object");
  for (auto result : object) {
    simdjson::ondemand::field field;
    if (auto error = std::move(result).get(field)) return FailParse(error);
    std::string_view key;
    if (auto error = field.unescaped_key().get(key)) return FailParse(error);
    uint32_t number = OtlpFieldNumber(fields, key);
    if (number == 0) continue;
    Json value = field.value();
    if (bool null = false; Token(value).starts_with('n')) {
      if (auto error = value.is_null().get(null)) return FailParse(error);
      continue;
    }
    if (!on_field(number, value)) return Within(OtlpFieldName(fields, number));
  }
  return true;
}

template <class OnItem>
bool JsonWalker::Array(Json json, OnItem&& on_item) {
  const char* start = Token(json).data();
  simdjson::ondemand::array array;
  if (json.get_array().get(array)) return FailAt(start, "expected an array");
  size_t index = 0;
  for (auto result : array) {
    Json item;
    if (auto error = std::move(result).get(item)) return FailParse(error);
    if (!on_item(item)) return WithinItem(index);
    ++index;
  }
  return true;
}

}  // namespace weft::codec

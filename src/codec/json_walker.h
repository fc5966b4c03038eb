// SPDX-License-Identifier: Apache-2.0
//
// JsonWalker steps through one JSON document in the order it was written, on simdjson's On-Demand
// parser, and remembers where and in which field it went wrong. Strings are views into the
// document; only those with escapes are written out, into the arena.
//
// Read functions return false at the first problem, as in OtlpProtoDecoder. Scalars are lax as JSON
// writers in the field need it: numbers also as strings, doubles also as NaN or Infinity, in quotes
// or without. A byte order mark is stepped over. Strings that are no UTF-8 are kept as they came;
// one with a raw control character is a wrong value, not a wrong document.
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
#include "model/value.h"

namespace weft::codec {

// The names of an enum's numbers, from 0 on, without the prefix that protobuf gives them.
struct EnumNames {
  std::string_view prefix;  // "SPAN_KIND_"
  std::span<const std::string_view> names;
};

class JsonWalker {
 public:
  using Json = simdjson::ondemand::value;

  // Reserves padding behind *body, which may move it. Views live as long as body and arena do.
  JsonWalker(std::string* body, Arena* arena);

  // Calls root(Json) with the document's object. False after any problem, trailing bytes included.
  template <class Root>
  bool Document(Root&& root);
  // Calls on_field(number, Json) for every known field that is not null, on_unknown(key, Json) for
  // every other one.
  template <class OnField, class OnUnknown>
  bool Object(Json json, OtlpFields fields, OnField&& on_field, OnUnknown&& on_unknown);
  template <class OnField>
  bool Object(Json json, OtlpFields fields, OnField&& on_field) {
    return Object(json, fields, on_field, [](std::string_view, Json&) {});
  }
  // Calls on_member(key, Json) for every member that is not null. The key lives until the next one.
  template <class OnMember>
  bool Members(Json json, OnMember&& on_member);
  // Calls on_item(Json) for every item. The first is number `first` in messages.
  template <class OnItem>
  bool Array(Json json, OnItem&& on_item, size_t first = 0);

  bool String(Json json, std::string_view* out);
  bool Bool(Json json, bool* out);
  // A whole number; one beyond 64 bits becomes a double.
  bool Integer(Json json, Value* out);
  bool Uint64(Json json, uint64_t* out);
  bool Uint32(Json json, uint32_t* out);
  bool Int64(Json json, int64_t* out);
  bool Int32(Json json, int32_t* out);
  bool Double(Json json, double* out);
  // A number's digits, or whatever stands in quotes where a number may.
  bool NumberText(Json json, std::string_view* out);
  bool Base64(Json json, std::string_view* out);
  // The JSON text of an object or an array, as it stands.
  bool RawJson(Json json, std::string_view* out);
  // A number, or one of the names in any case, with the prefix or without.
  bool Enum(Json json, const EnumNames& names, uint32_t* out);

  // A number without a fraction that fits 64 bits, else a double; text of any length.
  bool AnyNumber(Json json, bool* whole, int64_t* integer, double* real);

  bool IsString(Json& json) { return Token(json).starts_with('"'); }
  // The first byte of a value, which tells its type: one of "{[tfn-0123456789 and the quote.
  static char FirstByte(Json& json) { return *Token(json).data(); }
  // For FailAt().
  static const char* Position(Json& json) { return Token(json).data(); }
  // Fails at `json`: "what" says what was expected there.
  bool FailAt(Json& json, std::string_view what) { return FailAt(Token(json).data(), what); }
  bool FailAt(const char* position, std::string_view what);
  bool FailTooLarge(Json& json);
  Error fault() const;
  // Added to the byte that a fault names: the body is a piece of something larger.
  void set_offset_base(int64_t base) { offset_base_ = base; }

  // For readers that leave out an item with a value of the wrong type and go on behind it: the
  // fault's parts, whether it allows that, and the way back. (On-Demand steps over what was not
  // read; text that is no JSON has no "behind".)
  bool fault_is_final() const { return final_; }
  size_t fault_offset() const { return offset_; }
  const std::string& fault_path() const { return path_; }
  const std::string& fault_text() const { return what_; }
  // "place.path: byte 417: what": the fault of something that stands at `place`.
  std::string FaultAt(std::string_view place) const;
  void Prefix(std::string_view path) { Within(path); }
  void Forgive() { path_.clear(); }

 private:
  static std::string_view Token(Json& json) { return json.raw_json_token(); }
  // Both texts have each string at the same offset.
  bool masked() const { return !masked_.empty(); }
  const char* text() const { return masked() ? masked_.data() : body_->data(); }
  std::string_view Original(std::string_view in_text) const {
    return {body_->data() + (in_text.data() - text()), in_text.size()};
  }
  simdjson::error_code Iterate();
  std::string Where() const;  // "byte 417", of the fault
  // Of a member's key, escapes resolved.
  bool Key(simdjson::ondemand::field* field, std::string_view* key);
  bool Null(Json& json, bool* null);
  // The bytes of `text`, up to the quote that ends it.
  bool UpToQuote(const char* from, std::string_view* out);
  // An error of the parser, at the place where it stands.
  bool FailParse(simdjson::error_code error);
  // An error that simdjson gives no place for: finds it.
  bool FailText(simdjson::error_code error);
  bool Within(std::string_view name);
  bool WithinItem(size_t index);
  template <class T>
  bool Whole(Json json, std::string_view expected, T* out);
  // The text between the quotes, escapes and all. Bounded by the document.
  bool RawString(Json json, std::string_view* out);
  bool Unescape(std::string_view raw, std::string_view* out);

  std::string* body_;
  std::string masked_;  // the text that is parsed, where the body itself cannot be
  Arena* arena_;
  simdjson::ondemand::parser parser_;
  simdjson::ondemand::document document_;
  ErrorCode code_ = ErrorCode::kInvalidArgument;
  std::string path_;
  std::string what_;
  size_t offset_ = 0;
  int64_t offset_base_ = 0;
  bool final_ = false;
};

template <class Root>
bool JsonWalker::Document(Root&& root) {
  if (auto error = Iterate()) return FailText(error);
  Json json;
  if (document_.get_value().get(json)) return FailAt(text(), "expected an object");
  if (!root(json)) return false;
  // The parser has a location as long as it is not at the end.
  const char* rest = nullptr;
  if (document_.current_location().get(rest)) return true;
  final_ = true;
  return FailAt(rest, "text after the end of the document");
}

template <class OnField, class OnUnknown>
bool JsonWalker::Object(Json json, OtlpFields fields, OnField&& on_field, OnUnknown&& on_unknown) {
  const char* start = Token(json).data();
  simdjson::ondemand::object object;
  if (json.get_object().get(object)) return FailAt(start, "expected an object");
  for (auto result : object) {
    simdjson::ondemand::field field;
    if (auto error = std::move(result).get(field)) return FailParse(error);
    std::string_view key;
    if (field.unescaped_key().get(key)) [[unlikely]]
      return FailAt(start, "a key with a broken escape");
    uint32_t number = OtlpFieldNumber(fields, key);
    Json value = field.value();
    if (number == 0) {
      on_unknown(key, value);
      continue;
    }
    bool null = false;
    if (!Null(value, &null)) return Within(key);
    if (null) continue;
    if (!on_field(number, value)) return Within(key);  // as the sender spells it
  }
  return true;
}

template <class OnMember>
bool JsonWalker::Members(Json json, OnMember&& on_member) {
  const char* start = Token(json).data();
  simdjson::ondemand::object object;
  if (json.get_object().get(object)) return FailAt(start, "expected an object");
  for (auto result : object) {
    simdjson::ondemand::field field;
    if (auto error = std::move(result).get(field)) return FailParse(error);
    std::string_view key;
    if (!Key(&field, &key)) return false;
    Json value = field.value();
    bool null = false;
    if (!Null(value, &null)) return Within(key.substr(0, 64));
    if (null) continue;
    if (!on_member(key, value)) return Within(key.substr(0, 64));
  }
  return true;
}

// A word that only begins like null is a wrong value.
inline bool JsonWalker::Null(Json& json, bool* null) {
  if (!Token(json).starts_with('n')) [[likely]]
    return true;
  return json.is_null().get(*null) == simdjson::SUCCESS && *null ? true
                                                                 : FailAt(json, "expected a value");
}

template <class OnItem>
bool JsonWalker::Array(Json json, OnItem&& on_item, size_t first) {
  const char* start = Token(json).data();
  simdjson::ondemand::array array;
  if (json.get_array().get(array)) return FailAt(start, "expected an array");
  size_t index = first;
  for (auto result : array) {
    Json item;
    if (auto error = std::move(result).get(item)) return FailParse(error);
    if (!on_item(item)) return WithinItem(index);
    ++index;
  }
  return true;
}

}  // namespace weft::codec

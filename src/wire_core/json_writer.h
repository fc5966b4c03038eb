// SPDX-License-Identifier: Apache-2.0
//
// JsonWriter appends one JSON text to a string: commas by itself, strings escaped, bytes that are
// no UTF-8 replaced by U+FFFD, doubles in their shortest form that reads back the same. NaN and the
// infinities, which JSON lacks, become the strings of protojson. More is escaped than JSON asks
// for: what would drive a terminal that the text is shown on (wire_core/printable.h).
//
//   JsonWriter json(&out);
//   json.BeginObject();
//   json.Field("name", span.name);
//   json.Key("attributes"); json.BeginArray(); ... json.EndArray();
//   json.EndObject();
//
// The caller keeps Begin/End and Key/value in pairs; nothing is checked.
// Thread rule: one thread at a time. Used by codec/, api/ and cli/.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace weft::wire {

// The text with its quotes.
void AppendJsonString(std::string_view text, std::string* out);
// Shortest round-trip; "NaN", "Infinity" and "-Infinity" with quotes.
void AppendJsonDouble(double value, std::string* out);

class JsonWriter {
 public:
  // Appends to *out, which must outlive the writer.
  explicit JsonWriter(std::string* out) : out_(out) {}

  void BeginObject() { Open('{'); }
  void EndObject() { Close('}'); }
  void BeginArray() { Open('['); }
  void EndArray() { Close(']'); }
  void Key(std::string_view key);

  void String(std::string_view text);
  void Int(int64_t value);
  void Uint(uint64_t value);
  // Decimal in quotes: 64-bit numbers that JavaScript must not round.
  void IntText(int64_t value);
  void UintText(uint64_t value);
  void Double(double value) {
    Separate();
    AppendJsonDouble(value, out_);
  }
  void Bool(bool value) { Raw(value ? "true" : "false"); }
  void Null() { Raw("null"); }
  void Hex(std::string_view bytes);     // in quotes
  void Base64(std::string_view bytes);  // in quotes
  // A JSON value that is text already.
  void Raw(std::string_view json) {
    Separate();
    *out_ += json;
  }

  void Field(std::string_view key, std::string_view value) {
    Key(key);
    String(value);
  }
  void Field(std::string_view key, const char* value) { Field(key, std::string_view(value)); }
  void Field(std::string_view key, const std::string& value) {
    Field(key, std::string_view(value));
  }
  template <class T, std::enable_if_t<std::is_integral_v<T>, int> = 0>
  void Field(std::string_view key, T value) {
    Key(key);
    if constexpr (std::is_same_v<T, bool>) {
      Bool(value);
    } else if constexpr (std::is_signed_v<T>) {
      Int(value);
    } else {
      Uint(value);
    }
  }
  void Field(std::string_view key, double value) {
    Key(key);
    Double(value);
  }

  std::string* out() const { return out_; }

 private:
  void Separate() {
    if (comma_) *out_ += ',';
    comma_ = true;
  }
  void Open(char bracket) {
    const char text[2] = {',', bracket};
    out_->append(text + !comma_, 1 + comma_);
    comma_ = false;
  }
  void Close(char bracket) {
    *out_ += bracket;
    comma_ = true;
  }

  std::string* out_;
  bool comma_ = false;  // a value came before this place in the current array or object
};

}  // namespace weft::wire

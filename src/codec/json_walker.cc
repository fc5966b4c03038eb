// SPDX-License-Identifier: Apache-2.0
#include "codec/json_walker.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "wire/json_scan.h"
#include "wire_core/base64.h"
#include "wire_core/utf8.h"

namespace weft::codec {
namespace {

// Four hex digits, or nothing.
bool ReadUnit(std::string_view raw, size_t at, uint32_t* unit) {
  if (raw.size() < at + 4) return false;
  auto [end, error] = std::from_chars(raw.data() + at, raw.data() + at + 4, *unit, 16);
  return error == std::errc() && end == raw.data() + at + 4;
}

char* PutUtf8(uint32_t point, char* to) {
  if (point < 0x80) {
    *to++ = static_cast<char>(point);
    return to;
  }
  int more = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
  static constexpr uint8_t kLead[] = {0, 0xC0, 0xE0, 0xF0};
  *to++ = static_cast<char>(kLead[more] | point >> (6 * more));
  while (more-- > 0) *to++ = static_cast<char>(0x80 | (point >> (6 * more) & 63));
  return to;
}

char EscapedCharacter(char c) {
  switch (c) {
    case '"':
    case '\\':
    case '/':
      return c;
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return 0;
  }
}

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool IsUpperOf(std::string_view upper, std::string_view text) {
  return std::ranges::equal(upper, text, [](char u, char c) {
    return u == (c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
  });
}

// A finite number. from_chars also reads "inf" and "nan", which are not JSON's.
bool RealNumber(std::string_view text, double* out) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return error == std::errc() && end == text.data() + text.size() && std::isfinite(*out);
}

// JSON has no word for these: writers put them in quotes, or, as Python's do, without.
std::optional<double> NotFinite(std::string_view text) {
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "Infinity") return HUGE_VAL;
  if (text == "-Infinity") return -HUGE_VAL;
  return std::nullopt;
}

// A whole number that a writer spelled as 1e3 or 1000.0.
template <class T>
bool WholeNumber(std::string_view text, T* out) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  // As a double it would be the nearest number, which may be one that fits.
  if (error == std::errc::result_out_of_range) return false;
  if (error == std::errc() && end == text.data() + text.size()) return true;
  double real;
  if (!RealNumber(text, &real)) return false;
  // 2^63 and 2^64 are doubles; the largest integers are not, so the upper bound is exclusive.
  double bound = std::ldexp(1.0, std::numeric_limits<T>::digits);
  if (real != std::trunc(real) || real >= bound) return false;
  if (real < static_cast<double>(std::numeric_limits<T>::min())) return false;
  *out = static_cast<T>(real);
  return true;
}

}  // namespace

JsonWalker::JsonWalker(std::string* body, Arena* arena) : body_(body), arena_(arena) {
  body_->reserve(body_->size() + simdjson::SIMDJSON_PADDING);
}

// ---- faults

Error JsonWalker::fault() const {
  std::string message = path_.empty() ? "" : path_ + ": ";
  return {code_, message + Where() + ": " + what_};
}

std::string JsonWalker::Where() const {
  return "byte " + std::to_string(static_cast<int64_t>(offset_) + offset_base_);
}

std::string JsonWalker::FaultAt(std::string_view place) const {
  // Values in values in values: the ends of the path tell enough.
  constexpr size_t kPathBytesMax = 160, kFrontBytes = 100, kBackBytes = 40;
  std::string text(place);
  if (!path_.empty() && path_.front() != '[') text += '.';
  text += path_.substr(0, path_.size() > kPathBytesMax ? kFrontBytes : path_.npos);
  if (path_.size() > kPathBytesMax) text += "..." + path_.substr(path_.size() - kBackBytes);
  return text + ": " + Where() + ": " + what_;
}

bool JsonWalker::FailAt(const char* position, std::string_view what) {
  // In the text that is parsed, or in the body that strings come from.
  const char* start = text();
  if (masked() && position >= body_->data() && position <= body_->data() + body_->size())
    start = body_->data();
  bool inside = position >= start && position <= start + body_->size();
  offset_ = inside ? static_cast<size_t>(position - start) : body_->size();
  what_ = what;
  return false;
}

bool JsonWalker::FailTooLarge(Json& json) {
  code_ = ErrorCode::kTooLarge;
  final_ = true;
  return FailAt(json, "decodes to far more memory than its size");
}

bool JsonWalker::FailParse(simdjson::error_code error) {
  final_ = true;
  const char* position = nullptr;
  if (document_.current_location().get(position)) position = text() + body_->size();
  return FailAt(position, simdjson::error_message(error));
}

simdjson::error_code JsonWalker::Iterate() {
  const size_t begin = body_->starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
  auto iterate = [&](const std::string& whole) {
    simdjson::padded_string_view text(whole.data() + begin, whole.size() - begin,
                                      whole.capacity() - begin);
    return parser_.iterate(text).get(document_);
  };
  simdjson::error_code error = iterate(*body_);
  if (error != simdjson::UTF8_ERROR && error != simdjson::UNESCAPED_CHARS) [[likely]]
    return error;
  masked_ = wire::MaskJsonText(*body_);
  masked_.reserve(masked_.size() + simdjson::SIMDJSON_PADDING);
  return iterate(masked_);
}

bool JsonWalker::FailText(simdjson::error_code error) {
  final_ = true;
  if (error == simdjson::EMPTY)
    return FailAt(body_->data(), body_->empty() ? "the body is empty" : "there is no JSON in it");
  wire::JsonTextProblem problem = wire::FindJsonTextProblem({text(), body_->size()});
  if (problem.what.empty()) return FailAt(text(), simdjson::error_message(error));
  return FailAt(text() + problem.offset, problem.what);
}

bool JsonWalker::Within(std::string_view name) {
  bool joined = path_.empty() || path_.front() == '[';
  path_ = std::string(name) + (joined ? "" : ".") + path_;
  return false;
}

bool JsonWalker::WithinItem(size_t index) {
  bool joined = path_.empty() || path_.front() == '[';
  path_ = "[" + std::to_string(index) + "]" + (joined ? "" : ".") + path_;
  return false;
}

// ---- scalars

bool JsonWalker::RawString(Json json, std::string_view* out) {
  const char* start = Token(json).data();
  simdjson::ondemand::raw_json_string raw;
  if (json.get_raw_json_string().get(raw)) return FailAt(start, "expected a string");
  if (!UpToQuote(raw.raw(), out)) return FailAt(start, "string without an end");
  *out = Original(*out);
  if (masked()) {
    auto control = std::ranges::find_if(*out, [](char c) { return c >= 0 && c < ' '; });
    if (control != out->end())
      return FailAt(out->data() + (control - out->begin()), "control character in a string");
  }
  return true;
}

bool JsonWalker::UpToQuote(const char* from, std::string_view* out) {
  const char* document_end = text() + body_->size();
  for (const char* at = from;; ++at) {
    at = static_cast<const char*>(std::memchr(at, '"', static_cast<size_t>(document_end - at)));
    if (at == nullptr) return false;
    // A quote ends the string unless an odd number of backslashes stands before it.
    const char* slash = at;
    while (slash > from && slash[-1] == '\\') --slash;
    if ((at - slash) % 2 != 0) continue;
    *out = {from, static_cast<size_t>(at - from)};
    return true;
  }
}

// The parser resolves escapes by itself, but not in what is masked.
bool JsonWalker::Key(simdjson::ondemand::field* field, std::string_view* key) {
  const char* start = field->key().raw();
  if (!masked())
    return field->unescaped_key().get(*key) == simdjson::SUCCESS ||
           FailAt(start, "a key with a broken escape");
  if (!UpToQuote(start, key)) return FailAt(start, "string without an end");
  *key = Original(*key);
  return key->find('\\') == key->npos || Unescape(*key, key);
}

bool JsonWalker::String(Json json, std::string_view* out) {
  std::string_view raw;
  if (!RawString(json, &raw)) return false;
  if (raw.empty() || std::memchr(raw.data(), '\\', raw.size()) == nullptr) [[likely]] {
    *out = raw;
    return true;
  }
  return Unescape(raw, out);
}

// No escape gets longer by being written out, so raw.size() bytes are enough.
bool JsonWalker::Unescape(std::string_view raw, std::string_view* out) {
  char* const text = static_cast<char*>(arena_->Allocate(raw.size(), 1));
  char* to = text;
  for (size_t at = 0; at < raw.size();) {
    if (raw[at] != '\\') {
      *to++ = raw[at++];
      continue;
    }
    char escape = at + 1 < raw.size() ? raw[at + 1] : '\0';
    if (escape != 'u') {
      char c = EscapedCharacter(escape);
      if (c == 0) return FailAt(raw.data() + at, "no such escape");
      *to++ = c;
      at += 2;
      continue;
    }
    uint32_t unit = 0, low = 0;
    if (!ReadUnit(raw, at + 2, &unit)) return FailAt(raw.data() + at, "expected four hex digits");
    at += 6;
    bool high = unit >= 0xD800 && unit < 0xDC00;
    if (high && raw.substr(at, 2) == "\\u" && ReadUnit(raw, at + 2, &low) && low >= 0xDC00 &&
        low < 0xE000) {
      to = PutUtf8(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00), to);
      at += 6;
    } else if (unit >= 0xD800 && unit < 0xE000) {
      // Half of a pair is no character; JavaScript can send it all the same.
      to = std::ranges::copy(wire::kReplacementCharacter, to).out;
    } else {
      to = PutUtf8(unit, to);
    }
  }
  *out = {text, static_cast<size_t>(to - text)};
  return true;
}

bool JsonWalker::Bool(Json json, bool* out) {
  const char* start = Token(json).data();
  if (!IsString(json)) {
    return json.get_bool().get(*out) == simdjson::SUCCESS || FailAt(start, "expected a boolean");
  }
  std::string_view text;
  if (!String(json, &text)) return false;
  if (text != "true" && text != "false") return FailAt(start, "expected a boolean");
  *out = text == "true";
  return true;
}

bool JsonWalker::NumberText(Json json, std::string_view* out) {
  if (IsString(json)) return String(json, out);
  std::string_view token = Token(json);
  double ignored;
  // The parser checks the syntax and steps over it; the digits are read again from the text,
  // because a double cannot hold 64-bit integers.
  if (auto error = json.get_double().get(ignored)) {
    return FailAt(token.data(), error == simdjson::INCORRECT_TYPE ? "expected a number"
                                                                  : simdjson::error_message(error));
  }
  *out = token.substr(0, token.find_first_not_of("+-.0123456789eE"));
  return true;
}

bool JsonWalker::Integer(Json json, Value* out) {
  const char* start = Token(json).data();
  std::string_view text;
  if (!NumberText(json, &text)) return false;
  int64_t integer = 0;
  if (WholeNumber(text, &integer)) {
    *out = Value::Int(integer);
    return true;
  }
  double real = 0;
  if (!RealNumber(text, &real) || real != std::trunc(real))
    return FailAt(start, "expected a whole number");
  *out = Value::Double(real);
  return true;
}

template <class T>
bool JsonWalker::Whole(Json json, std::string_view expected, T* out) {
  const char* start = Token(json).data();
  std::string_view text;
  if (!NumberText(json, &text)) return false;
  return WholeNumber(text, out) || FailAt(start, expected);
}

bool JsonWalker::Uint64(Json json, uint64_t* out) {
  return Whole(json, "expected an unsigned 64-bit integer", out);
}

bool JsonWalker::Uint32(Json json, uint32_t* out) {
  return Whole(json, "expected an unsigned 32-bit integer", out);
}

bool JsonWalker::Int64(Json json, int64_t* out) {
  return Whole(json, "expected a 64-bit integer", out);
}

bool JsonWalker::Int32(Json json, int32_t* out) {
  return Whole(json, "expected a 32-bit integer", out);
}

bool JsonWalker::Double(Json json, double* out) {
  const char* start = Token(json).data();
  std::string_view text = Token(json);
  if (text.starts_with('N') || text.starts_with('I') || text.starts_with("-I")) [[unlikely]] {
    // No number to the parser: whoever goes on steps over the word.
    text = text.substr(0, text.find_first_of(" \t\r\n,]}"));
  } else if (!NumberText(json, &text)) {
    return false;
  }
  if (RealNumber(text, out)) [[likely]]
    return true;
  std::optional<double> special = NotFinite(text);
  if (special) *out = *special;
  return special || FailAt(start, "expected a number");
}

bool JsonWalker::AnyNumber(Json json, bool* whole, int64_t* integer, double* real) {
  const char* start = Token(json).data();
  std::string_view text;
  if (!NumberText(json, &text)) return false;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *integer);
  *whole = error == std::errc() && end == text.data() + text.size();
  if (*whole) return true;
  return RealNumber(text, real) || FailAt(start, "expected a number");
}

bool JsonWalker::RawJson(Json json, std::string_view* out) {
  const char* start = Token(json).data();
  simdjson::ondemand::array array;
  simdjson::ondemand::object object;
  auto error = *start == '[' ? (json.get_array().get(array) ? simdjson::INCORRECT_TYPE
                                                            : array.raw_json().get(*out))
                             : (json.get_object().get(object) ? simdjson::INCORRECT_TYPE
                                                              : object.raw_json().get(*out));
  if (error != simdjson::SUCCESS) return FailParse(error);
  *out = Original(*out);
  return true;
}

bool JsonWalker::Base64(Json json, std::string_view* out) {
  const char* start = Token(json).data();
  std::string_view text;
  if (!String(json, &text)) return false;
  char* to = static_cast<char*>(arena_->Allocate(Base64BytesMax(text), 1));
  auto count = DecodeBase64(text, to);
  if (!count) return FailAt(start, "expected base64");
  *out = {to, *count};
  return true;
}

bool JsonWalker::Enum(Json json, const EnumNames& names, uint32_t* out) {
  const char* start = Token(json).data();
  std::string_view text;
  if (!NumberText(json, &text)) return false;
  int32_t number = 0;
  if (WholeNumber(text, &number)) {
    *out = static_cast<uint32_t>(number);
    return true;
  }
  if (IsUpperOf(names.prefix, text.substr(0, names.prefix.size())))
    text.remove_prefix(names.prefix.size());
  for (size_t i = 0; i < names.names.size(); ++i) {
    if (!IsUpperOf(names.names[i], text)) continue;
    *out = static_cast<uint32_t>(i);
    return true;
  }
  return FailAt(start, "expected a number or a name of the enum");
}

}  // namespace weft::codec

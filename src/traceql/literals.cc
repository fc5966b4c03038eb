// SPDX-License-Identifier: Apache-2.0
#include "traceql/literals.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>
#include <limits>
#include <optional>

#include "traceql/vocabulary.h"

namespace weft::traceql {
namespace {

constexpr int64_t kMillisecond = 1'000'000;
constexpr int64_t kSecond = 1000 * kMillisecond;
constexpr int64_t kHour = 3600 * kSecond;
constexpr int64_t kDay = 24 * kHour;

struct Unit {
  std::string_view name;
  int64_t ns;
};
constexpr Unit kCalendarUnits[] = {{"y", 365 * kDay},   {"w", 7 * kDay},     {"d", kDay},
                                   {"h", kHour},        {"m", 60 * kSecond}, {"s", kSecond},
                                   {"ms", kMillisecond}};
constexpr Unit kDecimalUnits[] = {{"ns", 1},           {"us", 1000},         {"\xC2\xB5s", 1000},
                                  {"\xCE\xBCs", 1000}, {"ms", kMillisecond}, {"s", kSecond},
                                  {"m", 60 * kSecond}, {"h", kHour}};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsUnitByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         (static_cast<unsigned char>(c) & 0x80) != 0;
}

std::string_view TakeDigits(std::string_view* text) {
  size_t length = 0;
  while (length < text->size() && IsDigit((*text)[length])) ++length;
  std::string_view digits = text->substr(0, length);
  text->remove_prefix(length);
  return digits;
}
std::string_view TakeUnit(std::string_view* text) {
  size_t length = 0;
  while (length < text->size() && IsUnitByte((*text)[length])) ++length;
  std::string_view unit = text->substr(0, length);
  text->remove_prefix(length);
  return unit;
}

// Adds `digits` times `unit_ns`; nothing when it does not fit.
bool AddTimes(std::string_view digits, int64_t unit_ns, int64_t* total) {
  int64_t count = 0, part = 0;
  if (std::from_chars(digits.data(), digits.data() + digits.size(), count).ec != std::errc())
    return false;
  return !__builtin_mul_overflow(count, unit_ns, &part) &&
         !__builtin_add_overflow(*total, part, total);
}

std::optional<int64_t> ParseCalendar(std::string_view text) {
  int64_t total = 0;
  size_t next = 0;
  while (!text.empty()) {
    std::string_view digits = TakeDigits(&text);
    std::string_view unit = TakeUnit(&text);
    while (next < std::size(kCalendarUnits) && kCalendarUnits[next].name != unit) ++next;
    if (digits.empty() || next == std::size(kCalendarUnits)) return std::nullopt;
    if (!AddTimes(digits, kCalendarUnits[next].ns, &total)) return std::nullopt;
    ++next;
  }
  return total;
}

std::optional<int64_t> ParseDecimal(std::string_view text) {
  int64_t total = 0;
  while (!text.empty()) {
    std::string_view whole = TakeDigits(&text), fraction;
    if (text.starts_with('.')) {
      text.remove_prefix(1);
      fraction = TakeDigits(&text);
    }
    std::string_view name = TakeUnit(&text);
    const Unit* unit = nullptr;
    for (const Unit& candidate : kDecimalUnits)
      if (candidate.name == name) unit = &candidate;
    if (unit == nullptr || (whole.empty() && fraction.empty())) return std::nullopt;
    if (!whole.empty() && !AddTimes(whole, unit->ns, &total)) return std::nullopt;
    // Digits beyond the 18th are far below a nanosecond, even of an hour.
    __int128 numerator = 0, scale = 1;
    for (char digit : fraction.substr(0, 18)) {
      numerator = numerator * 10 + (digit - '0');
      scale *= 10;
    }
    int64_t below = static_cast<int64_t>(numerator * unit->ns / scale);
    if (__builtin_add_overflow(total, below, &total)) return std::nullopt;
  }
  return total;
}

void AppendCodePoint(uint32_t code, std::string* out) {
  if (code < 0x80) {
    *out += static_cast<char>(code);
  } else if (code < 0x800) {
    *out += static_cast<char>(0xC0 | code >> 6);
    *out += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    *out += static_cast<char>(0xE0 | code >> 12);
    *out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    *out += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    *out += static_cast<char>(0xF0 | code >> 18);
    *out += static_cast<char>(0x80 | (code >> 12 & 0x3F));
    *out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    *out += static_cast<char>(0x80 | (code & 0x3F));
  }
}

// Exactly `count` digits of `base` at the start of `text`.
std::optional<uint32_t> ReadDigits(std::string_view text, size_t count, int base) {
  uint32_t code = 0;
  if (text.size() < count) return std::nullopt;
  auto end = std::from_chars(text.data(), text.data() + count, code, base);
  if (end.ec != std::errc() || end.ptr != text.data() + count) return std::nullopt;
  return code;
}

// Reads the escape after a backslash; 0 when it is not one. Returns its length.
size_t ReadEscape(std::string_view text, std::string* out) {
  constexpr std::string_view kLetters = "abfnrtv\\\"", kMeanings = "\a\b\f\n\r\t\v\\\"";
  if (text.empty()) return 0;
  if (size_t at = kLetters.find(text[0]); at != std::string_view::npos) {
    *out += kMeanings[at];
    return 1;
  }
  if (text[0] == 'u' || text[0] == 'U') {
    size_t digits = text[0] == 'u' ? 4 : 8;
    auto code = ReadDigits(text.substr(1), digits, 16);
    if (!code || *code > 0x10FFFF || (*code >= 0xD800 && *code < 0xE000)) return 0;
    AppendCodePoint(*code, out);
    return 1 + digits;
  }
  bool hex = text[0] == 'x';
  auto byte = hex ? ReadDigits(text.substr(1), 2, 16) : ReadDigits(text, 3, 8);
  if (!byte || *byte > 0xFF) return 0;
  *out += static_cast<char>(*byte);
  return 3;
}

}  // namespace

StringScan ScanString(std::string_view text) {
  StringScan scan;
  if (text[0] == '`') {
    size_t end = text.find('`', 1);
    if (end == std::string_view::npos) {
      scan.whole = true;
      scan.error = "this string has no closing `";
      return scan;
    }
    scan.value = text.substr(1, end - 1);
    scan.bytes = end + 1;
    return scan;
  }
  scan.bytes = 1;
  while (scan.bytes < text.size()) {
    char c = text[scan.bytes];
    if (c == '"') {
      ++scan.bytes;
      return scan;
    }
    if (c == '\n') break;
    if (c == '\\') {
      size_t length = ReadEscape(text.substr(scan.bytes + 1), &scan.value);
      if (length == 0) {
        scan.error = "unknown escape in a string";
        scan.hint = "in a regular expression write \\\\d, or use backticks: `\\d+`";
        return scan;
      }
      scan.bytes += 1 + length;
      continue;
    }
    scan.value += c;
    ++scan.bytes;
  }
  scan.whole = true;
  scan.error = "this string has no closing \"";
  return scan;
}

NumberScan ScanNumber(std::string_view text) {
  NumberScan scan;
  std::string_view rest = text;
  std::string_view whole = TakeDigits(&rest);
  bool is_float = rest.starts_with('.');
  if (is_float) {
    rest.remove_prefix(1);
    TakeDigits(&rest);
  }
  if (rest.size() > 1 && (rest[0] == 'e' || rest[0] == 'E')) {
    size_t sign = rest[1] == '+' || rest[1] == '-' ? 2 : 1;
    if (rest.size() > sign && IsDigit(rest[sign])) {
      is_float = true;
      rest.remove_prefix(sign);
      TakeDigits(&rest);
    }
  }
  if (!rest.empty() && IsUnitByte(rest[0])) {
    while (!rest.empty() && (IsUnitByte(rest[0]) || IsDigit(rest[0]) || rest[0] == '.'))
      rest.remove_prefix(1);
    scan.bytes = text.size() - rest.size();
    std::string_view written = text.substr(0, scan.bytes);
    auto ns = ParseCalendar(written);
    if (!ns) ns = ParseDecimal(written);
    if (!ns) {
      scan.error = "not a number or duration";
      scan.hint = "durations look like 10ms, 1.5s, 1h30m or 2d, up to 292 years";
      return scan;
    }
    scan.value.type = Type::kDuration;
    scan.value.integer = *ns;
    return scan;
  }
  scan.bytes = text.size() - rest.size();
  if (!is_float) {
    scan.value.type = Type::kInt;
    auto end = std::from_chars(whole.data(), whole.data() + whole.size(), scan.value.integer);
    if (end.ec != std::errc()) {
      scan.error = "this integer does not fit 64 bits";
      scan.hint = "the limits have names: minInt and maxInt";
    }
    return scan;
  }
  scan.value.type = Type::kFloat;
  std::string copy(text.substr(0, scan.bytes));
  scan.value.real = std::strtod(copy.c_str(), nullptr);
  if (scan.value.real > std::numeric_limits<double>::max()) {
    scan.error = "this number does not fit a 64-bit float";
  }
  return scan;
}

std::string QuoteText(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string DurationText(int64_t ns) {
  if (ns == 0) return "0s";
  constexpr Unit kUnits[] = {{"h", kHour},         {"m", 60 * kSecond}, {"s", kSecond},
                             {"ms", kMillisecond}, {"us", 1000},        {"ns", 1}};
  for (const Unit& unit : kUnits)
    if (ns % unit.ns == 0) return fmt::format("{}{}", ns / unit.ns, unit.name);
  return {};
}

std::string LiteralText(const Literal& literal) {
  switch (literal.type) {
    case Type::kNil:
      return "nil";
    case Type::kBool:
      return literal.integer != 0 ? "true" : "false";
    case Type::kInt:
      if (literal.integer == std::numeric_limits<int64_t>::min()) return "minInt";
      return fmt::format("{}", literal.integer);
    case Type::kFloat: {
      std::string text = fmt::format("{}", literal.real);
      return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
    }
    case Type::kDuration:
      return DurationText(literal.integer);
    case Type::kString:
      return QuoteText(literal.text);
    case Type::kStatus:
    case Type::kKind:
      for (const EnumWord& word : EnumWords())
        if (word.type == literal.type && word.number == literal.integer)
          return std::string(word.word);
      break;
    case Type::kAny:
      break;
  }
  return "nil";
}

}  // namespace weft::traceql

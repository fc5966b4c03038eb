// SPDX-License-Identifier: Apache-2.0
#include "api/parameters.h"

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <cmath>
#include <optional>

#include "http/http.h"

namespace weft::api {

Result<uint64_t> ParseNumber(std::string_view text) {
  uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    return Fail(ErrorCode::kInvalidArgument, "not a whole number");
  return value;
}

namespace {

// Exactly `count` digits at the front of `text`, which are taken from it.
std::optional<int> TakeDigits(size_t count, std::string_view* text) {
  if (text->size() < count) return std::nullopt;
  int value = 0;
  for (char c : text->substr(0, count)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  text->remove_prefix(count);
  return value;
}
bool TakeOneOf(std::string_view chars, std::string_view* text) {
  if (text->empty() || chars.find(text->front()) == chars.npos) return false;
  text->remove_prefix(1);
  return true;
}

// Two numbers of two digits with a colon between them, as minutes.
std::optional<int> TakeHoursMinutes(std::string_view* text) {
  std::optional<int> hours = TakeDigits(2, text);
  if (!hours || !TakeOneOf(":", text)) return std::nullopt;
  std::optional<int> minutes = TakeDigits(2, text);
  if (!minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  return *hours * 60 + *minutes;
}

std::optional<int64_t> TakeZoneMinutes(std::string_view* text) {
  if (TakeOneOf("Zz", text)) return 0;
  // In a query string a plus sign that was not escaped has become a space.
  bool behind = text->starts_with('-');
  if (!TakeOneOf("+- ", text)) return std::nullopt;
  std::optional<int> minutes = TakeHoursMinutes(text);
  if (!minutes) return std::nullopt;
  return behind ? -*minutes : *minutes;
}

std::optional<int64_t> ScanRfc3339(std::string_view text) {
  std::optional<int> year = TakeDigits(4, &text);
  if (!year || !TakeOneOf("-", &text)) return std::nullopt;
  std::optional<int> month = TakeDigits(2, &text);
  if (!month || !TakeOneOf("-", &text)) return std::nullopt;
  std::optional<int> day = TakeDigits(2, &text);
  if (!day || !TakeOneOf("Tt ", &text)) return std::nullopt;
  std::chrono::year_month_day date{std::chrono::year(*year),
                                   std::chrono::month(static_cast<unsigned>(*month)),
                                   std::chrono::day(static_cast<unsigned>(*day))};
  std::optional<int> minutes = TakeHoursMinutes(&text);
  if (!date.ok() || !minutes || !TakeOneOf(":", &text)) return std::nullopt;
  std::optional<int> seconds = TakeDigits(2, &text);
  if (!seconds || *seconds > 60) return std::nullopt;
  int64_t below = 0;
  if (TakeOneOf(".,", &text)) {
    size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    if (digits == 0) return std::nullopt;
    for (size_t i = 0; i < 9; ++i) below = below * 10 + (i < digits ? text[i] - '0' : 0);
    text.remove_prefix(digits);
  }
  std::optional<int64_t> zone = TakeZoneMinutes(&text);
  if (!zone || !text.empty()) return std::nullopt;
  int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  int64_t total_s = days * 86'400 + (*minutes - *zone) * 60 + *seconds;
  int64_t total_ns = 0;
  if (total_s < 0 || __builtin_mul_overflow(total_s, int64_t{1'000'000'000}, &total_ns) ||
      __builtin_add_overflow(total_ns, below, &total_ns))
    return std::nullopt;
  return total_ns;
}

}  // namespace

Result<uint64_t> ParseRfc3339(std::string_view text) {
  if (std::optional<int64_t> ns = ScanRfc3339(text)) return static_cast<uint64_t>(*ns);
  return Fail(ErrorCode::kInvalidArgument,
              "not a time from 1970 to 2262 such as 2026-01-31T12:00:00.5Z");
}

Parameters::Parameters(std::string_view query) : pairs_(http::ParseQuery(query)) {}

bool Parameters::Has(std::string_view name) const {
  for (const auto& [key, value] : pairs_)
    if (key == name) return true;
  return false;
}

std::string Parameters::Text(std::string_view name, std::string_view fallback) const {
  for (const auto& [key, value] : pairs_)
    if (key == name) return value;
  return std::string(fallback);
}

std::vector<std::string> Parameters::All(std::string_view name) const {
  std::vector<std::string> values;
  for (const auto& [key, value] : pairs_)
    if (key == name) values.push_back(value);
  return values;
}

std::string_view Parameters::FirstGiven(std::initializer_list<std::string_view> spellings) const {
  for (std::string_view name : spellings)
    if (!Text(name).empty()) return name;
  return *spellings.begin();
}

uint64_t Parameters::Number(std::string_view name, uint64_t fallback, uint64_t least,
                            uint64_t most) {
  std::string text = Text(name);
  if (text.empty()) return fallback;
  Result<uint64_t> value = ParseNumber(text);
  if (value && *value >= least && *value <= most) return *value;
  Reject(fmt::format("parameter {} is {}: it must be a whole number from {} to {}", name,
                     text.substr(0, 64), least, most));
  return fallback;
}

bool Parameters::Flag(std::string_view name, bool fallback) {
  if (!Has(name)) return fallback;
  std::string text = Text(name);
  for (std::string_view yes : {"", "true", "1", "t", "T", "TRUE", "True"})
    if (text == yes) return true;
  bool is_false = false;
  for (std::string_view no : {"false", "0", "f", "F", "FALSE", "False"}) is_false |= text == no;
  if (!is_false)
    Reject(fmt::format("parameter {} is {}: it must be true or false", name, text.substr(0, 64)));
  return false;
}

uint64_t Parameters::DurationNs(std::string_view name, uint64_t fallback) {
  std::string text = Text(name);
  if (text.empty()) return fallback;
  if (text == "0") return 0;
  static constexpr std::pair<std::string_view, double> kUnits[] = {
      {"ns", 1},  {"us", 1e3}, {"\xC2\xB5s", 1e3}, {"ms", 1e6},
      {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}};
  double total = 0;
  std::string_view rest = text;
  bool good = true;
  while (good && !rest.empty()) {
    size_t digits = std::min(rest.find_first_not_of("0123456789."), rest.size());
    size_t unit_end = std::min(rest.find_first_of("0123456789.", digits), rest.size());
    double number = 0;
    auto [end, error] = std::from_chars(rest.data(), rest.data() + digits, number);
    good = digits > 0 && error == std::errc() && end == rest.data() + digits;
    double scale = 0;
    for (const auto& [unit, value] : kUnits)
      if (rest.substr(digits, unit_end - digits) == unit) scale = value;
    good = good && scale > 0;
    total += number * scale;
    rest.remove_prefix(unit_end);
  }
  if (good && total <= 9e18) return static_cast<uint64_t>(std::llround(total));
  Reject(
      fmt::format("parameter {} is {}: it must be a duration such as 1.2s or 500us, up to 2500000h",
                  name, text.substr(0, 64)));
  return fallback;
}

uint64_t Parameters::TimeNs(std::string_view name, uint64_t fallback) {
  std::string text = Text(name);
  if (text.empty()) return fallback;
  Result<uint64_t> time = ParseRfc3339(text);
  if (time) return *time;
  Reject(
      fmt::format("parameter {} is {}: it must be a time from 1970 to 2262 such as "
                  "2026-01-31T12:00:00.5Z",
                  name, text.substr(0, 64)));
  return fallback;
}

void Parameters::Reject(std::string message) {
  if (status_) status_ = Fail(ErrorCode::kInvalidArgument, std::move(message));
}

}  // namespace weft::api

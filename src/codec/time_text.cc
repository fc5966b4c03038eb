// SPDX-License-Identifier: Apache-2.0
#include "codec/time_text.h"

#include <charconv>
#include <chrono>

namespace weft::codec {
namespace {

constexpr uint64_t kNsPerS = 1'000'000'000;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Takes exactly `digits` digits off the front.
bool TakeNumber(size_t digits, std::string_view* text, int* out) {
  if (text->size() < digits) return false;
  *out = 0;
  for (size_t i = 0; i < digits; ++i) {
    if (!IsDigit((*text)[i])) return false;
    *out = *out * 10 + ((*text)[i] - '0');
  }
  text->remove_prefix(digits);
  return true;
}

bool Take(char c, std::string_view* text) {
  if (!text->starts_with(c)) return false;
  text->remove_prefix(1);
  return true;
}

// ".5" as nanoseconds; nothing to take is 0. False for a dot without digits.
bool TakeFraction(std::string_view* text, uint64_t* ns) {
  *ns = 0;
  if (!Take('.', text)) return true;
  uint64_t unit = kNsPerS / 10;
  size_t digits = 0;
  for (; digits < text->size() && IsDigit((*text)[digits]); ++digits) {
    *ns += static_cast<uint64_t>((*text)[digits] - '0') * unit;
    unit /= 10;
  }
  text->remove_prefix(digits);
  return digits > 0;
}

// "Z" or "+02:00", in seconds.
bool TakeZone(std::string_view* text, int* seconds) {
  *seconds = 0;
  if (Take('Z', text) || Take('z', text)) return true;
  bool east = text->starts_with('+');
  if (!east && !text->starts_with('-')) return false;
  text->remove_prefix(1);
  int hours = 0, minutes = 0;
  if (!TakeNumber(2, text, &hours) || !Take(':', text) || !TakeNumber(2, text, &minutes))
    return false;
  if (hours > 23 || minutes > 59) return false;
  *seconds = (east ? 1 : -1) * (hours * 3600 + minutes * 60);
  return true;
}

std::optional<uint64_t> JoinSeconds(uint64_t seconds, uint64_t ns) {
  if (seconds > (UINT64_MAX - ns) / kNsPerS) return std::nullopt;
  return seconds * kNsPerS + ns;
}

}  // namespace

std::optional<uint64_t> ParseRfc3339(std::string_view text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, zone = 0;
  uint64_t fraction = 0;
  bool shaped = TakeNumber(4, &text, &year) && Take('-', &text) && TakeNumber(2, &text, &month) &&
                Take('-', &text) && TakeNumber(2, &text, &day) &&
                (Take('T', &text) || Take('t', &text) || Take(' ', &text)) &&
                TakeNumber(2, &text, &hour) && Take(':', &text) && TakeNumber(2, &text, &minute) &&
                Take(':', &text) && TakeNumber(2, &text, &second) &&
                TakeFraction(&text, &fraction) && TakeZone(&text, &zone) && text.empty();
  std::chrono::year_month_day date{std::chrono::year(year),
                                   std::chrono::month(static_cast<unsigned>(month)),
                                   std::chrono::day(static_cast<unsigned>(day))};
  if (!shaped || !date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  int64_t seconds = days * 86'400 + hour * 3600 + minute * 60 + second - zone;
  if (seconds < 0) return std::nullopt;
  return JoinSeconds(static_cast<uint64_t>(seconds), fraction);
}

std::optional<uint64_t> ParseSeconds(std::string_view text) {
  uint64_t seconds = 0, fraction = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  if (!TakeFraction(&text, &fraction) || text != "s") return std::nullopt;
  return JoinSeconds(seconds, fraction);
}

}  // namespace weft::codec

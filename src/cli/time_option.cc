// SPDX-License-Identifier: Apache-2.0
#include "cli/time_option.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <chrono>
#include <ctime>

#include "config/section.h"
#include "terminal/terminal.h"

namespace weft::cli {

using terminal::CleanText;

namespace {

constexpr uint64_t kNsPerSecond = 1'000'000'000;

// Takes a number of exactly `digits` digits off the front.
bool TakeNumber(std::string_view* text, size_t digits, int* out) {
  if (text->size() < digits) return false;
  auto [end, error] = std::from_chars(text->data(), text->data() + digits, *out);
  if (error != std::errc() || end != text->data() + digits || *out < 0) return false;
  text->remove_prefix(digits);
  return true;
}
bool TakeChar(std::string_view* text, char c) {
  if (!text->starts_with(c)) return false;
  text->remove_prefix(1);
  return true;
}

bool TakeDate(std::string_view* text, tm* parts) {
  if (!TakeNumber(text, 4, &parts->tm_year) || !TakeChar(text, '-') ||
      !TakeNumber(text, 2, &parts->tm_mon) || !TakeChar(text, '-') ||
      !TakeNumber(text, 2, &parts->tm_mday))
    return false;
  const std::chrono::year_month_day date(std::chrono::year(parts->tm_year),
                                         std::chrono::month(static_cast<unsigned>(parts->tm_mon)),
                                         std::chrono::day(static_cast<unsigned>(parts->tm_mday)));
  parts->tm_year -= 1900;
  parts->tm_mon -= 1;
  // mktime() would make a day of March out of the 30th of February.
  return date.ok();
}

// "06:30", "06:30:15", "06:30:15.123".
bool TakeClock(std::string_view* text, tm* parts, uint64_t* fraction_ns) {
  if (!TakeNumber(text, 2, &parts->tm_hour) || !TakeChar(text, ':') ||
      !TakeNumber(text, 2, &parts->tm_min))
    return false;
  if (TakeChar(text, ':') && !TakeNumber(text, 2, &parts->tm_sec)) return false;
  if (TakeChar(text, '.')) {
    uint64_t unit_ns = kNsPerSecond;
    while (!text->empty() && text->front() >= '0' && text->front() <= '9') {
      unit_ns /= 10;
      *fraction_ns += unit_ns * static_cast<uint64_t>(text->front() - '0');
      text->remove_prefix(1);
    }
    if (unit_ns == kNsPerSecond) return false;
  }
  return parts->tm_hour < 24 && parts->tm_min < 60 && parts->tm_sec <= 60;
}

// "Z", "+01:00", "-0730": minutes east. Nothing when the text is none.
std::optional<int> ZoneMinutes(std::string_view text) {
  if (text == "Z" || text == "z") return 0;
  bool east = text.starts_with('+');
  if (!east && !text.starts_with('-')) return std::nullopt;
  text.remove_prefix(1);
  int hours = 0, minutes = 0;
  if (!TakeNumber(&text, 2, &hours)) return std::nullopt;
  TakeChar(&text, ':');
  if (!TakeNumber(&text, 2, &minutes) || !text.empty()) return std::nullopt;
  return (hours * 60 + minutes) * (east ? 1 : -1);
}

std::optional<uint64_t> ParseCalendar(std::string_view text, uint64_t now_ns) {
  tm parts{};
  uint64_t fraction_ns = 0;
  std::string_view rest = text;
  if (TakeDate(&rest, &parts)) {
    if (TakeChar(&rest, 'T') || TakeChar(&rest, ' '))
      if (!TakeClock(&rest, &parts, &fraction_ns)) return std::nullopt;
  } else {
    rest = text;
    auto now = static_cast<time_t>(now_ns / kNsPerSecond);
    localtime_r(&now, &parts);
    parts.tm_hour = parts.tm_min = parts.tm_sec = 0;
    if (!TakeClock(&rest, &parts, &fraction_ns)) return std::nullopt;
  }
  parts.tm_isdst = -1;
  time_t seconds = 0;
  if (rest.empty()) {
    seconds = mktime(&parts);
  } else if (std::optional<int> minutes = ZoneMinutes(rest)) {
    seconds = timegm(&parts) - *minutes * 60;
  } else {
    return std::nullopt;
  }
  if (seconds < 0) return std::nullopt;
  return static_cast<uint64_t>(seconds) * kNsPerSecond + fraction_ns;
}

Result<uint64_t> ReadMoment(std::string_view option, std::string_view text, uint64_t now_ns) {
  if (std::optional<uint64_t> moment = ParseMoment(text, now_ns)) return *moment;
  return Fail(ErrorCode::kInvalidArgument,
              fmt::format("{} {}: expected a time such as \"2026-11-21 06:30\", "
                          "2026-11-21T06:30:00Z, 06:30, 15m (ago) or now",
                          option, CleanText(text)));
}

}  // namespace

Result<uint64_t> ReadDurationNs(std::string_view option, std::string_view text) {
  if (std::optional<uint64_t> duration = config::ParseDurationNs(text)) return *duration;
  return Fail(
      ErrorCode::kInvalidArgument,
      fmt::format("{} {}: expected a duration such as 15m, 1h30m or 2d", option, CleanText(text)));
}

std::optional<uint64_t> ParseMoment(std::string_view text, uint64_t now_ns) {
  if (text == "now") return now_ns;
  uint64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size() && text.size() >= 9)
    return text.size() <= 11       ? number * kNsPerSecond
           : number < kEndOfTimeNs ? std::optional(number)
                                   : std::nullopt;
  if (std::optional<uint64_t> calendar = ParseCalendar(text, now_ns)) return calendar;
  if (std::optional<uint64_t> ago = config::ParseDurationNs(text))
    return now_ns > *ago ? now_ns - *ago : 0;
  return std::nullopt;
}

void AddTimeOptions(CLI::App* command, TimeOptions* options) {
  auto* since =
      command
          ->add_option("--since", options->since, "Only spans started in the last 15m, 1h, 2d, ...")
          ->type_name("DURATION");
  command
      ->add_option("--from", options->from,
                   "Only spans started then or later: \"2026-11-21 06:30\", 06:30 (today), "
                   "2026-11-21T06:30:00Z, 15m (ago), or seconds since 1970")
      ->type_name("TIME")
      ->excludes(since);
  command->add_option("--to", options->to, "Only spans started before then")
      ->type_name("TIME")
      ->excludes(since);
}

Result<TimeWindow> ReadTimeWindow(const TimeOptions& options, uint64_t now_ns) {
  TimeWindow window;
  if (!options.since.empty()) {
    WEFT_ASSIGN(const uint64_t since_ns, ReadDurationNs("--since", options.since));
    window.start_ns = now_ns > since_ns ? now_ns - since_ns : 0;
    window.end_ns = kEndOfTimeNs;
  }
  if (!options.from.empty()) {
    WEFT_ASSIGN(window.start_ns, ReadMoment("--from", options.from, now_ns));
    window.end_ns = kEndOfTimeNs;
  }
  if (!options.to.empty()) {
    WEFT_ASSIGN(window.end_ns, ReadMoment("--to", options.to, now_ns));
  }
  if (window.end_ns != 0 && window.end_ns <= window.start_ns)
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("--to {} is not later than --from {}", CleanText(options.to),
                            CleanText(options.from)));
  return window;
}

}  // namespace weft::cli

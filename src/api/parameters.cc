// SPDX-License-Identifier: Apache-2.0
#include "api/parameters.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "net/http.h"

namespace weft::api {

Result<uint64_t> ParseNumber(std::string_view text) {
  uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    return Fail(ErrorCode::kInvalidArgument, "not a whole number");
  return value;
}

Parameters::Parameters(std::string_view query) : pairs_(net::ParseQuery(query)) {}

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
  if (text.empty() || text == "true" || text == "1") return true;
  if (text != "false" && text != "0")
    Reject(fmt::format("parameter {} is {}: it must be true or false", name, text.substr(0, 64)));
  return false;
}

uint64_t Parameters::DurationNs(std::string_view name, uint64_t fallback) {
  std::string text = Text(name);
  if (text.empty()) return fallback;
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

void Parameters::Reject(std::string message) {
  if (status_) status_ = Fail(ErrorCode::kInvalidArgument, std::move(message));
}

}  // namespace weft::api

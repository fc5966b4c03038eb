// SPDX-License-Identifier: Apache-2.0
//
// Parameters of a query string, read with ranges: what is out of range is an error that names the
// range, what is absent takes its default. The first error is kept; handlers read everything, then
// ask.
//
// Thread rule: one thread.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace weft::api {

class Parameters {
 public:
  static constexpr uint64_t kTimeNsMax = 1ull << 63;  // in the year 2262

  explicit Parameters(std::string_view query);

  bool Has(std::string_view name) const;
  // The first value, or `fallback`. An empty value is a value.
  std::string Text(std::string_view name, std::string_view fallback = {}) const;
  std::vector<std::string> All(std::string_view name) const;
  // Of several spellings of one name the first with a value that is not empty, or the first of all.
  std::string_view FirstGiven(std::initializer_list<std::string_view> spellings) const;
  uint64_t Number(std::string_view name, uint64_t fallback, uint64_t least, uint64_t most);
  // true, 1, t or nothing; false, 0 or f.
  bool Flag(std::string_view name, bool fallback = false);
  // Go's durations ("1.2s", "500us"), in ns.
  uint64_t DurationNs(std::string_view name, uint64_t fallback);
  // "2026-01-31T12:00:00.5+01:00" (RFC 3339), in ns. A "+" that came as a space is taken for one.
  uint64_t TimeNs(std::string_view name, uint64_t fallback);

  void Reject(std::string message);
  const Status& status() const { return status_; }

 private:
  std::vector<std::pair<std::string, std::string>> pairs_;
  Status status_;
};

// A decimal number with nothing around it.
Result<uint64_t> ParseNumber(std::string_view text);
// A time of RFC 3339 from 1970 to 2262, in ns since the Unix epoch.
Result<uint64_t> ParseRfc3339(std::string_view text);

}  // namespace weft::api

// SPDX-License-Identifier: Apache-2.0
//
// Parameters of a query string, read with ranges: what is out of range is an error that names the
// range, what is absent takes its default. The first error is kept; handlers read everything, then
// ask.
//
// Thread rule: one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace weft::api {

class Parameters {
 public:
  explicit Parameters(std::string_view query);

  bool Has(std::string_view name) const;
  // The first value, or `fallback`. An empty value is a value.
  std::string Text(std::string_view name, std::string_view fallback = {}) const;
  std::vector<std::string> All(std::string_view name) const;
  uint64_t Number(std::string_view name, uint64_t fallback, uint64_t least, uint64_t most);
  bool Flag(std::string_view name, bool fallback = false);
  // Go's durations ("1.2s", "500us"), in ns.
  uint64_t DurationNs(std::string_view name, uint64_t fallback);

  void Reject(std::string message);
  const Status& status() const { return status_; }

 private:
  std::vector<std::pair<std::string, std::string>> pairs_;
  Status status_;
};

// A decimal number with nothing around it.
Result<uint64_t> ParseNumber(std::string_view text);

}  // namespace weft::api

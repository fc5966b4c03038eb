// SPDX-License-Identifier: Apache-2.0
//
// ReasonCounters: counters of one name that differ in `reason`, the name of an error code. Refusing
// is what a server does most when it can do least: finding the counter is one atomic load.
//
// Thread rule: any thread. Next: base/metrics.h.
#pragma once

#include <array>
#include <atomic>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"

namespace weft {

class ReasonCounters {
 public:
  // Those of `expected` exist from the start; any other is made when it is first needed.
  ReasonCounters(Metrics* metrics, std::string_view name, std::string_view help,
                 const Labels& labels, std::initializer_list<ErrorCode> expected);
  Counter* Of(ErrorCode code);

 private:
  Metrics* const metrics_;
  const std::string name_, help_;
  std::vector<std::pair<std::string, std::string>> labels_;
  std::array<std::atomic<Counter*>, 32> counters_{};
};

}  // namespace weft

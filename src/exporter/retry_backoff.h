// SPDX-License-Identifier: Apache-2.0
//
// RetryBackoff: how long a request waits for its next try. The waits grow by `multiplier` up to
// `max_interval`; each is spread evenly around its length by `randomization_factor`, so that what
// failed together does not come back together.
//
// Thread rule: a value. Source: the Collector's retry_on_failure.
#pragma once

#include <algorithm>
#include <cstdint>

#include "exporter/sending_queue_settings.h"

namespace weft::exporter {

class RetryBackoff {
 public:
  // The next wait. `unit` is a random number in [0, 1).
  uint64_t Next(const RetrySettings& settings, double unit) {
    const auto most = static_cast<double>(settings.max_interval_ns);
    if (interval_ns_ < 0) interval_ns_ = static_cast<double>(settings.initial_interval_ns);
    interval_ns_ = std::min(interval_ns_, most);
    const double wait = interval_ns_ * (1 + settings.randomization_factor * (2 * unit - 1));
    interval_ns_ = std::min(interval_ns_ * settings.multiplier, most);
    return static_cast<uint64_t>(std::max(wait, 0.0));
  }

 private:
  double interval_ns_ = -1;  // below 0: none yet
};

}  // namespace weft::exporter

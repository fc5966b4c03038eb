// SPDX-License-Identifier: Apache-2.0
#include "base/reason_counters.h"

namespace weft {

ReasonCounters::ReasonCounters(Metrics* metrics, std::string_view name, std::string_view help,
                               const Labels& labels, std::initializer_list<ErrorCode> expected)
    : metrics_(metrics), name_(name), help_(help) {
  for (const auto& [key, value] : labels) labels_.emplace_back(key, value);
  for (ErrorCode code : expected) Of(code);
}

Counter* ReasonCounters::Of(ErrorCode code) {
  std::atomic<Counter*>& place = counters_[static_cast<size_t>(code) % counters_.size()];
  Counter* counter = place.load(std::memory_order_acquire);
  if (counter != nullptr) return counter;
  Labels labels(labels_.begin(), labels_.end());
  labels.emplace_back("reason", ErrorCodeName(code));
  // Two threads may come here at once: both get the same counter.
  counter = metrics_->GetCounter(name_, help_, labels);
  place.store(counter, std::memory_order_release);
  return counter;
}

}  // namespace weft

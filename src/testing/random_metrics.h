// SPDX-License-Identifier: Apache-2.0
//
// Seeded MetricBatches that use every field of the protocol, with extremes: every kind of data and
// none, points of both number types and of none, lists that are empty or long, presence of what may
// be absent, NaNs with a payload, infinities, denormals, -0. Equal seeds give equal batches on
// every machine.
//
// Thread rule: pure functions. Next: testing/random_batch.h, which makes the attributes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "model/metric_batch.h"

namespace weft::testing {

struct RandomMetricsOptions {
  uint64_t seed = 1;
  size_t metrics = 30;
  // Only what JSON can carry: valid UTF-8, and the one NaN that text has.
  bool json_safe = false;
};

MetricBatch RandomMetrics(const RandomMetricsOptions& options);

// Empty when both hold the same metrics in the same order, resources and scopes included, doubles
// compared by their bits; else the first field that differs, for a test's message.
std::string MetricDifference(const MetricBatch& a, const MetricBatch& b);

}  // namespace weft::testing

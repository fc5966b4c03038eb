// SPDX-License-Identifier: Apache-2.0
//
// Seeded SpanBatches that use every field of the protocol, with extremes: empty and long strings,
// nested values, every value type, unknown enum numbers, zero and far times, end before start.
// Equal seeds give equal batches on every machine.
//
// Thread rule: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "model/span_batch.h"

namespace weft::testing {

struct RandomBatchOptions {
  uint64_t seed = 1;
  size_t spans = 40;
  size_t logs = 20;
  // Traces that the spans and logs are spread over; a span's parent is an earlier span of its
  // trace, missing, or none.
  size_t traces = 8;
  // Only what JSON can carry: valid UTF-8, and the one NaN that text has.
  bool json_safe = false;
};

SpanBatch RandomBatch(const RandomBatchOptions& options);

// Empty when both hold the same spans and logs in the same order, resources and scopes included;
// else the first difference, for a test's message.
std::string BatchDifference(const SpanBatch& a, const SpanBatch& b);

}  // namespace weft::testing

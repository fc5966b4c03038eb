// SPDX-License-Identifier: Apache-2.0
//
// Batches to store, from a seed (random_batch.h has those to encode): every field, every value
// type, repeated keys, one key with several types, empty values, extreme times, broken parents,
// spans that come twice. And a canonical text of a span or log record to compare what went in with
// what came out.
//
// Thread rule: pure functions over the generator passed in.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "model/span_batch.h"

namespace weft::testing {

struct WildBatchOptions {
  uint32_t spans = 100;
  uint32_t logs = 10;
  uint32_t traces = 12;  // ids to choose from; the same in all batches of one `trace_seed`
  uint64_t trace_seed = 1;
  uint32_t span_ids = 60;  // span ids to choose from in one trace: small, so that they repeat
  uint32_t keys = 12;      // attribute keys to choose from
  uint32_t values = 20;    // values a key and type to choose from
  bool extreme_times = true;
};
SpanBatch WildBatch(std::mt19937_64& random, const WildBatchOptions& options);

// All content, resource and scope included, one field a line.
std::string DescribeSpan(const SpanBatch& batch, const Span& span);
std::string DescribeLog(const SpanBatch& batch, const LogRecord& log);
std::string DescribeValue(const Value& value);
// Sorted, so that order does not matter.
std::vector<std::string> DescribeSpans(const SpanBatch& batch);
std::vector<std::string> DescribeLogs(const SpanBatch& batch);

}  // namespace weft::testing

// SPDX-License-Identifier: Apache-2.0
//
// For the store's tests: spans and log records whose whole content follows from a number, and what
// a store holds of them, row by row over all segments, so that what is missing, twice, invented or
// changed shows.
//
// Thread rule: pure functions of what is passed in.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "store/store.h"

namespace weft::testing {

inline constexpr uint64_t kNumberedStartNs = 1'700'000'000'000'000'000;

TraceId NumberedTrace(uint64_t number);

// Spans [first, first + count), each in trace number / spans_per_trace, and one log record with the
// number of the first span. The same number gives the same content in every batch that has the
// same `spans_per_trace` and `start_ns`.
SpanBatch NumberedBatch(uint64_t first, uint64_t count, uint64_t spans_per_trace = 4,
                        uint64_t start_ns = kNumberedStartNs);

// Appends and waits for the completion.
Status AppendAndWait(store::Store* store, SpanBatch batch);

// Numbers of spans and of log records.
struct Numbers {
  std::set<uint64_t> spans, logs;

  // What NumberedBatch(first, count) holds.
  void Add(uint64_t first, uint64_t count);
};

struct StoredNumbers {
  std::map<uint64_t, int> spans, logs;  // number -> how often it is there
  std::string error;                    // the first that reading met
  std::string wrong;  // the first record whose content is not what its number says
};

// Of a span or log record; the largest number where it has none.
uint64_t NumberOf(Attributes attributes);
StoredNumbers ReadNumbers(store::Store* store, std::string_view tenant = {});

// Empty when `found` holds all of `acknowledged` exactly once and none that is not in `issued`, and
// met no error and nothing wrong; else what it is.
std::string CheckNumbers(const StoredNumbers& found, const Numbers& acknowledged,
                         const Numbers& issued);

}  // namespace weft::testing

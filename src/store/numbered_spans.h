// SPDX-License-Identifier: Apache-2.0
//
// For the store's tests: batches of spans and log records that carry a number, and a count of the
// numbers that a store holds, row by row over all segments, so that what is missing, twice or
// invented shows.
//
// Thread rule: pure functions of what is passed in.
#pragma once

#include <cstdint>
#include <cstring>
#include <future>
#include <map>
#include <numeric>
#include <set>
#include <string>
#include <utility>

#include "store/store.h"

namespace weft::store {

inline TraceId NumberedTrace(uint64_t number) {
  TraceId id;
  id.bytes[0] = 0x7E;
  std::memcpy(id.bytes.data() + 8, &number, sizeof number);
  return id;
}

// Spans [first, first + count), each in trace number / spans_per_trace, and one log record with the
// number of the first span.
inline SpanBatch NumberedBatch(uint64_t first, uint64_t count, uint64_t spans_per_trace = 4,
                               uint64_t start_ns = 1'700'000'000'000'000'000) {
  SpanBatch batch;
  auto attributes = batch.arena.NewArray<KeyValue>(1);
  attributes[0] = {"service.name", Value::String("shop")};
  batch.resources.push_back({attributes, 0, {}, {}});
  batch.scopes.push_back({"numbered", "1", {}, 0, {}});
  for (uint64_t number = first; number < first + count; ++number) {
    Span span;
    span.trace_id = NumberedTrace(number / spans_per_trace);
    const uint64_t id = number + 1;
    std::memcpy(span.span_id.bytes.data(), &id, sizeof id);
    span.name = number % 3 == 0 ? "checkout" : "pay";
    span.start_ns = start_ns + number * 1000;
    span.end_ns = span.start_ns + 500;
    auto own = batch.arena.NewArray<KeyValue>(2);
    own[0] = {"number", Value::Int(static_cast<int64_t>(number))};
    own[1] = {"text", Value::String(batch.arena.Copy("value of " + std::to_string(number)))};
    span.attributes = own;
    batch.spans.push_back(span);
  }
  LogRecord log;
  log.trace_id = NumberedTrace(first / spans_per_trace);
  log.time_ns = log.observed_ns = start_ns + first * 1000;
  auto own = batch.arena.NewArray<KeyValue>(1);
  own[0] = {"number", Value::Int(static_cast<int64_t>(first))};
  log.attributes = own;
  log.body = Value::String("said");
  batch.logs.push_back(log);
  return batch;
}

// Appends and waits for the completion.
inline Status AppendAndWait(Store* store, SpanBatch batch) {
  std::promise<Status> done;
  store->Append(std::move(batch), [&](Status status) { done.set_value(std::move(status)); });
  return done.get_future().get();
}

struct StoredNumbers {
  std::map<uint64_t, int> spans;
  std::map<uint64_t, int> logs;
  std::string error;  // the first that reading met
};

inline uint64_t NumberOf(Attributes attributes) {
  const Value* value = Find(attributes, "number");
  return value == nullptr || value->type != ValueType::kInt ? ~uint64_t{0}
                                                            : static_cast<uint64_t>(value->integer);
}

inline StoredNumbers ReadNumbers(Store* store, std::string_view tenant = {}) {
  StoredNumbers found;
  const auto snapshot = store->TakeSnapshot(tenant);
  for (const auto& segment : snapshot->segments()) {
    SpanBatch out;
    std::vector<block::Row> rows(segment->spans().row_count());
    std::iota(rows.begin(), rows.end(), 0);
    Status status = segment->ReadSpans(rows, &out);
    rows.resize(segment->table(block::TableId::kLogs).row_count());
    std::iota(rows.begin(), rows.end(), 0);
    if (status) status = segment->ReadLogs(rows, &out);
    if (!status && found.error.empty()) found.error = status.error().message;
    for (const Span& span : out.spans) ++found.spans[NumberOf(span.attributes)];
    for (const LogRecord& log : out.logs) ++found.logs[NumberOf(log.attributes)];
  }
  return found;
}

// Empty when `found` holds every number of `acknowledged` exactly once and none that is not in
// `issued`; else what is wrong.
inline std::string CheckNumbers(const std::map<uint64_t, int>& found,
                                const std::set<uint64_t>& acknowledged,
                                const std::set<uint64_t>& issued) {
  for (const uint64_t number : acknowledged) {
    if (!found.contains(number)) return std::to_string(number) + " was acknowledged and is lost";
  }
  for (const auto& [number, count] : found) {
    if (!issued.contains(number)) return std::to_string(number) + " was never sent";
    if (count != 1) return std::to_string(number) + " is there " + std::to_string(count) + " times";
  }
  return {};
}

}  // namespace weft::store

// SPDX-License-Identifier: Apache-2.0
//
// Tracer: weft's own spans, kept in weft itself. Rooms that do something worth explaining (a query,
// a flush, a request that brings spans) record whole spans when it is over; one thread makes
// batches of them and hands those to an exporter of the configuration, within the process. Made by
// server/ when service::telemetry::traces names an exporter; a null Tracer* means off, and costs a
// branch.
//
// It never feeds itself: its batches do not pass a receiver, and whoever records asks IsOwn() or
// service_name() and stays silent about work on weft's own spans alone.
// Thread rule: any thread; Start() and Stop() by one. Record() never waits: what does not fit into
// the queue is dropped and counted. Source: W3C Trace Context (traceparent). Next:
// docs/operations.md.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/result.h"
#include "model/span_batch.h"

namespace weft::selftrace {

struct OwnAttribute {
  std::string_view key;  // a constant
  std::variant<std::string, int64_t, double, bool> value;
};

struct OwnSpan {
  TraceId trace_id;
  SpanId span_id, parent_span_id;
  std::string name;
  SpanKind kind = SpanKind::kInternal;
  uint64_t start_ns = 0, end_ns = 0;  // Unix epoch
  std::string error;                  // not empty: the span's status is an error, and why
  std::vector<OwnAttribute> attributes;
};

// Where a trace stands when a piece of work begins.
struct TracePlace {
  TraceId trace_id;
  SpanId parent;  // empty: a new trace
};

struct TracerOptions {
  std::string version;
  // Over service.name and service.version.
  std::vector<std::pair<std::string, std::string>> resource;
  uint64_t ingest_per_second = 1;
  uint64_t queue_spans_max = 4096;
};

// Where batches go.
struct TraceSink {
  std::function<Status(uint64_t bytes)> admit;
  std::function<void(SpanBatch, std::move_only_function<void(Status)>)> consume;
};

class Tracer {
 public:
  // Both pointers are borrowed and outlive the tracer.
  Tracer(TracerOptions options, TraceSink sink, Metrics* metrics, Clock* clock);
  ~Tracer();  // Stop()

  // Before it spans wait in the queue.
  void Start();
  // Hands over what waits, waits for its completion, takes nothing more. Idempotent.
  void Stop();

  // Continues the caller's trace when `traceparent` is one, else begins a new one. Nothing when the
  // caller has said that its trace is not sampled.
  std::optional<TracePlace> Begin(std::string_view traceparent);
  SpanId NewSpanId();
  // True for at most ingest_per_second callers a second.
  bool TakeIngest();
  void Record(std::vector<OwnSpan> spans);

  // service.name of its spans.
  const std::string& service_name() const { return service_name_; }
  // Spans handed to the exporter since the last call: what a flush may have been about.
  uint64_t TakeDelivered() { return delivered_.exchange(0); }

 private:
  void Run();
  void Deliver(std::vector<OwnSpan> spans);
  SpanBatch MakeBatch(const std::vector<OwnSpan>& spans) const;
  uint64_t Random();

  const TracerOptions options_;
  const TraceSink sink_;
  Clock* const clock_;
  std::string service_name_;
  Counter* const recorded_;
  Counter* const queue_full_;
  Counter* const refused_;
  Counter* const failed_;
  std::atomic<uint64_t> delivered_{0};

  std::mutex random_mutex_;
  std::mt19937_64 random_;         // guarded by random_mutex_
  uint64_t ingest_second_ = 0;     // guarded by random_mutex_
  uint64_t ingest_in_second_ = 0;  // guarded by random_mutex_

  std::mutex mutex_;
  std::condition_variable wake_, settled_;
  std::vector<OwnSpan> queue_;  // guarded by mutex_
  uint64_t under_way_ = 0;      // batches not yet completed; guarded by mutex_
  bool stopping_ = false;       // guarded by mutex_
  std::thread thread_;
};

// The counters of self-tracing exist where it is off, too.
void DeclareTracerMetrics(Metrics* metrics);
// True for batches that a Tracer made, wherever they come from.
bool IsOwn(const SpanBatch& batch);

struct TraceParent {
  TraceId trace_id;
  SpanId span_id;
  bool sampled = false;
};
// Nothing when it is not valid.
std::optional<TraceParent> ParseTraceParent(std::string_view text);

}  // namespace weft::selftrace

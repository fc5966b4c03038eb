// SPDX-License-Identifier: Apache-2.0
//
// QueryTrace: one question as a trace of weft's own. Made by the QueryRunner when self-tracing is
// on; it hands out a budget and a snapshot that are measured, and records the spans at the end:
//
//   query search            the whole, from the request's arrival
//     wait                  for a worker
//     parse, plan           the text
//     scan, assemble ...    in turns; trace reads are assemble
//
// Nothing is recorded of lists of names (no search, no trace read), nor of questions that are about
// weft's own spans alone: looking at a trace never makes another.
// Thread rule: one thread; the snapshot's reads by any. Next: selftrace/tracer.h,
// query/search_profile.h.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "query/query.h"
#include "query/search_profile.h"
#include "selftrace/tracer.h"
#include "store/store.h"

namespace weft::api {

class QueryTrace {
 public:
  // `tracer` may be null: then nothing is measured. Times are monotonic.
  QueryTrace(selftrace::Tracer* tracer, Clock* clock, std::string_view kind,
             std::string_view traceparent, uint64_t asked_ns);

  // For the thread that asks, until End().
  void Measure(query::Budget* budget) const;
  std::shared_ptr<const store::Snapshot> Measure(
      std::shared_ptr<const store::Snapshot> snapshot) const;
  // Records the spans. `outcome` as weft_queries_total has it; "": it is being answered. The trace
  // id in hex, or "" where nothing was recorded.
  std::string End(std::string_view outcome);

 private:
  struct Measured;
  class MeasuredSnapshot;
  selftrace::OwnSpan Child(std::string_view name, uint64_t start_ns, uint64_t end_ns) const;
  void Describe(std::string_view outcome, selftrace::OwnSpan* span) const;

  selftrace::Tracer* tracer_;  // null: not recorded
  Clock* const clock_;
  const std::string_view kind_;
  const uint64_t asked_ns_, began_ns_;
  const uint64_t wall_offset_ns_;  // from monotonic to Unix time
  selftrace::TracePlace place_;
  SpanId root_;
  std::shared_ptr<Measured> measured_;  // also held by the measured snapshot
};

}  // namespace weft::api

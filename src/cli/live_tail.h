// SPDX-License-Identifier: Apache-2.0
//
// --follow: what is new since the last look, each thing once. The API knows when spans started, not
// when they arrived, so a tail looks again and again and remembers what it has seen.
//
// SearchTail promises: a trace that comes to match while it runs is given exactly once, however
// late its spans arrive, if a matching span started at most kLookBackNs before it began (or after
// `since_ns`). What started within the last minute is found by the next look; older spans that
// arrive late by the next sweep over the whole time, every 10 s, or less often where a sweep takes
// more than a tenth of that.
// SpanTail promises: every span and log record of the trace once; equal copies count as one.
// Memory: an id for each trace found, a hash for each span and log record.
//
// Thread rule: one thread. Next: cli/follow.h.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/clock.h"
#include "cli/trace_source.h"

namespace weft::cli {

inline constexpr uint64_t kLookBackNs = 3'600ull * 1'000'000'000;
inline constexpr uint64_t kRecentNs = 60ull * 1'000'000'000;
inline constexpr uint64_t kSweepEveryNs = 10ull * 1'000'000'000;

class SearchTail {
 public:
  // Matches that started at `since_ns` or later are given even if they were there before.
  SearchTail(TraceSource* source, query::SearchRequest request, uint64_t since_ns, Clock* clock);

  // What is new, oldest trace first. An error leaves nothing lost: the next Poll() looks again.
  Result<std::vector<query::TraceSummary>> Poll();
  // Why the last look may have missed something; empty: it did not.
  const std::string& partial() const { return partial_; }

 private:
  using TraceIds = std::unordered_set<TraceId, IdHash>;
  // All pages of [start, end).
  Result<std::vector<query::TraceSummary>> SearchAll(uint64_t start_ns, uint64_t end_ns);
  Status LookBack();

  TraceSource* const source_;
  query::SearchRequest request_;
  const uint64_t since_ns_, begin_ns_;
  Clock* const clock_;
  TraceIds before_;  // matched before the tail began
  TraceIds given_;
  std::string partial_;
  bool looked_back_ = false, looked_first_ = false;
  uint64_t next_sweep_ns_ = 0;
};

class SpanTail {
 public:
  SpanTail(TraceSource* source, const TraceId& id) : source_(source), id_(id) {}

  // The new spans and log records, by time; empty while there is no such trace. The batch has all
  // resources and scopes, so that indexes stay right.
  Result<SpanBatch> Poll();
  bool any() const { return !seen_.empty(); }
  // Why the last look may have missed something; empty: it did not.
  const std::string& partial() const { return partial_; }

 private:
  TraceSource* const source_;
  const TraceId id_;
  std::set<ContentHash> seen_;
  std::string partial_;
};

}  // namespace weft::cli

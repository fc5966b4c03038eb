// SPDX-License-Identifier: Apache-2.0
//
// SearchProfile: what one question did and when, for whoever has to explain why it was slow. A
// Budget that carries one has its searches and trace reads noted; without one nothing is measured.
// A search scans and assembles in turns: turns of one phase that follow each other are one
// interval, and beyond kIntervalsMax they join the last of their phase.
//
// Thread rule: one thread at a time. Next: query/query.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "model/span_batch.h"

namespace weft::query {

struct SearchResult;

enum class SearchPhase : uint8_t { kParse, kPlan, kScan, kAssemble };
// "parse", ...
std::string_view PhaseName(SearchPhase phase);

class SearchProfile {
 public:
  static constexpr size_t kIntervalsMax = 64;
  struct Interval {
    SearchPhase phase = SearchPhase::kParse;
    uint64_t start_ns = 0, end_ns = 0;  // monotonic
    uint64_t busy_ns = 0;               // less than the interval where turns were joined
    uint64_t turns = 0;                 // row groups scanned, traces assembled
  };

  explicit SearchProfile(Clock* clock) : clock_(clock) {}

  // A phase within another belongs to that one.
  void Begin(SearchPhase phase);
  void End();
  // A phase that is over, unless one is under way. Times are monotonic.
  void Add(SearchPhase phase, uint64_t start_ns, uint64_t end_ns);

  void NoteQuestion(std::string traceql) {
    traceql_ = std::move(traceql);
    searched_ = true;
  }
  void NoteResult(const SearchResult& result);
  void NoteTrace(const SpanBatch& trace);

  const std::vector<Interval>& intervals() const { return intervals_; }
  const std::string& traceql() const { return traceql_; }
  bool searched() const { return searched_; }
  uint64_t spans_total() const { return spans_total_; }
  uint64_t spans_inspected() const { return spans_inspected_; }
  uint64_t segments() const { return segments_; }
  uint64_t segments_skipped() const { return segments_skipped_; }
  uint64_t traces() const { return traces_; }
  uint64_t spans_read() const { return spans_read_; }
  const std::string& partial() const { return partial_; }
  // True when something was found and only traces of this service, or the question names it.
  bool IsOnlyAbout(std::string_view service) const;

 private:
  void NoteService(std::string_view service);

  Clock* const clock_;
  std::vector<Interval> intervals_;
  uint32_t depth_ = 0;
  SearchPhase phase_ = SearchPhase::kParse;
  uint64_t began_ns_ = 0;
  std::string traceql_;
  bool searched_ = false;
  uint64_t spans_total_ = 0, spans_inspected_ = 0, segments_ = 0, segments_skipped_ = 0;
  uint64_t traces_ = 0, spans_read_ = 0;
  std::string partial_;
  std::string service_;  // of all that was found so far
  bool several_services_ = false;
};

class PhaseTimer {
 public:
  // `profile` may be null.
  PhaseTimer(SearchProfile* profile, SearchPhase phase) : profile_(profile) {
    if (profile_ != nullptr) profile_->Begin(phase);
  }
  ~PhaseTimer() {
    if (profile_ != nullptr) profile_->End();
  }
  PhaseTimer(const PhaseTimer&) = delete;
  PhaseTimer& operator=(const PhaseTimer&) = delete;

 private:
  SearchProfile* const profile_;
};

}  // namespace weft::query

// SPDX-License-Identifier: Apache-2.0
#include "query/search_profile.h"

#include <algorithm>

#include "query/query.h"

namespace weft::query {

std::string_view PhaseName(SearchPhase phase) {
  static constexpr std::string_view kNames[] = {"parse", "plan", "scan", "assemble"};
  return kNames[static_cast<int>(phase)];
}

void SearchProfile::Begin(SearchPhase phase) {
  if (depth_++ > 0) return;
  phase_ = phase;
  began_ns_ = clock_->MonotonicNs();
}

void SearchProfile::End() {
  if (--depth_ == 0) Add(phase_, began_ns_, clock_->MonotonicNs());
}

void SearchProfile::Add(SearchPhase phase, uint64_t start_ns, uint64_t end_ns) {
  if (depth_ > 0) return;
  Interval* into = nullptr;
  if (!intervals_.empty() && intervals_.back().phase == phase) {
    into = &intervals_.back();
  } else if (intervals_.size() >= kIntervalsMax) {
    auto same = std::ranges::find(intervals_.rbegin(), intervals_.rend(), phase, &Interval::phase);
    if (same != intervals_.rend()) into = &*same;
  }
  if (into == nullptr) {
    into = &intervals_.emplace_back();
    into->phase = phase;
    into->start_ns = start_ns;
  }
  into->end_ns = end_ns;
  into->busy_ns += end_ns - start_ns;
  ++into->turns;
}

void SearchProfile::NoteResult(const SearchResult& result) {
  spans_total_ += result.stats.spans_total;
  spans_inspected_ += result.stats.spans_inspected;
  segments_ += result.stats.segments;
  segments_skipped_ += result.stats.segments_skipped;
  traces_ += result.traces.size();
  if (!result.partial.empty()) partial_ = result.partial;
  for (const TraceSummary& trace : result.traces)
    for (const ServiceShare& share : trace.services) NoteService(share.service);
}

void SearchProfile::NoteTrace(const SpanBatch& trace) {
  searched_ = true;
  spans_read_ += trace.spans.size();
  for (const Resource& resource : trace.resources) NoteService(ServiceName(resource));
}

void SearchProfile::NoteService(std::string_view service) {
  if (service_.empty()) service_ = service;
  if (service_ != service) several_services_ = true;
}

bool SearchProfile::IsOnlyAbout(std::string_view service) const {
  // As the parser prints it, whatever quotes were written.
  bool named = traceql_.find("\"" + std::string(service) + "\"") != std::string::npos;
  return named || (service_ == service && !several_services_);
}

}  // namespace weft::query

// SPDX-License-Identifier: Apache-2.0
#include "cli/live_tail.h"

#include <algorithm>

#include "cli/time_option.h"
#include "terminal/span_lines.h"

namespace weft::cli {
namespace {

constexpr uint32_t kPageTraces = 1000;
constexpr uint64_t kSweepShare = 10;  // a sweep may take one part in so many of the time

}  // namespace

SearchTail::SearchTail(TraceSource* source, query::SearchRequest request, uint64_t since_ns,
                       Clock* clock)
    : source_(source),
      request_(std::move(request)),
      since_ns_(since_ns),
      begin_ns_(since_ns - std::min(since_ns, kLookBackNs)),
      clock_(clock) {
  request_.limit = kPageTraces;
}

Result<std::vector<query::TraceSummary>> SearchTail::SearchAll(uint64_t start_ns, uint64_t end_ns) {
  std::vector<query::TraceSummary> found;
  request_.start_ns = start_ns;
  request_.end_ns = end_ns;
  request_.cursor.clear();
  // A trace's start only ever moves back, to pages that are still to come: what is there when the
  // first page is asked for is on one of them.
  do {
    WEFT_ASSIGN(TraceSource::SearchAnswer answer, source_->Search(request_));
    if (!answer.result.partial.empty()) partial_ = answer.result.partial;
    std::ranges::move(answer.result.traces, std::back_inserter(found));
    request_.cursor = answer.result.cursor;
  } while (!request_.cursor.empty());
  return found;
}

Status SearchTail::LookBack() {
  if (begin_ns_ < since_ns_) {
    WEFT_ASSIGN(auto found, SearchAll(begin_ns_, since_ns_));
    for (const query::TraceSummary& trace : found) before_.insert(trace.trace_id);
  }
  looked_back_ = true;
  return {};
}

Result<std::vector<query::TraceSummary>> SearchTail::Poll() {
  partial_.clear();
  if (!looked_back_) WEFT_TRY(LookBack());
  bool first = !looked_first_;
  uint64_t now_ns = clock_->NowNs();
  uint64_t began_ns = clock_->MonotonicNs();
  bool sweep = !first && began_ns >= next_sweep_ns_;
  uint64_t recent_ns = std::max(begin_ns_, now_ns - std::min(now_ns, kRecentNs));
  uint64_t start_ns = first ? since_ns_ : sweep ? begin_ns_ : recent_ns;
  WEFT_ASSIGN(auto found, SearchAll(start_ns, kEndOfTimeNs));
  looked_first_ = true;
  uint64_t took_ns = clock_->MonotonicNs() - began_ns;
  if (sweep) next_sweep_ns_ = began_ns + std::max(kSweepEveryNs, kSweepShare * took_ns);
  std::erase_if(found, [&](const query::TraceSummary& trace) {
    // The first look shows what was asked for with --since, whatever came before that.
    if (!first && before_.contains(trace.trace_id)) return true;
    return !given_.insert(trace.trace_id).second;
  });
  std::ranges::stable_sort(found, {}, &query::TraceSummary::start_ns);
  return found;
}

Result<SpanBatch> SpanTail::Poll() {
  Result<SpanBatch> batch = source_->ReadTrace(id_, &partial_);
  if (!batch && batch.error().code == ErrorCode::kNotFound) return SpanBatch();
  if (!batch) return Fail(batch.error());
  std::erase_if(batch->spans,
                [&](const Span& span) { return !seen_.insert(HashSpan(*batch, span)).second; });
  std::erase_if(batch->logs,
                [&](const LogRecord& log) { return !seen_.insert(HashLog(*batch, log)).second; });
  std::ranges::stable_sort(batch->spans, {}, &Span::start_ns);
  std::ranges::stable_sort(batch->logs, {}, terminal::LogTimeNs);
  batch->received_is_content = false;
  return batch;
}

}  // namespace weft::cli

// SPDX-License-Identifier: Apache-2.0
#include "api/query_trace.h"

#include <mutex>
#include <utility>

namespace weft::api {
namespace {

// A question may be 64 KiB long; its beginning tells which it is.
constexpr size_t kTextBytesMax = 2048;
// A shorter wait for a worker explains nothing.
constexpr uint64_t kWaitShownNs = 1'000'000;

}  // namespace

// A streamed answer may go on reading traces, on another thread, after its question has returned:
// what comes then is not noted.
struct QueryTrace::Measured {
  explicit Measured(Clock* clock) : profile(clock) {}
  std::mutex mutex;
  bool over = false;
  query::SearchProfile profile;
};

namespace {

int64_t Number(uint64_t n) { return static_cast<int64_t>(n); }

}  // namespace

class QueryTrace::MeasuredSnapshot : public store::Snapshot {
 public:
  MeasuredSnapshot(std::shared_ptr<const store::Snapshot> snapshot,
                   std::shared_ptr<Measured> measured, Clock* clock)
      : snapshot_(std::move(snapshot)), measured_(std::move(measured)), clock_(clock) {}

  const std::vector<std::shared_ptr<const segment::Segment>>& segments() const override {
    return snapshot_->segments();
  }
  bool MayBeSplit(const TraceId& id) const override { return snapshot_->MayBeSplit(id); }
  Result<SpanBatch> ReadTrace(const TraceId& id, std::string* partial) const override {
    uint64_t start_ns = clock_->MonotonicNs();
    Result<SpanBatch> trace = snapshot_->ReadTrace(id, partial);
    uint64_t end_ns = clock_->MonotonicNs();
    std::lock_guard lock(measured_->mutex);
    if (measured_->over) return trace;
    measured_->profile.Add(query::SearchPhase::kAssemble, start_ns, end_ns);
    if (trace) measured_->profile.NoteTrace(*trace);
    return trace;
  }
  const std::vector<std::string>& unreadable() const override { return snapshot_->unreadable(); }
  trace::ClockRule clock_rule() const override { return snapshot_->clock_rule(); }

 private:
  const std::shared_ptr<const store::Snapshot> snapshot_;
  const std::shared_ptr<Measured> measured_;
  Clock* const clock_;
};

QueryTrace::QueryTrace(selftrace::Tracer* tracer, Clock* clock, std::string_view kind,
                       std::string_view traceparent, uint64_t asked_ns)
    : tracer_(tracer),
      clock_(clock),
      kind_(kind),
      asked_ns_(asked_ns),
      began_ns_(clock->MonotonicNs()),
      wall_offset_ns_(clock->NowNs() - began_ns_) {
  if (tracer_ == nullptr) return;
  std::optional<selftrace::TracePlace> place = tracer_->Begin(traceparent);
  if (!place) {
    tracer_ = nullptr;
    return;
  }
  place_ = *place;
  root_ = tracer_->NewSpanId();
  measured_ = std::make_shared<Measured>(clock);
}

void QueryTrace::Measure(query::Budget* budget) const {
  if (tracer_ != nullptr) budget->profile = &measured_->profile;
}

std::shared_ptr<const store::Snapshot> QueryTrace::Measure(
    std::shared_ptr<const store::Snapshot> snapshot) const {
  if (tracer_ == nullptr) return snapshot;
  return std::make_shared<MeasuredSnapshot>(std::move(snapshot), measured_, clock_);
}

selftrace::OwnSpan QueryTrace::Child(std::string_view name, uint64_t start_ns,
                                     uint64_t end_ns) const {
  selftrace::OwnSpan span;
  span.trace_id = place_.trace_id;
  span.span_id = tracer_->NewSpanId();
  span.parent_span_id = root_;
  span.name = name;
  span.start_ns = start_ns + wall_offset_ns_;
  span.end_ns = end_ns + wall_offset_ns_;
  return span;
}

void QueryTrace::Describe(std::string_view outcome, selftrace::OwnSpan* span) const {
  const query::SearchProfile& profile = measured_->profile;
  span->attributes = {{"weft.query.kind", std::string(kind_)},
                      {"weft.query.traces", Number(profile.traces())},
                      {"weft.query.spans_read", Number(profile.spans_read())}};
  if (!outcome.empty()) span->attributes.push_back({"weft.query.outcome", std::string(outcome)});
  if (!profile.traceql().empty()) {
    span->attributes.push_back({"weft.query.traceql", profile.traceql().substr(0, kTextBytesMax)});
    span->attributes.push_back({"weft.query.spans_total", Number(profile.spans_total())});
    span->attributes.push_back({"weft.query.spans_inspected", Number(profile.spans_inspected())});
    span->attributes.push_back({"weft.query.segments", Number(profile.segments())});
    span->attributes.push_back({"weft.query.segments_skipped", Number(profile.segments_skipped())});
  }
  if (!profile.partial().empty())
    span->attributes.push_back({"weft.query.partial", profile.partial()});
  if (outcome == "server_error") span->error = "answered with an error";
}

std::string QueryTrace::End(std::string_view outcome) {
  if (tracer_ == nullptr) return "";
  {
    std::lock_guard lock(measured_->mutex);
    measured_->over = true;
  }
  const query::SearchProfile& profile = measured_->profile;
  if (!profile.searched() || profile.IsOnlyAbout(tracer_->service_name())) return "";
  std::vector<selftrace::OwnSpan> spans;
  selftrace::OwnSpan& root =
      spans.emplace_back(Child("query " + std::string(kind_), asked_ns_, clock_->MonotonicNs()));
  root.span_id = root_;
  root.parent_span_id = place_.parent;
  root.kind = SpanKind::kServer;
  Describe(outcome, &root);
  if (began_ns_ - asked_ns_ >= kWaitShownNs) spans.push_back(Child("wait", asked_ns_, began_ns_));
  for (const query::SearchProfile::Interval& interval : profile.intervals()) {
    selftrace::OwnSpan& span = spans.emplace_back(
        Child(query::PhaseName(interval.phase), interval.start_ns, interval.end_ns));
    span.attributes = {{"weft.busy_ns", Number(interval.busy_ns)},
                       {"weft.turns", Number(interval.turns)}};
  }
  tracer_->Record(std::move(spans));
  return place_.trace_id.ToHex();
}

}  // namespace weft::api

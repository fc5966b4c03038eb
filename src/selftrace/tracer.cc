// SPDX-License-Identifier: Apache-2.0
#include "selftrace/tracer.h"

#include <algorithm>
#include <chrono>

namespace weft::selftrace {
namespace {

constexpr std::string_view kScopeName = "weft.self";
// A batch waits so long for company: a sync of the log for each query would be dear.
constexpr auto kGather = std::chrono::milliseconds(200);
constexpr size_t kBatchSpansMax = 512;
// An order of magnitude is what an exporter wants to know.
constexpr uint64_t kBytesPerSpan = 512;

Counter* Dropped(Metrics* metrics, std::string_view reason) {
  return metrics->GetCounter("weft_self_trace_dropped_spans_total",
                             "Spans of weft's own that were not kept.", {{"reason", reason}});
}
Counter* Recorded(Metrics* metrics) {
  return metrics->GetCounter("weft_self_trace_spans_total",
                             "Spans of weft's own that were recorded.");
}

// The number or text as a Value in `arena`.
struct ToValue {
  Arena* arena;
  Value operator()(const std::string& text) const { return Value::String(arena->Copy(text)); }
  Value operator()(int64_t number) const { return Value::Int(number); }
  Value operator()(double number) const { return Value::Double(number); }
  Value operator()(bool flag) const { return Value::Bool(flag); }
};

}  // namespace

void DeclareTracerMetrics(Metrics* metrics) {
  Recorded(metrics);
  for (std::string_view reason : {"queue_full", "refused", "failed"}) Dropped(metrics, reason);
}

bool IsOwn(const SpanBatch& batch) {
  return !batch.scopes.empty() && std::ranges::all_of(batch.scopes, [](const Scope& scope) {
    return scope.name == kScopeName;
  });
}

std::optional<TraceParent> ParseTraceParent(std::string_view text) {
  // version "-" trace id "-" parent id "-" flags, lower-case hex; later versions may append.
  if (text.size() < 55 || text[2] != '-' || text[35] != '-' || text[52] != '-') return std::nullopt;
  bool hex = std::ranges::all_of(text.substr(0, 55), [](char c) {
    return c == '-' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
  });
  std::string_view version = text.substr(0, 2);
  if (!hex || version == "ff" || (version == "00" && text.size() != 55) ||
      (text.size() > 55 && text[55] != '-'))
    return std::nullopt;
  std::optional<TraceId> trace_id = TraceId::FromHex(text.substr(3, 32));
  std::optional<SpanId> span_id = SpanId::FromHex(text.substr(36, 16));
  if (!trace_id || !span_id || trace_id->empty() || span_id->empty()) return std::nullopt;
  char low = text[54];
  int flags = low <= '9' ? low - '0' : low - 'a' + 10;
  return TraceParent{*trace_id, *span_id, (flags & 1) != 0};
}

Tracer::Tracer(TracerOptions options, TraceSink sink, Metrics* metrics, Clock* clock)
    : options_(std::move(options)),
      sink_(std::move(sink)),
      clock_(clock),
      service_name_("weft"),
      recorded_(Recorded(metrics)),
      queue_full_(Dropped(metrics, "queue_full")),
      refused_(Dropped(metrics, "refused")),
      failed_(Dropped(metrics, "failed")) {
  for (const auto& [key, value] : options_.resource)
    if (key == "service.name" && !value.empty()) service_name_ = value;
  std::random_device seed;
  std::seed_seq words{seed(), seed(), seed(), seed()};
  random_.seed(words);
}

Tracer::~Tracer() { Stop(); }

void Tracer::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Tracer::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  // Completions use this object.
  std::unique_lock lock(mutex_);
  settled_.wait(lock, [this] { return under_way_ == 0; });
}

uint64_t Tracer::Random() {
  std::lock_guard lock(random_mutex_);
  uint64_t number = 0;
  while (number == 0) number = random_();
  return number;
}

SpanId Tracer::NewSpanId() {
  uint64_t number = Random();
  SpanId id;
  std::memcpy(id.bytes.data(), &number, sizeof number);
  return id;
}

std::optional<TracePlace> Tracer::Begin(std::string_view traceparent) {
  if (std::optional<TraceParent> parent = ParseTraceParent(traceparent)) {
    if (!parent->sampled) return std::nullopt;
    return TracePlace{parent->trace_id, parent->span_id};
  }
  uint64_t numbers[2] = {Random(), Random()};
  TracePlace place;
  std::memcpy(place.trace_id.bytes.data(), numbers, sizeof numbers);
  return place;
}

bool Tracer::TakeIngest() {
  if (options_.ingest_per_second == 0) return false;
  uint64_t second = clock_->MonotonicNs() / 1'000'000'000;
  std::lock_guard lock(random_mutex_);
  if (second != ingest_second_) {
    ingest_second_ = second;
    ingest_in_second_ = 0;
  }
  return ingest_in_second_++ < options_.ingest_per_second;
}

void Tracer::Record(std::vector<OwnSpan> spans) {
  std::lock_guard lock(mutex_);
  if (stopping_ || queue_.size() + spans.size() > options_.queue_spans_max) {
    queue_full_->Add(spans.size());
    return;
  }
  recorded_->Add(spans.size());
  bool first = queue_.empty();
  std::ranges::move(spans, std::back_inserter(queue_));
  if (first) wake_.notify_all();
}

void Tracer::Run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    if (!stopping_ && queue_.size() < kBatchSpansMax)
      wake_.wait_for(lock, kGather, [this] { return stopping_; });
    std::vector<OwnSpan> spans;
    size_t count = std::min(queue_.size(), kBatchSpansMax);
    auto end = queue_.begin() + static_cast<ptrdiff_t>(count);
    spans.assign(std::make_move_iterator(queue_.begin()), std::make_move_iterator(end));
    queue_.erase(queue_.begin(), end);
    ++under_way_;
    lock.unlock();
    Deliver(std::move(spans));
    lock.lock();
  }
}

void Tracer::Deliver(std::vector<OwnSpan> spans) {
  uint64_t count = spans.size();
  auto settle = [this, count](Counter* dropped) {
    if (dropped != nullptr) dropped->Add(count);
    std::lock_guard lock(mutex_);
    --under_way_;
    settled_.notify_all();
  };
  if (!sink_.admit(count * kBytesPerSpan)) return settle(refused_);
  SpanBatch batch = MakeBatch(spans);
  delivered_ += count;
  sink_.consume(std::move(batch),
                [this, settle](Status status) { settle(status ? nullptr : failed_); });
}

SpanBatch Tracer::MakeBatch(const std::vector<OwnSpan>& spans) const {
  SpanBatch batch;
  Arena* arena = &batch.arena;
  std::vector<KeyValue> attributes = {
      {"service.name", Value::String(arena->Copy(service_name_))},
      {"service.version", Value::String(arena->Copy(options_.version))}};
  for (const auto& [key, value] : options_.resource) {
    if (key == "service.name") continue;
    std::erase_if(attributes, [&key](const KeyValue& have) { return have.key == key; });
    if (!value.empty()) attributes.push_back({arena->Copy(key), Value::String(arena->Copy(value))});
  }
  auto copy = [arena](const std::vector<KeyValue>& from) -> Attributes {
    std::span<KeyValue> to = arena->NewArray<KeyValue>(from.size());
    std::ranges::copy(from, to.begin());
    return to;
  };
  batch.resources.emplace_back().attributes = copy(attributes);
  Scope& scope = batch.scopes.emplace_back();
  scope.name = kScopeName;
  scope.version = arena->Copy(options_.version);
  for (const OwnSpan& own : spans) {
    Span& span = batch.spans.emplace_back();
    span.trace_id = own.trace_id;
    span.span_id = own.span_id;
    span.parent_span_id = own.parent_span_id;
    span.flags = 1;  // sampled
    span.start_ns = own.start_ns;
    span.end_ns = own.end_ns;
    span.name = arena->Copy(own.name);
    span.kind = own.kind;
    if (!own.error.empty()) {
      span.status = StatusCode::kError;
      span.status_message = arena->Copy(own.error);
    }
    attributes.clear();
    for (const OwnAttribute& attribute : own.attributes)
      attributes.push_back(
          {arena->Copy(attribute.key), std::visit(ToValue{arena}, attribute.value)});
    span.attributes = copy(attributes);
  }
  batch.received_ns = clock_->NowNs();
  return batch;
}

}  // namespace weft::selftrace

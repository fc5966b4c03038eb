// SPDX-License-Identifier: Apache-2.0
#include "load/trace_recorder.h"

#include <algorithm>

namespace weft::load {
namespace {

constexpr uint32_t kNotYet = 0xFFFFFFFF;

template <class T>
std::span<const T> KeepAll(Arena* arena, std::span<const T> items) {
  std::span<T> kept = arena->NewArray<T>(items.size());
  std::copy(items.begin(), items.end(), kept.begin());
  return kept;
}

std::string_view SeverityText(uint32_t severity) {
  if (severity >= 17) return "ERROR";
  if (severity >= 13) return "WARN";
  return severity >= 9 ? "INFO" : "DEBUG";
}

}  // namespace

TraceRecorder::TraceRecorder(std::span<const Service> services, SpanBatch* batch, Dice* dice)
    : services_(services),
      batch_(batch),
      dice_(dice),
      resource_of_service_(services.size(), kNotYet),
      trace_id_(dice->NewId<TraceId>()) {}

void TraceRecorder::NewTrace() {
  Flush();
  trace_id_ = dice_->NewId<TraceId>();
}

TraceRecorder::SpanRef TraceRecorder::Open(uint32_t service, std::string_view name, SpanKind kind,
                                           SpanRef parent, uint64_t start_ns) {
  if (open_ == drafts_.size()) drafts_.emplace_back();
  Draft& draft = drafts_[open_];
  draft.span = {};
  draft.span.trace_id = trace_id_;
  draft.span.span_id = dice_->NewId<SpanId>();
  draft.span.flags = 0x101;  // sampled; it is known whether the parent is remote
  if (parent != kNoParent) {
    draft.span.parent_span_id = drafts_[parent].span.span_id;
    if (drafts_[parent].span.resource != ResourceOf(service)) draft.span.flags |= 0x200;
  }
  draft.span.name = name;
  draft.span.kind = kind;
  draft.span.start_ns = draft.span.end_ns = start_ns;
  draft.span.resource = draft.span.scope = ResourceOf(service);
  draft.attributes.clear();
  draft.events.clear();
  draft.links.clear();
  return open_++;
}

void TraceRecorder::AddEvent(SpanRef ref, uint64_t time_ns, std::string_view name,
                             std::initializer_list<KeyValue> attributes) {
  Event event;
  event.time_ns = time_ns;
  event.name = name;
  event.attributes = Keep(attributes);
  drafts_[ref].events.push_back(event);
}

void TraceRecorder::AddLink(SpanRef ref, SpanRef to) {
  Link link;
  link.trace_id = drafts_[to].span.trace_id;
  link.span_id = drafts_[to].span.span_id;
  link.flags = 0x101;
  drafts_[ref].links.push_back(link);
}

void TraceRecorder::AddLog(SpanRef ref, uint64_t time_ns, uint32_t severity, std::string_view body,
                           std::initializer_list<KeyValue> attributes) {
  const Span& span = drafts_[ref].span;
  LogRecord log;
  log.trace_id = span.trace_id;
  log.span_id = span.span_id;
  log.flags = 1;
  log.severity_number = severity;
  log.severity_text = SeverityText(severity);
  log.time_ns = time_ns;
  log.observed_ns = time_ns + 20'000;
  log.body = Value::String(Copy(body));
  log.resource = span.resource;
  log.scope = span.scope;
  log.attributes = Keep(attributes);
  batch_->logs.push_back(log);
}

void TraceRecorder::SetError(SpanRef ref, std::string_view constant_message) {
  drafts_[ref].span.status = StatusCode::kError;
  if (!constant_message.empty()) drafts_[ref].span.status_message = constant_message;
}

void TraceRecorder::Flush() {
  for (uint32_t i = 0; i < open_; ++i) {
    Draft& draft = drafts_[i];
    draft.span.attributes = KeepAll<KeyValue>(&batch_->arena, draft.attributes);
    draft.span.events = KeepAll<Event>(&batch_->arena, draft.events);
    draft.span.links = KeepAll<Link>(&batch_->arena, draft.links);
    batch_->spans.push_back(draft.span);
  }
  open_ = 0;
}

uint32_t TraceRecorder::ResourceOf(uint32_t service) {
  uint32_t& index = resource_of_service_[service];
  if (index != kNotYet) return index;
  index = static_cast<uint32_t>(batch_->resources.size());
  const Service& from = services_[service];
  std::span<KeyValue> attributes = batch_->arena.NewArray<KeyValue>(from.resource.size() + 1);
  attributes[0] = {"service.name", Value::String(from.name)};
  std::copy(from.resource.begin(), from.resource.end(), attributes.begin() + 1);
  batch_->resources.push_back({.attributes = attributes});
  batch_->scopes.push_back({.name = from.scope_name, .version = from.scope_version});
  return index;
}

Attributes TraceRecorder::Keep(std::initializer_list<KeyValue> attributes) {
  return KeepAll<KeyValue>(&batch_->arena, {attributes.begin(), attributes.size()});
}

}  // namespace weft::load

// SPDX-License-Identifier: Apache-2.0
//
// The items of OTLP protobuf: spans with their events and links, and log records. The rest of
// OtlpProtoDecoder is in otlp_proto_decode.cc.
#include "codec/otlp_proto_decode.h"

namespace weft::codec {
namespace {

using wire::Fixed32Tag;
using wire::Fixed64Tag;
using wire::LengthTag;
using wire::ProtoError;
using wire::VarintTag;

uint32_t Low32(const wire::ProtoReader& in) { return static_cast<uint32_t>(in.value()); }

}  // namespace

bool OtlpProtoDecoder::SpanItem(const Reading& to, std::string_view bytes) {
  if (!budget_.Charge(sizeof(Span))) return FailAt(bytes.data(), ProtoError::kTooLarge);
  checker_.Begin();
  Span& span = to.target.spans->spans.emplace_back();
  if (!ReadSpan(bytes, &span)) [[unlikely]] {
    to.target.spans->spans.pop_back();
    return Reject(to, 3);
  }
  span.resource = resource_;
  span.scope = scope_;
  if (!checker_.problem().empty()) [[unlikely]] {
    to.messages.RejectId(at_, checker_);
    to.target.spans->spans.pop_back();
  }
  return true;
}

bool OtlpProtoDecoder::ReadSpan(std::string_view bytes, Span* span) {
  const size_t attributes_mark = scratch_.attributes.mark();
  const size_t events_mark = scratch_.events.mark(), links_mark = scratch_.links.mark();
  std::string_view trace_id, span_id, parent_span_id;
  Reader in(bytes);
  while (in.Next()) {
    switch (in.tag()) {
      case LengthTag(span::kAttributes):
        if (!PushAttribute(in.bytes(), 1)) {
          return Within("attributes",
                        static_cast<int64_t>(scratch_.attributes.mark() - attributes_mark));
        }
        break;
      case LengthTag(span::kTraceId):
        trace_id = in.bytes();
        break;
      case LengthTag(span::kSpanId):
        span_id = in.bytes();
        break;
      case LengthTag(span::kTraceState):
        span->trace_state = in.bytes();
        break;
      case LengthTag(span::kParentSpanId):
        parent_span_id = in.bytes();
        break;
      case LengthTag(span::kName):
        span->name = in.bytes();
        break;
      case VarintTag(span::kKind):
        span->kind = static_cast<SpanKind>(Low32(in));
        break;
      case Fixed64Tag(span::kStart):
        span->start_ns = in.value();
        break;
      case Fixed64Tag(span::kEnd):
        span->end_ns = in.value();
        break;
      case VarintTag(span::kDroppedAttributes):
        span->dropped_attributes = Low32(in);
        break;
      case LengthTag(span::kEvents): {
        if (!budget_.Charge(sizeof(Event))) {
          return FailAt(in.position(), ProtoError::kTooLarge) || Within("events");
        }
        Event& event = scratch_.events.Push();
        if (!ReadEvent(in.bytes(), &event)) {
          return Within("events", static_cast<int64_t>(scratch_.events.mark() - events_mark) - 1);
        }
        break;
      }
      case VarintTag(span::kDroppedEvents):
        span->dropped_events = Low32(in);
        break;
      case LengthTag(span::kLinks): {
        if (!budget_.Charge(sizeof(Link))) {
          return FailAt(in.position(), ProtoError::kTooLarge) || Within("links");
        }
        int64_t index = static_cast<int64_t>(scratch_.links.mark() - links_mark);
        if (!ReadLink(in.bytes(), index, &scratch_.links.Push())) return Within("links", index);
        break;
      }
      case VarintTag(span::kDroppedLinks):
        span->dropped_links = Low32(in);
        break;
      case LengthTag(span::kStatus):
        if (!ReadStatus(in.bytes(), span)) return Within("status");
        break;
      case Fixed32Tag(span::kFlags):
        span->flags = Low32(in);
        break;
      default:
        if (!Unhandled(in, span::kFields)) return false;
    }
  }
  if (!Finish(in, span::kFields)) return false;
  span->attributes = scratch_.attributes.TakeSince(attributes_mark, arena_);
  span->events = scratch_.events.TakeSince(events_mark, arena_);
  span->links = scratch_.links.TakeSince(links_mark, arena_);
  checker_.Required("trace_id", RawId{trace_id}, &span->trace_id);
  checker_.Required("span_id", RawId{span_id}, &span->span_id);
  checker_.Optional("parent_span_id", RawId{parent_span_id}, -1, &span->parent_span_id);
  return true;
}

bool OtlpProtoDecoder::ReadEvent(std::string_view bytes, Event* event) {
  size_t mark = scratch_.attributes.mark();
  Reader in(bytes);
  while (in.Next()) {
    switch (in.tag()) {
      case Fixed64Tag(event::kTime):
        event->time_ns = in.value();
        break;
      case LengthTag(event::kName):
        event->name = in.bytes();
        break;
      case LengthTag(event::kAttributes):
        if (!PushAttribute(in.bytes(), 1)) {
          return Within("attributes", static_cast<int64_t>(scratch_.attributes.mark() - mark));
        }
        break;
      case VarintTag(event::kDropped):
        event->dropped_attributes = Low32(in);
        break;
      default:
        if (!Unhandled(in, event::kFields)) return false;
    }
  }
  event->attributes = scratch_.attributes.TakeSince(mark, arena_);
  return Finish(in, event::kFields);
}

bool OtlpProtoDecoder::ReadLink(std::string_view bytes, int64_t index, Link* link) {
  size_t mark = scratch_.attributes.mark();
  std::string_view trace_id, span_id;
  Reader in(bytes);
  while (in.Next()) {
    switch (in.tag()) {
      case LengthTag(link::kTraceId):
        trace_id = in.bytes();
        break;
      case LengthTag(link::kSpanId):
        span_id = in.bytes();
        break;
      case LengthTag(link::kTraceState):
        link->trace_state = in.bytes();
        break;
      case LengthTag(link::kAttributes):
        if (!PushAttribute(in.bytes(), 1)) {
          return Within("attributes", static_cast<int64_t>(scratch_.attributes.mark() - mark));
        }
        break;
      case VarintTag(link::kDropped):
        link->dropped_attributes = Low32(in);
        break;
      case Fixed32Tag(link::kFlags):
        link->flags = Low32(in);
        break;
      default:
        if (!Unhandled(in, link::kFields)) return false;
    }
  }
  link->attributes = scratch_.attributes.TakeSince(mark, arena_);
  checker_.Optional("trace_id", RawId{trace_id}, index, &link->trace_id);
  checker_.Optional("span_id", RawId{span_id}, index, &link->span_id);
  return Finish(in, link::kFields);
}

bool OtlpProtoDecoder::ReadStatus(std::string_view bytes, Span* span) {
  Reader in(bytes);
  while (in.Next()) {
    switch (in.tag()) {
      case LengthTag(status::kMessage):
        span->status_message = in.bytes();
        break;
      case VarintTag(status::kCode):
        span->status = static_cast<StatusCode>(Low32(in));
        break;
      default:
        if (!Unhandled(in, status::kFields)) return false;
    }
  }
  return Finish(in, status::kFields);
}

bool OtlpProtoDecoder::LogItem(const Reading& to, std::string_view bytes) {
  if (!budget_.Charge(sizeof(LogRecord))) return FailAt(bytes.data(), ProtoError::kTooLarge);
  checker_.Begin();
  LogRecord& log = to.target.spans->logs.emplace_back();
  if (!ReadLog(bytes, &log)) [[unlikely]] {
    to.target.spans->logs.pop_back();
    return Reject(to, 3);
  }
  log.resource = resource_;
  log.scope = scope_;
  if (!checker_.problem().empty()) [[unlikely]] {
    to.messages.RejectId(at_, checker_);
    to.target.spans->logs.pop_back();
  }
  return true;
}

bool OtlpProtoDecoder::ReadLog(std::string_view bytes, LogRecord* log) {
  size_t mark = scratch_.attributes.mark();
  std::string_view trace_id, span_id;
  Reader in(bytes);
  while (in.Next()) {
    switch (in.tag()) {
      case Fixed64Tag(log_record::kTime):
        log->time_ns = in.value();
        break;
      case VarintTag(log_record::kSeverityNumber):
        log->severity_number = Low32(in);
        break;
      case LengthTag(log_record::kSeverityText):
        log->severity_text = in.bytes();
        break;
      case LengthTag(log_record::kBody):
        if (!AnyValue(in.bytes(), 1, &log->body)) return Within("body");
        break;
      case LengthTag(log_record::kAttributes):
        if (!PushAttribute(in.bytes(), 1)) {
          return Within("attributes", static_cast<int64_t>(scratch_.attributes.mark() - mark));
        }
        break;
      case VarintTag(log_record::kDropped):
        log->dropped_attributes = Low32(in);
        break;
      case Fixed32Tag(log_record::kFlags):
        log->flags = Low32(in);
        break;
      case LengthTag(log_record::kTraceId):
        trace_id = in.bytes();
        break;
      case LengthTag(log_record::kSpanId):
        span_id = in.bytes();
        break;
      case Fixed64Tag(log_record::kObserved):
        log->observed_ns = in.value();
        break;
      case LengthTag(log_record::kEventName):
        log->event_name = in.bytes();
        break;
      default:
        if (!Unhandled(in, log_record::kFields)) return false;
    }
  }
  log->attributes = scratch_.attributes.TakeSince(mark, arena_);
  checker_.Optional("trace_id", RawId{trace_id}, -1, &log->trace_id);
  checker_.Optional("span_id", RawId{span_id}, -1, &log->span_id);
  return Finish(in, log_record::kFields);
}

}  // namespace weft::codec

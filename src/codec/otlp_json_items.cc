// SPDX-License-Identifier: Apache-2.0
//
// The items of OTLP/JSON: spans with their events and links, and log records.
#include <array>

#include "codec/otlp_json_decoder.h"

namespace weft::codec {
namespace {

constexpr std::string_view kSpanKindNames[] = {"UNSPECIFIED", "INTERNAL", "SERVER",
                                               "CLIENT",      "PRODUCER", "CONSUMER"};
constexpr EnumNames kSpanKinds = {"SPAN_KIND_", kSpanKindNames};
constexpr std::string_view kStatusCodeNames[] = {"UNSET", "OK", "ERROR"};
constexpr EnumNames kStatusCodes = {"STATUS_CODE_", kStatusCodeNames};
constexpr std::string_view kSeverityNames[] = {
    "UNSPECIFIED", "TRACE",  "TRACE2", "TRACE3", "TRACE4", "DEBUG",  "DEBUG2", "DEBUG3", "DEBUG4",
    "INFO",        "INFO2",  "INFO3",  "INFO4",  "WARN",   "WARN2",  "WARN3",  "WARN4",  "ERROR",
    "ERROR2",      "ERROR3", "ERROR4", "FATAL",  "FATAL2", "FATAL3", "FATAL4"};
constexpr EnumNames kSeverities = {"SEVERITY_NUMBER_", kSeverityNames};

}  // namespace

bool OtlpJsonDecoder::SpanItem(Json json) {
  if (!budget_.Charge(sizeof(Span))) return walker_.FailTooLarge(json);
  checker_.Begin();
  Span& span = target_.spans->spans.emplace_back();
  if (!ReadSpan(json, &span)) {
    target_.spans->spans.pop_back();
    return Reject(3);
  }
  span.resource = resource_;
  span.scope = scope_;
  if (!checker_.problem().empty()) {
    messages_.RejectId(at_, checker_);
    target_.spans->spans.pop_back();
  }
  return true;
}

bool OtlpJsonDecoder::ReadSpan(Json json, Span* span) {
  const size_t attributes_mark = scratch_.attributes.mark();
  const size_t events_mark = scratch_.events.mark(), links_mark = scratch_.links.mark();
  RawId trace_id, span_id, parent_span_id;
  uint32_t kind = 0;
  bool read = walker_.Object(json, span::kFields, [&](uint32_t number, Json value) {
    switch (number) {
      case span::kTraceId:
        return Id(value, &trace_id);
      case span::kSpanId:
        return Id(value, &span_id);
      case span::kTraceState:
        return walker_.String(value, &span->trace_state);
      case span::kParentSpanId:
        return Id(value, &parent_span_id);
      case span::kName:
        return walker_.String(value, &span->name);
      case span::kKind:
        return walker_.Enum(value, kSpanKinds, &kind);
      case span::kStart:
        return walker_.Uint64(value, &span->start_ns);
      case span::kEnd:
        return walker_.Uint64(value, &span->end_ns);
      case span::kAttributes:
        return PushAttributes(value, 1);
      case span::kDroppedAttributes:
        return walker_.Uint32(value, &span->dropped_attributes);
      case span::kEvents:
        return walker_.Array(value, [&](Json event) {
          if (!budget_.Charge(sizeof(Event))) return walker_.FailTooLarge(event);
          return ReadEvent(event, &scratch_.events.Push());
        });
      case span::kDroppedEvents:
        return walker_.Uint32(value, &span->dropped_events);
      case span::kLinks:
        return walker_.Array(value, [&](Json link) {
          if (!budget_.Charge(sizeof(Link))) return walker_.FailTooLarge(link);
          int64_t index = static_cast<int64_t>(scratch_.links.mark() - links_mark);
          return ReadLink(link, index, &scratch_.links.Push());
        });
      case span::kDroppedLinks:
        return walker_.Uint32(value, &span->dropped_links);
      case span::kStatus:
        return ReadStatus(value, span);
      default:
        return walker_.Uint32(value, &span->flags);
    }
  });
  if (!read) return false;
  span->kind = static_cast<SpanKind>(kind);
  span->attributes = scratch_.attributes.TakeSince(attributes_mark, arena_);
  span->events = scratch_.events.TakeSince(events_mark, arena_);
  span->links = scratch_.links.TakeSince(links_mark, arena_);
  checker_.Required("traceId", trace_id, &span->trace_id);
  checker_.Required("spanId", span_id, &span->span_id);
  checker_.Optional("parentSpanId", parent_span_id, -1, &span->parent_span_id);
  return true;
}

bool OtlpJsonDecoder::ReadEvent(Json json, Event* event) {
  const size_t mark = scratch_.attributes.mark();
  bool read = walker_.Object(json, event::kFields, [&](uint32_t number, Json value) {
    switch (number) {
      case event::kTime:
        return walker_.Uint64(value, &event->time_ns);
      case event::kName:
        return walker_.String(value, &event->name);
      case event::kAttributes:
        return PushAttributes(value, 1);
      default:
        return walker_.Uint32(value, &event->dropped_attributes);
    }
  });
  event->attributes = scratch_.attributes.TakeSince(mark, arena_);
  return read;
}

bool OtlpJsonDecoder::ReadLink(Json json, int64_t index, Link* link) {
  const size_t mark = scratch_.attributes.mark();
  RawId trace_id, span_id;
  bool read = walker_.Object(json, link::kFields, [&](uint32_t number, Json value) {
    switch (number) {
      case link::kTraceId:
        return Id(value, &trace_id);
      case link::kSpanId:
        return Id(value, &span_id);
      case link::kTraceState:
        return walker_.String(value, &link->trace_state);
      case link::kAttributes:
        return PushAttributes(value, 1);
      case link::kDropped:
        return walker_.Uint32(value, &link->dropped_attributes);
      default:
        return walker_.Uint32(value, &link->flags);
    }
  });
  link->attributes = scratch_.attributes.TakeSince(mark, arena_);
  checker_.Optional("traceId", trace_id, index, &link->trace_id);
  checker_.Optional("spanId", span_id, index, &link->span_id);
  return read;
}

bool OtlpJsonDecoder::ReadStatus(Json json, Span* span) {
  return walker_.Object(json, status::kFields, [&](uint32_t number, Json value) {
    if (number == status::kMessage) return walker_.String(value, &span->status_message);
    uint32_t code = 0;
    if (!walker_.Enum(value, kStatusCodes, &code)) return false;
    span->status = static_cast<StatusCode>(code);
    return true;
  });
}

bool OtlpJsonDecoder::LogItem(Json json) {
  if (!budget_.Charge(sizeof(LogRecord))) return walker_.FailTooLarge(json);
  checker_.Begin();
  LogRecord& log = target_.spans->logs.emplace_back();
  if (!ReadLog(json, &log)) {
    target_.spans->logs.pop_back();
    return Reject(3);
  }
  log.resource = resource_;
  log.scope = scope_;
  if (!checker_.problem().empty()) {
    messages_.RejectId(at_, checker_);
    target_.spans->logs.pop_back();
  }
  return true;
}

bool OtlpJsonDecoder::ReadLog(Json json, LogRecord* log) {
  const size_t mark = scratch_.attributes.mark();
  RawId trace_id, span_id;
  bool read = walker_.Object(json, log_record::kFields, [&](uint32_t number, Json value) {
    switch (number) {
      case log_record::kTime:
        return walker_.Uint64(value, &log->time_ns);
      case log_record::kSeverityNumber:
        return walker_.Enum(value, kSeverities, &log->severity_number);
      case log_record::kSeverityText:
        return walker_.String(value, &log->severity_text);
      case log_record::kBody:
        return AnyValue(value, 1, &log->body);
      case log_record::kAttributes:
        return PushAttributes(value, 1);
      case log_record::kDropped:
        return walker_.Uint32(value, &log->dropped_attributes);
      case log_record::kFlags:
        return walker_.Uint32(value, &log->flags);
      case log_record::kTraceId:
        return Id(value, &trace_id);
      case log_record::kSpanId:
        return Id(value, &span_id);
      case log_record::kObserved:
        return walker_.Uint64(value, &log->observed_ns);
      default:
        return walker_.String(value, &log->event_name);
    }
  });
  log->attributes = scratch_.attributes.TakeSince(mark, arena_);
  checker_.Optional("traceId", trace_id, -1, &log->trace_id);
  checker_.Optional("spanId", span_id, -1, &log->span_id);
  return read;
}

}  // namespace weft::codec

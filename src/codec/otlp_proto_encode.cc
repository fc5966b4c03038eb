// SPDX-License-Identifier: Apache-2.0
//
// Spans and log records as OTLP protobuf. Everything runs backwards: see otlp_proto_writer.h.
#include "codec/otlp_encode.h"
#include "codec/otlp_proto_writer.h"

namespace weft::codec {
namespace {

void PutEvent(const Event& event, OtlpWriter* out) {
  PutCount(event::kDropped, event.dropped_attributes, out);
  PutAttributes(event::kAttributes, event.attributes, out);
  PutText(event::kName, event.name, out);
  PutFixed64(event::kTime, event.time_ns, out);
}

void PutLink(const Link& link, OtlpWriter* out) {
  PutFixed32(link::kFlags, link.flags, out);
  PutCount(link::kDropped, link.dropped_attributes, out);
  PutAttributes(link::kAttributes, link.attributes, out);
  PutText(link::kTraceState, link.trace_state, out);
  PutId(link::kSpanId, link.span_id, out);
  PutId(link::kTraceId, link.trace_id, out);
}

void PutSpan(const Span& span, OtlpWriter* out) {
  PutFixed32(span::kFlags, span.flags, out);
  size_t mark = out->bytes();
  PutEnum(status::kCode, static_cast<uint32_t>(span.status), out);
  PutText(status::kMessage, span.status_message, out);
  if (out->bytes() != mark) out->CloseMessage(span::kStatus, mark);
  PutCount(span::kDroppedLinks, span.dropped_links, out);
  for (const Link& link : std::views::reverse(span.links)) {
    mark = out->bytes();
    PutLink(link, out);
    out->CloseMessage(span::kLinks, mark);
  }
  PutCount(span::kDroppedEvents, span.dropped_events, out);
  for (const Event& event : std::views::reverse(span.events)) {
    mark = out->bytes();
    PutEvent(event, out);
    out->CloseMessage(span::kEvents, mark);
  }
  PutCount(span::kDroppedAttributes, span.dropped_attributes, out);
  PutAttributes(span::kAttributes, span.attributes, out);
  PutFixed64(span::kEnd, span.end_ns, out);
  PutFixed64(span::kStart, span.start_ns, out);
  PutEnum(span::kKind, static_cast<uint32_t>(span.kind), out);
  PutText(span::kName, span.name, out);
  PutId(span::kParentSpanId, span.parent_span_id, out);
  PutText(span::kTraceState, span.trace_state, out);
  PutId(span::kSpanId, span.span_id, out);
  PutId(span::kTraceId, span.trace_id, out);
}

void PutLog(const LogRecord& log, OtlpWriter* out) {
  PutText(log_record::kEventName, log.event_name, out);
  PutFixed64(log_record::kObserved, log.observed_ns, out);
  PutId(log_record::kSpanId, log.span_id, out);
  PutId(log_record::kTraceId, log.trace_id, out);
  PutFixed32(log_record::kFlags, log.flags, out);
  PutCount(log_record::kDropped, log.dropped_attributes, out);
  PutAttributes(log_record::kAttributes, log.attributes, out);
  if (log.body.type != ValueType::kEmpty) {
    size_t mark = out->bytes();
    PutValue(log.body, out);
    out->CloseMessage(log_record::kBody, mark);
  }
  PutText(log_record::kSeverityText, log.severity_text, out);
  PutEnum(log_record::kSeverityNumber, log.severity_number, out);
  PutFixed64(log_record::kTime, log.time_ns, out);
}

}  // namespace

void EncodeTracesProto(const SpanBatch& batch, ProtoText text, std::string* out) {
  OtlpWriter writer(batch.spans.size() * 512 + 256, text);
  PutRequest(batch, batch.spans, &writer, PutSpan);
  writer.AppendTo(out);
}

void EncodeLogsProto(const SpanBatch& batch, std::string* out) {
  OtlpWriter writer(batch.logs.size() * 512 + 256, ProtoText::kAsReceived);
  PutRequest(batch, batch.logs, &writer, PutLog);
  writer.AppendTo(out);
}

void EncodeValueProto(const Value& value, std::string* out) {
  OtlpWriter writer(256, ProtoText::kAsReceived);
  PutValue(value, &writer);
  writer.AppendTo(out);
}

}  // namespace weft::codec

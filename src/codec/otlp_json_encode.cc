// SPDX-License-Identifier: Apache-2.0
//
// Spans and log records as OTLP/JSON, and spans as protobuf libraries write them.
#include <span>

#include "codec/otlp.h"
#include "codec/otlp_encode.h"
#include "codec/otlp_json_writer.h"

namespace weft::codec {
namespace {

constexpr std::string_view kKindNames[] = {"SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL",
                                           "SPAN_KIND_SERVER",      "SPAN_KIND_CLIENT",
                                           "SPAN_KIND_PRODUCER",    "SPAN_KIND_CONSUMER"};
constexpr std::string_view kStatusNames[] = {"STATUS_CODE_UNSET", "STATUS_CODE_OK",
                                             "STATUS_CODE_ERROR"};

// Numbers that have no name stay numbers.
void PutNamed(std::string_view key, uint32_t value, std::span<const std::string_view> names,
              OtlpJsonWriter* out) {
  if (out->protojson() && value != 0 && value < names.size()) {
    out->Field(key, names[value]);
  } else {
    PutEnum(key, value, out);
  }
}
void PutEvent(const Event& event, OtlpJsonWriter* out) {
  out->BeginObject();
  PutTime("timeUnixNano", event.time_ns, out);
  PutText("name", event.name, out);
  PutAttributes(event.attributes, event.dropped_attributes, out);
  out->EndObject();
}

void PutLink(const Link& link, OtlpJsonWriter* out) {
  out->BeginObject();
  PutId("traceId", link.trace_id, out);
  PutId("spanId", link.span_id, out);
  PutText("traceState", link.trace_state, out);
  PutAttributes(link.attributes, link.dropped_attributes, out);
  PutCount("flags", link.flags, out);
  out->EndObject();
}

void PutStatus(const Span& span, OtlpJsonWriter* out) {
  if (span.status == StatusCode::kUnset && span.status_message.empty()) return;
  out->Key("status");
  out->BeginObject();
  PutText("message", span.status_message, out);
  PutNamed("code", static_cast<uint32_t>(span.status), kStatusNames, out);
  out->EndObject();
}

void PutSpan(const Span& span, OtlpJsonWriter* out) {
  out->BeginObject();
  PutId("traceId", span.trace_id, out);
  PutId("spanId", span.span_id, out);
  PutText("traceState", span.trace_state, out);
  PutId("parentSpanId", span.parent_span_id, out);
  PutCount("flags", span.flags, out);
  PutText("name", span.name, out);
  PutNamed("kind", static_cast<uint32_t>(span.kind), kKindNames, out);
  PutTime("startTimeUnixNano", span.start_ns, out);
  PutTime("endTimeUnixNano", span.end_ns, out);
  PutAttributes(span.attributes, span.dropped_attributes, out);
  if (!span.events.empty()) {
    out->Key("events");
    out->BeginArray();
    for (const Event& event : span.events) PutEvent(event, out);
    out->EndArray();
  }
  PutCount("droppedEventsCount", span.dropped_events, out);
  if (!span.links.empty()) {
    out->Key("links");
    out->BeginArray();
    for (const Link& link : span.links) PutLink(link, out);
    out->EndArray();
  }
  PutCount("droppedLinksCount", span.dropped_links, out);
  PutStatus(span, out);
  out->EndObject();
}

void PutLog(const LogRecord& log, OtlpJsonWriter* out) {
  out->BeginObject();
  PutTime("timeUnixNano", log.time_ns, out);
  PutTime("observedTimeUnixNano", log.observed_ns, out);
  PutEnum("severityNumber", log.severity_number, out);
  PutText("severityText", log.severity_text, out);
  if (log.body.type != ValueType::kEmpty) {
    out->Key("body");
    PutValue(log.body, out);
  }
  PutAttributes(log.attributes, log.dropped_attributes, out);
  PutCount("flags", log.flags, out);
  PutId("traceId", log.trace_id, out);
  PutId("spanId", log.span_id, out);
  PutText("eventName", log.event_name, out);
  out->EndObject();
}

}  // namespace

void EncodeTracesJson(const SpanBatch& batch, std::string* out) {
  OtlpJsonWriter writer(false, out);
  PutRequest(kTraceSignal, kTraceSignal.request[0].json, batch, batch.spans, &writer, PutSpan);
}

void EncodeTracesProtojson(const SpanBatch& batch, std::string_view list_name, std::string* out) {
  OtlpJsonWriter writer(true, out);
  PutRequest(kTraceSignal, list_name, batch, batch.spans, &writer, PutSpan);
}

void EncodeLogsJson(const SpanBatch& batch, std::string* out) {
  OtlpJsonWriter writer(false, out);
  PutRequest(kLogSignal, kLogSignal.request[0].json, batch, batch.logs, &writer, PutLog);
}

}  // namespace weft::codec

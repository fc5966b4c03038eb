// SPDX-License-Identifier: Apache-2.0
#include "api/trace_rows.h"

#include <algorithm>

#include "api/answers.h"
#include "codec/otlp.h"

namespace weft::api {
namespace {

void WriteLog(const LogRecord& log, wire::JsonWriter* json) {
  json->BeginObject();
  WriteTime("timeNs", log.time_ns != 0 ? log.time_ns : log.observed_ns, json);
  json->Field("severity", SeverityText(log));
  json->Field("severityNumber", log.severity_number);
  json->Key("body");
  WriteValue(log.body, json);
  json->Field("eventName", log.event_name);
  WriteAttributes("attributes", log.attributes, json);
  json->EndObject();
}

void WriteSpan(const TraceDocument& document, uint32_t row, wire::JsonWriter* json) {
  const Span& span = document.span(row);
  const Resource& resource = document.batch().resources[span.resource];
  const Scope& scope = document.batch().scopes[span.scope];
  json->BeginObject();
  json->Field("row", row);
  json->Field("spanId", span.span_id.ToHex());
  json->Field("parentSpanId", span.parent_span_id.empty() ? "" : span.parent_span_id.ToHex());
  json->Field("name", span.name);
  json->Field("service", ServiceName(resource));
  json->Field("kind", KindText(span.kind));
  json->Field("status", StatusText(span.status));
  json->Field("statusMessage", span.status_message);
  WriteTime("startNs", span.start_ns, json);
  WriteTime("endNs", span.end_ns, json);
  json->Field("traceState", span.trace_state);
  json->Field("flags", span.flags);
  WriteAttributes("attributes", span.attributes, json);
  WriteAttributes("resource", resource.attributes, json);
  json->Key("scope");
  json->BeginObject();
  json->Field("name", scope.name);
  json->Field("version", scope.version);
  WriteAttributes("attributes", scope.attributes, json);
  json->EndObject();
  json->Key("events");
  json->BeginArray();
  for (const Event& event : span.events) {
    json->BeginObject();
    WriteTime("timeNs", event.time_ns, json);
    json->Field("name", event.name);
    WriteAttributes("attributes", event.attributes, json);
    json->EndObject();
  }
  json->EndArray();
  json->Key("links");
  json->BeginArray();
  for (const Link& link : span.links) {
    json->BeginObject();
    json->Field("traceId", link.trace_id.ToHex());
    json->Field("spanId", link.span_id.ToHex());
    WriteAttributes("attributes", link.attributes, json);
    json->EndObject();
  }
  json->EndArray();
  json->Key("logs");
  json->BeginArray();
  for (uint32_t log : document.logs(row)) WriteLog(document.batch().logs[log], json);
  json->EndArray();
  json->Field("droppedAttributes", span.dropped_attributes);
  json->Field("droppedEvents", span.dropped_events);
  json->Field("droppedLinks", span.dropped_links);
  json->EndObject();
}

// Looks for one text, letters of ASCII in any case.
class TextFinder {
 public:
  explicit TextFinder(std::string_view text) {
    for (char c : text) lower_ += Lower(c);
  }
  bool In(std::string_view text) const {
    if (lower_.size() > text.size()) return false;
    return !std::ranges::search(text, lower_, [](char a, char b) { return Lower(a) == b; }).empty();
  }
  bool In(const Value& value) const {
    if (value.type == ValueType::kString) return In(value.string());
    if (value.type == ValueType::kEmpty) return false;
    std::string text;
    codec::AppendValueJson(value, &text);
    return In(text);
  }
  bool In(Attributes attributes) const {
    return std::ranges::any_of(
        attributes, [this](const KeyValue& entry) { return In(entry.key) || In(entry.value); });
  }

 private:
  static char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
  std::string lower_;
};

}  // namespace

std::string DescribeRows(const TraceDocument& document, uint32_t from, uint32_t count) {
  std::string body;
  wire::JsonWriter json(&body);
  json.BeginObject();
  json.Key("spans");
  json.BeginArray();
  uint64_t end = std::min<uint64_t>(uint64_t{from} + count, document.row_count());
  for (uint64_t row = from; row < end; ++row)
    WriteSpan(document, static_cast<uint32_t>(row), &json);
  json.EndArray();
  json.Field("partial", document.partial());
  json.EndObject();
  return body;
}

std::string FindRows(const TraceDocument& document, std::string_view text) {
  TextFinder finder(text);
  const SpanBatch& batch = document.batch();
  // A resource stands behind many spans: judged once.
  std::vector<bool> in_resource, is_service;
  for (const Resource& resource : batch.resources) {
    in_resource.push_back(finder.In(resource.attributes));
    is_service.push_back(finder.In(ServiceName(resource)));
  }
  uint64_t names = 0, attributes = 0, events = 0, logs = 0;
  std::string body;
  wire::JsonWriter json(&body);
  json.BeginObject();
  json.Key("rows");
  json.BeginArray();
  for (uint32_t row = 0; row < document.row_count(); ++row) {
    const Span& span = document.span(row);
    bool in_name = finder.In(span.name) || is_service[span.resource];
    bool in_attributes =
        finder.In(span.attributes) || in_resource[span.resource] || finder.In(span.status_message);
    bool in_events = std::ranges::any_of(span.events, [&](const Event& event) {
      return finder.In(event.name) || finder.In(event.attributes);
    });
    bool in_logs = std::ranges::any_of(document.logs(row), [&](uint32_t index) {
      const LogRecord& log = batch.logs[index];
      return finder.In(log.body) || finder.In(log.attributes) || finder.In(log.event_name) ||
             finder.In(log.severity_text);
    });
    names += in_name;
    attributes += in_attributes;
    events += in_events;
    logs += in_logs;
    if (in_name || in_attributes || in_events || in_logs) json.Uint(row);
  }
  json.EndArray();
  json.Key("counts");
  json.BeginObject();
  json.Field("name", names);
  json.Field("attribute", attributes);
  json.Field("event", events);
  json.Field("log", logs);
  json.EndObject();
  json.Field("partial", document.partial());
  json.EndObject();
  return body;
}

}  // namespace weft::api

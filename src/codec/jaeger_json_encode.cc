// SPDX-License-Identifier: Apache-2.0
#include "codec/jaeger_json_encode.h"

#include <algorithm>
#include <initializer_list>
#include <limits>

#include "codec/otlp.h"
#include "model/span_twins.h"

namespace weft::codec {
namespace {

// Integers beyond this lose digits in a JavaScript number: written as text.
constexpr int64_t kExactMax = int64_t{1} << 53;

void WriteTag(std::string_view key, const Value& value, wire::JsonWriter* json) {
  json->BeginObject();
  json->Field("key", key);
  switch (value.type) {
    case ValueType::kBool:
      json->Field("type", "bool");
      json->Field("value", value.boolean);
      break;
    case ValueType::kInt:
      json->Field("type", "int64");
      json->Key("value");
      if (value.integer > kExactMax || value.integer < -kExactMax) {
        json->IntText(value.integer);
      } else {
        json->Int(value.integer);
      }
      break;
    case ValueType::kDouble:
      json->Field("type", "float64");
      json->Field("value", value.real);
      break;
    case ValueType::kBytes:
      json->Field("type", "binary");
      json->Key("value");
      json->Base64(value.string());
      break;
    case ValueType::kString:
      json->Field("type", "string");
      json->Field("value", value.string());
      break;
    default: {
      std::string text;
      if (value.type != ValueType::kEmpty) AppendValueJson(value, &text);
      json->Field("type", "string");
      json->Field("value", text);
    }
  }
  json->EndObject();
}

void WriteTag(std::string_view key, std::string_view value, wire::JsonWriter* json) {
  WriteTag(key, Value::String(value), json);
}

void WriteTags(Attributes attributes, wire::JsonWriter* json) {
  for (const KeyValue& entry : attributes) WriteTag(entry.key, entry.value, json);
}

void WriteReference(std::string_view type, const TraceId& trace, const SpanId& span,
                    wire::JsonWriter* json) {
  json->BeginObject();
  json->Field("refType", type);
  json->Field("traceID", JaegerTraceId(trace));
  json->Field("spanID", span.ToHex());
  json->EndObject();
}

// The parent once, as what it is; links that OpenTelemetry's shim keeps of it beside it repeat it.
// A link to trace 0 or span 0 is no reference.
void WriteReferences(const Span& span, wire::JsonWriter* json) {
  const bool follows = FollowsFromParent(span);
  json->Key("references");
  json->BeginArray();
  if (!span.parent_span_id.empty())
    WriteReference(follows ? "FOLLOWS_FROM" : "CHILD_OF", span.trace_id, span.parent_span_id, json);
  for (const Link& link : span.links) {
    if (link.trace_id.empty() || link.span_id.empty()) continue;
    const std::string_view type = FindString(link.attributes, kReferenceTypeKey);
    const bool is_parent = link.span_id == span.parent_span_id && link.trace_id == span.trace_id;
    if (is_parent && type == (follows ? kFollowsFromType : kChildOfType)) continue;
    WriteReference(type == kChildOfType ? "CHILD_OF" : "FOLLOWS_FROM", link.trace_id, link.span_id,
                   json);
  }
  json->EndArray();
}

void WriteSpanTags(const Span& span, const Scope& scope, wire::JsonWriter* json) {
  json->Key("tags");
  json->BeginArray();
  WriteTags(span.attributes, json);
  if (!scope.name.empty()) WriteTag("otel.scope.name", scope.name, json);
  if (!scope.version.empty()) WriteTag("otel.scope.version", scope.version, json);
  WriteTags(scope.attributes, json);
  if (span.kind != SpanKind::kUnspecified) WriteTag("span.kind", KindText(span.kind), json);
  if (span.status == StatusCode::kError) {
    WriteTag("otel.status_code", "ERROR", json);
    WriteTag("error", Value::Bool(true), json);
  } else if (span.status == StatusCode::kOk) {
    WriteTag("otel.status_code", "OK", json);
  }
  if (!span.status_message.empty()) WriteTag("otel.status_description", span.status_message, json);
  if (!span.trace_state.empty()) WriteTag("w3c.tracestate", span.trace_state, json);
  json->EndArray();
}

void BeginLog(uint64_t time_ns, wire::JsonWriter* json) {
  json->BeginObject();
  json->Field("timestamp", time_ns / 1000);
  json->Key("fields");
  json->BeginArray();
}
void EndLog(wire::JsonWriter* json) {
  json->EndArray();
  json->EndObject();
}

void WriteEvent(const Event& event, wire::JsonWriter* json) {
  BeginLog(event.time_ns, json);
  if (!event.name.empty()) WriteTag("event", event.name, json);
  WriteTags(event.attributes, json);
  EndLog(json);
}

void WriteLogRecord(const LogRecord& log, wire::JsonWriter* json) {
  BeginLog(log.time_ns != 0 ? log.time_ns : log.observed_ns, json);
  WriteTag("event", log.event_name.empty() ? "log" : log.event_name, json);
  if (!SeverityText(log).empty()) WriteTag("level", SeverityText(log), json);
  if (log.body.type != ValueType::kEmpty) WriteTag("message", log.body, json);
  WriteTags(log.attributes, json);
  EndLog(json);
}

std::string ProcessJson(const Resource& resource) {
  std::string text;
  wire::JsonWriter json(&text);
  json.BeginObject();
  json.Field("serviceName", ServiceName(resource));
  json.Key("tags");
  json.BeginArray();
  for (const KeyValue& entry : resource.attributes)
    if (entry.key != "service.name") WriteTag(entry.key, entry.value, &json);
  json.EndArray();
  json.EndObject();
  return text;
}

// The last field. Jaeger writes null where there is none.
void WriteWarnings(std::initializer_list<std::string_view> warnings, wire::JsonWriter* json) {
  json->Key("warnings");
  if (std::ranges::all_of(warnings, &std::string_view::empty)) return json->Null();
  json->BeginArray();
  for (std::string_view warning : warnings)
    if (!warning.empty()) json->String(warning);
  json->EndArray();
}

}  // namespace

std::string JaegerTraceId(const TraceId& id) {
  std::string hex = id.ToHex();
  constexpr std::string_view kNoHighHalf = "0000000000000000";
  return hex.starts_with(kNoHighHalf) ? hex.substr(kNoHighHalf.size()) : hex;
}

JaegerTraceWriter::JaegerTraceWriter(const TraceId& id, const SpanBatch& batch,
                                     std::string_view warning)
    : id_(id), batch_(batch), warning_(warning), twins_(FindTwins(batch)) {
  for (const Resource& resource : batch.resources) {
    auto [place, is_new] = process_ids_.try_emplace(ProcessJson(resource), "");
    if (is_new) place->second = "p" + std::to_string(process_ids_.size());
    process_of_.push_back(place->second);
  }
  for (const LogRecord& log : batch.logs) logs_[log.span_id].push_back(&log);
  Begin();
}

bool JaegerTraceWriter::Write(size_t bytes, std::string* out) {
  while (text_.size() < bytes && next_span_ < batch_.spans.size()) WriteSpan(next_span_++);
  const bool more = next_span_ < batch_.spans.size();
  if (!more) End();
  out->append(text_);
  text_.clear();
  return more;
}

void JaegerTraceWriter::Begin() {
  json_.BeginObject();
  json_.Field("traceID", JaegerTraceId(id_));
  json_.Key("spans");
  json_.BeginArray();
}

void JaegerTraceWriter::WriteSpan(uint32_t index) {
  const Span& span = batch_.spans[index];
  json_.BeginObject();
  json_.Field("traceID", JaegerTraceId(span.trace_id));
  json_.Field("spanID", span.span_id.ToHex());
  json_.Field("flags", span.flags & 0xFF);
  json_.Field("operationName", span.name);
  WriteReferences(span, &json_);
  json_.Field("startTime", span.start_ns / 1000);
  json_.Field("duration", DurationNs(span) / 1000);
  WriteSpanTags(span, batch_.scopes[span.scope], &json_);
  json_.Key("logs");
  json_.BeginArray();
  for (const Event& event : span.events) WriteEvent(event, &json_);
  if (auto found = logs_.find(span.span_id); found != logs_.end())
    for (const LogRecord* log : found->second) WriteLogRecord(*log, &json_);
  json_.EndArray();
  json_.Field("processID", process_of_[span.resource]);
  const bool has_twin = next_twin_ < twins_.size() && twins_[next_twin_] == index;
  if (has_twin) ++next_twin_;
  WriteWarnings({index == 0 ? std::string_view(warning_) : std::string_view(),
                 has_twin ? "another span of this trace has the same id and other content" : ""},
                &json_);
  json_.EndObject();
}

void JaegerTraceWriter::End() {
  json_.EndArray();
  json_.Key("processes");
  json_.BeginObject();
  for (const auto& [process, name] : process_ids_) {
    json_.Key(name);
    json_.Raw(process);
  }
  json_.EndObject();
  WriteWarnings({warning_, TwinWarning(batch_, twins_)}, &json_);
  json_.EndObject();
}

void WriteJaegerTrace(const TraceId& id, const SpanBatch& batch, wire::JsonWriter* json,
                      std::string_view warning) {
  std::string text;
  JaegerTraceWriter(id, batch, warning).Write(std::numeric_limits<size_t>::max(), &text);
  json->Raw(text);
}

std::string JaegerEnvelope(std::string_view data, size_t total,
                           const std::vector<JaegerError>& errors) {
  std::string body;
  wire::JsonWriter json(&body);
  json.BeginObject();
  json.Key("data");
  json.Raw(data);
  json.Field("total", total);
  json.Field("limit", 0);
  json.Field("offset", 0);
  json.Key("errors");
  if (errors.empty()) {
    json.Null();
  } else {
    json.BeginArray();
    for (const JaegerError& error : errors) {
      json.BeginObject();
      json.Field("code", error.code);
      json.Field("msg", error.message);
      if (!error.trace_id.empty()) json.Field("traceID", error.trace_id);
      json.EndObject();
    }
    json.EndArray();
  }
  json.EndObject();
  return body;
}

}  // namespace weft::codec

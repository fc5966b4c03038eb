// SPDX-License-Identifier: Apache-2.0
#include "testing/wild_batch.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace weft::testing {
namespace {

class BatchMaker {
 public:
  BatchMaker(std::mt19937_64& random, const WildBatchOptions& options)
      : random_(random), options_(options) {}

  SpanBatch Make();

 private:
  uint64_t Up(uint64_t count) { return random_() % count; }  // [0, count)
  bool Rarely() { return Up(8) == 0; }
  std::string_view Text(const std::string& text) { return batch_.arena.Copy(text); }
  template <class Id>
  Id SeededId(uint64_t number) {
    std::mt19937_64 seeded(number * 7919 + options_.trace_seed);
    Id id;
    for (uint8_t& byte : id.bytes) byte = static_cast<uint8_t>(seeded());
    return id;
  }
  uint64_t Time();
  Value AnyValue(uint32_t depth);
  Attributes AnyAttributes(uint64_t count_max);
  Resource AnyResource();
  Scope AnyScope();
  Span AnySpan();
  LogRecord AnyLog();
  std::span<const Event> Events();
  std::span<const Link> Links();

  std::mt19937_64& random_;
  const WildBatchOptions& options_;
  SpanBatch batch_;
};

uint64_t BatchMaker::Time() {
  if (options_.extreme_times && Up(20) == 0)
    return std::vector<uint64_t>{0, 1, UINT64_MAX, UINT64_MAX - 1, 1ull << 63}[Up(5)];
  return 1'700'000'000'000'000'000 + Up(60'000'000'000);
}

Value BatchMaker::AnyValue(uint32_t depth) {
  switch (Up(depth > 2 ? 10 : 13)) {
    case 0:
      return {};
    case 1:
      return Value::Bool(Up(2) == 0);
    case 2:
      return Value::Int(static_cast<int64_t>(Up(options_.values)) - 5);
    case 3:
      return Value::Int(std::vector<int64_t>{INT64_MIN, INT64_MAX, 0, -1}[Up(4)]);
    case 4:
      return Value::Double(static_cast<double>(Up(options_.values)) * 0.37 - 2);
    case 5:
      return Value::Double(std::vector<double>{-0.0, 0.0, std::nan("7"), -std::nan("1"),
                                               std::numeric_limits<double>::infinity(),
                                               -std::numeric_limits<double>::infinity(),
                                               std::numeric_limits<double>::denorm_min()}[Up(7)]);
    case 6:
      return Value::Bytes(Text(std::string(Up(4), static_cast<char>(Up(256)))));
    case 7:
      return Value::String({});
    case 10:
    case 11: {
      std::span<Value> items = batch_.arena.NewArray<Value>(Up(4));
      for (Value& item : items) item = AnyValue(depth + 1);
      return Value::Array(items);
    }
    case 12: {
      std::span<KeyValue> entries = batch_.arena.NewArray<KeyValue>(Up(4));
      for (KeyValue& entry : entries)
        entry = {Text("k" + std::to_string(Up(3))), AnyValue(depth + 1)};
      return Value::Map(entries);
    }
    default:
      return Value::String(Text("value-" + std::to_string(Up(options_.values))));
  }
}

Attributes BatchMaker::AnyAttributes(uint64_t count_max) {
  std::span<KeyValue> attributes = batch_.arena.NewArray<KeyValue>(Up(count_max + 1));
  for (KeyValue& entry : attributes) {
    uint64_t key = Up(options_.keys + 1);
    entry = {key == 0 ? std::string_view() : Text("key." + std::to_string(key)), AnyValue(0)};
  }
  return attributes;
}

Resource BatchMaker::AnyResource() {
  Resource resource;
  std::vector<KeyValue> attributes;
  if (Up(4) != 0)
    attributes.push_back(
        {"service.name",
         Rarely() ? Value::Int(7) : Value::String(Text("service-" + std::to_string(Up(5))))});
  Attributes more = AnyAttributes(3);
  attributes.insert(attributes.end(), more.begin(), more.end());
  std::span<KeyValue> kept = batch_.arena.NewArray<KeyValue>(attributes.size());
  std::ranges::copy(attributes, kept.begin());
  resource.attributes = kept;
  if (Rarely()) resource.dropped_attributes = static_cast<uint32_t>(Up(9));
  if (Rarely()) resource.schema_url = "https://opentelemetry.io/schemas/1.21.0";
  if (Rarely()) resource.entity_refs = std::string_view("\x1a\x02\x12\x00", 4);
  return resource;
}

Scope BatchMaker::AnyScope() {
  Scope scope;
  if (Up(4) != 0) scope.name = Text("scope-" + std::to_string(Up(3)));
  if (Up(2) != 0) scope.version = Text("1." + std::to_string(Up(3)));
  scope.attributes = AnyAttributes(2);
  if (Rarely()) scope.dropped_attributes = UINT32_MAX;
  if (Rarely()) scope.schema_url = "urn:scope";
  return scope;
}

std::span<const Event> BatchMaker::Events() {
  std::span<Event> events = batch_.arena.NewArray<Event>(Up(4));
  for (Event& event : events) {
    event.time_ns = Time();
    if (Up(3) != 0) event.name = Text("event-" + std::to_string(Up(3)));
    event.attributes = AnyAttributes(3);
    if (Rarely()) event.dropped_attributes = static_cast<uint32_t>(Up(5));
  }
  return events;
}

std::span<const Link> BatchMaker::Links() {
  std::span<Link> links = batch_.arena.NewArray<Link>(Up(3));
  for (Link& link : links) {
    link.trace_id = SeededId<TraceId>(Up(options_.traces));
    link.span_id = SeededId<SpanId>(Up(50));
    if (Rarely()) link.flags = static_cast<uint32_t>(random_());
    if (Rarely()) link.trace_state = "vendor=1";
    link.attributes = AnyAttributes(2);
    if (Rarely()) link.dropped_attributes = 3;
  }
  return links;
}

// Span ids come from a small set: parents are found, ids repeat, cycles and orphans occur.
Span BatchMaker::AnySpan() {
  Span span;
  uint64_t trace = Up(options_.traces);
  span.trace_id = SeededId<TraceId>(trace);
  span.span_id = SeededId<SpanId>(1000 + trace * 1'000'000 + Up(options_.span_ids));
  if (Up(5) != 0)
    span.parent_span_id = SeededId<SpanId>(1000 + trace * 1'000'000 + Up(options_.span_ids + 4));
  if (Rarely()) span.flags = static_cast<uint32_t>(random_());
  span.start_ns = Time();
  span.end_ns = Up(6) == 0 ? Time() : span.start_ns + Up(5'000'000);
  if (!Rarely()) span.name = Text("operation-" + std::to_string(Up(9)));
  if (Rarely()) span.trace_state = "a=b,c=d";
  if (Rarely()) span.status_message = Text("failed " + std::to_string(Up(3)));
  span.kind = static_cast<SpanKind>(Rarely() ? 77 : Up(6));
  span.status = static_cast<StatusCode>(Rarely() ? 9 : Up(3));
  if (Rarely()) span.dropped_attributes = static_cast<uint32_t>(random_());
  if (Rarely()) span.dropped_events = 1;
  if (Rarely()) span.dropped_links = 2;
  span.resource = static_cast<uint32_t>(Up(batch_.resources.size()));
  span.scope = static_cast<uint32_t>(Up(batch_.scopes.size()));
  span.attributes = AnyAttributes(8);
  if (Up(3) == 0) span.events = Events();
  if (Up(5) == 0) span.links = Links();
  return span;
}

LogRecord BatchMaker::AnyLog() {
  LogRecord log;
  uint64_t trace = Up(options_.traces + 2);  // two traces have log records only
  log.trace_id = SeededId<TraceId>(trace);
  if (Up(4) != 0)
    log.span_id = SeededId<SpanId>(1000 + trace * 1'000'000 + Up(options_.span_ids + 4));
  if (Rarely()) log.flags = 1;
  log.severity_number = static_cast<uint32_t>(Up(24));
  log.time_ns = Time();
  log.observed_ns = Time();
  if (Up(2) == 0) log.severity_text = "WARN";
  if (Rarely()) log.event_name = "click";
  log.body = AnyValue(0);
  if (Rarely()) log.dropped_attributes = 4;
  log.resource = static_cast<uint32_t>(Up(batch_.resources.size()));
  log.scope = static_cast<uint32_t>(Up(batch_.scopes.size()));
  log.attributes = AnyAttributes(4);
  return log;
}

SpanBatch BatchMaker::Make() {
  for (uint32_t i = 0; i < 4; ++i) batch_.resources.push_back(AnyResource());
  for (uint32_t i = 0; i < 3; ++i) batch_.scopes.push_back(AnyScope());
  for (uint32_t i = 0; i < options_.spans; ++i) {
    if (i > 0 && Up(20) == 0) {
      batch_.spans.push_back(batch_.spans[Up(i)]);  // an exact duplicate
    } else {
      batch_.spans.push_back(AnySpan());
    }
  }
  for (uint32_t i = 0; i < options_.logs; ++i) batch_.logs.push_back(AnyLog());
  batch_.received_ns = 1'700'000'100'000'000'000 + Up(1'000'000);
  return std::move(batch_);
}

void Line(std::string* out, std::string_view name, std::string_view text) {
  out->append(name).append("=").append(std::to_string(text.size())).append(":");
  out->append(text).append("\n");
}
void Line(std::string* out, std::string_view name, uint64_t number) {
  out->append(name).append("=").append(std::to_string(number)).append("\n");
}
void Lines(std::string* out, std::string_view name, Attributes attributes) {
  for (const KeyValue& entry : attributes) {
    Line(out, name, entry.key);
    out->append("  ").append(DescribeValue(entry.value)).append("\n");
  }
}

void DescribeOrigin(const Resource& resource, const Scope& scope, std::string* out) {
  Lines(out, "resource", resource.attributes);
  Line(out, "resource.dropped", resource.dropped_attributes);
  Line(out, "resource.schema", resource.schema_url);
  Line(out, "resource.entities", resource.entity_refs);
  Line(out, "scope", scope.name);
  Line(out, "scope.version", scope.version);
  Lines(out, "scope.attribute", scope.attributes);
  Line(out, "scope.dropped", scope.dropped_attributes);
  Line(out, "scope.schema", scope.schema_url);
}

}  // namespace

SpanBatch WildBatch(std::mt19937_64& random, const WildBatchOptions& options) {
  return BatchMaker(random, options).Make();
}

std::string DescribeValue(const Value& value) {
  switch (value.type) {
    case ValueType::kEmpty:
      return "empty";
    case ValueType::kString:
      return "string " + std::string(value.string());
    case ValueType::kBytes:
      return "bytes " + std::string(value.string());
    case ValueType::kBool:
      return value.boolean ? "true" : "false";
    case ValueType::kInt:
      return "int " + std::to_string(value.integer);
    case ValueType::kDouble:
      return "double " + std::to_string(std::bit_cast<uint64_t>(value.real));
    case ValueType::kArray: {
      std::string text = "[";
      for (const Value& item : value.array()) text += DescribeValue(item) + ", ";
      return text + "]";
    }
    case ValueType::kMap: {
      std::string text = "{";
      for (const KeyValue& entry : value.map())
        text.append(entry.key).append(": ").append(DescribeValue(entry.value)).append(", ");
      return text + "}";
    }
  }
  return "?";
}

std::string DescribeSpan(const SpanBatch& batch, const Span& span) {
  std::string out;
  Line(&out, "trace", span.trace_id.ToHex());
  Line(&out, "start", span.start_ns);
  Line(&out, "id", span.span_id.ToHex());
  Line(&out, "parent", span.parent_span_id.ToHex());
  Line(&out, "end", span.end_ns);
  Line(&out, "name", span.name);
  Line(&out, "flags", span.flags);
  Line(&out, "state", span.trace_state);
  Line(&out, "message", span.status_message);
  Line(&out, "kind", static_cast<uint64_t>(span.kind));
  Line(&out, "status", static_cast<uint64_t>(span.status));
  Line(&out, "dropped.attributes", span.dropped_attributes);
  Line(&out, "dropped.events", span.dropped_events);
  Line(&out, "dropped.links", span.dropped_links);
  DescribeOrigin(batch.resources[span.resource], batch.scopes[span.scope], &out);
  Lines(&out, "attribute", span.attributes);
  for (const Event& event : span.events) {
    Line(&out, "event", event.name);
    Line(&out, "event.time", event.time_ns);
    Line(&out, "event.dropped", event.dropped_attributes);
    Lines(&out, "event.attribute", event.attributes);
  }
  for (const Link& link : span.links) {
    Line(&out, "link", link.trace_id.ToHex() + link.span_id.ToHex());
    Line(&out, "link.flags", link.flags);
    Line(&out, "link.state", link.trace_state);
    Line(&out, "link.dropped", link.dropped_attributes);
    Lines(&out, "link.attribute", link.attributes);
  }
  return out;
}

std::string DescribeLog(const SpanBatch& batch, const LogRecord& log) {
  std::string out;
  Line(&out, "trace", log.trace_id.ToHex());
  Line(&out, "time", log.time_ns);
  Line(&out, "span", log.span_id.ToHex());
  Line(&out, "observed", log.observed_ns);
  Line(&out, "flags", log.flags);
  Line(&out, "severity", log.severity_number);
  Line(&out, "severity.text", log.severity_text);
  Line(&out, "event", log.event_name);
  Line(&out, "body", DescribeValue(log.body));
  Line(&out, "dropped", log.dropped_attributes);
  DescribeOrigin(batch.resources[log.resource], batch.scopes[log.scope], &out);
  Lines(&out, "attribute", log.attributes);
  return out;
}

std::vector<std::string> DescribeSpans(const SpanBatch& batch) {
  std::vector<std::string> all;
  for (const Span& span : batch.spans) all.push_back(DescribeSpan(batch, span));
  std::ranges::sort(all);
  return all;
}

std::vector<std::string> DescribeLogs(const SpanBatch& batch) {
  std::vector<std::string> all;
  for (const LogRecord& log : batch.logs) all.push_back(DescribeLog(batch, log));
  std::ranges::sort(all);
  return all;
}

}  // namespace weft::testing

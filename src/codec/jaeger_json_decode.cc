// SPDX-License-Identifier: Apache-2.0
//
// Jaeger's JSON in all its forms at once, as their fields do not contradict each other: the traces
// of the query API with processes aside, Elasticsearch's spans with the process inside and tags as
// an object ("http@status_code"), and api_v2's protojson (base64 ids, RFC 3339 times, vStr,
// vInt64).
#include <algorithm>
#include <unordered_map>
#include <vector>

#include "codec/jaeger_tags.h"
#include "codec/span_list_decoder.h"

namespace weft::codec {
namespace {

namespace trace_item {
constexpr uint32_t kSpans = 1, kProcesses = 2;
constexpr OtlpField kFields[] = {{kSpans, "spans", "spans"},
                                 {kProcesses, "processes", "processes"}};
}  // namespace trace_item
namespace span_item {
constexpr uint32_t kTraceId = 1, kSpanId = 2, kParentSpanId = 3, kFlags = 4, kName = 5,
                   kReferences = 6, kStart = 7, kDuration = 8, kTags = 9, kTagObject = 10,
                   kLogs = 11, kProcessId = 12, kProcess = 13;
constexpr OtlpField kFields[] = {{kTraceId, "traceID", "traceId"},
                                 {kSpanId, "spanID", "spanId"},
                                 {kParentSpanId, "parentSpanID", "parentSpanId"},
                                 {kFlags, "flags", "flags"},
                                 {kName, "operationName", "operation_name"},
                                 {kReferences, "references", "references"},
                                 {kStart, "startTime", "start_time"},
                                 {kDuration, "duration", "duration"},
                                 {kTags, "tags", "tags"},
                                 {kTagObject, "tag", "tag"},
                                 {kLogs, "logs", "logs"},
                                 {kProcessId, "processID", "processId"},
                                 {kProcess, "process", "process"}};
}  // namespace span_item
namespace reference {
constexpr uint32_t kType = 1, kTraceId = 2, kSpanId = 3;
constexpr OtlpField kFields[] = {{kType, "refType", "ref_type"},
                                 {kTraceId, "traceID", "traceId"},
                                 {kSpanId, "spanID", "spanId"}};
}  // namespace reference
namespace tag {
constexpr uint32_t kKey = 1, kType = 2, kValue = 3, kString = 4, kBool = 5, kInt = 6, kDouble = 7,
                   kBytes = 8;
constexpr OtlpField kFields[] = {{kKey, "key", "key"},
                                 {kType, "type", "vType"},
                                 {kValue, "value", "value"},
                                 {kString, "vStr", "v_str"},
                                 {kBool, "vBool", "v_bool"},
                                 {kInt, "vInt64", "v_int64"},
                                 {kDouble, "vFloat64", "v_float64"},
                                 {kBytes, "vBinary", "v_binary"}};
}  // namespace tag
namespace log_item {
constexpr uint32_t kTime = 1, kTags = 2;
constexpr OtlpField kFields[] = {{kTime, "timestamp", "timestamp"}, {kTags, "fields", "fields"}};
}  // namespace log_item
namespace process {
constexpr uint32_t kService = 1, kTags = 2, kTagObject = 3;
constexpr OtlpField kFields[] = {
    {kService, "serviceName", "service_name"}, {kTags, "tags", "tags"}, {kTagObject, "tag", "tag"}};
}  // namespace process

constexpr std::string_view kRefTypeNames[] = {"CHILD_OF", "FOLLOWS_FROM"};
constexpr EnumNames kRefTypes = {"", kRefTypeNames};

class JaegerJsonDecoder : public SpanListDecoder {
 public:
  using SpanListDecoder::SpanListDecoder;

  bool Read(JaegerItem item) {
    return walker_.Document([&](Json root) {
      size_t index = 0;
      return walker_.Array(
          root,
          [&](Json json) {
            std::string path = ItemPath(index++);
            return item == JaegerItem::kTrace ? TraceItem(json, path) : SpanItem(json, path);
          },
          place_.first);
    });
  }

 private:
  bool TraceItem(Json json, const std::string& path);
  bool SpanItem(Json json, const std::string& path);
  bool ReadSpan(Json json, Span* span);
  bool SpanField(uint32_t number, Json value, Span* span);
  bool ReadReference(Json json);
  bool ReadLog(Json json);
  bool ReadProcess(Json json, uint32_t* resource);
  bool PushTags(Json json);
  bool PushTagObject(Json json);
  bool TagValue(uint32_t number, Json json, std::string_view type, Value* value);
  Attributes TakeAttributes(size_t mark, Span* span);
  void NameEvent(Event* event);

  JaegerSpanFacts facts_;                      // of the span that is being read
  uint32_t resource_ = kNoResource;            // of the process inside it
  std::vector<std::string_view> process_ids_;  // of the spans of one trace
  static constexpr uint32_t kNoResource = UINT32_MAX;
  static constexpr size_t kNameBytesMax = 64;  // of a process, in a message
};

// The processes may stand before or behind the spans. What is wrong in one costs no span.
bool JaegerJsonDecoder::TraceItem(Json json, const std::string& path) {
  const size_t first = batch_->spans.size();
  std::unordered_map<std::string_view, uint32_t> processes;
  process_ids_.clear();
  bool read = walker_.Object(json, trace_item::kFields, [&](uint32_t number, Json value) {
    if (number == trace_item::kProcesses) {
      bool members = walker_.Members(value, [&](std::string_view id, Json process) {
        const std::string_view name = arena_->Copy(id);
        return ReadProcess(process, &processes[name]) ||
               LeaveOut(path + ".processes." + std::string(name.substr(0, kNameBytesMax)));
      });
      return members || LeaveOut(path + ".processes");
    }
    size_t index = 0;
    bool spans = walker_.Array(value, [&](Json span) {
      return SpanItem(span, path + ".spans[" + std::to_string(index++) + "]");
    });
    return spans || RejectSpan(path + ".spans");
  });
  if (!read && !RejectSpan(path)) return false;
  // A name wins over a process inside the span: some exports have both.
  for (size_t i = first; i < batch_->spans.size(); ++i) {
    auto found = processes.find(process_ids_[i - first]);
    if (found != processes.end()) batch_->spans[i].resource = found->second;
  }
  return true;
}

bool JaegerJsonDecoder::SpanItem(Json json, const std::string& path) {
  Span span;
  const size_t attributes = scratch_.attributes.mark(), events = scratch_.events.mark();
  facts_ = {.references = std::move(facts_.references)};
  facts_.references.clear();
  resource_ = kNoResource;
  if (!ReadSpan(json, &span)) {
    scratch_.attributes.DropSince(attributes);
    scratch_.events.DropSince(events);
    return RejectSpan(path);
  }
  if (span.resource == kNoResource) span.resource = ServiceResource("");
  batch_->spans.push_back(span);
  process_ids_.push_back(facts_.process_id);
  return true;
}

bool JaegerJsonDecoder::ReadSpan(Json json, Span* span) {
  const char* start = JsonWalker::Position(json);
  if (!Fits(json, sizeof(Span))) return false;
  const size_t attributes = scratch_.attributes.mark(), events = scratch_.events.mark();
  if (!walker_.Object(json, span_item::kFields,
                      [&](uint32_t number, Json value) { return SpanField(number, value, span); }))
    return false;
  if (span->trace_id.empty()) return walker_.FailAt(start, "traceID: missing or all zero");
  if (span->span_id.empty()) return walker_.FailAt(start, "spanID: missing or all zero");
  if (facts_.duration_ns > UINT64_MAX - span->start_ns)
    return walker_.FailAt(start, "duration: ends beyond the year 2554");
  span->end_ns = span->start_ns + facts_.duration_ns;
  span->attributes = TakeAttributes(attributes, span);
  span->events = scratch_.events.TakeSince(events, arena_);
  if (facts_.status) {
    span->status = *facts_.status;
  } else if (facts_.error.value_or(false)) {
    span->status = StatusCode::kError;
  }
  TakeJaegerReferences(facts_, &scratch_.links, arena_, span);
  span->scope = ScopeOf(facts_.scope_name, facts_.scope_version);
  span->resource = resource_;
  return true;
}

bool JaegerJsonDecoder::SpanField(uint32_t number, Json value, Span* span) {
  switch (number) {
    case span_item::kTraceId:
      return ReadId(value, &span->trace_id);
    case span_item::kSpanId:
      return ReadId(value, &span->span_id);
    case span_item::kParentSpanId:
      return ReadId(value, &facts_.parent_span_id);
    case span_item::kFlags:
      return walker_.Uint32(value, &span->flags);
    case span_item::kName:
      return walker_.String(value, &span->name);
    case span_item::kReferences:
      return walker_.Array(value, [&](Json one) { return ReadReference(one); });
    case span_item::kStart:
      return ReadTime(value, &span->start_ns);
    case span_item::kDuration:
      return ReadDuration(value, &facts_.duration_ns);
    case span_item::kTags:
      return PushTags(value);
    case span_item::kTagObject:
      return PushTagObject(value);
    case span_item::kLogs:
      return walker_.Array(value, [&](Json one) { return ReadLog(one); });
    case span_item::kProcessId:
      return walker_.String(value, &facts_.process_id);
    default:
      return ReadProcess(value, &resource_);
  }
}

bool JaegerJsonDecoder::ReadReference(Json json) {
  if (!Fits(json, sizeof(Link))) return false;
  JaegerReference reference;
  uint32_t type = 0;
  bool read = walker_.Object(json, reference::kFields, [&](uint32_t number, Json value) {
    switch (number) {
      case reference::kType:
        return walker_.Enum(value, kRefTypes, &type);
      case reference::kTraceId:
        reference.has_trace = true;
        return ReadId(value, &reference.trace_id);
      default:
        return ReadId(value, &reference.span_id);
    }
  });
  reference.follows = type == 1;
  if (read) facts_.references.push_back(reference);
  return read;
}

bool JaegerJsonDecoder::ReadLog(Json json) {
  if (!Fits(json, sizeof(Event))) return false;
  const size_t mark = scratch_.attributes.mark();
  Event event;
  bool read = walker_.Object(json, log_item::kFields, [&](uint32_t number, Json value) {
    return number == log_item::kTime ? ReadTime(value, &event.time_ns) : PushTags(value);
  });
  if (!read) return false;
  event.attributes = scratch_.attributes.TakeSince(mark, arena_);
  NameEvent(&event);
  scratch_.events.Push() = event;
  return true;
}

// OpenTracing's field "event" is the name; it comes first as a rule.
void JaegerJsonDecoder::NameEvent(Event* event) {
  for (size_t i = 0; i < event->attributes.size(); ++i) {
    const KeyValue& entry = event->attributes[i];
    if (entry.key != "event" || entry.value.type != ValueType::kString) continue;
    event->name = entry.value.string();
    if (i > 0) {
      const size_t mark = scratch_.attributes.mark();
      for (const KeyValue& other : event->attributes)
        if (&other != &entry) scratch_.attributes.Push() = other;
      event->attributes = scratch_.attributes.TakeSince(mark, arena_);
    } else {
      event->attributes = event->attributes.subspan(1);
    }
    return;
  }
}

// Of a process with a wrong value the rest is kept, and *resource set, although the answer is
// false.
bool JaegerJsonDecoder::ReadProcess(Json json, uint32_t* resource) {
  *resource = static_cast<uint32_t>(batch_->resources.size());
  batch_->resources.emplace_back();
  if (!Fits(json, sizeof(Resource) + sizeof(KeyValue))) return false;
  const size_t mark = scratch_.attributes.mark();
  scratch_.attributes.Push() = {"service.name", Value::String("")};
  std::string_view service;
  bool read = walker_.Object(json, process::kFields, [&](uint32_t number, Json value) {
    if (number == process::kService) return walker_.String(value, &service);
    return number == process::kTags ? PushTags(value) : PushTagObject(value);
  });
  scratch_.attributes.At(mark).value = Value::String(service);
  Attributes attributes = scratch_.attributes.TakeSince(mark, arena_);
  batch_->resources[*resource].attributes = service.empty() ? attributes.subspan(1) : attributes;
  return read;
}

// ---- tags

bool JaegerJsonDecoder::PushTags(Json json) {
  return walker_.Array(json, [&](Json one) {
    if (!Fits(one, sizeof(KeyValue))) return false;
    KeyValue entry;
    std::string_view type;
    bool read = walker_.Object(one, tag::kFields, [&](uint32_t number, Json value) {
      if (number == tag::kKey) return walker_.String(value, &entry.key);
      if (number == tag::kType) return walker_.String(value, &type);
      return TagValue(number, value, type, &entry.value);
    });
    if (read) scratch_.attributes.Push() = entry;
    return read;
  });
}

// A value under "value" has the type that was named before it; without one, its own.
bool JaegerJsonDecoder::TagValue(uint32_t number, Json json, std::string_view type, Value* value) {
  bool text = walker_.IsString(json);
  if (number == tag::kInt || (number == tag::kValue && type == "int64")) {
    return walker_.Integer(json, value);
  }
  if (number == tag::kDouble || (number == tag::kValue && type == "float64")) {
    double real = 0;
    if (!walker_.Double(json, &real)) return false;
    *value = Value::Double(real);
    return true;
  }
  if (number == tag::kBool || (number == tag::kValue && type == "bool")) {
    bool boolean = false;
    if (!walker_.Bool(json, &boolean)) return false;
    *value = Value::Bool(boolean);
    return true;
  }
  if (number == tag::kBytes || (number == tag::kValue && type == "binary" && text)) {
    std::string_view bytes;
    if (!walker_.Base64(json, &bytes)) return false;
    *value = Value::Bytes(bytes);
    return true;
  }
  return ReadAnyValue(json, value);
}

// Elasticsearch cannot index keys with dots: Jaeger writes '@' for each.
bool JaegerJsonDecoder::PushTagObject(Json json) {
  return walker_.Members(json, [&](std::string_view key, Json value) {
    if (!Fits(value, sizeof(KeyValue) + key.size())) return false;
    KeyValue entry;
    std::span<char> dotted = arena_->NewArray<char>(key.size());
    std::ranges::replace_copy(key, dotted.begin(), '@', '.');
    entry.key = {dotted.data(), dotted.size()};
    if (!ReadAnyValue(value, &entry.value)) return false;
    scratch_.attributes.Push() = entry;
    return true;
  });
}

Attributes JaegerJsonDecoder::TakeAttributes(size_t mark, Span* span) {
  size_t kept = mark;
  for (size_t i = mark; i < scratch_.attributes.mark(); ++i) {
    KeyValue entry = scratch_.attributes.At(i);
    if (!TakeJaegerTag(entry, span, &facts_)) scratch_.attributes.At(kept++) = entry;
  }
  scratch_.attributes.DropSince(kept);
  return scratch_.attributes.TakeSince(mark, arena_);
}

}  // namespace

Result<SpanBatch> DecodeJaegerJson(JaegerItem item, std::string body, const JsonPlace& place) {
  SpanBatch batch;
  batch.received = std::move(body);
  JaegerJsonDecoder decoder(&batch, place);
  if (!decoder.Read(item)) return Fail(decoder.fault());
  return batch;
}

}  // namespace weft::codec

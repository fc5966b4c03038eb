// SPDX-License-Identifier: Apache-2.0
#include "model/span_batch.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstring>

namespace weft {
namespace {

// Feeds one stream of tagged, length-prefixed fields, so that no two different contents collide by
// concatenation. Fields are a few bytes each, and XXH3 is slow at those: they are gathered first.
// Most spans fit the buffer and are hashed in one go; the result is the same either way.
class ContentHasher {
 public:
  void Number(uint64_t n) { Put(&n, sizeof n); }
  void Text(std::string_view s) {
    Number(s.size());
    Put(s.data(), s.size());
  }
  void Any(const Value& value) {
    Number(static_cast<uint64_t>(value.type));
    switch (value.type) {
      case ValueType::kEmpty:
        break;
      case ValueType::kString:
      case ValueType::kBytes:
        Text(value.string());
        break;
      case ValueType::kBool:
        Number(value.boolean);
        break;
      case ValueType::kInt:
      case ValueType::kDouble:
        Number(static_cast<uint64_t>(value.integer));
        break;
      case ValueType::kArray:
        Number(value.count);
        for (const Value& item : value.array()) Any(item);
        break;
      case ValueType::kMap:
        All(value.map());
        break;
    }
  }
  void All(Attributes attributes) {
    Number(attributes.size());
    for (const KeyValue& entry : attributes) {
      Text(entry.key);
      Any(entry.value);
    }
  }
  void Of(const Resource& resource) {
    All(resource.attributes);
    Number(resource.dropped_attributes);
    Text(resource.schema_url);
    Text(resource.entity_refs);
  }
  void Of(const Scope& scope) {
    Text(scope.name);
    Text(scope.version);
    All(scope.attributes);
    Number(scope.dropped_attributes);
    Text(scope.schema_url);
  }
  ContentHash Finish() {
    XXH128_hash_t hash;
    if (streaming_) {
      Flush();
      hash = XXH3_128bits_digest(&state_);
    } else {
      hash = XXH3_128bits(buffer_, used_);
    }
    return {hash.high64, hash.low64};
  }

 private:
  void Put(const void* bytes, size_t count) {
    if (count > sizeof buffer_ - used_) [[unlikely]] {
      Flush();
      if (count > sizeof buffer_) {
        XXH3_128bits_update(&state_, bytes, count);
        return;
      }
    }
    if (count > 0) std::memcpy(buffer_ + used_, bytes, count);
    used_ += count;
  }
  void Flush() {
    if (!streaming_) XXH3_128bits_reset(&state_);
    streaming_ = true;
    XXH3_128bits_update(&state_, buffer_, used_);
    used_ = 0;
  }

  size_t used_ = 0;
  bool streaming_ = false;
  char buffer_[2048];
  XXH3_state_t state_;
};

template <class T, class CopyOne>
std::span<const T> CopyArray(std::span<const T> items, Arena* arena, CopyOne copy_one) {
  std::span<T> out = arena->NewArray<T>(items.size());
  for (size_t i = 0; i < items.size(); ++i) out[i] = copy_one(items[i]);
  return out;
}

}  // namespace

uint64_t RejectTracelessLogs(SpanBatch* batch) {
  const uint64_t count =
      std::erase_if(batch->logs, [](const LogRecord& log) { return log.trace_id.empty(); });
  if (count == 0) return 0;
  batch->received_is_content = false;
  Rejection& rejected = batch->rejected_logs;
  if (rejected.count == 0)
    rejected.message = "a log record without a trace id: it belongs to no trace";
  rejected.count += count;
  rejected.no_trace += count;
  return count;
}

std::string_view ServiceName(const Resource& resource) {
  std::string_view name = FindString(resource.attributes, "service.name");
  return name.empty() ? std::string_view("unknown_service") : name;
}

bool FollowsFromParent(const Span& span) {
  if (span.parent_span_id.empty()) return false;
  for (const Link& link : span.links)
    if (link.span_id == span.parent_span_id && link.trace_id == span.trace_id &&
        FindString(link.attributes, kReferenceTypeKey) == kFollowsFromType)
      return true;
  return false;
}

std::string_view KindText(SpanKind kind) {
  switch (kind) {
    case SpanKind::kInternal:
      return "internal";
    case SpanKind::kServer:
      return "server";
    case SpanKind::kClient:
      return "client";
    case SpanKind::kProducer:
      return "producer";
    case SpanKind::kConsumer:
      return "consumer";
    default:
      return "unspecified";
  }
}

std::string_view SeverityText(const LogRecord& log) {
  if (!log.severity_text.empty()) return log.severity_text;
  static constexpr std::string_view kRanges[] = {"TRACE", "DEBUG", "INFO",
                                                 "WARN",  "ERROR", "FATAL"};
  // Numbers 1 to 24 in six ranges of four (the logs data model of OpenTelemetry).
  if (log.severity_number < 1 || log.severity_number > 24) return "";
  return kRanges[(log.severity_number - 1) / 4];
}

Value CopyValue(const Value& value, Arena* arena) {
  switch (value.type) {
    case ValueType::kString:
      return Value::String(arena->Copy(value.string()));
    case ValueType::kBytes:
      return Value::Bytes(arena->Copy(value.string()));
    case ValueType::kArray:
      return Value::Array(CopyArray<Value>(
          value.array(), arena, [arena](const Value& item) { return CopyValue(item, arena); }));
    case ValueType::kMap:
      return Value::Map(CopyAttributes(value.map(), arena));
    default:
      return value;
  }
}

Attributes CopyAttributes(Attributes attributes, Arena* arena) {
  return CopyArray<KeyValue>(attributes, arena, [arena](const KeyValue& entry) {
    return KeyValue{arena->Copy(entry.key), CopyValue(entry.value, arena)};
  });
}

Resource CopyResource(const Resource& resource, Arena* arena) {
  Resource out = resource;
  out.attributes = CopyAttributes(resource.attributes, arena);
  out.schema_url = arena->Copy(resource.schema_url);
  out.entity_refs = arena->Copy(resource.entity_refs);
  return out;
}

Scope CopyScope(const Scope& scope, Arena* arena) {
  Scope out = scope;
  out.name = arena->Copy(scope.name);
  out.version = arena->Copy(scope.version);
  out.attributes = CopyAttributes(scope.attributes, arena);
  out.schema_url = arena->Copy(scope.schema_url);
  return out;
}

Span CopySpan(const Span& span, Arena* arena) {
  Span out = span;
  out.name = arena->Copy(span.name);
  out.trace_state = arena->Copy(span.trace_state);
  out.status_message = arena->Copy(span.status_message);
  out.attributes = CopyAttributes(span.attributes, arena);
  out.events = CopyArray<Event>(span.events, arena, [arena](Event event) {
    event.name = arena->Copy(event.name);
    event.attributes = CopyAttributes(event.attributes, arena);
    return event;
  });
  out.links = CopyArray<Link>(span.links, arena, [arena](Link link) {
    link.trace_state = arena->Copy(link.trace_state);
    link.attributes = CopyAttributes(link.attributes, arena);
    return link;
  });
  return out;
}

LogRecord CopyLog(const LogRecord& log, Arena* arena) {
  LogRecord out = log;
  out.severity_text = arena->Copy(log.severity_text);
  out.event_name = arena->Copy(log.event_name);
  out.body = CopyValue(log.body, arena);
  out.attributes = CopyAttributes(log.attributes, arena);
  return out;
}

ContentHash HashSpan(const SpanBatch& batch, const Span& span) {
  ContentHasher hasher;
  hasher.Of(batch.resources[span.resource]);
  hasher.Of(batch.scopes[span.scope]);
  hasher.Text(span.trace_id.view());
  hasher.Text(span.span_id.view());
  hasher.Text(span.parent_span_id.view());
  hasher.Number(span.flags);
  hasher.Number(span.start_ns);
  hasher.Number(span.end_ns);
  hasher.Text(span.name);
  hasher.Text(span.trace_state);
  hasher.Text(span.status_message);
  hasher.Number(static_cast<uint64_t>(span.kind));
  hasher.Number(static_cast<uint64_t>(span.status));
  hasher.Number(span.dropped_attributes);
  hasher.Number(span.dropped_events);
  hasher.Number(span.dropped_links);
  hasher.All(span.attributes);
  hasher.Number(span.events.size());
  for (const Event& event : span.events) {
    hasher.Number(event.time_ns);
    hasher.Text(event.name);
    hasher.All(event.attributes);
    hasher.Number(event.dropped_attributes);
  }
  hasher.Number(span.links.size());
  for (const Link& link : span.links) {
    hasher.Text(link.trace_id.view());
    hasher.Text(link.span_id.view());
    hasher.Number(link.flags);
    hasher.Number(link.dropped_attributes);
    hasher.Text(link.trace_state);
    hasher.All(link.attributes);
  }
  return hasher.Finish();
}

ContentHash HashLog(const SpanBatch& batch, const LogRecord& log) {
  ContentHasher hasher;
  hasher.Of(batch.resources[log.resource]);
  hasher.Of(batch.scopes[log.scope]);
  hasher.Text(log.trace_id.view());
  hasher.Text(log.span_id.view());
  hasher.Number(log.flags);
  hasher.Number(log.severity_number);
  hasher.Number(log.time_ns);
  hasher.Number(log.observed_ns);
  hasher.Text(log.severity_text);
  hasher.Text(log.event_name);
  hasher.Any(log.body);
  hasher.Number(log.dropped_attributes);
  hasher.All(log.attributes);
  return hasher.Finish();
}

}  // namespace weft

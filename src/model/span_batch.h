// SPDX-License-Identifier: Apache-2.0
//
// SpanBatch: the spans and log records of one request, or of one answer, in OpenTelemetry's terms.
// Decoders (codec/) make it, pipelines change it in place, the store reads it, queries and exports
// hand it out again. Spans are flat in one vector and name their resource and scope by index, so
// grouping (ResourceSpans / ScopeSpans) is implied by runs of equal indexes.
//
// Lifetime: every string_view and span in it points into `arena`, into `received` or into a batch
// kept alive by `owners`; all die with the batch. A batch moves, it is never copied.
// Thread rule: one thread at a time.
// Source: opentelemetry-proto trace/v1, logs/v1, resource/v1, common/v1.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "model/client_info.h"
#include "model/ids.h"
#include "model/value.h"

namespace weft {

// OTLP's numbers. Values outside the enum are kept as received.
enum class SpanKind : uint32_t {
  kUnspecified = 0,
  kInternal = 1,
  kServer = 2,
  kClient = 3,
  kProducer = 4,
  kConsumer = 5,
};
enum class StatusCode : uint32_t { kUnset = 0, kOk = 1, kError = 2 };

struct Event {
  uint64_t time_ns = 0;  // Unix epoch
  std::string_view name;
  Attributes attributes;
  uint32_t dropped_attributes = 0;
};

struct Link {
  TraceId trace_id;
  SpanId span_id;
  uint32_t flags = 0;
  uint32_t dropped_attributes = 0;
  std::string_view trace_state;
  Attributes attributes;
};

struct Resource {
  Attributes attributes;
  uint32_t dropped_attributes = 0;
  std::string_view schema_url;   // of the enclosing ResourceSpans / ResourceLogs
  std::string_view entity_refs;  // protobuf encoding of Resource's repeated field 3, tags included
};

struct Scope {
  std::string_view name;
  std::string_view version;
  Attributes attributes;
  uint32_t dropped_attributes = 0;
  std::string_view schema_url;  // of the enclosing ScopeSpans / ScopeLogs
};

struct Span {
  TraceId trace_id;
  SpanId span_id;
  SpanId parent_span_id;  // empty for a root
  uint32_t flags = 0;     // W3C flags in bits 0-7, has-is-remote 8, is-remote 9
  uint64_t start_ns = 0;  // Unix epoch
  uint64_t end_ns = 0;    // Unix epoch; may lie before start_ns: kept as received
  std::string_view name;
  std::string_view trace_state;
  std::string_view status_message;
  SpanKind kind = SpanKind::kUnspecified;
  StatusCode status = StatusCode::kUnset;
  uint32_t dropped_attributes = 0;
  uint32_t dropped_events = 0;
  uint32_t dropped_links = 0;
  uint32_t resource = 0;  // index into SpanBatch::resources
  uint32_t scope = 0;     // index into SpanBatch::scopes
  Attributes attributes;
  std::span<const Event> events;
  std::span<const Link> links;
};

struct LogRecord {
  TraceId trace_id;  // may be empty, but in the store: RejectTracelessLogs()
  SpanId span_id;    // may be empty
  uint32_t flags = 0;
  uint32_t severity_number = 0;
  uint64_t time_ns = 0;
  uint64_t observed_ns = 0;
  std::string_view severity_text;
  std::string_view event_name;
  Value body;
  uint32_t dropped_attributes = 0;
  uint32_t resource = 0;
  uint32_t scope = 0;
  Attributes attributes;
};

// Why a decoder or a component did not keep something: counted per request and in /metrics.
struct Rejection {
  uint64_t count = 0;
  std::string message;    // the first reason, with field and position; for the sender
  uint64_t no_trace = 0;  // of them: log records without a trace id, which is no fault of theirs
};

class SpanBatch {
 public:
  SpanBatch() = default;
  SpanBatch(SpanBatch&&) = default;
  SpanBatch& operator=(SpanBatch&&) = default;

  Arena arena;
  std::string received;  // the decompressed request, kept alive for the views into it
  std::vector<std::shared_ptr<const void>> owners;

  std::vector<Resource> resources;
  std::vector<Scope> scopes;
  std::vector<Span> spans;
  std::vector<LogRecord> logs;

  Rejection rejected_spans;
  Rejection rejected_logs;
  // Wrong values of resources and scopes: left out alone, the items stay.
  Rejection left_out;
  // Objects around items in which none was found, but fields that nobody knows.
  Rejection not_understood;
  uint64_t received_ns = 0;  // when the request arrived; age for retention counts from here
  std::shared_ptr<const ClientInfo> client;  // null: unknown, or not one client's
  std::string tenant;                        // empty: the default tenant
  // True while `received` is an OTLP protobuf ExportTraceServiceRequest whose decoding gave exactly
  // this content: the WAL may then write it as it is. Whoever changes the batch clears it.
  bool received_is_content = false;

  bool empty() const { return spans.empty() && logs.empty(); }
};

// Takes log records without a trace id out of the batch, which then is no more what was received;
// counts them in rejected_logs, and gives their number.
uint64_t RejectTracelessLogs(SpanBatch* batch);

// "service.name" of a resource, or "unknown_service" as OpenTelemetry's SDKs call it.
std::string_view ServiceName(const Resource& resource);
// The link attribute that keeps the type of an OpenTracing reference: "child_of" or "follows_from".
inline constexpr std::string_view kReferenceTypeKey = "opentracing.ref_type";
inline constexpr std::string_view kChildOfType = "child_of";
inline constexpr std::string_view kFollowsFromType = "follows_from";
// True where the span's relation to its parent is FOLLOWS_FROM: a link of that type names the
// parent.
bool FollowsFromParent(const Span& span);
// "server", ...; "unspecified" for numbers outside the protocol.
std::string_view KindText(SpanKind kind);
// The record's severity text, or the name of its number's range.
std::string_view SeverityText(const LogRecord& log);
// Nanoseconds from start to end; 0 where the end lies before the start.
inline uint64_t DurationNs(const Span& span) {
  return span.end_ns > span.start_ns ? span.end_ns - span.start_ns : 0;
}

// Copies into `to` the resource/scope/span/log at hand, strings and nested values included, so that
// the copy outlives its source. The span's and log's indexes are left as they are in the source.
Value CopyValue(const Value& value, Arena* arena);
Attributes CopyAttributes(Attributes attributes, Arena* arena);
Resource CopyResource(const Resource& resource, Arena* arena);
Scope CopyScope(const Scope& scope, Arena* arena);
Span CopySpan(const Span& span, Arena* arena);
LogRecord CopyLog(const LogRecord& log, Arena* arena);

// 128 bits over all content of a span, its resource and scope included: equal spans are duplicates.
struct ContentHash {
  uint64_t high = 0, low = 0;
  auto operator<=>(const ContentHash&) const = default;
};
ContentHash HashSpan(const SpanBatch& batch, const Span& span);
ContentHash HashLog(const SpanBatch& batch, const LogRecord& log);

}  // namespace weft

// SPDX-License-Identifier: Apache-2.0
//
// Zipkin's JSON, v2 and v1 at once, as their fields do not contradict each other. In v1 the
// annotations "cs", "cr", "sr", "ss", "ms", "mr" say what v2 says with a kind, and binary
// annotations are tags with an endpoint. One v1 span that holds both sides of a call stays one
// span.
#include <algorithm>
#include <optional>
#include <unordered_map>
#include <vector>

#include "codec/span_list_decoder.h"

namespace weft::codec {
namespace {

namespace span_item {
constexpr uint32_t kTraceId = 1, kId = 2, kParentId = 3, kName = 4, kKind = 5, kTimestamp = 6,
                   kDuration = 7, kLocal = 8, kRemote = 9, kAnnotations = 10, kTags = 11,
                   kShared = 12, kDebug = 13, kBinary = 14;
constexpr OtlpField kFields[] = {{kTraceId, "traceId", "trace_id"},
                                 {kId, "id", "id"},
                                 {kParentId, "parentId", "parent_id"},
                                 {kName, "name", "name"},
                                 {kKind, "kind", "kind"},
                                 {kTimestamp, "timestamp", "timestamp"},
                                 {kDuration, "duration", "duration"},
                                 {kLocal, "localEndpoint", "local_endpoint"},
                                 {kRemote, "remoteEndpoint", "remote_endpoint"},
                                 {kAnnotations, "annotations", "annotations"},
                                 {kTags, "tags", "tags"},
                                 {kShared, "shared", "shared"},
                                 {kDebug, "debug", "debug"},
                                 {kBinary, "binaryAnnotations", "binary_annotations"}};
}  // namespace span_item
namespace endpoint {
constexpr uint32_t kService = 1, kIpv4 = 2, kIpv6 = 3, kPort = 4;
constexpr OtlpField kFields[] = {{kService, "serviceName", "service_name"},
                                 {kIpv4, "ipv4", "ipv4"},
                                 {kIpv6, "ipv6", "ipv6"},
                                 {kPort, "port", "port"}};
}  // namespace endpoint
namespace annotation {
constexpr uint32_t kTimestamp = 1, kValue = 2, kEndpoint = 3, kKey = 4, kType = 5;
constexpr OtlpField kFields[] = {{kTimestamp, "timestamp", "timestamp"},
                                 {kValue, "value", "value"},
                                 {kEndpoint, "endpoint", "endpoint"},
                                 {kKey, "key", "key"},
                                 {kType, "type", "annotation_type"}};
}  // namespace annotation

// v2's kinds by number of OTLP's; an empty one is none. INTERNAL is no kind of Zipkin's, but sent.
constexpr std::string_view kKindNames[] = {"",       "INTERNAL", "SERVER",
                                           "CLIENT", "PRODUCER", "CONSUMER"};
constexpr EnumNames kKinds = {"SPAN_KIND_", kKindNames};

struct Endpoint {
  std::string_view service, ipv4, ipv6;
  uint32_t port = 0;
  bool empty() const { return service.empty() && ipv4.empty() && ipv6.empty() && port == 0; }
};

// v1's core annotations, in the order in which they decide who speaks: what the server says about
// its own work is nearer to it than what its caller says.
enum Core : uint32_t {
  kServerReceive,
  kServerSend,
  kClientSend,
  kClientReceive,
  kMessageSend,
  kMessageReceive,
  kCoreCount
};
constexpr std::string_view kCoreNames[kCoreCount] = {"sr", "ss", "cs", "cr", "ms", "mr"};

// Of one span, while its fields come by.
struct SpanFacts {
  Endpoint local, remote;
  uint64_t duration_ns = 0;
  bool has_duration = false, shared = false, debug = false, error = false;
  std::string_view error_message, status_code, scope_name, scope_version, trace_state;
  // Has a field that v1 does not know: then an annotation is what it says, whatever its name.
  bool is_v2 = false;
  // v1
  std::optional<uint64_t> core[kCoreCount];
  Endpoint core_endpoint[kCoreCount], any_endpoint, server_address, client_address;
};

class ZipkinJsonDecoder : public SpanListDecoder {
 public:
  using SpanListDecoder::SpanListDecoder;

  bool Read();

 private:
  bool SpanItem(Json json, const std::string& path);
  bool ReadSpan(Json json, Span* span);
  bool SpanField(uint32_t number, Json value, Span* span);
  bool ReadEndpoint(Json json, Endpoint* endpoint);
  bool ReadAnnotation(Json json);
  bool ReadBinaryAnnotation(Json json);
  bool ReadTags(Json json);
  void PushTag(std::string_view key, const Value& value);
  void PushEndpoints(const SpanFacts& facts);
  void FinishV1(Span* span);
  bool FinishTimes(Span* span);
  void DropCoreEvents(size_t mark);
  void FinishStatus(Span* span);
  void FillAbsentStarts();

  void Push(std::string_view key, const Value& value) { scratch_.attributes.Push() = {key, value}; }
  void PushText(std::string_view key, std::string_view text) {
    if (!text.empty()) Push(key, Value::String(text));
  }

  SpanFacts facts_;
  std::vector<size_t> without_start_;  // indexes into batch_->spans
};

bool ZipkinJsonDecoder::Read() {
  bool read = walker_.Document([&](Json root) {
    size_t index = 0;
    return walker_.Array(
        root,
        [&](Json json) {
          std::string path = ItemPath(index++);
          if (JsonWalker::FirstByte(json) != '[') return SpanItem(json, path);
          size_t inner = 0;
          return walker_.Array(json, [&](Json span) {
            return SpanItem(span, path + "[" + std::to_string(inner++) + "]");
          });
        },
        place_.first);
  });
  if (read) FillAbsentStarts();
  return read;
}

bool ZipkinJsonDecoder::SpanItem(Json json, const std::string& path) {
  Span span;
  const size_t attributes = scratch_.attributes.mark(), events = scratch_.events.mark();
  facts_ = {};
  if (!ReadSpan(json, &span)) {
    scratch_.attributes.DropSince(attributes);
    scratch_.events.DropSince(events);
    return RejectSpan(path);
  }
  if (span.start_ns == 0) without_start_.push_back(batch_->spans.size());
  batch_->spans.push_back(span);
  return true;
}

bool ZipkinJsonDecoder::ReadSpan(Json json, Span* span) {
  const char* start = JsonWalker::Position(json);
  if (!Fits(json, sizeof(Span))) return false;
  const size_t attributes = scratch_.attributes.mark(), events = scratch_.events.mark();
  if (!walker_.Object(json, span_item::kFields,
                      [&](uint32_t number, Json value) { return SpanField(number, value, span); }))
    return false;
  if (span->trace_id.empty()) return walker_.FailAt(start, "traceId: missing or all zero");
  if (span->span_id.empty()) return walker_.FailAt(start, "id: missing or all zero");
  if (facts_.is_v2) std::ranges::fill(facts_.core, std::nullopt);
  FinishV1(span);
  if (!FinishTimes(span)) return walker_.FailAt(start, "duration: ends beyond the year 2554");
  FinishStatus(span);
  PushEndpoints(facts_);
  if (span->start_ns == 0) Push("otel.zipkin.absentField.startTime", Value::Bool(true));
  if (facts_.shared) Push("zipkin.shared", Value::Bool(true));
  if (facts_.debug) Push("zipkin.debug", Value::Bool(true));
  span->attributes = scratch_.attributes.TakeSince(attributes, arena_);
  if (!facts_.is_v2) DropCoreEvents(events);
  span->events = scratch_.events.TakeSince(events, arena_);
  span->resource = ServiceResource(facts_.local.service);
  span->trace_state = facts_.trace_state;
  span->scope = ScopeOf(facts_.scope_name, facts_.scope_version);
  return true;
}

bool ZipkinJsonDecoder::SpanField(uint32_t number, Json value, Span* span) {
  for (uint32_t field : {span_item::kKind, span_item::kLocal, span_item::kRemote, span_item::kTags,
                         span_item::kShared})
    facts_.is_v2 = facts_.is_v2 || number == field;
  switch (number) {
    case span_item::kTraceId:
      return ReadId(value, &span->trace_id);
    case span_item::kId:
      return ReadId(value, &span->span_id);
    case span_item::kParentId:
      return ReadId(value, &span->parent_span_id);
    case span_item::kName:
      return walker_.String(value, &span->name);
    case span_item::kKind: {
      const char* start = JsonWalker::Position(value);
      uint32_t kind = 0;
      if (!walker_.IsString(value) || !walker_.Enum(value, kKinds, &kind) ||
          kind >= std::size(kKindNames))
        return walker_.FailAt(start, "expected CLIENT, SERVER, PRODUCER or CONSUMER");
      span->kind = static_cast<SpanKind>(kind);
      return true;
    }
    case span_item::kTimestamp:
      return ReadTime(value, &span->start_ns);
    case span_item::kDuration:
      facts_.has_duration = true;
      return ReadDuration(value, &facts_.duration_ns);
    case span_item::kLocal:
      return ReadEndpoint(value, &facts_.local);
    case span_item::kRemote:
      return ReadEndpoint(value, &facts_.remote);
    case span_item::kAnnotations:
      return walker_.Array(value, [&](Json one) { return ReadAnnotation(one); });
    case span_item::kTags:
      return ReadTags(value);
    case span_item::kShared:
      return walker_.Bool(value, &facts_.shared);
    case span_item::kDebug:
      return walker_.Bool(value, &facts_.debug);
    default:
      return walker_.Array(value, [&](Json one) { return ReadBinaryAnnotation(one); });
  }
}

bool ZipkinJsonDecoder::ReadEndpoint(Json json, Endpoint* to) {
  return walker_.Object(json, endpoint::kFields, [&](uint32_t number, Json value) {
    switch (number) {
      case endpoint::kService:
        return walker_.String(value, &to->service);
      case endpoint::kIpv4:
        return walker_.String(value, &to->ipv4);
      case endpoint::kIpv6:
        return walker_.String(value, &to->ipv6);
      default:
        return walker_.Uint32(value, &to->port);
    }
  });
}

bool ZipkinJsonDecoder::ReadAnnotation(Json json) {
  if (!Fits(json, sizeof(Event))) return false;
  Event event;
  Endpoint from;
  bool read = walker_.Object(json, annotation::kFields, [&](uint32_t number, Json value) {
    switch (number) {
      case annotation::kTimestamp:
        return ReadTime(value, &event.time_ns);
      case annotation::kValue:
        return walker_.String(value, &event.name);
      case annotation::kEndpoint:
        return ReadEndpoint(value, &from);
      default:
        return true;
    }
  });
  if (!read) return false;
  if (facts_.any_endpoint.empty()) facts_.any_endpoint = from;
  auto core = std::ranges::find(kCoreNames, event.name);
  if (core != std::end(kCoreNames)) {
    size_t index = static_cast<size_t>(core - std::begin(kCoreNames));
    facts_.core[index] = event.time_ns;
    facts_.core_endpoint[index] = from;
  }
  if (event.name == "error") facts_.error = true;
  scratch_.events.Push() = event;
  return true;
}

bool ZipkinJsonDecoder::ReadBinaryAnnotation(Json json) {
  if (!Fits(json, sizeof(KeyValue))) return false;
  Endpoint from;
  std::string_view key;
  Value tag;
  bool read = walker_.Object(json, annotation::kFields, [&](uint32_t number, Json value) {
    switch (number) {
      case annotation::kKey:
        return walker_.String(value, &key);
      case annotation::kValue:
        return ReadAnyValue(value, &tag);
      case annotation::kEndpoint:
        return ReadEndpoint(value, &from);
      default:
        return true;
    }
  });
  if (!read) return false;
  // "sa" and "ca" are addresses: the endpoint is the content.
  if (key == "sa" || key == "ca") {
    (key == "sa" ? facts_.server_address : facts_.client_address) = from;
    return true;
  }
  if (facts_.any_endpoint.empty()) facts_.any_endpoint = from;
  bool unnamed_component = key == "lc" && tag.type == ValueType::kString && tag.count == 0;
  if (!unnamed_component) PushTag(key, tag);
  return true;
}

bool ZipkinJsonDecoder::ReadTags(Json json) {
  return walker_.Members(json, [&](std::string_view key, Json value) {
    if (!Fits(value, sizeof(KeyValue) + key.size())) return false;
    Value tag;
    if (!ReadAnyValue(value, &tag)) return false;
    PushTag(arena_->Copy(key), tag);
    return true;
  });
}

// Every value of the tag "error" but "false" is an error; the text says which.
void ZipkinJsonDecoder::PushTag(std::string_view key, const Value& value) {
  bool text = value.type == ValueType::kString;
  if (key == "error" && text && value.string() != "false") {
    facts_.error = true;
    if (value.string() != "true") facts_.error_message = value.string();
    return;
  }
  if (key == "error" && value.type == ValueType::kBool) {
    facts_.error = value.boolean;
    return;
  }
  for (auto [name, to] : {std::pair{"otel.status_code", &facts_.status_code},
                          {"otel.scope.name", &facts_.scope_name},
                          {"otel.library.name", &facts_.scope_name},
                          {"otel.scope.version", &facts_.scope_version},
                          {"otel.library.version", &facts_.scope_version},
                          {"w3c.tracestate", &facts_.trace_state}}) {
    if (!text || key != name) continue;
    *to = value.string();
    return;
  }
  Push(key, value);
}

void ZipkinJsonDecoder::FinishStatus(Span* span) {
  if (facts_.error || facts_.status_code == "ERROR") {
    span->status = StatusCode::kError;
    span->status_message = facts_.error_message;
  } else if (facts_.status_code == "OK") {
    span->status = StatusCode::kOk;
  }
}

void ZipkinJsonDecoder::PushEndpoints(const SpanFacts& facts) {
  auto push = [&](const Endpoint& from, std::string_view ip, std::string_view ipv6,
                  std::string_view port) {
    PushText(ip, from.ipv4.empty() ? from.ipv6 : from.ipv4);
    if (!from.ipv4.empty()) PushText(ipv6, from.ipv6);
    if (from.port != 0) Push(port, Value::Int(from.port));
  };
  push(facts.local, "net.host.ip", "net.host.ipv6", "net.host.port");
  PushText("peer.service", facts.remote.service);
  push(facts.remote, "net.peer.ip", "net.peer.ipv6", "net.peer.port");
}

// Kind, service and peer out of v1's annotations.
void ZipkinJsonDecoder::FinishV1(Span* span) {
  auto has = [&](Core core) { return facts_.core[core].has_value(); };
  bool server = has(kServerReceive) || has(kServerSend);
  bool client = has(kClientSend) || has(kClientReceive);
  if (span->kind == SpanKind::kUnspecified) {
    if (server) {
      span->kind = SpanKind::kServer;
    } else if (client) {
      span->kind = SpanKind::kClient;
    } else if (has(kMessageSend) || has(kMessageReceive)) {
      span->kind = has(kMessageSend) ? SpanKind::kProducer : SpanKind::kConsumer;
    } else if (!facts_.server_address.empty()) {
      span->kind = SpanKind::kClient;
    }
  }
  for (const Endpoint& from : facts_.core_endpoint)
    if (facts_.local.empty()) facts_.local = from;
  if (facts_.local.empty()) facts_.local = facts_.any_endpoint;
  if (facts_.remote.empty())
    facts_.remote = span->kind == SpanKind::kServer ? facts_.client_address : facts_.server_address;
}

// v1's core annotations may be all that tells the time. False when the span ends too late.
bool ZipkinJsonDecoder::FinishTimes(Span* span) {
  for (auto [from, to] : {std::pair{kClientSend, kClientReceive}, {kServerReceive, kServerSend}}) {
    const auto &first = facts_.core[from], &last = facts_.core[to];
    if (span->start_ns == 0 && first) span->start_ns = *first;
    if (!facts_.has_duration && first && last && *last >= *first) {
      facts_.duration_ns = *last - *first;
      facts_.has_duration = true;
    }
  }
  for (const auto& time : facts_.core)
    if (span->start_ns == 0 && time) span->start_ns = *time;
  span->end_ns = span->start_ns + facts_.duration_ns;
  return span->end_ns >= span->start_ns;
}

// Of a span with one side they repeat its start and end; of one with both they tell the network's
// time, and stay.
void ZipkinJsonDecoder::DropCoreEvents(size_t mark) {
  bool server = facts_.core[kServerReceive] || facts_.core[kServerSend];
  bool client = facts_.core[kClientSend] || facts_.core[kClientReceive];
  if (server && client) return;
  size_t kept = mark;
  for (size_t i = mark; i < scratch_.events.mark(); ++i) {
    Event event = scratch_.events.At(i);
    bool core = std::ranges::find(kCoreNames, event.name) != std::end(kCoreNames);
    if (!core) scratch_.events.At(kept++) = event;
  }
  scratch_.events.DropSince(kept);
}

// Reporters may leave the start to another piece of the same call. It is taken from there: the span
// of the same id, the parent, or the trace's beginning, as far as the list holds them.
void ZipkinJsonDecoder::FillAbsentStarts() {
  if (without_start_.empty()) return;
  std::unordered_map<TraceId, std::unordered_map<SpanId, uint64_t, IdHash>, IdHash> starts;
  auto note = [](uint64_t start, uint64_t* earliest) {
    if (*earliest == 0 || start < *earliest) *earliest = start;
  };
  for (const Span& span : batch_->spans) {
    if (span.start_ns == 0) continue;
    auto& trace = starts[span.trace_id];
    note(span.start_ns, &trace[span.span_id]);
    note(span.start_ns, &trace[SpanId{}]);  // no span's id: of the whole trace
  }
  for (size_t index : without_start_) {
    Span& span = batch_->spans[index];
    auto& trace = starts[span.trace_id];
    for (const SpanId& id : {span.span_id, span.parent_span_id, SpanId{}}) {
      auto found = trace.find(id);
      if (span.start_ns == 0 && found != trace.end()) span.start_ns = found->second;
    }
    span.end_ns = std::max(span.start_ns, span.start_ns + span.end_ns);
    if (span.start_ns != 0) note(span.start_ns, &trace[span.span_id]);
  }
}

}  // namespace

Result<SpanBatch> DecodeZipkinJson(std::string body, const JsonPlace& place) {
  SpanBatch batch;
  batch.received = std::move(body);
  ZipkinJsonDecoder decoder(&batch, place);
  if (!decoder.Read()) return Fail(decoder.fault());
  return batch;
}

}  // namespace weft::codec

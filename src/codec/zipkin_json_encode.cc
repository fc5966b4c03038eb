// SPDX-License-Identifier: Apache-2.0
#include "codec/zipkin_json_encode.h"

#include <algorithm>
#include <unordered_map>
#include <vector>

#include "codec/otlp.h"

namespace weft::codec {
namespace {

constexpr uint64_t kNsPerUs = 1000;

std::string TextOf(const Value& value) {
  if (value.type == ValueType::kString) return std::string(value.string());
  std::string text;
  if (value.type != ValueType::kEmpty) AppendValueJson(value, &text);
  if (value.type == ValueType::kBytes && text.size() >= 2) text = text.substr(1, text.size() - 2);
  return text;
}

std::string_view KindName(SpanKind kind) {
  switch (kind) {
    case SpanKind::kServer:
      return "SERVER";
    case SpanKind::kClient:
      return "CLIENT";
    case SpanKind::kProducer:
      return "PRODUCER";
    case SpanKind::kConsumer:
      return "CONSUMER";
    default:
      return "";
  }
}

constexpr std::string_view kAbsentStart = "otel.zipkin.absentField.startTime";

// The start was taken from another span: whoever reads the list again does the same.
bool StartWasAbsent(const Span& span) {
  return std::ranges::any_of(span.attributes, [](const KeyValue& entry) {
    return entry.key == kAbsentStart && entry.value.type == ValueType::kBool && entry.value.boolean;
  });
}

// The attributes that Zipkin has a place for; the decoder makes the same of it.
struct Endpoints {
  const Value* host_ip = nullptr;
  const Value* host_ipv6 = nullptr;
  const Value* host_port = nullptr;
  const Value* peer_service = nullptr;
  const Value* peer_ip = nullptr;
  const Value* peer_ipv6 = nullptr;
  const Value* peer_port = nullptr;
  bool shared = false, debug = false;

  // True when the attribute is written elsewhere than among the tags.
  bool Take(const KeyValue& entry) {
    const std::string_view key = entry.key;
    const bool text = entry.value.type == ValueType::kString;
    const bool port = entry.value.type == ValueType::kInt && entry.value.integer > 0 &&
                      entry.value.integer <= UINT16_MAX;
    auto take = [&](bool fits, const Value** to) {
      if (!fits || *to != nullptr) return false;
      *to = &entry.value;
      return true;
    };
    if (key == "net.host.ip") return take(text, &host_ip);
    if (key == "net.host.ipv6") return take(text, &host_ipv6);
    if (key == "net.host.port") return take(port, &host_port);
    if (key == "peer.service") return take(text, &peer_service);
    if (key == "net.peer.ip") return take(text, &peer_ip);
    if (key == "net.peer.ipv6") return take(text, &peer_ipv6);
    if (key == "net.peer.port") return take(port, &peer_port);
    if (entry.value.type != ValueType::kBool || !entry.value.boolean) return false;
    if (key == "zipkin.shared") return shared = true;
    if (key == "zipkin.debug") return debug = true;
    return key == kAbsentStart;
  }
};

void WriteEndpoint(std::string_view name, std::string_view service, const Value* ip,
                   const Value* ipv6, const Value* port, wire::JsonWriter* json) {
  if (service.empty() && ip == nullptr && ipv6 == nullptr && port == nullptr) return;
  json->Key(name);
  json->BeginObject();
  if (!service.empty()) json->Field("serviceName", service);
  if (ip != nullptr) {
    bool six = ip->string().find(':') != std::string_view::npos;
    json->Field(six ? "ipv6" : "ipv4", ip->string());
  }
  if (ipv6 != nullptr) json->Field("ipv6", ipv6->string());
  if (port != nullptr) json->Field("port", port->integer);
  json->EndObject();
}

void WriteAnnotation(uint64_t time_ns, std::string_view text, wire::JsonWriter* json) {
  json->BeginObject();
  json->Field("timestamp", time_ns / kNsPerUs);
  json->Field("value", text);
  json->EndObject();
}

// "name" alone, or "name {attributes as JSON}".
std::string EventText(const Event& event) {
  std::string text(event.name);
  if (event.attributes.empty()) return text;
  if (!text.empty()) text += ' ';
  AppendValueJson(Value::Map(event.attributes), &text);
  return text;
}

std::string LogText(const LogRecord& log) {
  std::string text(SeverityText(log));
  std::string body = TextOf(log.body);
  if (!text.empty() && !body.empty()) text += ' ';
  text += body;
  return text.empty() ? "log" : text;
}

// The tags in the order in which they came. Zipkin's are a map: a later value takes the place of an
// earlier one.
class Tags {
 public:
  void Put(std::string_view key, std::string text) {
    auto [place, is_new] = index_.try_emplace(key, tags_.size());
    if (is_new) {
      tags_.emplace_back(key, std::move(text));
    } else {
      tags_[place->second].second = std::move(text);
    }
  }
  void PutText(std::string_view key, std::string_view text) {
    if (!text.empty()) Put(key, std::string(text));
  }
  void Write(wire::JsonWriter* json) const {
    if (tags_.empty()) return;
    json->Key("tags");
    json->BeginObject();
    for (const auto& [key, text] : tags_) json->Field(key, text);
    json->EndObject();
  }

 private:
  std::vector<std::pair<std::string_view, std::string>> tags_;
  std::unordered_map<std::string_view, size_t> index_;
};

void WriteTags(const Span& span, const Resource& resource, const Scope& scope, Endpoints* endpoints,
               wire::JsonWriter* json) {
  Tags tags;
  for (const KeyValue& entry : resource.attributes)
    if (entry.key != "service.name") tags.Put(entry.key, TextOf(entry.value));
  tags.PutText("otel.scope.name", scope.name);
  tags.PutText("otel.scope.version", scope.version);
  tags.PutText("w3c.tracestate", span.trace_state);
  for (const KeyValue& entry : span.attributes)
    if (!endpoints->Take(entry)) tags.Put(entry.key, TextOf(entry.value));
  if (span.status == StatusCode::kError) {
    tags.Put("error", span.status_message.empty() ? "true" : std::string(span.status_message));
    tags.Put("otel.status_code", "ERROR");
  } else if (span.status == StatusCode::kOk) {
    tags.Put("otel.status_code", "OK");
  }
  tags.Write(json);
}

using LogsOfSpan = std::unordered_map<SpanId, std::vector<const LogRecord*>, IdHash>;

void WriteSpan(const SpanBatch& batch, const Span& span, const LogsOfSpan& logs,
               wire::JsonWriter* json) {
  const Resource& resource = batch.resources[span.resource];
  Endpoints endpoints;
  json->BeginObject();
  json->Field("traceId", span.trace_id.ToHex());
  if (!span.parent_span_id.empty()) json->Field("parentId", span.parent_span_id.ToHex());
  json->Field("id", span.span_id.ToHex());
  if (std::string_view kind = KindName(span.kind); !kind.empty()) json->Field("kind", kind);
  if (!span.name.empty()) json->Field("name", span.name);
  if (span.start_ns >= kNsPerUs && !StartWasAbsent(span))
    json->Field("timestamp", span.start_ns / kNsPerUs);
  if (DurationNs(span) >= kNsPerUs) json->Field("duration", DurationNs(span) / kNsPerUs);
  WriteTags(span, resource, batch.scopes[span.scope], &endpoints, json);
  WriteEndpoint("localEndpoint", FindString(resource.attributes, "service.name"), endpoints.host_ip,
                endpoints.host_ipv6, endpoints.host_port, json);
  std::string_view peer = endpoints.peer_service ? endpoints.peer_service->string() : "";
  WriteEndpoint("remoteEndpoint", peer, endpoints.peer_ip, endpoints.peer_ipv6, endpoints.peer_port,
                json);
  auto own_logs = logs.find(span.span_id);
  if (!span.events.empty() || own_logs != logs.end()) {
    json->Key("annotations");
    json->BeginArray();
    for (const Event& event : span.events) WriteAnnotation(event.time_ns, EventText(event), json);
    if (own_logs != logs.end())
      for (const LogRecord* log : own_logs->second)
        WriteAnnotation(log->time_ns != 0 ? log->time_ns : log->observed_ns, LogText(*log), json);
    json->EndArray();
  }
  if (endpoints.shared) json->Field("shared", true);
  if (endpoints.debug) json->Field("debug", true);
  json->EndObject();
}

}  // namespace

void WriteZipkinSpans(const SpanBatch& batch, wire::JsonWriter* json) {
  LogsOfSpan logs;
  for (const LogRecord& log : batch.logs) logs[log.span_id].push_back(&log);
  for (const Span& span : batch.spans) WriteSpan(batch, span, logs, json);
}

}  // namespace weft::codec

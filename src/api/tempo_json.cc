// SPDX-License-Identifier: Apache-2.0
#include "api/tempo_json.h"

#include <algorithm>
#include <set>

#include "api/tempo_parameters.h"
#include "traceql/traceql.h"
#include "traceql/vocabulary.h"
#include "wire_core/json_writer.h"

namespace weft::api {
namespace {

using wire::JsonWriter;

// The version whose API this is. Clients that look at one look for features of this API.
constexpr std::string_view kApiVersion = "2.9.0";

void PutText(std::string_view key, std::string_view text, JsonWriter* json) {
  if (!text.empty()) json->Field(key, text);
}
void PutNumber(std::string_view key, uint32_t number, JsonWriter* json) {
  if (number != 0) json->Field(key, number);
}
void PutLong(std::string_view key, uint64_t number, JsonWriter* json) {
  if (number == 0) return;
  json->Key(key);
  json->UintText(number);
}

// ---------------------------------------------------------------- search

void PutAnyValue(ValueType type, std::string_view text, JsonWriter* json) {
  json->BeginObject();
  switch (type) {
    case ValueType::kInt:
      json->Field("intValue", text);
      break;
    case ValueType::kBool:
      json->Field("boolValue", text == "true");
      break;
    case ValueType::kDouble:
      json->Key("doubleValue");
      json->Double(std::strtod(std::string(text).c_str(), nullptr));
      break;
    default:
      json->Field("stringValue", text);
      break;
  }
  json->EndObject();
}

void PutKeyValue(std::string_view key, ValueType type, std::string_view text, JsonWriter* json) {
  json->BeginObject();
  json->Field("key", key);
  json->Key("value");
  PutAnyValue(type, text, json);
  json->EndObject();
}

void PutSpan(const query::MatchedSpan& span, JsonWriter* json) {
  json->BeginObject();
  json->Field("spanID", span.span_id.ToHex());
  PutText("name", span.name, json);
  PutLong("startTimeUnixNano", span.start_ns, json);
  PutLong("durationNanos", span.duration_ns, json);
  json->Key("attributes");
  json->BeginArray();
  bool has_service = false;
  for (size_t i = 0; i < span.attributes.size(); ++i) {
    const auto& [key, value] = span.attributes[i];
    // "resource.service.name" -> "service.name".
    std::string_view name = std::string_view(key).substr(key.find('.') + 1);
    has_service |= name == "service.name";
    PutKeyValue(name, span.attribute_types[i], value, json);
  }
  if (!has_service) PutKeyValue("service.name", ValueType::kString, span.service, json);
  if (span.error) PutKeyValue("status", ValueType::kString, "error", json);
  json->EndArray();
  json->EndObject();
}

void PutSpanSet(const query::TraceSummary& trace, JsonWriter* json) {
  json->BeginObject();
  json->Key("spans");
  json->BeginArray();
  for (const query::MatchedSpan& span : trace.matches) PutSpan(span, json);
  json->EndArray();
  PutNumber("matched", trace.matched, json);
  json->EndObject();
}

void PutTrace(const query::TraceSummary& trace, JsonWriter* json) {
  constexpr uint64_t kNsPerMs = 1'000'000;
  json->BeginObject();
  json->Field("traceID", trace.trace_id.ToHex());
  PutText("rootServiceName", trace.root_service, json);
  PutText("rootTraceName", trace.root_name, json);
  PutLong("startTimeUnixNano", trace.start_ns, json);
  PutNumber("durationMs",
            static_cast<uint32_t>(std::min<uint64_t>(trace.duration_ns / kNsPerMs, UINT32_MAX)),
            json);
  // The older form, for clients that do not know spanSets.
  json->Key("spanSet");
  PutSpanSet(trace, json);
  json->Key("spanSets");
  json->BeginArray();
  PutSpanSet(trace, json);
  json->EndArray();
  json->Key("serviceStats");
  json->BeginObject();
  for (const query::ServiceShare& share : trace.services) {
    json->Key(share.service);
    json->BeginObject();
    PutNumber("spanCount", share.spans, json);
    PutNumber("errorCount", share.errors, json);
    json->EndObject();
  }
  json->EndObject();
  json->EndObject();
}

// Tempo's SearchMetrics of a search, MetadataMetrics of tags: the latter count no spans, and strict
// readers refuse a field that a message lacks.
enum class Metrics : uint8_t { kSearch, kMetadata };

void PutMetrics(const query::SearchStats& stats, uint64_t stored_bytes, bool partial,
                Metrics metrics, JsonWriter* json) {
  double share = stats.spans_total == 0 ? 0
                                        : static_cast<double>(stats.spans_inspected) /
                                              static_cast<double>(stats.spans_total);
  json->Key("metrics");
  json->BeginObject();
  // Nobody counts bytes: as large a part of them as of the spans.
  PutLong("inspectedBytes", static_cast<uint64_t>(share * static_cast<double>(stored_bytes)), json);
  PutNumber("totalBlocks", static_cast<uint32_t>(stats.segments), json);
  // A question is one job; clients draw their progress from these.
  if (!partial) PutNumber("completedJobs", 1, json);
  PutNumber("totalJobs", 1, json);
  PutLong("totalBlockBytes", stored_bytes, json);
  if (metrics == Metrics::kSearch) PutLong("inspectedSpans", stats.spans_inspected, json);
  json->EndObject();
}

// ---------------------------------------------------------------- tags

void PutScope(std::string_view name, const std::vector<std::string>& tags, JsonWriter* json) {
  json->BeginObject();
  json->Field("name", name);
  json->Key("tags");
  json->BeginArray();
  for (const std::string& tag : tags) json->String(tag);
  json->EndArray();
  json->EndObject();
}

// Both spellings of every intrinsic but those that only programs use.
std::vector<std::string> IntrinsicTags() {
  std::vector<std::string> tags;
  for (const traceql::IntrinsicWord& word : traceql::IntrinsicWords()) {
    if (word.scoped.empty()) continue;
    tags.emplace_back(word.scoped);
    if (!word.unscoped.empty()) tags.emplace_back(word.unscoped);
  }
  std::ranges::sort(tags);
  return tags;
}

// What TraceQL can compare with; nothing for the rest.
std::string_view TypeWord(const query::TagValue& value) {
  if (value.keyword) return "keyword";
  switch (value.type) {
    case ValueType::kString:
      return "string";
    case ValueType::kInt:
      return "int";
    case ValueType::kDouble:
      return "float";
    case ValueType::kBool:
      return "bool";
    default:
      return {};
  }
}

// One list and the metrics: what every answer is. `Answer` is one of query's.
template <class Answer, class PutItems>
std::string Listed(std::string_view key, const Answer& answer, uint64_t stored_bytes,
                   Metrics metrics, const PutItems& put_items) {
  std::string body;
  JsonWriter json(&body);
  json.BeginObject();
  json.Key(key);
  json.BeginArray();
  put_items(&json);
  json.EndArray();
  PutMetrics(answer.stats, stored_bytes, !answer.partial.empty(), metrics, &json);
  json.EndObject();
  return body;
}

}  // namespace

std::string TempoSearchJson(const query::SearchResult& result, uint64_t stored_bytes) {
  return Listed("traces", result, stored_bytes, Metrics::kSearch, [&](JsonWriter* json) {
    for (const query::TraceSummary& trace : result.traces) PutTrace(trace, json);
  });
}

std::string TempoTagsJson(const query::TagNames& names, uint64_t stored_bytes) {
  return Listed("scopes", names, stored_bytes, Metrics::kMetadata, [&](JsonWriter* json) {
    bool intrinsics = false;
    for (size_t i = 0; i < names.tags.size();) {
      const std::string& scope = names.tags[i].scope;
      intrinsics |= scope == "intrinsic";
      std::vector<std::string> keys;
      size_t next = i;
      for (; next < names.tags.size() && names.tags[next].scope == scope; ++next)
        // Clients write them into queries behind the name of the scope and a dot.
        keys.push_back(scope == "intrinsic" ? names.tags[next].key
                                            : traceql::KeyText(names.tags[next].key));
      // TraceQL has no field for attributes of log records.
      if (scope != "log" && scope != "intrinsic") PutScope(scope, keys, json);
      i = next;
    }
    if (intrinsics) PutScope("intrinsic", IntrinsicTags(), json);
  });
}

std::string TempoTagsV1Json(const query::TagNames& names, std::string_view scope,
                            uint64_t stored_bytes) {
  std::set<std::string, std::less<>> keys;
  if (scope.empty())
    for (std::string_view word : TempoTagWords()) keys.emplace(word);
  if (scope == "intrinsic")
    for (std::string& tag : IntrinsicTags()) keys.insert(std::move(tag));
  for (const query::TagName& tag : names.tags)
    if (tag.scope != "log" && tag.scope != "intrinsic") keys.insert(tag.key);
  return Listed("tagNames", names, stored_bytes, Metrics::kMetadata, [&](JsonWriter* json) {
    for (const std::string& key : keys) json->String(key);
  });
}

std::string TempoTagValuesJson(const query::TagValues& values, uint64_t stored_bytes) {
  return Listed("tagValues", values, stored_bytes, Metrics::kMetadata, [&](JsonWriter* json) {
    for (const query::TagValue& value : values.values) {
      std::string_view type = TypeWord(value);
      if (type.empty()) continue;
      json->BeginObject();
      json->Field("type", type);
      json->Field("value", value.text);
      json->EndObject();
    }
  });
}

std::string TempoTagValuesV1Json(const query::TagValues& values, uint64_t stored_bytes) {
  std::set<std::string_view> texts;
  return Listed("tagValues", values, stored_bytes, Metrics::kMetadata, [&](JsonWriter* json) {
    // The same text may be there as a string and as a number.
    for (const query::TagValue& value : values.values)
      if (!TypeWord(value).empty() && texts.insert(value.text).second) json->String(value.text);
  });
}

std::string TempoBuildJson(std::string_view weft_version) {
  std::string body;
  JsonWriter json(&body);
  json.BeginObject();
  json.Field("version", kApiVersion);
  json.Field("revision", "weft " + std::string(weft_version));
  for (std::string_view unknown : {"branch", "buildDate", "buildUser", "goVersion"})
    json.Field(unknown, "");
  json.EndObject();
  return body;
}

}  // namespace weft::api

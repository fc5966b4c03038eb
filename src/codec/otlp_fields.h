// SPDX-License-Identifier: Apache-2.0
//
// The field numbers of OTLP and the names that errors and JSON use for them. Encoder and decoders
// of both formats include it, so that a number is written down once.
//
// Thread rule: constants. Source: opentelemetry-proto 1.x common, resource, trace, logs, metrics
// and collector .proto files. Next: codec/otlp_proto_decode.h, codec/otlp_json_decode.cc.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace weft::codec {

// One field: its number, its protobuf name and its JSON name. JSON readers take both names.
struct OtlpField {
  uint32_t number;
  std::string_view name;
  std::string_view json;
};
using OtlpFields = std::span<const OtlpField>;

// Which of a field's names: &OtlpField::name or &OtlpField::json.
using OtlpSpelling = std::string_view OtlpField::*;

// The name of field `number`, or nothing when the message has no such field.
constexpr std::string_view OtlpFieldName(OtlpFields fields, uint32_t number,
                                         OtlpSpelling spelling = &OtlpField::name) {
  for (const OtlpField& field : fields)
    if (field.number == number) return field.*spelling;
  return {};
}
// The number of the field with this JSON or protobuf name, or 0.
constexpr uint32_t OtlpFieldNumber(OtlpFields fields, std::string_view key) {
  for (const OtlpField& field : fields)
    if (field.json == key || field.name == key) return field.number;
  return 0;
}

// AnyValue, ArrayValue, KeyValueList, KeyValue.
namespace any_value {
inline constexpr uint32_t kString = 1, kBool = 2, kInt = 3, kDouble = 4, kArray = 5, kMap = 6,
                          kBytes = 7;
inline constexpr OtlpField kFields[] = {
    {kString, "string_value", "stringValue"}, {kBool, "bool_value", "boolValue"},
    {kInt, "int_value", "intValue"},          {kDouble, "double_value", "doubleValue"},
    {kArray, "array_value", "arrayValue"},    {kMap, "kvlist_value", "kvlistValue"},
    {kBytes, "bytes_value", "bytesValue"}};
}  // namespace any_value
namespace value_list {  // ArrayValue and KeyValueList alike
inline constexpr uint32_t kValues = 1;
inline constexpr OtlpField kFields[] = {{kValues, "values", "values"}};
}  // namespace value_list
namespace key_value {
inline constexpr uint32_t kKey = 1, kValue = 2;
inline constexpr OtlpField kFields[] = {{kKey, "key", "key"}, {kValue, "value", "value"}};
}  // namespace key_value

namespace resource {
inline constexpr uint32_t kAttributes = 1, kDropped = 2, kEntityRefs = 3;
inline constexpr OtlpField kFields[] = {
    {kAttributes, "attributes", "attributes"},
    {kDropped, "dropped_attributes_count", "droppedAttributesCount"},
    {kEntityRefs, "entity_refs", "entityRefs"}};
}  // namespace resource
namespace entity_ref {
inline constexpr uint32_t kSchemaUrl = 1, kType = 2, kIdKeys = 3, kDescriptionKeys = 4;
inline constexpr OtlpField kFields[] = {{kSchemaUrl, "schema_url", "schemaUrl"},
                                        {kType, "type", "type"},
                                        {kIdKeys, "id_keys", "idKeys"},
                                        {kDescriptionKeys, "description_keys", "descriptionKeys"}};
}  // namespace entity_ref
namespace scope {
inline constexpr uint32_t kName = 1, kVersion = 2, kAttributes = 3, kDropped = 4;
inline constexpr OtlpField kFields[] = {
    {kName, "name", "name"},
    {kVersion, "version", "version"},
    {kAttributes, "attributes", "attributes"},
    {kDropped, "dropped_attributes_count", "droppedAttributesCount"}};
}  // namespace scope

// The three levels that wrap spans, log records and metrics have the same numbers in each signal.
namespace request {
inline constexpr uint32_t kResources = 1;
}  // namespace request
namespace resource_items {
inline constexpr uint32_t kResource = 1, kScopes = 2, kSchemaUrl = 3;
}  // namespace resource_items
namespace scope_items {
inline constexpr uint32_t kScope = 1, kItems = 2, kSchemaUrl = 3;
}  // namespace scope_items
// The names of those levels, which do differ. Those that a field had before, or has elsewhere, come
// behind its own.
struct OtlpSignal {
  OtlpFields request, resource_items, scope_items;
  bool is_traces = false;
};
// ResourceSpans' scopes under the name and number that they had for a while, in the same form. Who
// wrote both of them wrote the same twice.
namespace resource_items {
inline constexpr uint32_t kOldScopes = 1000;
}  // namespace resource_items

inline constexpr OtlpField kTraceRequest[] = {
    {request::kResources, "resource_spans", "resourceSpans"},
    {request::kResources, "batches", "batches"}};  // Tempo's
inline constexpr OtlpField kResourceSpans[] = {
    {resource_items::kScopes, "scope_spans", "scopeSpans"},
    {resource_items::kResource, "resource", "resource"},
    {resource_items::kSchemaUrl, "schema_url", "schemaUrl"},
    {resource_items::kOldScopes, "instrumentation_library_spans", "instrumentationLibrarySpans"}};
inline constexpr OtlpField kScopeSpans[] = {
    {scope_items::kItems, "spans", "spans"},
    {scope_items::kScope, "scope", "scope"},
    {scope_items::kSchemaUrl, "schema_url", "schemaUrl"},
    {scope_items::kScope, "instrumentation_library", "instrumentationLibrary"}};
inline constexpr OtlpField kLogRequest[] = {{request::kResources, "resource_logs", "resourceLogs"}};
inline constexpr OtlpField kResourceLogs[] = {
    {resource_items::kScopes, "scope_logs", "scopeLogs"},
    {resource_items::kResource, "resource", "resource"},
    {resource_items::kSchemaUrl, "schema_url", "schemaUrl"},
    {resource_items::kOldScopes, "instrumentation_library_logs", "instrumentationLibraryLogs"}};
inline constexpr OtlpField kScopeLogs[] = {
    {scope_items::kItems, "log_records", "logRecords"},
    {scope_items::kScope, "scope", "scope"},
    {scope_items::kSchemaUrl, "schema_url", "schemaUrl"},
    {scope_items::kScope, "instrumentation_library", "instrumentationLibrary"},
    {scope_items::kItems, "logs", "logs"}};
inline constexpr OtlpField kMetricRequest[] = {
    {request::kResources, "resource_metrics", "resourceMetrics"}};
inline constexpr OtlpField kResourceMetrics[] = {
    {resource_items::kScopes, "scope_metrics", "scopeMetrics"},
    {resource_items::kResource, "resource", "resource"},
    {resource_items::kSchemaUrl, "schema_url", "schemaUrl"},
    {resource_items::kOldScopes, "instrumentation_library_metrics",
     "instrumentationLibraryMetrics"}};
inline constexpr OtlpField kScopeMetrics[] = {
    {scope_items::kItems, "metrics", "metrics"},
    {scope_items::kScope, "scope", "scope"},
    {scope_items::kSchemaUrl, "schema_url", "schemaUrl"},
    {scope_items::kScope, "instrumentation_library", "instrumentationLibrary"}};

inline constexpr OtlpSignal kTraceSignal = {kTraceRequest, kResourceSpans, kScopeSpans, true};
inline constexpr OtlpSignal kLogSignal = {kLogRequest, kResourceLogs, kScopeLogs};
inline constexpr OtlpSignal kMetricSignal = {kMetricRequest, kResourceMetrics, kScopeMetrics};

namespace span {
inline constexpr uint32_t kTraceId = 1, kSpanId = 2, kTraceState = 3, kParentSpanId = 4, kName = 5,
                          kKind = 6, kStart = 7, kEnd = 8, kAttributes = 9, kDroppedAttributes = 10,
                          kEvents = 11, kDroppedEvents = 12, kLinks = 13, kDroppedLinks = 14,
                          kStatus = 15, kFlags = 16;
inline constexpr OtlpField kFields[] = {
    {kTraceId, "trace_id", "traceId"},
    {kSpanId, "span_id", "spanId"},
    {kTraceState, "trace_state", "traceState"},
    {kParentSpanId, "parent_span_id", "parentSpanId"},
    {kName, "name", "name"},
    {kKind, "kind", "kind"},
    {kStart, "start_time_unix_nano", "startTimeUnixNano"},
    {kEnd, "end_time_unix_nano", "endTimeUnixNano"},
    {kAttributes, "attributes", "attributes"},
    {kDroppedAttributes, "dropped_attributes_count", "droppedAttributesCount"},
    {kEvents, "events", "events"},
    {kDroppedEvents, "dropped_events_count", "droppedEventsCount"},
    {kLinks, "links", "links"},
    {kDroppedLinks, "dropped_links_count", "droppedLinksCount"},
    {kStatus, "status", "status"},
    {kFlags, "flags", "flags"}};
}  // namespace span
namespace event {
inline constexpr uint32_t kTime = 1, kName = 2, kAttributes = 3, kDropped = 4;
inline constexpr OtlpField kFields[] = {
    {kTime, "time_unix_nano", "timeUnixNano"},
    {kName, "name", "name"},
    {kAttributes, "attributes", "attributes"},
    {kDropped, "dropped_attributes_count", "droppedAttributesCount"}};
}  // namespace event
namespace link {
inline constexpr uint32_t kTraceId = 1, kSpanId = 2, kTraceState = 3, kAttributes = 4, kDropped = 5,
                          kFlags = 6;
inline constexpr OtlpField kFields[] = {
    {kTraceId, "trace_id", "traceId"},
    {kSpanId, "span_id", "spanId"},
    {kTraceState, "trace_state", "traceState"},
    {kAttributes, "attributes", "attributes"},
    {kDropped, "dropped_attributes_count", "droppedAttributesCount"},
    {kFlags, "flags", "flags"}};
}  // namespace link
namespace status {
inline constexpr uint32_t kMessage = 2, kCode = 3;
inline constexpr OtlpField kFields[] = {{kMessage, "message", "message"}, {kCode, "code", "code"}};
}  // namespace status

namespace log_record {
inline constexpr uint32_t kTime = 1, kSeverityNumber = 2, kSeverityText = 3, kBody = 5,
                          kAttributes = 6, kDropped = 7, kFlags = 8, kTraceId = 9, kSpanId = 10,
                          kObserved = 11, kEventName = 12;
inline constexpr OtlpField kFields[] = {
    {kTime, "time_unix_nano", "timeUnixNano"},
    {kSeverityNumber, "severity_number", "severityNumber"},
    {kSeverityText, "severity_text", "severityText"},
    {kBody, "body", "body"},
    {kAttributes, "attributes", "attributes"},
    {kDropped, "dropped_attributes_count", "droppedAttributesCount"},
    {kFlags, "flags", "flags"},
    {kTraceId, "trace_id", "traceId"},
    {kSpanId, "span_id", "spanId"},
    {kObserved, "observed_time_unix_nano", "observedTimeUnixNano"},
    {kEventName, "event_name", "eventName"}};
}  // namespace log_record

// A Metric has one of the five kinds of data, each with its points in the same field.
namespace metric {
inline constexpr uint32_t kName = 1, kDescription = 2, kUnit = 3, kGauge = 5, kSum = 7,
                          kHistogram = 9, kExponentialHistogram = 10, kSummary = 11, kMetadata = 12;
inline constexpr OtlpField kFields[] = {
    {kGauge, "gauge", "gauge"},
    {kSum, "sum", "sum"},
    {kHistogram, "histogram", "histogram"},
    {kExponentialHistogram, "exponential_histogram", "exponentialHistogram"},
    {kSummary, "summary", "summary"},
    {kName, "name", "name"},
    {kDescription, "description", "description"},
    {kUnit, "unit", "unit"},
    {kMetadata, "metadata", "metadata"}};
// Those with data.
inline constexpr OtlpFields kData = OtlpFields(kFields).first(5);
}  // namespace metric
namespace metric_data {
inline constexpr uint32_t kDataPoints = 1, kTemporality = 2, kMonotonic = 3;
inline constexpr OtlpField kFields[] = {
    {kDataPoints, "data_points", "dataPoints"},
    {kTemporality, "aggregation_temporality", "aggregationTemporality"},
    {kMonotonic, "is_monotonic", "isMonotonic"}};
inline constexpr OtlpFields kPlain = OtlpFields(kFields).first(1);       // gauge, summary
inline constexpr OtlpFields kHistograms = OtlpFields(kFields).first(2);  // of both kinds
inline constexpr OtlpFields kSum = kFields;
}  // namespace metric_data
namespace number_point {
inline constexpr uint32_t kStart = 2, kTime = 3, kDouble = 4, kExemplars = 5, kInt = 6,
                          kAttributes = 7, kFlags = 8;
inline constexpr OtlpField kFields[] = {{kAttributes, "attributes", "attributes"},
                                        {kStart, "start_time_unix_nano", "startTimeUnixNano"},
                                        {kTime, "time_unix_nano", "timeUnixNano"},
                                        {kDouble, "as_double", "asDouble"},
                                        {kInt, "as_int", "asInt"},
                                        {kExemplars, "exemplars", "exemplars"},
                                        {kFlags, "flags", "flags"}};
}  // namespace number_point
namespace histogram_point {
inline constexpr uint32_t kStart = 2, kTime = 3, kCount = 4, kSum = 5, kBucketCounts = 6,
                          kExplicitBounds = 7, kExemplars = 8, kAttributes = 9, kFlags = 10,
                          kMin = 11, kMax = 12;
inline constexpr OtlpField kFields[] = {{kAttributes, "attributes", "attributes"},
                                        {kStart, "start_time_unix_nano", "startTimeUnixNano"},
                                        {kTime, "time_unix_nano", "timeUnixNano"},
                                        {kCount, "count", "count"},
                                        {kSum, "sum", "sum"},
                                        {kBucketCounts, "bucket_counts", "bucketCounts"},
                                        {kExplicitBounds, "explicit_bounds", "explicitBounds"},
                                        {kExemplars, "exemplars", "exemplars"},
                                        {kFlags, "flags", "flags"},
                                        {kMin, "min", "min"},
                                        {kMax, "max", "max"}};
}  // namespace histogram_point
namespace exponential_point {
inline constexpr uint32_t kAttributes = 1, kStart = 2, kTime = 3, kCount = 4, kSum = 5, kScale = 6,
                          kZeroCount = 7, kPositive = 8, kNegative = 9, kFlags = 10,
                          kExemplars = 11, kMin = 12, kMax = 13, kZeroThreshold = 14;
inline constexpr OtlpField kFields[] = {{kAttributes, "attributes", "attributes"},
                                        {kStart, "start_time_unix_nano", "startTimeUnixNano"},
                                        {kTime, "time_unix_nano", "timeUnixNano"},
                                        {kCount, "count", "count"},
                                        {kSum, "sum", "sum"},
                                        {kScale, "scale", "scale"},
                                        {kZeroCount, "zero_count", "zeroCount"},
                                        {kPositive, "positive", "positive"},
                                        {kNegative, "negative", "negative"},
                                        {kFlags, "flags", "flags"},
                                        {kExemplars, "exemplars", "exemplars"},
                                        {kMin, "min", "min"},
                                        {kMax, "max", "max"},
                                        {kZeroThreshold, "zero_threshold", "zeroThreshold"}};
}  // namespace exponential_point
namespace exponential_buckets {
inline constexpr uint32_t kOffset = 1, kCounts = 2;
inline constexpr OtlpField kFields[] = {{kOffset, "offset", "offset"},
                                        {kCounts, "bucket_counts", "bucketCounts"}};
}  // namespace exponential_buckets
namespace summary_point {
inline constexpr uint32_t kStart = 2, kTime = 3, kCount = 4, kSum = 5, kQuantiles = 6,
                          kAttributes = 7, kFlags = 8;
inline constexpr OtlpField kFields[] = {{kAttributes, "attributes", "attributes"},
                                        {kStart, "start_time_unix_nano", "startTimeUnixNano"},
                                        {kTime, "time_unix_nano", "timeUnixNano"},
                                        {kCount, "count", "count"},
                                        {kSum, "sum", "sum"},
                                        {kQuantiles, "quantile_values", "quantileValues"},
                                        {kFlags, "flags", "flags"}};
}  // namespace summary_point
namespace quantile_value {
inline constexpr uint32_t kQuantile = 1, kValue = 2;
inline constexpr OtlpField kFields[] = {{kQuantile, "quantile", "quantile"},
                                        {kValue, "value", "value"}};
}  // namespace quantile_value
namespace exemplar {
inline constexpr uint32_t kTime = 2, kDouble = 3, kSpanId = 4, kTraceId = 5, kInt = 6,
                          kAttributes = 7;
inline constexpr OtlpField kFields[] = {{kAttributes, "filtered_attributes", "filteredAttributes"},
                                        {kTime, "time_unix_nano", "timeUnixNano"},
                                        {kDouble, "as_double", "asDouble"},
                                        {kInt, "as_int", "asInt"},
                                        {kSpanId, "span_id", "spanId"},
                                        {kTraceId, "trace_id", "traceId"}};
}  // namespace exemplar

}  // namespace weft::codec

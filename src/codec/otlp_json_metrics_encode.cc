// SPDX-License-Identifier: Apache-2.0
//
// Metrics as OTLP/JSON.
#include <bit>

#include "codec/otlp_encode.h"
#include "codec/otlp_json_writer.h"
#include "codec/otlp_metric_parts.h"

namespace weft::codec {
namespace {

void PutUint64(std::string_view key, uint64_t value, OtlpJsonWriter* out) {
  if (value == 0) return;
  out->Key(key);
  out->UintText(value);
}
void PutInt32(std::string_view key, int32_t value, OtlpJsonWriter* out) {
  if (value != 0) out->Field(key, value);
}
// Without presence: +0 is absent, -0 is not.
void PutPlainReal(std::string_view key, double value, OtlpJsonWriter* out) {
  if (std::bit_cast<uint64_t>(value) != 0) out->Field(key, value);
}
void PutOptionalReal(std::string_view key, const std::optional<double>& value,
                     OtlpJsonWriter* out) {
  if (value) out->Field(key, *value);
}
// A oneof: the field of its type is written even when it is 0.
void PutNumber(const Value& value, OtlpJsonWriter* out) {
  if (value.type == ValueType::kDouble) out->Field("asDouble", value.real);
  if (value.type == ValueType::kInt) {
    out->Key("asInt");
    out->IntText(value.integer);
  }
}
void PutCounts(std::span<const uint64_t> counts, OtlpJsonWriter* out) {
  if (counts.empty()) return;
  out->Key("bucketCounts");
  out->BeginArray();
  for (uint64_t count : counts) out->UintText(count);
  out->EndArray();
}

void PutExemplars(std::span<const Exemplar> exemplars, OtlpJsonWriter* out) {
  if (exemplars.empty()) return;
  out->Key("exemplars");
  out->BeginArray();
  for (const Exemplar& exemplar : exemplars) {
    out->BeginObject();
    if (!exemplar.filtered_attributes.empty())
      PutKeyValues("filteredAttributes", exemplar.filtered_attributes, out);
    PutTime("timeUnixNano", exemplar.time_ns, out);
    PutNumber(exemplar.value, out);
    PutId("spanId", exemplar.span_id, out);
    PutId("traceId", exemplar.trace_id, out);
    out->EndObject();
  }
  out->EndArray();
}

void PutCommon(const DataPoint& point, OtlpJsonWriter* out) {
  PutAttributes(point.attributes, 0, out);
  PutTime("startTimeUnixNano", point.start_ns, out);
  PutTime("timeUnixNano", point.time_ns, out);
}

void PutPoint(const NumberPoint& point, OtlpJsonWriter* out) {
  PutNumber(point.value, out);
  PutExemplars(point.exemplars, out);
}

void PutPoint(const HistogramPoint& point, OtlpJsonWriter* out) {
  PutUint64("count", point.count, out);
  PutOptionalReal("sum", point.sum, out);
  PutCounts(point.bucket_counts, out);
  if (!point.explicit_bounds.empty()) {
    out->Key("explicitBounds");
    out->BeginArray();
    for (double bound : point.explicit_bounds) out->Double(bound);
    out->EndArray();
  }
  PutExemplars(point.exemplars, out);
  PutOptionalReal("min", point.min, out);
  PutOptionalReal("max", point.max, out);
}

void PutBuckets(std::string_view key, const ExponentialBuckets& buckets, OtlpJsonWriter* out) {
  if (!buckets.present) return;
  out->Key(key);
  out->BeginObject();
  PutInt32("offset", buckets.offset, out);
  PutCounts(buckets.counts, out);
  out->EndObject();
}

void PutPoint(const ExponentialHistogramPoint& point, OtlpJsonWriter* out) {
  PutUint64("count", point.count, out);
  PutOptionalReal("sum", point.sum, out);
  PutInt32("scale", point.scale, out);
  PutUint64("zeroCount", point.zero_count, out);
  PutBuckets("positive", point.positive, out);
  PutBuckets("negative", point.negative, out);
  PutExemplars(point.exemplars, out);
  PutOptionalReal("min", point.min, out);
  PutOptionalReal("max", point.max, out);
  PutPlainReal("zeroThreshold", point.zero_threshold, out);
}

void PutPoint(const SummaryPoint& point, OtlpJsonWriter* out) {
  PutUint64("count", point.count, out);
  PutPlainReal("sum", point.sum, out);
  if (point.quantiles.empty()) return;
  out->Key("quantileValues");
  out->BeginArray();
  for (const QuantileValue& quantile : point.quantiles) {
    out->BeginObject();
    PutPlainReal("quantile", quantile.quantile, out);
    PutPlainReal("value", quantile.value, out);
    out->EndObject();
  }
  out->EndArray();
}

template <class Point>
void PutPoints(std::span<Point> points, OtlpJsonWriter* out) {
  if (points.empty()) return;
  out->Key("dataPoints");
  out->BeginArray();
  for (const Point& point : points) {
    out->BeginObject();
    PutCommon(point, out);
    PutPoint(point, out);
    PutCount("flags", point.flags, out);
    out->EndObject();
  }
  out->EndArray();
}

// Data without points is written too: which kind it is of is part of the metric.
void PutData(const Metric& metric, OtlpJsonWriter* out) {
  if (metric.kind == MetricKind::kNone) return;
  const OtlpFields fields = MetricDataFields(metric.kind);
  out->Key(MetricDataField(metric.kind).json);
  out->BeginObject();
  PutPoints(metric.numbers, out);
  PutPoints(metric.histograms, out);
  PutPoints(metric.exponential_histograms, out);
  PutPoints(metric.summaries, out);
  if (!OtlpFieldName(fields, metric_data::kTemporality).empty())
    PutEnum("aggregationTemporality", static_cast<uint32_t>(metric.temporality), out);
  if (!OtlpFieldName(fields, metric_data::kMonotonic).empty() && metric.monotonic)
    out->Field("isMonotonic", true);
  out->EndObject();
}

void PutMetric(const Metric& metric, OtlpJsonWriter* out) {
  out->BeginObject();
  PutText("name", metric.name, out);
  PutText("description", metric.description, out);
  PutText("unit", metric.unit, out);
  PutData(metric, out);
  if (!metric.metadata.empty()) PutKeyValues("metadata", metric.metadata, out);
  out->EndObject();
}

}  // namespace

void EncodeMetricsJson(const MetricBatch& batch, std::string* out) {
  OtlpJsonWriter writer(false, out);
  PutRequest(kMetricSignal, kMetricSignal.request[0].json, batch, batch.metrics, &writer,
             PutMetric);
}

}  // namespace weft::codec

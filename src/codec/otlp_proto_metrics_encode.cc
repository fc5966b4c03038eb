// SPDX-License-Identifier: Apache-2.0
//
// Metrics as OTLP protobuf. Everything runs backwards: see otlp_proto_writer.h.
#include <bit>

#include "codec/otlp_encode.h"
#include "codec/otlp_metric_parts.h"
#include "codec/otlp_proto_writer.h"

namespace weft::codec {
namespace {

void PutReal(uint32_t number, double value, OtlpWriter* out) {
  out->Fixed64(number, std::bit_cast<uint64_t>(value));
}
// Without presence: +0 is absent, -0 is not.
void PutPlainReal(uint32_t number, double value, OtlpWriter* out) {
  if (std::bit_cast<uint64_t>(value) != 0) PutReal(number, value, out);
}
void PutOptionalReal(uint32_t number, const std::optional<double>& value, OtlpWriter* out) {
  if (value) PutReal(number, *value, out);
}
// sint32: the sign goes to the lowest bit.
void PutSint32(uint32_t number, int32_t value, OtlpWriter* out) {
  if (value == 0) return;
  const auto bits = static_cast<uint32_t>(value);
  out->Varint(number, bits << 1 ^ static_cast<uint32_t>(value >> 31));
}
// A oneof: the field of its type is written even when it is 0.
void PutIfInt(uint32_t number, const Value& value, OtlpWriter* out) {
  if (value.type == ValueType::kInt) out->Fixed64(number, static_cast<uint64_t>(value.integer));
}
void PutIfDouble(uint32_t number, const Value& value, OtlpWriter* out) {
  if (value.type == ValueType::kDouble) PutReal(number, value.real, out);
}
// Packed. The machine's byte order is protobuf's.
template <class Number>
void PutFixed64s(uint32_t number, std::span<const Number> numbers, OtlpWriter* out) {
  static_assert(sizeof(Number) == sizeof(uint64_t));
  if (numbers.empty()) return;
  out->Bytes(number, {reinterpret_cast<const char*>(numbers.data()), numbers.size_bytes()});
}

void PutExemplars(uint32_t number, std::span<const Exemplar> exemplars, OtlpWriter* out) {
  for (const Exemplar& exemplar : std::views::reverse(exemplars)) {
    const size_t mark = out->bytes();
    PutAttributes(exemplar::kAttributes, exemplar.filtered_attributes, out);
    PutIfInt(exemplar::kInt, exemplar.value, out);
    PutId(exemplar::kTraceId, exemplar.trace_id, out);
    PutId(exemplar::kSpanId, exemplar.span_id, out);
    PutIfDouble(exemplar::kDouble, exemplar.value, out);
    PutFixed64(exemplar::kTime, exemplar.time_ns, out);
    out->CloseMessage(number, mark);
  }
}

void PutPoint(const NumberPoint& point, OtlpWriter* out) {
  PutCount(number_point::kFlags, point.flags, out);
  PutAttributes(number_point::kAttributes, point.attributes, out);
  PutIfInt(number_point::kInt, point.value, out);
  PutExemplars(number_point::kExemplars, point.exemplars, out);
  PutIfDouble(number_point::kDouble, point.value, out);
  PutFixed64(number_point::kTime, point.time_ns, out);
  PutFixed64(number_point::kStart, point.start_ns, out);
}

void PutPoint(const HistogramPoint& point, OtlpWriter* out) {
  PutOptionalReal(histogram_point::kMax, point.max, out);
  PutOptionalReal(histogram_point::kMin, point.min, out);
  PutCount(histogram_point::kFlags, point.flags, out);
  PutAttributes(histogram_point::kAttributes, point.attributes, out);
  PutExemplars(histogram_point::kExemplars, point.exemplars, out);
  PutFixed64s(histogram_point::kExplicitBounds, point.explicit_bounds, out);
  PutFixed64s(histogram_point::kBucketCounts, point.bucket_counts, out);
  PutOptionalReal(histogram_point::kSum, point.sum, out);
  PutFixed64(histogram_point::kCount, point.count, out);
  PutFixed64(histogram_point::kTime, point.time_ns, out);
  PutFixed64(histogram_point::kStart, point.start_ns, out);
}

void PutBuckets(uint32_t number, const ExponentialBuckets& buckets, OtlpWriter* out) {
  if (!buckets.present) return;
  const size_t mark = out->bytes();
  if (!buckets.counts.empty()) {
    for (uint64_t count : std::views::reverse(buckets.counts)) out->PackedVarint(count);
    out->CloseMessage(exponential_buckets::kCounts, mark);
  }
  PutSint32(exponential_buckets::kOffset, buckets.offset, out);
  out->CloseMessage(number, mark);
}

void PutPoint(const ExponentialHistogramPoint& point, OtlpWriter* out) {
  PutPlainReal(exponential_point::kZeroThreshold, point.zero_threshold, out);
  PutOptionalReal(exponential_point::kMax, point.max, out);
  PutOptionalReal(exponential_point::kMin, point.min, out);
  PutExemplars(exponential_point::kExemplars, point.exemplars, out);
  PutCount(exponential_point::kFlags, point.flags, out);
  PutBuckets(exponential_point::kNegative, point.negative, out);
  PutBuckets(exponential_point::kPositive, point.positive, out);
  PutFixed64(exponential_point::kZeroCount, point.zero_count, out);
  PutSint32(exponential_point::kScale, point.scale, out);
  PutOptionalReal(exponential_point::kSum, point.sum, out);
  PutFixed64(exponential_point::kCount, point.count, out);
  PutFixed64(exponential_point::kTime, point.time_ns, out);
  PutFixed64(exponential_point::kStart, point.start_ns, out);
  PutAttributes(exponential_point::kAttributes, point.attributes, out);
}

void PutPoint(const SummaryPoint& point, OtlpWriter* out) {
  PutCount(summary_point::kFlags, point.flags, out);
  PutAttributes(summary_point::kAttributes, point.attributes, out);
  for (const QuantileValue& quantile : std::views::reverse(point.quantiles)) {
    const size_t mark = out->bytes();
    PutPlainReal(quantile_value::kValue, quantile.value, out);
    PutPlainReal(quantile_value::kQuantile, quantile.quantile, out);
    out->CloseMessage(summary_point::kQuantiles, mark);
  }
  PutPlainReal(summary_point::kSum, point.sum, out);
  PutFixed64(summary_point::kCount, point.count, out);
  PutFixed64(summary_point::kTime, point.time_ns, out);
  PutFixed64(summary_point::kStart, point.start_ns, out);
}

template <class Point>
void PutPoints(std::span<Point> points, OtlpWriter* out) {
  for (const Point& point : std::views::reverse(points)) {
    const size_t mark = out->bytes();
    PutPoint(point, out);
    out->CloseMessage(metric_data::kDataPoints, mark);
  }
}

// Data without points is written too: which kind it is of is part of the metric.
void PutData(const Metric& metric, OtlpWriter* out) {
  if (metric.kind == MetricKind::kNone) return;
  const size_t mark = out->bytes();
  const OtlpFields fields = MetricDataFields(metric.kind);
  if (!OtlpFieldName(fields, metric_data::kMonotonic).empty() && metric.monotonic)
    out->Varint(metric_data::kMonotonic, 1);
  if (!OtlpFieldName(fields, metric_data::kTemporality).empty())
    PutEnum(metric_data::kTemporality, static_cast<uint32_t>(metric.temporality), out);
  PutPoints(metric.summaries, out);
  PutPoints(metric.exponential_histograms, out);
  PutPoints(metric.histograms, out);
  PutPoints(metric.numbers, out);
  out->CloseMessage(MetricDataField(metric.kind).number, mark);
}

void PutMetric(const Metric& metric, OtlpWriter* out) {
  PutAttributes(metric::kMetadata, metric.metadata, out);
  PutData(metric, out);
  PutText(metric::kUnit, metric.unit, out);
  PutText(metric::kDescription, metric.description, out);
  PutText(metric::kName, metric.name, out);
}

}  // namespace

void EncodeMetricsProto(const MetricBatch& batch, ProtoText text, std::string* out) {
  OtlpWriter writer(batch.point_count() * 128 + batch.metrics.size() * 64 + 256, text);
  PutRequest(batch, batch.metrics, &writer, PutMetric);
  writer.AppendTo(out);
}

}  // namespace weft::codec

// SPDX-License-Identifier: Apache-2.0
//
// MetricParts: what both OTLP decoders collect of the metric at hand: its points, the lists of the
// point at hand, which data counts, and where reading stands, for messages.
//
// Thread rule: one of each per decoding. Next: codec/otlp_proto_metrics.cc, otlp_json_metrics.cc.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "codec/batch_parts.h"
#include "codec/otlp_fields.h"
#include "model/metric_batch.h"

namespace weft::codec {

// The field of Metric that holds the data of this kind. REQUIRES: kind is not kNone.
constexpr const OtlpField& MetricDataField(MetricKind kind) {
  return metric::kData[static_cast<size_t>(kind) - 1];
}
static_assert(MetricDataField(MetricKind::kGauge).number == metric::kGauge &&
              MetricDataField(MetricKind::kSum).number == metric::kSum &&
              MetricDataField(MetricKind::kHistogram).number == metric::kHistogram &&
              MetricDataField(MetricKind::kExponentialHistogram).number ==
                  metric::kExponentialHistogram &&
              MetricDataField(MetricKind::kSummary).number == metric::kSummary);
// The kind whose data is in field `number` of Metric, or kNone.
constexpr MetricKind MetricKindOf(uint32_t number) {
  for (size_t i = 0; i < metric::kData.size(); ++i)
    if (metric::kData[i].number == number) return static_cast<MetricKind>(i + 1);
  return MetricKind::kNone;
}
// The fields of the data of this kind.
constexpr OtlpFields MetricDataFields(MetricKind kind) {
  switch (kind) {
    case MetricKind::kSum:
      return metric_data::kSum;
    case MetricKind::kHistogram:
    case MetricKind::kExponentialHistogram:
      return metric_data::kHistograms;
    default:
      return metric_data::kPlain;
  }
}

// The message for the points that are lost when a metric has data of two kinds.
inline std::string ReplacedData(std::string place, MetricKind lost, MetricKind kept) {
  return std::move(place) + ": has " + std::string(MetricKindText(lost)) + " and " +
         std::string(MetricKindText(kept)) + " data, of which the last counts";
}

struct MetricParts {
  void Begin() {
    kind = MetricKind::kNone;
    problem.clear();
    DropPoints();
  }
  // Data of this kind is read next. Of two kinds in one metric the last counts: returns how many
  // points of the other were read and are lost.
  size_t BeginData(MetricKind next, Metric* metric) {
    size_t lost = 0;
    if (kind != next) {
      lost = PointCount();
      DropPoints();
      metric->monotonic = false;
      metric->temporality = AggregationTemporality::kUnspecified;
    }
    metric->kind = kind = next;
    point_index = 0;
    return lost;
  }
  void BeginPoint(size_t mark) {
    attributes_mark = mark;
    exemplar_index = 0;
    exemplars.Clear();
    quantiles.Clear();
    counts.Clear();
    negative_counts.Clear();
    bounds.Clear();
  }
  size_t PointCount() const {
    return numbers.mark() + histograms.mark() + exponential_histograms.mark() + summaries.mark();
  }
  void TakeInto(Metric* metric, Arena* arena) {
    metric->numbers = numbers.TakeSince(0, arena);
    metric->histograms = histograms.TakeSince(0, arena);
    metric->exponential_histograms = exponential_histograms.TakeSince(0, arena);
    metric->summaries = summaries.TakeSince(0, arena);
  }
  void DropPoints() {
    numbers.Clear();
    histograms.Clear();
    exponential_histograms.Clear();
    summaries.Clear();
  }
  // "sum.dataPoints[5]", in one spelling.
  std::string PointPath(OtlpSpelling spelling) const {
    return std::string(MetricDataField(kind).*spelling) + "." +
           std::string(metric_data::kFields[0].*spelling) + "[" + std::to_string(point_index) + "]";
  }
  std::string ExemplarPath(OtlpSpelling spelling) const {
    return PointPath(spelling) + ".exemplars[" + std::to_string(exemplar_index) + "]";
  }

  MetricKind kind = MetricKind::kNone;
  // Not empty: the first wrong value that belongs to no point, which costs the metric.
  std::string problem;
  ItemStack<NumberPoint> numbers;
  ItemStack<HistogramPoint> histograms;
  ItemStack<ExponentialHistogramPoint> exponential_histograms;
  ItemStack<SummaryPoint> summaries;

  // Of the point at hand. Its attributes lie above the mark on OtlpScratch's stack.
  size_t point_index = 0, exemplar_index = 0;
  size_t attributes_mark = 0;
  ItemStack<Exemplar> exemplars;
  ItemStack<QuantileValue> quantiles;
  ItemStack<uint64_t> counts, negative_counts;  // of buckets; `counts` of positive ones
  ItemStack<double> bounds;
};

}  // namespace weft::codec

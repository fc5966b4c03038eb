// SPDX-License-Identifier: Apache-2.0
#include "model/metric_batch.h"

#include <algorithm>

namespace weft {
namespace {

template <class T>
std::span<T> CopySpanOf(std::span<const T> items, Arena* arena) {
  std::span<T> out = arena->NewArray<T>(items.size());
  std::ranges::copy(items, out.begin());
  return out;
}

std::span<const Exemplar> CopyExemplars(std::span<const Exemplar> exemplars, Arena* arena) {
  std::span<Exemplar> out = CopySpanOf(exemplars, arena);
  for (Exemplar& exemplar : out)
    exemplar.filtered_attributes = CopyAttributes(exemplar.filtered_attributes, arena);
  return out;
}

void Own(NumberPoint* point, Arena* arena) {
  point->exemplars = CopyExemplars(point->exemplars, arena);
}
void Own(HistogramPoint* point, Arena* arena) {
  point->bucket_counts = CopySpanOf(point->bucket_counts, arena);
  point->explicit_bounds = CopySpanOf(point->explicit_bounds, arena);
  point->exemplars = CopyExemplars(point->exemplars, arena);
}
void Own(ExponentialHistogramPoint* point, Arena* arena) {
  point->positive.counts = CopySpanOf(point->positive.counts, arena);
  point->negative.counts = CopySpanOf(point->negative.counts, arena);
  point->exemplars = CopyExemplars(point->exemplars, arena);
}
void Own(SummaryPoint* point, Arena* arena) {
  point->quantiles = CopySpanOf(point->quantiles, arena);
}

template <class Point>
std::span<Point> CopyPoints(std::span<Point> points, Arena* arena) {
  std::span<Point> out = CopySpanOf(std::span<const Point>(points), arena);
  for (Point& point : out) {
    point.attributes = CopyAttributes(point.attributes, arena);
    Own(&point, arena);
  }
  return out;
}

}  // namespace

uint64_t MetricBatch::point_count() const {
  uint64_t count = 0;
  for (const Metric& metric : metrics) count += metric.point_count();
  return count;
}

std::string_view MetricKindText(MetricKind kind) {
  switch (kind) {
    case MetricKind::kNone:
      return "none";
    case MetricKind::kGauge:
      return "gauge";
    case MetricKind::kSum:
      return "sum";
    case MetricKind::kHistogram:
      return "histogram";
    case MetricKind::kExponentialHistogram:
      return "exponential_histogram";
    case MetricKind::kSummary:
      return "summary";
  }
  return "none";
}

Metric CopyMetric(const Metric& metric, Arena* arena) {
  Metric out = metric;
  out.name = arena->Copy(metric.name);
  out.description = arena->Copy(metric.description);
  out.unit = arena->Copy(metric.unit);
  out.metadata = CopyAttributes(metric.metadata, arena);
  out.numbers = CopyPoints(metric.numbers, arena);
  out.histograms = CopyPoints(metric.histograms, arena);
  out.exponential_histograms = CopyPoints(metric.exponential_histograms, arena);
  out.summaries = CopyPoints(metric.summaries, arena);
  return out;
}

}  // namespace weft

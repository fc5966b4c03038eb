// SPDX-License-Identifier: Apache-2.0
#include "testing/random_metrics.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <random>

#include "testing/random_batch.h"

namespace weft::testing {
namespace {

class Generator {
 public:
  Generator(const RandomMetricsOptions& options, MetricBatch* batch)
      : options_(options), batch_(batch), random_(options.seed * 1000003 + 7) {
    auto parts = std::make_shared<SpanBatch>(RandomBatch(
        {.seed = options.seed, .spans = 40, .logs = 0, .json_safe = options.json_safe}));
    parts_ = parts.get();
    batch->owners.push_back(parts);
    batch->resources = parts->resources;
    batch->scopes = parts->scopes;
  }

  void Run() {
    for (size_t i = 0; i < options_.metrics; ++i) batch_->metrics.push_back(NewMetric());
  }

 private:
  uint64_t Below(uint64_t bound) { return random_() % bound; }
  bool OneIn(uint64_t n) { return Below(n) == 0; }
  const Span& AnySpan() { return parts_->spans[Below(parts_->spans.size())]; }
  Attributes SomeAttributes() { return OneIn(3) ? Attributes() : AnySpan().attributes; }
  uint64_t Number() {
    switch (Below(6)) {
      case 0:
        return 0;
      case 1:
        return std::numeric_limits<uint64_t>::max();
      case 2:
        return random_();
      default:
        return Below(2000);
    }
  }
  double Real() {
    switch (Below(8)) {
      case 0:
        return std::numeric_limits<double>::quiet_NaN();
      case 1:
        return OneIn(2) ? HUGE_VAL : -HUGE_VAL;
      case 2:
        return OneIn(2) ? 0.0 : -0.0;
      case 3:
        return std::numeric_limits<double>::denorm_min() * static_cast<double>(1 + Below(9));
      case 4: {
        const double real = std::bit_cast<double>(random_());
        return options_.json_safe && real != real ? 0.1 : real;
      }
      case 5:
        return options_.json_safe ? 1e300 : std::bit_cast<double>(0x7FF8'0000'DEAD'BEEFu);
      default:
        return static_cast<double>(Below(100000)) / 16;
    }
  }
  std::optional<double> MaybeReal() {
    if (OneIn(3)) return std::nullopt;
    return OneIn(4) ? 0.0 : Real();
  }
  Value NewNumber() {
    if (OneIn(6)) return {};
    if (OneIn(2)) return Value::Double(Real());
    return Value::Int(OneIn(4) ? std::numeric_limits<int64_t>::min()
                               : static_cast<int64_t>(Number()));
  }
  int32_t Signed() {
    if (OneIn(3)) return 0;
    return OneIn(2) ? static_cast<int32_t>(random_()) : static_cast<int32_t>(Below(40)) - 20;
  }
  std::span<const uint64_t> Counts() {
    std::span<uint64_t> counts = batch_->arena.NewArray<uint64_t>(OneIn(4)   ? 0
                                                                  : OneIn(8) ? 300
                                                                             : Below(20));
    for (uint64_t& count : counts) count = Number();
    return counts;
  }
  std::span<const double> Bounds() {
    std::span<double> bounds = batch_->arena.NewArray<double>(Below(16));
    for (double& bound : bounds) bound = Real();
    return bounds;
  }
  ExponentialBuckets Buckets() {
    if (OneIn(3)) return {};
    ExponentialBuckets buckets{.present = true};
    if (OneIn(4)) return buckets;
    buckets.offset = Signed();
    buckets.counts = Counts();
    return buckets;
  }
  std::span<const Exemplar> Exemplars() {
    std::span<Exemplar> exemplars = batch_->arena.NewArray<Exemplar>(OneIn(2) ? 0 : Below(4));
    for (Exemplar& exemplar : exemplars) {
      if (OneIn(5)) continue;
      exemplar.filtered_attributes = SomeAttributes();
      exemplar.time_ns = Number();
      if (!OneIn(3)) exemplar.span_id = AnySpan().span_id;
      if (!OneIn(3)) exemplar.trace_id = AnySpan().trace_id;
      exemplar.value = NewNumber();
    }
    return exemplars;
  }

  void FillCommon(DataPoint* point) {
    point->attributes = SomeAttributes();
    point->start_ns = OneIn(3) ? 0 : AnySpan().start_ns;
    point->time_ns = OneIn(10) ? 0 : AnySpan().end_ns;
    point->flags = OneIn(6) ? static_cast<uint32_t>(random_()) : OneIn(3) ? kNoRecordedValue : 0;
  }
  void Fill(NumberPoint* point) {
    point->value = NewNumber();
    point->exemplars = Exemplars();
  }
  void Fill(HistogramPoint* point) {
    point->count = Number();
    point->sum = MaybeReal();
    point->min = MaybeReal();
    point->max = MaybeReal();
    point->bucket_counts = Counts();
    point->explicit_bounds = Bounds();
    point->exemplars = Exemplars();
  }
  void Fill(ExponentialHistogramPoint* point) {
    point->count = Number();
    point->sum = MaybeReal();
    point->min = MaybeReal();
    point->max = MaybeReal();
    point->scale = Signed();
    point->zero_count = Number();
    point->zero_threshold = Real();
    point->positive = Buckets();
    point->negative = Buckets();
    point->exemplars = Exemplars();
  }
  void Fill(SummaryPoint* point) {
    point->count = Number();
    point->sum = Real();
    std::span<QuantileValue> quantiles = batch_->arena.NewArray<QuantileValue>(Below(5));
    for (QuantileValue& quantile : quantiles) quantile = {Real(), Real()};
    point->quantiles = quantiles;
  }
  template <class Point>
  void FillPoints(std::span<Point>* points) {
    *points = batch_->arena.NewArray<Point>(Below(6));
    for (Point& point : *points) {
      if (OneIn(10)) continue;  // a point with nothing in it
      FillCommon(&point);
      Fill(&point);
    }
  }
  Metric NewMetric() {
    Metric metric;
    metric.name = AnySpan().name;
    metric.description = OneIn(2) ? "" : AnySpan().name;
    metric.unit = OneIn(2) ? "" : "By";
    if (OneIn(3)) metric.metadata = SomeAttributes();
    metric.kind = static_cast<MetricKind>(Below(6));
    const bool sum = metric.kind == MetricKind::kSum;
    metric.monotonic = sum && OneIn(2);
    if (sum || metric.kind == MetricKind::kHistogram ||
        metric.kind == MetricKind::kExponentialHistogram)
      metric.temporality = static_cast<AggregationTemporality>(OneIn(8) ? random_() : Below(3));
    metric.resource = static_cast<uint32_t>(Below(batch_->resources.size()));
    metric.scope = static_cast<uint32_t>(Below(batch_->scopes.size()));
    if (sum || metric.kind == MetricKind::kGauge) FillPoints(&metric.numbers);
    if (metric.kind == MetricKind::kHistogram) FillPoints(&metric.histograms);
    if (metric.kind == MetricKind::kExponentialHistogram)
      FillPoints(&metric.exponential_histograms);
    if (metric.kind == MetricKind::kSummary) FillPoints(&metric.summaries);
    return metric;
  }

  const RandomMetricsOptions options_;
  MetricBatch* const batch_;
  const SpanBatch* parts_;
  std::mt19937_64 random_;
};

// Walks two batches side by side and keeps the path to the first difference.
class Comparison {
 public:
  const std::string& difference() const { return difference_; }

  void Of(const MetricBatch& a, const MetricBatch& b) {
    Each("metrics", std::span<const Metric>(a.metrics), std::span<const Metric>(b.metrics),
         [&](const Metric& one, const Metric& other) {
           Of(one, other);
           Of(a.resources[one.resource], b.resources[other.resource]);
           Of(a.scopes[one.scope], b.scopes[other.scope]);
         });
  }

 private:
  void Field(std::string_view name, bool same) {
    if (!same && difference_.empty()) difference_ = path_ + std::string(name);
  }
  template <class T, class OfOne>
  void Each(std::string_view name, std::span<T> a, std::span<T> b, OfOne of_one) {
    Field(std::string(name) + ".size", a.size() == b.size());
    const std::string outer = path_;
    for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
      path_ = outer + std::string(name) + "[" + std::to_string(i) + "].";
      of_one(a[i], b[i]);
    }
    path_ = outer;
  }
  void Real(std::string_view name, double a, double b) {
    Field(name, std::bit_cast<uint64_t>(a) == std::bit_cast<uint64_t>(b));
  }
  void Real(std::string_view name, const std::optional<double>& a, const std::optional<double>& b) {
    Field(std::string(name) + ".present", a.has_value() == b.has_value());
    if (a && b) Real(name, *a, *b);
  }
  void Of(std::string_view name, Attributes a, Attributes b) {
    Field(name, std::ranges::equal(a, b));
  }
  void Of(const Resource& a, const Resource& b) {
    Of("resource.attributes", a.attributes, b.attributes);
    Field("resource.dropped_attributes", a.dropped_attributes == b.dropped_attributes);
    Field("resource.schema_url", a.schema_url == b.schema_url);
    Field("resource.entity_refs", a.entity_refs == b.entity_refs);
  }
  void Of(const Scope& a, const Scope& b) {
    Field("scope.name", a.name == b.name);
    Field("scope.version", a.version == b.version);
    Of("scope.attributes", a.attributes, b.attributes);
    Field("scope.dropped_attributes", a.dropped_attributes == b.dropped_attributes);
    Field("scope.schema_url", a.schema_url == b.schema_url);
  }
  void Of(const Metric& a, const Metric& b) {
    Field("name", a.name == b.name);
    Field("description", a.description == b.description);
    Field("unit", a.unit == b.unit);
    Of("metadata", a.metadata, b.metadata);
    Field("kind", a.kind == b.kind);
    Field("monotonic", a.monotonic == b.monotonic);
    Field("temporality", a.temporality == b.temporality);
    const auto of_point = [&](const auto& one, const auto& other) {
      Of("attributes", one.attributes, other.attributes);
      Field("start_ns", one.start_ns == other.start_ns);
      Field("time_ns", one.time_ns == other.time_ns);
      Field("flags", one.flags == other.flags);
      Of(one, other);
    };
    Each("numbers", a.numbers, b.numbers, of_point);
    Each("histograms", a.histograms, b.histograms, of_point);
    Each("exponential_histograms", a.exponential_histograms, b.exponential_histograms, of_point);
    Each("summaries", a.summaries, b.summaries, of_point);
  }
  void Of(const NumberPoint& a, const NumberPoint& b) {
    Field("value", a.value == b.value);
    Of(a.exemplars, b.exemplars);
  }
  void Of(const HistogramPoint& a, const HistogramPoint& b) {
    Field("count", a.count == b.count);
    Real("sum", a.sum, b.sum);
    Real("min", a.min, b.min);
    Real("max", a.max, b.max);
    Field("bucket_counts", std::ranges::equal(a.bucket_counts, b.bucket_counts));
    Each("explicit_bounds", a.explicit_bounds, b.explicit_bounds,
         [&](double one, double other) { Real("", one, other); });
    Of(a.exemplars, b.exemplars);
  }
  void Of(std::string_view name, const ExponentialBuckets& a, const ExponentialBuckets& b) {
    Field(std::string(name) + ".present", a.present == b.present);
    Field(std::string(name) + ".offset", a.offset == b.offset);
    Field(std::string(name) + ".counts", std::ranges::equal(a.counts, b.counts));
  }
  void Of(const ExponentialHistogramPoint& a, const ExponentialHistogramPoint& b) {
    Field("count", a.count == b.count);
    Real("sum", a.sum, b.sum);
    Real("min", a.min, b.min);
    Real("max", a.max, b.max);
    Field("scale", a.scale == b.scale);
    Field("zero_count", a.zero_count == b.zero_count);
    Real("zero_threshold", a.zero_threshold, b.zero_threshold);
    Of("positive", a.positive, b.positive);
    Of("negative", a.negative, b.negative);
    Of(a.exemplars, b.exemplars);
  }
  void Of(const SummaryPoint& a, const SummaryPoint& b) {
    Field("count", a.count == b.count);
    Real("sum", a.sum, b.sum);
    Each("quantiles", a.quantiles, b.quantiles,
         [&](const QuantileValue& one, const QuantileValue& other) {
           Real("quantile", one.quantile, other.quantile);
           Real("value", one.value, other.value);
         });
  }
  void Of(std::span<const Exemplar> a, std::span<const Exemplar> b) {
    Each("exemplars", a, b, [&](const Exemplar& one, const Exemplar& other) {
      Of("filtered_attributes", one.filtered_attributes, other.filtered_attributes);
      Field("time_ns", one.time_ns == other.time_ns);
      Field("span_id", one.span_id == other.span_id);
      Field("trace_id", one.trace_id == other.trace_id);
      Field("value", one.value == other.value);
    });
  }

  std::string path_, difference_;
};

}  // namespace

MetricBatch RandomMetrics(const RandomMetricsOptions& options) {
  MetricBatch batch;
  Generator(options, &batch).Run();
  return batch;
}

std::string MetricDifference(const MetricBatch& a, const MetricBatch& b) {
  Comparison comparison;
  comparison.Of(a, b);
  return comparison.difference();
}

}  // namespace weft::testing

// SPDX-License-Identifier: Apache-2.0
//
// MetricBatch: the metrics of one request, in OpenTelemetry's terms. Decoders (codec/) make it,
// pipelines change it in place, exporters write it out again; nothing stores it. As in SpanBatch
// (model/span_batch.h), metrics are flat in one vector and name their resource and scope by index,
// so grouping (ResourceMetrics / ScopeMetrics) is implied by runs of equal indexes. A metric's data
// points are one array in the arena, of the type that its kind has.
//
// Lifetime: every string_view and span in it points into `arena`, into `received` or into a batch
// kept alive by `owners`; all die with the batch. A batch moves, it is never copied.
// Thread rule: one thread at a time.
// Source: opentelemetry-proto metrics/v1, resource/v1, common/v1.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "model/ids.h"
#include "model/span_batch.h"
#include "model/value.h"

namespace weft {

// Which data a metric has.
enum class MetricKind : uint8_t {
  kNone = 0,  // none was sent
  kGauge = 1,
  kSum = 2,
  kHistogram = 3,
  kExponentialHistogram = 4,
  kSummary = 5,
};

// OTLP's numbers. Values outside the enum are kept as received.
enum class AggregationTemporality : uint32_t { kUnspecified = 0, kDelta = 1, kCumulative = 2 };

// Bit of DataPoint::flags: there was nothing to measure, the values mean nothing.
inline constexpr uint32_t kNoRecordedValue = 1;

struct Exemplar {
  Attributes filtered_attributes;
  uint64_t time_ns = 0;  // Unix epoch
  SpanId span_id;        // may be empty, as trace_id
  TraceId trace_id;
  Value value;  // kInt, kDouble, or kEmpty where none was sent
};

// What the points of all kinds have.
struct DataPoint {
  Attributes attributes;
  uint64_t start_ns = 0;  // Unix epoch; 0 where it is not known
  uint64_t time_ns = 0;   // Unix epoch
  uint32_t flags = 0;
};

// Of a gauge or a sum.
struct NumberPoint : DataPoint {
  Value value;  // kInt, kDouble, or kEmpty where none was sent
  std::span<const Exemplar> exemplars;
};

// Counts and bounds are kept as received, whether they fit each other or not.
struct HistogramPoint : DataPoint {
  uint64_t count = 0;
  std::optional<double> sum, min, max;
  std::span<const uint64_t> bucket_counts;  // one more than bounds, or none
  std::span<const double> explicit_bounds;
  std::span<const Exemplar> exemplars;
};

struct ExponentialBuckets {
  bool present = false;  // sent, be it empty
  int32_t offset = 0;
  std::span<const uint64_t> counts;
};

struct ExponentialHistogramPoint : DataPoint {
  uint64_t count = 0;
  std::optional<double> sum, min, max;
  int32_t scale = 0;
  uint64_t zero_count = 0;
  double zero_threshold = 0;
  ExponentialBuckets positive, negative;
  std::span<const Exemplar> exemplars;
};

struct QuantileValue {
  double quantile = 0;
  double value = 0;
};

struct SummaryPoint : DataPoint {
  uint64_t count = 0;
  double sum = 0;
  std::span<const QuantileValue> quantiles;
};

struct Metric {
  std::string_view name;
  std::string_view description;
  std::string_view unit;
  Attributes metadata;
  MetricKind kind = MetricKind::kNone;
  bool monotonic = false;  // of a sum
  // Of a sum, a histogram and an exponential histogram.
  AggregationTemporality temporality = AggregationTemporality::kUnspecified;
  uint32_t resource = 0;  // index into MetricBatch::resources
  uint32_t scope = 0;     // index into MetricBatch::scopes
  // Those of the kind; the others are empty.
  std::span<NumberPoint> numbers;  // kGauge, kSum
  std::span<HistogramPoint> histograms;
  std::span<ExponentialHistogramPoint> exponential_histograms;
  std::span<SummaryPoint> summaries;

  size_t point_count() const {
    return numbers.size() + histograms.size() + exponential_histograms.size() + summaries.size();
  }
};

class MetricBatch {
 public:
  MetricBatch() = default;
  MetricBatch(MetricBatch&&) = default;
  MetricBatch& operator=(MetricBatch&&) = default;

  Arena arena;
  std::string received;  // the decompressed request, kept alive for the views into it
  std::vector<std::shared_ptr<const void>> owners;

  std::vector<Resource> resources;
  std::vector<Scope> scopes;
  std::vector<Metric> metrics;

  // In data points. A metric that is refused as a whole counts each of its points, but at least 1.
  Rejection rejected_points;
  // Wrong values of resources and scopes, and exemplars with one: left out alone, the points stay.
  Rejection left_out;
  // Objects around points in which none was found, but fields that nobody knows.
  Rejection not_understood;
  uint64_t received_ns = 0;                  // when the request arrived
  std::shared_ptr<const ClientInfo> client;  // null: unknown, or not one client's
  std::string tenant;                        // empty: the default tenant
  // True while `received` is an OTLP protobuf ExportMetricsServiceRequest whose decoding gave
  // exactly this content: it may then be sent on as it is. Whoever changes the batch clears it.
  bool received_is_content = false;

  // A metric without a point is content too.
  bool empty() const { return metrics.empty(); }
  uint64_t point_count() const;
};

// "gauge", ..., "exponential_histogram": the names of OTLP's fields; "none" for no data.
std::string_view MetricKindText(MetricKind kind);

// Copies the metric with its points into `arena`, strings and nested values included, so that the
// copy outlives its source. The indexes of resource and scope are left as they are in the source.
Metric CopyMetric(const Metric& metric, Arena* arena);

}  // namespace weft

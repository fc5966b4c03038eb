// SPDX-License-Identifier: Apache-2.0
//
// ns per span of OTLP decoding and encoding, MB/s of compression, over the two shapes of ./dev
// bench: tracegen (11 attributes of 97 keys and 1000 values) and shop (15 services, about 9
// attributes). ns per data point of metrics as an SDK exports them.
#include <benchmark/benchmark.h>

#include <random>

#include "codec/otlp.h"
#include "codec/otlp_metrics.h"
#include "wire/compression.h"

namespace weft::codec {
namespace {

constexpr size_t kSpans = 1000;
constexpr int kTracegen = 0, kShop = 1;

class Shapes {
 public:
  explicit Shapes(int shape) : shape_(shape) {
    const int services = shape == kShop ? 15 : 1;
    for (int i = 0; i < services; ++i) {
      auto attributes = batch_.arena.NewArray<KeyValue>(4);
      attributes[0] = {"service.name", Text("service-" + std::to_string(i))};
      attributes[1] = {"host.name", Text("node-" + std::to_string(i % 4))};
      attributes[2] = {"telemetry.sdk.language", Value::String("go")};
      attributes[3] = {"process.pid", Value::Int(4000 + i)};
      batch_.resources.push_back({.attributes = attributes});
    }
    batch_.scopes.push_back({.name = "bench", .version = "1.0.0"});
    const size_t per_resource = kSpans / batch_.resources.size() + 1;
    for (size_t i = 0; i < kSpans; ++i) AddSpan(i, static_cast<uint32_t>(i / per_resource));
  }
  const SpanBatch& batch() const { return batch_; }

 private:
  Value Text(const std::string& text) { return Value::String(batch_.arena.Copy(text)); }
  void AddSpan(size_t index, uint32_t resource) {
    Span& span = batch_.spans.emplace_back();
    const uint64_t trace = index / (shape_ == kShop ? 16 : 10);
    std::mt19937_64 trace_random(trace);
    for (uint8_t& byte : span.trace_id.bytes) byte = static_cast<uint8_t>(trace_random());
    for (uint8_t& byte : span.span_id.bytes) byte = static_cast<uint8_t>(random_());
    for (uint8_t& byte : span.parent_span_id.bytes) byte = static_cast<uint8_t>(random_());
    span.resource = resource;
    span.start_ns = 1'700'000'000'000'000'000u + random_() % 86'400'000'000'000u;
    span.end_ns = span.start_ns + random_() % 50'000'000;
    span.name = Text("operation-" + std::to_string(index % 31)).string();
    span.kind = static_cast<SpanKind>(1 + index % 5);
    span.flags = 0x101;
    shape_ == kShop ? ShopAttributes(&span) : TracegenAttributes(index, &span);
  }
  void TracegenAttributes(size_t index, Span* span) {
    auto attributes = batch_.arena.NewArray<KeyValue>(11);
    for (size_t i = 0; i < attributes.size(); ++i) {
      size_t n = index * 11 + i;
      attributes[i] = {Text("attribute.key." + std::to_string(n % 97)).string(),
                       Text("value-" + std::to_string(n % 1000))};
    }
    span->attributes = attributes;
  }
  void ShopAttributes(Span* span) {
    auto attributes = batch_.arena.NewArray<KeyValue>(9);
    attributes[0] = {"http.request.method", Value::String("POST")};
    attributes[1] = {"http.route", Value::String("/api/cart/{id}/items")};
    attributes[2] = {"http.response.status_code", Value::Int(200)};
    attributes[3] = {"server.address", Value::String("checkout.shop.svc.cluster.local")};
    attributes[4] = {"server.port", Value::Int(8080)};
    attributes[5] = {"network.protocol.version", Value::String("1.1")};
    attributes[6] = {"app.user.id", Text("user-" + std::to_string(random_() % 100000))};
    attributes[7] = {"app.cart.total", Value::Double(static_cast<double>(random_() % 10000) / 100)};
    attributes[8] = {"app.cart.empty", Value::Bool(false)};
    span->attributes = attributes;
    auto events = batch_.arena.NewArray<Event>(1);
    events[0] = {.time_ns = span->start_ns, .name = "message", .attributes = {}};
    if (random_() % 2 == 0) span->events = events;
  }

  int shape_;
  SpanBatch batch_;
  std::mt19937_64 random_{42};
};

std::string Encoded(int shape, OtlpFormat format) {
  std::string out;
  EncodeOtlpTraces(format, Shapes(shape).batch(), &out);
  return out;
}

void PerSpan(benchmark::State& state, size_t bytes) {
  using benchmark::Counter;
  state.counters["ns/span"] = Counter(static_cast<double>(state.iterations()) * kSpans * 1e-9,
                                      Counter::kIsRate | Counter::kInvert);
  state.counters["B/span"] = static_cast<double>(bytes) / kSpans;
  state.SetBytesProcessed(static_cast<int64_t>(bytes) * state.iterations());
}

void BM_Decode(benchmark::State& state) {
  const auto format = static_cast<OtlpFormat>(state.range(1));
  const std::string bytes = Encoded(static_cast<int>(state.range(0)), format);
  for (auto _ : state) {
    auto batch = DecodeOtlpTraces(format, bytes);
    benchmark::DoNotOptimize(batch->spans.data());
  }
  PerSpan(state, bytes.size());
}

// The content hash that the store takes of every span, for the sum of the two.
void BM_DecodeAndHash(benchmark::State& state) {
  const std::string bytes = Encoded(static_cast<int>(state.range(0)), OtlpFormat::kProtobuf);
  for (auto _ : state) {
    auto batch = DecodeOtlpTraces(OtlpFormat::kProtobuf, bytes);
    for (const Span& span : batch->spans) benchmark::DoNotOptimize(HashSpan(*batch, span));
  }
  PerSpan(state, bytes.size());
}

void BM_Encode(benchmark::State& state) {
  const auto format = static_cast<OtlpFormat>(state.range(1));
  Shapes shapes(static_cast<int>(state.range(0)));
  std::string out;
  for (auto _ : state) {
    out.clear();
    EncodeOtlpTraces(format, shapes.batch(), &out);
    benchmark::DoNotOptimize(out.data());
  }
  PerSpan(state, out.size());
}

void BM_Compress(benchmark::State& state) {
  const auto kind = static_cast<wire::Compression>(state.range(0));
  const std::string bytes = Encoded(kShop, OtlpFormat::kProtobuf);
  size_t compressed = 0;
  for (auto _ : state) compressed = wire::Compress(kind, bytes).size();
  PerSpan(state, bytes.size());
  state.counters["ratio"] = static_cast<double>(bytes.size()) / static_cast<double>(compressed);
}

void BM_Decompress(benchmark::State& state) {
  const auto kind = static_cast<wire::Compression>(state.range(0));
  const std::string bytes = Encoded(kShop, OtlpFormat::kProtobuf);
  const std::string compressed = wire::Compress(kind, bytes);
  for (auto _ : state) {
    auto text = wire::Decompress(kind, compressed, 64 << 20);
    benchmark::DoNotOptimize(text->data());
  }
  PerSpan(state, bytes.size());
}

// What an SDK in a web service exports each minute: counters, gauges and histograms of 14
// bounds with an exemplar each, some exponential histograms; 4 attributes a point.
class SdkMetrics {
 public:
  SdkMetrics() {
    auto resource = batch_.arena.NewArray<KeyValue>(3);
    resource[0] = {"service.name", Value::String("checkout")};
    resource[1] = {"host.name", Value::String("node-1")};
    resource[2] = {"telemetry.sdk.language", Value::String("go")};
    batch_.resources.push_back({.attributes = resource});
    batch_.scopes.push_back({.name = "go.opentelemetry.io/contrib/net/http", .version = "0.60.0"});
    for (size_t i = 0; i < kMetrics; ++i) AddMetric(i);
  }
  const MetricBatch& batch() const { return batch_; }

 private:
  static constexpr size_t kMetrics = 100, kPoints = 10;

  Attributes PointAttributes(size_t index) {
    auto attributes = batch_.arena.NewArray<KeyValue>(4);
    attributes[0] = {"http.request.method", Value::String("POST")};
    attributes[1] = {
        "http.route",
        Value::String(batch_.arena.Copy("/api/cart/" + std::to_string(index) + "/items"))};
    attributes[2] = {"http.response.status_code", Value::Int(200)};
    attributes[3] = {"network.protocol.version", Value::String("1.1")};
    return attributes;
  }
  std::span<const uint64_t> Counts(size_t count) {
    auto counts = batch_.arena.NewArray<uint64_t>(count);
    for (uint64_t& n : counts) n = random_() % 1000;
    return counts;
  }
  template <class Point>
  std::span<Point> Points() {
    auto points = batch_.arena.NewArray<Point>(kPoints);
    for (size_t i = 0; i < kPoints; ++i) {
      points[i].attributes = PointAttributes(i);
      points[i].start_ns = 1'700'000'000'000'000'000u;
      points[i].time_ns = points[i].start_ns + 60'000'000'000u;
    }
    return points;
  }
  void AddMetric(size_t index) {
    Metric& metric = batch_.metrics.emplace_back();
    metric.name = batch_.arena.Copy("http.server.metric." + std::to_string(index));
    metric.description = "What this metric measures, in a sentence.";
    metric.unit = "s";
    metric.kind = index % 10 == 9  ? MetricKind::kExponentialHistogram
                  : index % 3 == 2 ? MetricKind::kHistogram
                  : index % 3 == 1 ? MetricKind::kSum
                                   : MetricKind::kGauge;
    if (metric.kind != MetricKind::kGauge) metric.temporality = AggregationTemporality::kCumulative;
    switch (metric.kind) {
      case MetricKind::kHistogram:
        metric.histograms = Points<HistogramPoint>();
        for (HistogramPoint& point : metric.histograms) FillHistogram(&point);
        break;
      case MetricKind::kExponentialHistogram:
        metric.exponential_histograms = Points<ExponentialHistogramPoint>();
        for (ExponentialHistogramPoint& point : metric.exponential_histograms) {
          point.count = 1000;
          point.sum = 12.5;
          point.scale = 3;
          point.positive = {.present = true, .offset = -20, .counts = Counts(40)};
        }
        break;
      default:
        metric.numbers = Points<NumberPoint>();
        for (NumberPoint& point : metric.numbers)
          point.value = Value::Int(static_cast<int64_t>(random_() % 100000));
    }
  }
  void FillHistogram(HistogramPoint* point) {
    static constexpr double kBounds[] = {.005, .01, .025, .05, .075, .1,  .25,
                                         .5,   .75, 1,    2.5, 5,    7.5, 10};
    point->count = 1000;
    point->sum = 12.5;
    point->min = 0.001;
    point->max = 3.5;
    point->explicit_bounds = kBounds;
    point->bucket_counts = Counts(std::size(kBounds) + 1);
    auto exemplars = batch_.arena.NewArray<Exemplar>(1);
    exemplars[0].time_ns = point->time_ns;
    exemplars[0].trace_id.bytes[0] = exemplars[0].span_id.bytes[0] = 1;
    exemplars[0].value = Value::Double(0.25);
    point->exemplars = exemplars;
  }

  MetricBatch batch_;
  std::mt19937_64 random_{42};
};

void PerPoint(benchmark::State& state, uint64_t points, size_t bytes) {
  using benchmark::Counter;
  const double all = static_cast<double>(state.iterations()) * static_cast<double>(points);
  state.counters["ns/point"] = Counter(all * 1e-9, Counter::kIsRate | Counter::kInvert);
  state.counters["points/s"] = Counter(all, Counter::kIsRate);
  state.counters["B/point"] = static_cast<double>(bytes) / static_cast<double>(points);
  state.SetBytesProcessed(static_cast<int64_t>(bytes) * state.iterations());
}

void BM_DecodeMetrics(benchmark::State& state) {
  const auto format = static_cast<OtlpFormat>(state.range(0));
  const SdkMetrics metrics;
  std::string bytes;
  EncodeOtlpMetrics(format, metrics.batch(), &bytes);
  for (auto _ : state) {
    auto batch = DecodeOtlpMetrics(format, bytes);
    benchmark::DoNotOptimize(batch->metrics.data());
  }
  PerPoint(state, metrics.batch().point_count(), bytes.size());
}

void BM_EncodeMetrics(benchmark::State& state) {
  const auto format = static_cast<OtlpFormat>(state.range(0));
  const SdkMetrics metrics;
  std::string out;
  for (auto _ : state) {
    out.clear();
    EncodeOtlpMetrics(format, metrics.batch(), &out);
    benchmark::DoNotOptimize(out.data());
  }
  PerPoint(state, metrics.batch().point_count(), out.size());
}

BENCHMARK(BM_Decode)->ArgNames({"shop", "json"})->ArgsProduct({{kTracegen, kShop}, {0, 1}});
BENCHMARK(BM_DecodeAndHash)->ArgName("shop")->Arg(kTracegen)->Arg(kShop);
BENCHMARK(BM_Encode)->ArgNames({"shop", "json"})->ArgsProduct({{kTracegen, kShop}, {0, 1}});
BENCHMARK(BM_DecodeMetrics)->ArgName("json")->Arg(0)->Arg(1);
BENCHMARK(BM_EncodeMetrics)->ArgName("json")->Arg(0)->Arg(1);
BENCHMARK(BM_Compress)->ArgName("kind")->DenseRange(1, 5);
BENCHMARK(BM_Decompress)->ArgName("kind")->DenseRange(1, 5);

}  // namespace
}  // namespace weft::codec

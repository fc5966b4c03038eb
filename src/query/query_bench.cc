// SPDX-License-Identifier: Apache-2.0
//
// Questions over a generated store: 5 blocks of 200,000 spans each (16 spans a trace, 15 services,
// 6 attributes a span), one after another in time, as they lie after compaction. Each run is one
// Search() with warm pages.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <random>

#include "base/env.h"
#include "block/block_reader.h"
#include "block/block_writer.h"
#include "chunk/chunk.h"
#include "query/query.h"
#include "testing/segment_snapshot.h"

namespace weft::query {
namespace {

constexpr int kBlocks = 5;
constexpr int kSpansPerBlock = 200'000;
constexpr int kSpansPerTrace = 16;
constexpr uint64_t kEpochNs = 1'700'000'000'000'000'000;

class StoreMaker {
 public:
  SpanBatch Block(int number) {
    SpanBatch batch;
    for (int service = 0; service < 15; ++service) {
      std::span<KeyValue> attributes = batch.arena.NewArray<KeyValue>(2);
      attributes[0] = {"service.name", Text(&batch, "service-" + std::to_string(service))};
      attributes[1] = {"host.name", Text(&batch, "host-" + std::to_string(service % 5))};
      batch.resources.push_back({.attributes = attributes});
    }
    batch.scopes.push_back({.name = "bench"});
    for (int i = 0; i < kSpansPerBlock / kSpansPerTrace; ++i)
      AddTrace(&batch, number * (kSpansPerBlock / kSpansPerTrace) + i);
    return batch;
  }

 private:
  static Value Text(SpanBatch* batch, const std::string& text) {
    return Value::String(batch->arena.Copy(text));
  }

  void AddTrace(SpanBatch* batch, int number) {
    TraceId id;
    for (uint8_t& byte : id.bytes) byte = static_cast<uint8_t>(random_());
    uint64_t start = kEpochNs + static_cast<uint64_t>(number) * 50'000'000;
    SpanId root;
    for (int i = 0; i < kSpansPerTrace; ++i) {
      Span span;
      span.trace_id = id;
      for (uint8_t& byte : span.span_id.bytes) byte = static_cast<uint8_t>(random_());
      if (i == 0) {
        root = span.span_id;
      } else {
        span.parent_span_id = root;
      }
      span.start_ns = start + static_cast<uint64_t>(i) * 1'000'000;
      span.end_ns = span.start_ns + random_() % 100'000'000;
      span.name = Text(batch, "operation-" + std::to_string(random_() % 200)).string();
      span.kind = SpanKind::kServer;
      span.status = random_() % 100 == 0 ? StatusCode::kError : StatusCode::kUnset;
      span.resource = static_cast<uint32_t>(random_() % 15);
      std::span<KeyValue> attributes = batch->arena.NewArray<KeyValue>(6);
      attributes[0] = {"http.status_code", Value::Int(random_() % 50 == 0 ? 500 : 200)};
      attributes[1] = {"http.route", Text(batch, "/route/" + std::to_string(random_() % 500))};
      attributes[2] = {"user.id", Text(batch, "user-" + std::to_string(random_() % 100'000))};
      attributes[3] = {"retry", Value::Bool(random_() % 2 == 0)};
      attributes[4] = {"bytes", Value::Int(static_cast<int64_t>(random_() % 10'000))};
      attributes[5] = {"request", Text(batch, std::to_string(++requests_))};
      span.attributes = attributes;
      batch->spans.push_back(span);
    }
  }

  std::mt19937_64 random_{1};
  int requests_ = 0;
};

// Made once for all benches; the files are removed as soon as they are open.
const store::Snapshot& BenchSnapshot() {
  static const std::shared_ptr<const store::Snapshot> snapshot = [] {
    StoreMaker maker;
    auto cache = block::NewPageCache(256 << 20);
    std::vector<std::shared_ptr<const segment::Segment>> blocks;
    for (int i = 0; i < kBlocks; ++i) {
      SpanBatch batch = maker.Block(i);
      const SpanBatch* one = &batch;
      std::shared_ptr<const segment::Segment> chunk = testing::MakeChunk(std::span(&one, 1));
      std::string path =
          "/tmp/weft_query_bench_" + std::to_string(getpid()) + "_" + std::to_string(i);
      if (!block::WriteBlock(PosixEnv(), path, std::span(&chunk, 1), {})) std::abort();
      auto block = block::OpenBlock(PosixEnv(), path, cache);
      if (!block) std::abort();
      blocks.push_back(*block);
      unlink(path.c_str());
    }
    return std::make_shared<const testing::SegmentSnapshot>(std::move(blocks));
  }();
  return *snapshot;
}

void Run(benchmark::State& state, const std::string& traceql) {
  const store::Snapshot& snapshot = BenchSnapshot();
  SearchResult last;
  for (auto _ : state) {
    auto result = Search(snapshot, {.traceql = traceql}, {});
    if (!result) std::abort();
    last = std::move(*result);
  }
  state.counters["traces"] = static_cast<double>(last.traces.size());
  state.counters["inspected"] = static_cast<double>(last.stats.spans_inspected);
}

BENCHMARK_CAPTURE(Run, newest_20, "{ }")->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Run, attribute_common, "{ .http.status_code = 500 }")
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Run, attribute_rare, "{ .user.id = \"user-4711\" }")
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Run, attribute_one_span, "{ span.request = \"500000\" }")
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Run, attribute_absent, "{ .http.route = \"/nowhere\" }")
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Run, regex_common, "{ .http.route =~ \"/route/4.*\" }")
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Run, regex_absent, "{ .http.route =~ \".*nowhere.*\" }")
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Run, duration_common, "{ duration > 99ms }")->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Run, duration_absent_full_scan, "{ duration > 1h }")
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Run, service_and_duration,
                  "{ resource.service.name = \"service-3\" && duration > 99.9ms }")
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Run, arithmetic_absent_full_scan, "{ .bytes * 2 = 1000001 }")
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Run, trace_duration, "{ traceDuration > 114ms }")->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Run, root_name, "{ rootName = \"operation-7\" && status = error }")
    ->Unit(benchmark::kMicrosecond);

void Services(benchmark::State& state) {
  for (auto _ : state)
    if (!ListServices(BenchSnapshot(), {})) std::abort();
}
BENCHMARK(Services)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace weft::query

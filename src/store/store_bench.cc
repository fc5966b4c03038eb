// SPDX-License-Identifier: Apache-2.0
//
// The whole store on the real disk: spans appended per CPU second, with log, head, flushes and
// merges until nothing is left to do. CPU is that of the process, all threads.
#include <benchmark/benchmark.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <thread>

#include "codec/otlp.h"
#include "store/store.h"
#include "store/wal_batch.h"

namespace weft::store {
namespace {

constexpr uint64_t kSpansPerBatch = 500;

double CpuSeconds() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// 10 spans a trace, 11 attributes cycling through 97 keys and 1000 values, as OTLP bytes.
std::string EncodedBatch(uint64_t batch_number) {
  SpanBatch batch;
  auto resource = batch.arena.NewArray<KeyValue>(2);
  const std::string service = "service-" + std::to_string(batch_number % 15);
  resource[0] = {"service.name", Value::String(batch.arena.Copy(service))};
  resource[1] = {"host.name", Value::String("host-1")};
  batch.resources.push_back({resource, 0, {}, {}});
  batch.scopes.push_back({"bench", "1", {}, 0, {}});
  for (uint64_t i = 0; i < kSpansPerBatch; ++i) {
    const uint64_t number = batch_number * kSpansPerBatch + i;
    const auto mix = [](uint64_t x) {
      x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
      x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
      return x ^ (x >> 31);
    };
    Span span;
    const uint64_t trace = mix(number / 10 + 1), id = mix(number + 77) | 1;
    std::memcpy(span.trace_id.bytes.data(), &trace, 8);
    span.trace_id.bytes[15] = 1;
    std::memcpy(span.span_id.bytes.data(), &id, 8);
    if (number % 10 != 0) {
      const uint64_t parent = mix(number / 10 * 10 + 77) | 1;
      std::memcpy(span.parent_span_id.bytes.data(), &parent, 8);
    }
    span.name = number % 10 == 0 ? "root" : "child";
    span.kind = SpanKind::kServer;
    span.start_ns = 1'700'000'000'000'000'000 + number * 10'000 + mix(number) % 10'000;
    span.end_ns = span.start_ns + mix(number + 1) % 5'000'000;
    auto attributes = batch.arena.NewArray<KeyValue>(11);
    for (uint64_t a = 0; a < attributes.size(); ++a) {
      const uint64_t n = number * 11 + a;
      attributes[a] = {batch.arena.Copy("attribute.key." + std::to_string(n % 97)),
                       Value::String(batch.arena.Copy("value-" + std::to_string(n % 1000)))};
    }
    span.attributes = attributes;
    batch.spans.push_back(span);
  }
  std::string bytes;
  codec::EncodeOtlpTraces(codec::OtlpFormat::kProtobuf, batch, &bytes);
  return bytes;
}

// Decoding is what the receiver does before, and is counted apart.
void BM_StoreAppend(benchmark::State& state) {
  const auto durability = static_cast<Durability>(state.range(0));
  const auto batches = static_cast<uint64_t>(state.range(1));
  std::vector<std::string> bodies;
  for (uint64_t i = 0; i < batches; ++i) bodies.push_back(EncodedBatch(i));
  const std::string directory = "/tmp/weft-store-bench-" + std::to_string(::getpid());
  double cpu = 0, decode_cpu = 0;
  uint64_t spans = 0;
  StoreStats stats;
  for (auto _ : state) {
    std::filesystem::remove_all(directory);
    StoreConfig config;
    config.directory = directory;
    config.durability = durability;
    auto store = Store::Open(PosixEnv(), SystemClock(), config);
    const double start = CpuSeconds();
    std::atomic<uint64_t> completed = 0;
    double decode = 0;
    for (const std::string& body : bodies) {
      const double before = CpuSeconds();
      auto batch = codec::DecodeOtlpTraces(codec::OtlpFormat::kProtobuf, body);
      decode += CpuSeconds() - before;
      batch->received_is_content = true;
      spans += batch->spans.size();
      while (!(*store)->Admit(body.size()))
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      (*store)->Append(std::move(*batch), [&](Status status) {
        if (!status) std::abort();
        ++completed;
      });
    }
    while (completed < batches) std::this_thread::yield();
    if (!(*store)->FlushNow() || !(*store)->CompactNow(false)) state.SkipWithError("flush failed");
    cpu += CpuSeconds() - start - decode;
    decode_cpu += decode;
    stats = (*store)->stats();
  }
  std::filesystem::remove_all(directory);
  const auto count = static_cast<double>(spans);
  state.counters["spans/cpu_s"] = count / cpu;
  state.counters["decode_us/span"] = decode_cpu / count * 1e6;
  state.counters["store_us/span"] = cpu / count * 1e6;
  state.counters["bytes/span"] =
      static_cast<double>(stats.block_bytes) / static_cast<double>(stats.block_spans);
  state.counters["wal_B/span"] =
      static_cast<double>(stats.wal_bytes) / static_cast<double>(stats.block_spans);
  state.counters["syncs"] = static_cast<double>(stats.wal_syncs);
  state.counters["merges"] = static_cast<double>(stats.compactions);
}
BENCHMARK(BM_StoreAppend)
    ->Args({static_cast<int>(Durability::kDurable), 2000})
    ->Args({static_cast<int>(Durability::kMemory), 2000})
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);

void BM_EncodeWalBatch(benchmark::State& state) {
  auto batch = codec::DecodeOtlpTraces(codec::OtlpFormat::kProtobuf, EncodedBatch(0));
  batch->received_is_content = state.range(0) != 0;
  size_t bytes = 0;
  for (auto _ : state) {
    auto payload = EncodeWalBatch(*batch);
    bytes = payload->size();
    benchmark::DoNotOptimize(payload);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kSpansPerBatch));
  state.counters["bytes/span"] = static_cast<double>(bytes) / kSpansPerBatch;
}
BENCHMARK(BM_EncodeWalBatch)->Arg(1)->Arg(0);

}  // namespace
}  // namespace weft::store

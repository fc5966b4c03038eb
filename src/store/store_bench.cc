// SPDX-License-Identifier: Apache-2.0
//
// The whole store on the real disk: spans appended per CPU second, with log, head, flushes and
// merges until nothing is left to do. CPU is that of the process, all threads.
#include <benchmark/benchmark.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "codec/otlp.h"
#include "store/bench_batches.h"
#include "store/store.h"
#include "store/wal_batch.h"

namespace weft::store {
namespace {

using bench::EncodedBatch;
using bench::kSpansPerBatch;

double CpuSeconds() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
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

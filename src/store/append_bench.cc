// SPDX-License-Identifier: Apache-2.0
//
// Append() alone on the real disk: nothing runs in the background but the log's own thread, and
// what is appended was encoded and decoded before. How it grows with threads, and how long each
// lock that an appending thread takes is held.
#include <benchmark/benchmark.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <barrier>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "codec/otlp.h"
#include "store/bench_batches.h"
#include "store/bench_lock_holds.h"
#include "store/store.h"

namespace weft::store {
namespace {

constexpr uint64_t kBatchesEach = 60;

double ThreadCpuSeconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

double WallSeconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

struct Load {
  uint64_t threads = 1;
  uint64_t batches = kBatchesEach;         // of each thread
  uint64_t spans = bench::kSpansPerBatch;  // of each batch
  Durability durability = Durability::kRelaxed;
  bool queries = false;  // a snapshot every millisecond, beside
};
struct Appended {
  double wall_s = 0, cpu_s = 0;  // CPU of the appending threads
};

std::unique_ptr<Store> OpenEmpty(Durability durability, const std::string& directory) {
  std::filesystem::remove_all(directory);
  StoreConfig config;
  config.directory = directory;
  config.durability = durability;
  config.background = false;
  config.head_bytes_max = config.flush_bytes = 4ull << 30;
  auto store = Store::Open(PosixEnv(), SystemClock(), config);
  if (!store) std::abort();
  return std::move(*store);
}

Appended RunAppends(const Load& load) {
  const std::string directory = "/tmp/weft-append-bench-" + std::to_string(::getpid());
  auto store = OpenEmpty(load.durability, directory);
  std::vector<std::vector<SpanBatch>> batches(load.threads);
  for (uint64_t t = 0; t < load.threads; ++t) {
    for (uint64_t i = 0; i < load.batches; ++i) {
      auto batch = codec::DecodeOtlpTraces(codec::OtlpFormat::kProtobuf,
                                           bench::EncodedBatch(t * load.batches + i, load.spans));
      batch->received_is_content = true;
      batches[t].push_back(std::move(*batch));
    }
  }
  std::atomic<uint64_t> running = load.threads;
  std::vector<double> cpu(load.threads);
  std::barrier start(static_cast<ptrdiff_t>(load.threads) + 1);
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < load.threads; ++t) {
    threads.emplace_back([&, t] {
      bench::MarkThread();
      start.arrive_and_wait();
      const double before = ThreadCpuSeconds();
      for (SpanBatch& batch : batches[t]) {
        if (!store->Admit(batch.received.size())) std::abort();
        store->Append(std::move(batch), [](const Status& status) {
          if (!status) std::abort();
        });
      }
      cpu[t] = ThreadCpuSeconds() - before;
      --running;
    });
  }
  start.arrive_and_wait();
  const double began = WallSeconds();
  while (load.queries && running > 0) {
    benchmark::DoNotOptimize(store->TakeSnapshot(""));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  for (std::thread& thread : threads) thread.join();
  Appended appended;
  appended.wall_s = WallSeconds() - began;
  for (double seconds : cpu) appended.cpu_s += seconds;
  store.reset();
  std::filesystem::remove_all(directory);
  return appended;
}

double Median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void BM_AppendThreads(benchmark::State& state) {
  const Load load{.threads = static_cast<uint64_t>(state.range(0)),
                  .durability = static_cast<Durability>(state.range(1))};
  const auto spans = static_cast<double>(load.threads * load.batches * load.spans);
  std::vector<double> rates, cpu;
  for (auto _ : state) {
    const Appended appended = RunAppends(load);
    state.SetIterationTime(appended.wall_s);
    rates.push_back(spans / appended.wall_s);
    cpu.push_back(appended.cpu_s / spans * 1e9);
  }
  state.counters["spans/s"] = Median(rates);
  state.counters["spans/s_best"] = std::ranges::max(rates);
  state.counters["append_ns/span"] = Median(cpu);
}
BENCHMARK(BM_AppendThreads)
    ->ArgsProduct({{1, 2, 4},
                   {static_cast<int>(Durability::kRelaxed), static_cast<int>(Durability::kMemory)}})
    ->ArgNames({"threads", "durability"})
    ->UseManualTime()
    ->Iterations(9)
    ->Unit(benchmark::kMillisecond);

// Small batches: many appends, so that the rare holds are seen.
void BM_AppendLockHolds(benchmark::State& state) {
  Load load{.threads = static_cast<uint64_t>(state.range(0)),
            .batches = 4000,
            .spans = 20,
            .durability = Durability::kDurable,
            .queries = state.range(1) != 0};
  for (auto _ : state) {
    bench::BeginLockHolds();
    state.SetIterationTime(RunAppends(load).wall_s);
    for (const bench::LockHolds& holds : bench::EndLockHolds()) {
      std::printf(
          "  lock first taken in %-44s %7llu holds, p50 %6.2f us, p99.9 %8.2f us, longest "
          "%9.2f us (CPU %8.2f us), most CPU %8.2f us\n",
          holds.name.c_str(), static_cast<unsigned long long>(holds.holds),
          static_cast<double>(holds.p50_ns) / 1e3, static_cast<double>(holds.p999_ns) / 1e3,
          static_cast<double>(holds.longest_ns) / 1e3,
          static_cast<double>(holds.longest_cpu_ns) / 1e3,
          static_cast<double>(holds.most_cpu_ns) / 1e3);
    }
  }
}
BENCHMARK(BM_AppendLockHolds)
    ->ArgsProduct({{1, 2, 4}, {0, 1}})
    ->ArgNames({"threads", "queries"})
    ->UseManualTime()
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace weft::store

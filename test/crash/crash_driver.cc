// SPDX-License-Identifier: Apache-2.0
//
// crash_driver DIRECTORY FIRST SEED: a process to be killed. Four threads append numbered spans
// from FIRST on to the store in DIRECTORY, while it flushes and merges all the time, and write to
// standard output "s NUMBER COUNT" before a batch is sent and "a NUMBER COUNT" after it was
// acknowledged.
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "store/numbered_spans.h"

namespace {

// One write(2) of a short line: never torn, never buffered in this process.
void Say(char what, uint64_t first, uint64_t count) {
  const std::string line =
      std::string(1, what) + " " + std::to_string(first) + " " + std::to_string(count) + "\n";
  if (::write(STDOUT_FILENO, line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    std::_Exit(3);
  }
}

}  // namespace

int main(int argc, char** argv) {
  using namespace weft;
  if (argc != 4) return 2;
  store::StoreConfig config;
  config.directory = argv[1];
  config.flush_bytes = 96 * 1024;
  config.wal_segment_bytes = 256 * 1024;
  config.free_bytes_min = 0;
  auto opened = store::Store::Open(PosixEnv(), SystemClock(), config);
  if (!opened) {
    std::fprintf(stderr, "%s\n", opened.error().message.c_str());
    return 1;
  }
  store::Store* store = opened->get();
  std::atomic<uint64_t> next = std::strtoull(argv[2], nullptr, 10);
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937_64 random(std::strtoull(argv[3], nullptr, 10) * 4 + t);
      for (;;) {
        const uint64_t count = 1 + random() % 30;
        const uint64_t first = next.fetch_add(count);
        Say('s', first, count);
        const Status status =
            store::AppendAndWait(store, store::NumberedBatch(first, count, 1 + random() % 50));
        if (!status) std::_Exit(4);
        Say('a', first, count);
        if (random() % 64 == 0) store->TakeSnapshot("");
      }
    });
  }
  threads.emplace_back([&] {
    for (uint64_t round = 0;; ++round) {
      if (!store->FlushNow() || !store->CompactNow(round % 8 == 0)) std::_Exit(5);
    }
  });
  for (std::thread& thread : threads) thread.join();
}

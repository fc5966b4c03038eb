// SPDX-License-Identifier: Apache-2.0
//
// crash_driver DIRECTORY FIRST SEED [KILL_AT]: a process to be killed. Four threads append numbered
// spans from FIRST on to the store in DIRECTORY, while it flushes and merges all the time, and
// write to standard output "s NUMBER COUNT" before a batch is sent and "a NUMBER COUNT" after it
// was acknowledged. With KILL_AT it kills itself in the middle of that change of the disk, counted
// from the start: the first ones are those of opening what an earlier death has left.
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "testing/numbered_spans.h"

namespace weft {
namespace {

// One write(2) of a short line: never torn, never buffered in this process.
void Say(char what, uint64_t first, uint64_t count) {
  const std::string line =
      std::string(1, what) + " " + std::to_string(first) + " " + std::to_string(count) + "\n";
  if (::write(STDOUT_FILENO, line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    std::_Exit(3);
  }
}

// Counts the changes of the disk down to the one at which the process dies; 0: never.
class Fuse {
 public:
  explicit Fuse(int64_t kill_at) : left_(kill_at) {}
  void Burn() {
    if (left_.fetch_sub(1) == 1) ::kill(::getpid(), SIGKILL);
  }

 private:
  std::atomic<int64_t> left_;
};

class FusedFile : public WritableFile {
 public:
  FusedFile(std::unique_ptr<WritableFile> file, Fuse* fuse) : file_(std::move(file)), fuse_(fuse) {}
  Status WriteAt(uint64_t offset, std::string_view bytes) override {
    // Half of the bytes are there when it dies.
    const std::string_view half = bytes.substr(0, bytes.size() / 2);
    WEFT_TRY(file_->WriteAt(offset, half));
    fuse_->Burn();
    return file_->WriteAt(offset + half.size(), bytes.substr(half.size()));
  }
  Status Preallocate(uint64_t bytes) override { return After(file_->Preallocate(bytes)); }
  Status Truncate(uint64_t bytes) override { return After(file_->Truncate(bytes)); }
  Status DataSync() override { return After(file_->DataSync()); }

 private:
  Status After(Status done) {
    fuse_->Burn();
    return done;
  }

  std::unique_ptr<WritableFile> file_;
  Fuse* fuse_;
};

// The real file system until the fuse has burnt down.
class FusedEnv : public Env {
 public:
  explicit FusedEnv(Fuse* fuse) : fuse_(fuse) {}
  Result<std::unique_ptr<ReadableFile>> OpenRead(const std::string& path) override {
    return real_->OpenRead(path);
  }
  Result<std::unique_ptr<WritableFile>> Create(const std::string& path) override {
    return Fused(real_->Create(path));
  }
  Result<std::unique_ptr<WritableFile>> OpenWrite(const std::string& path) override {
    return Fused(real_->OpenWrite(path));
  }
  Status Rename(const std::string& from, const std::string& to) override {
    return After(real_->Rename(from, to));
  }
  Status Remove(const std::string& path) override { return After(real_->Remove(path)); }
  Status MakeDirs(const std::string& path) override { return After(real_->MakeDirs(path)); }
  Status RemoveDir(const std::string& path) override { return After(real_->RemoveDir(path)); }
  Status SyncDir(const std::string& path) override { return After(real_->SyncDir(path)); }
  Result<std::vector<DirEntry>> List(const std::string& path) override { return real_->List(path); }
  bool Exists(const std::string& path) override { return real_->Exists(path); }
  Result<std::unique_ptr<FileLock>> Lock(const std::string& path) override {
    return real_->Lock(path);
  }
  Result<uint64_t> FreeBytes(const std::string& path) override { return real_->FreeBytes(path); }

 private:
  Status After(Status done) {
    fuse_->Burn();
    return done;
  }
  Result<std::unique_ptr<WritableFile>> Fused(Result<std::unique_ptr<WritableFile>> file) {
    if (!file) return file;
    fuse_->Burn();
    return std::make_unique<FusedFile>(std::move(*file), fuse_);
  }

  Env* const real_ = PosixEnv();
  Fuse* const fuse_;
};

int Run(const std::string& directory, uint64_t first_number, uint64_t seed, int64_t kill_at) {
  Fuse fuse(kill_at);
  FusedEnv env(&fuse);
  store::StoreConfig config;
  config.directory = directory;
  config.flush_bytes = 96 * 1024;
  config.wal_segment_bytes = 256 * 1024;
  config.free_bytes_min = 0;
  auto opened = store::Store::Open(&env, SystemClock(), config);
  if (!opened) {
    std::fprintf(stderr, "%s\n", opened.error().message.c_str());
    return 1;
  }
  Say('o', 0, 0);
  store::Store* store = opened->get();
  std::atomic<uint64_t> next = first_number;
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937_64 random(seed * 4 + t);
      for (;;) {
        const uint64_t count = 1 + random() % 30;
        const uint64_t first = next.fetch_add(count);
        Say('s', first, count);
        const Status status =
            testing::AppendAndWait(store, testing::NumberedBatch(first, count, 1 + random() % 50));
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
  return 0;
}

}  // namespace
}  // namespace weft

int main(int argc, char** argv) {
  if (argc != 4 && argc != 5) return 2;
  return weft::Run(argv[1], std::strtoull(argv[2], nullptr, 10),
                   std::strtoull(argv[3], nullptr, 10),
                   argc == 5 ? std::strtoll(argv[4], nullptr, 10) : 0);
}

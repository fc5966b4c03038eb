// SPDX-License-Identifier: Apache-2.0
//
// kill -9 under load, at random moments of ingest, flush and merge, and again while what that has
// left is opened: every acknowledged span and log record is in the store exactly once, as it was
// sent, after it is opened again. 25 rounds over one growing directory; WEFT_KILL_ROUNDS asks for
// more.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <random>

#include "testing/numbered_spans.h"

namespace weft::store {
namespace {

using testing::CheckNumbers;
using testing::Numbers;
using testing::ReadNumbers;

class KillTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char path[] = "/tmp/weft-kill-XXXXXX";
    ASSERT_NE(::mkdtemp(path), nullptr);
    directory_ = path;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  // Starts the driver, reads its lines until `acks` batches were acknowledged, kills it, reads the
  // rest. With `kill_at` it dies by itself at that change of the disk, if not before.
  void Round(uint64_t first, uint64_t seed, uint64_t acks, uint64_t kill_at = 0) {
    opened_ = false;
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    const pid_t pid = ::fork();
    ASSERT_GE(pid, 0);
    if (pid == 0) {
      ::dup2(ends[1], STDOUT_FILENO);
      ::execl(WEFT_CRASH_DRIVER, WEFT_CRASH_DRIVER, (directory_ + "/data").c_str(),
              std::to_string(first).c_str(), std::to_string(seed).c_str(),
              std::to_string(kill_at).c_str(), nullptr);
      ::_exit(127);
    }
    ::close(ends[1]);
    std::string pending;
    uint64_t seen = 0;
    bool killed = false;
    char buffer[4096];
    for (ssize_t n; (n = ::read(ends[0], buffer, sizeof buffer)) > 0;) {
      pending.append(buffer, static_cast<size_t>(n));
      for (size_t end; (end = pending.find('\n')) != std::string::npos;) {
        seen += TakeLine(pending.substr(0, end));
        pending.erase(0, end + 1);
      }
      if (seen >= acks && !killed) {
        killed = true;
        ::kill(pid, SIGKILL);
      }
    }
    ::close(ends[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(pid, &status, 0), pid);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        << "the driver ended by itself, status " << status;
  }

  uint64_t TakeLine(const std::string& line) {
    unsigned long long first = 0, count = 0;
    char what = 0;
    EXPECT_EQ(std::sscanf(line.c_str(), "%c %llu %llu", &what, &first, &count), 3) << line;
    if (what == 'o') {
      opened_ = true;
    } else {
      (what == 'a' ? acknowledged_ : issued_).Add(first, count);
    }
    return what == 'a';
  }

  std::string directory_;
  Numbers issued_;
  Numbers acknowledged_;
  bool opened_ = false;  // the last driver came so far
};

TEST_F(KillTest, EveryAcknowledgedSpanIsThereExactlyOnce) {
  const char* wanted = std::getenv("WEFT_KILL_ROUNDS");
  const int rounds = wanted != nullptr ? std::atoi(wanted) : 25;
  std::mt19937_64 random(20'260'101);
  StoreStats total;
  int killed_while_opening = 0;
  for (int round = 0; round < rounds; ++round) {
    const uint64_t seed = random();
    uint64_t first = static_cast<uint64_t>(round) * 10'000'000;
    ASSERT_NO_FATAL_FAILURE(Round(first, seed, 1 + seed % 150));
    for (int again = 0; again < 3; ++again) {
      first += 1'000'000;
      ASSERT_NO_FATAL_FAILURE(Round(first, seed, 20, 1 + random() % 12));
      killed_while_opening += !opened_;
    }
    StoreConfig config;
    config.directory = directory_ + "/data";
    config.background = false;
    auto store = Store::Open(PosixEnv(), SystemClock(), config);
    ASSERT_TRUE(store) << "round " << round << ": " << store.error().message;
    ASSERT_EQ(CheckNumbers(ReadNumbers(store->get()), acknowledged_, issued_), "")
        << "round " << round;
    const StoreStats stats = (*store)->stats();
    ASSERT_TRUE(stats.damage.empty()) << "round " << round << ": " << stats.damage[0];
    total.recovered_spans += stats.recovered_spans;
    total.blocks = stats.blocks;
    // Every second death is followed by another without a clean close in between.
    if (round % 2 == 0) (*store)->Close();
  }
  EXPECT_GT(acknowledged_.spans.size(), static_cast<size_t>(rounds) * 50);
  EXPECT_GT(killed_while_opening, rounds);
  EXPECT_GT(total.recovered_spans, 0u);
  EXPECT_GT(total.blocks, 0u);
}

}  // namespace
}  // namespace weft::store

// SPDX-License-Identifier: Apache-2.0
//
// Bit rot: every kind of file is flipped, zeroed and cut at random places. The store opens, never
// shows a span that is not what was sent, and whatever it cannot show it names.
#include <gtest/gtest.h>

#include <random>

#include "testing/manual_clock.h"
#include "testing/numbered_spans.h"
#include "testing/sim_env.h"

namespace weft::store {
namespace {

using testing::AppendAndWait;
using testing::CheckNumbers;
using testing::CrashKind;
using testing::ManualClock;
using testing::NumberedBatch;
using testing::NumberedTrace;
using testing::NumberOf;
using testing::Numbers;
using testing::ReadNumbers;
using testing::SimEnv;
using testing::StoredNumbers;

StoreConfig Config() {
  StoreConfig config;
  config.directory = "/data";
  config.background = false;
  config.wal_segment_bytes = 32 * 1024;
  config.free_bytes_min = 0;
  return config;
}

constexpr uint64_t kSpans = 400, kBatchSpans = 20;

// Two merged blocks, one of a flush, and a log with several records; closed in good order.
void Fill(SimEnv* env, Clock* clock) {
  auto store = Store::Open(env, clock, Config());
  ASSERT_TRUE(store);
  for (uint64_t i = 0; i < kSpans; i += kBatchSpans) {
    ASSERT_TRUE(AppendAndWait(store->get(), NumberedBatch(i, kBatchSpans, 7)));
    if (i % 60 == 0 && i < 300) {
      ASSERT_TRUE((*store)->FlushNow());
    }
    if (i == 180) {
      ASSERT_TRUE((*store)->CompactNow(true));
    }
  }
  (*store)->Close();
}

void Mutate(std::mt19937_64& random, std::string* bytes) {
  const size_t at = random() % bytes->size();
  switch (random() % 3) {
    case 0:
      (*bytes)[at] = static_cast<char>((*bytes)[at] ^ (1 << (random() % 8)));
      break;
    case 1: {
      const size_t count = std::min<size_t>(512, bytes->size() - at);
      std::fill_n(bytes->begin() + static_cast<ptrdiff_t>(at), count, '\0');
      break;
    }
    default:
      bytes->resize(at);
  }
}

// What reading every trace and every row of the store found wrong.
std::string ReadEverything(Store* store, bool* complete, bool* told) {
  const StoredNumbers found = ReadNumbers(store);
  *complete = found.error.empty();
  *told = !found.error.empty();
  Numbers sent;
  for (uint64_t n = 0; n < kSpans; n += kBatchSpans) sent.Add(n, kBatchSpans);
  StoredNumbers readable = found;
  readable.error.clear();
  const std::string problem = CheckNumbers(readable, {}, sent);
  if (!problem.empty()) return problem;
  *complete = *complete && found.spans.size() == kSpans;
  const auto snapshot = store->TakeSnapshot("");
  for (uint64_t trace = 0; trace <= kSpans / 7; ++trace) {
    std::string partial;
    const auto batch = snapshot->ReadTrace(NumberedTrace(trace), &partial);
    *told |= !partial.empty();
    if (!batch) {
      *complete = false;
      *told |= batch.error().code != ErrorCode::kNotFound;
      continue;
    }
    for (const Span& span : batch->spans) {
      const uint64_t number = NumberOf(span.attributes);
      if (number / 7 != trace ||
          FindString(span.attributes, "text") != "value of " + std::to_string(number)) {
        return "trace " + std::to_string(trace) + " shows what was never sent";
      }
    }
  }
  return {};
}

TEST(BitRotTest, NothingWrongIsShownAndWhatIsMissingIsNamed) {
  SimEnv env;
  ManualClock clock;
  Fill(&env, &clock);
  std::mt19937_64 random(11);
  int harmless = 0, named = 0;
  for (int round = 0; round < 400; ++round) {
    const auto disk = env.Crash(CrashKind::kKeepAll, 1);
    const std::vector<std::string> files = disk->Files();
    const std::string path = files[static_cast<size_t>(round) % files.size()];
    std::string bytes = disk->Contents(path);
    if (bytes.empty()) continue;
    Mutate(random, &bytes);
    disk->SetContents(path, bytes);
    auto store = Store::Open(disk.get(), &clock, Config());
    ASSERT_TRUE(store) << "round " << round << ", " << path << ": " << store.error().message;
    bool complete = true, told = false;
    ASSERT_EQ(ReadEverything(store->get(), &complete, &told), "")
        << "round " << round << ", " << path;
    if (complete) {
      ++harmless;
      continue;
    }
    ++named;
    told = told || !(*store)->stats().damage.empty() ||
           !(*store)->TakeSnapshot("")->unreadable().empty();
    ASSERT_TRUE(told) << "round " << round << ", " << path << ": spans are missing without a word";
    EXPECT_TRUE(AppendAndWait(store->get(), NumberedBatch(10'000, 5))) << "the store goes on";
  }
  EXPECT_GT(harmless, 30);
  EXPECT_GT(named, 30);
}

}  // namespace
}  // namespace weft::store

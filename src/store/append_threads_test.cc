// SPDX-License-Identifier: Apache-2.0
//
// Four appenders at once on the simulated disk, while others query, flush and merge, and while
// syncs fail and the disk is full. What is compared is content: every span and log record with all
// its attributes, made anew from its number.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <functional>
#include <mutex>
#include <numeric>
#include <random>
#include <thread>

#include "codec/otlp.h"
#include "testing/manual_clock.h"
#include "testing/numbered_spans.h"
#include "testing/sim_env.h"
#include "testing/wild_batch.h"

namespace weft::store {
namespace {

using testing::AppendAndWait;
using testing::CheckNumbers;
using testing::CrashKind;
using testing::DiskOp;
using testing::ManualClock;
using testing::NumberedBatch;
using testing::Numbers;
using testing::ReadNumbers;
using testing::SimEnv;

constexpr uint64_t kAppenders = 4;
// Each appender has numbers of its own.
constexpr uint64_t kNumbersEach = 1u << 20;

class AppendThreadsTest : public ::testing::Test {
 protected:
  AppendThreadsTest() {
    config_.directory = "/data";
    config_.background = false;
    config_.wal_segment_bytes = 32 * 1024;
    config_.flush_bytes = 256 * 1024;
    config_.free_bytes_min = 0;
    config_.block_group_rows = segment::RowGroups::kRowsMin;
    Open(&env_);
  }
  void Open(SimEnv* env) {
    store_.reset();
    auto store = Store::Open(env, &clock_, config_);
    ASSERT_TRUE(store) << store.error().message;
    store_ = std::move(*store);
  }

  // Sizes from one span to some hundreds; traces reach from batch to batch. False: it was refused.
  bool AppendNext(uint64_t appender, std::mt19937_64* random) {
    const uint64_t count = (*random)() % 16 == 0 ? 300 : 1 + (*random)() % 12;
    const uint64_t first = appender * kNumbersEach + next_[appender];
    next_[appender] += count;
    {
      std::lock_guard lock(mutex_);
      issued_.Add(first, count);
    }
    if (!AppendAndWait(store_.get(), NumberedBatch(first, count, 7))) return false;
    std::lock_guard lock(mutex_);
    acknowledged_.Add(first, count);
    return true;
  }
  // On a thread for each appender; `beside` is called again and again until all are done.
  void Append(int batches, const std::function<void()>& beside) {
    std::atomic<uint64_t> running = kAppenders;
    std::vector<std::thread> threads;
    for (uint64_t appender = 0; appender < kAppenders; ++appender) {
      threads.emplace_back([&, appender] {
        std::mt19937_64 random(appender + 1);
        for (int i = 0; i < batches; ++i)
          if (!AppendNext(appender, &random)) ++refused_;
        --running;
      });
    }
    do beside();
    while (running > 0);
    for (std::thread& thread : threads) thread.join();
  }

  // What was acknowledged before the snapshot was taken is in it, once, and as it was sent.
  void ExpectConsistent() {
    Numbers acknowledged;
    {
      std::lock_guard lock(mutex_);
      acknowledged = acknowledged_;
    }
    const testing::StoredNumbers found = ReadNumbers(store_.get());
    std::lock_guard lock(mutex_);
    EXPECT_EQ(CheckNumbers(found, acknowledged, issued_), "");
  }
  void ExpectExactlyAcknowledged() {
    EXPECT_EQ(CheckNumbers(ReadNumbers(store_.get()), acknowledged_, acknowledged_), "");
  }

  SimEnv env_;
  ManualClock clock_;
  StoreConfig config_;
  std::unique_ptr<Store> store_;
  std::array<uint64_t, kAppenders> next_{};
  std::mutex mutex_;
  Numbers issued_, acknowledged_;
  std::atomic<int> refused_ = 0;
};

TEST_F(AppendThreadsTest, QueriesAndFlushesBesideThemSeeAllThatIsAcknowledged) {
  int rounds = 0;
  Append(60, [&] {
    std::thread query([&] { ExpectConsistent(); });
    if (rounds % 3 == 1) {
      EXPECT_TRUE(store_->FlushNow());
    }
    if (rounds % 6 == 4) {
      EXPECT_TRUE(store_->CompactNow(false));
    }
    ExpectConsistent();
    query.join();
    ++rounds;
  });
  EXPECT_EQ(refused_, 0);
  ExpectExactlyAcknowledged();
  EXPECT_EQ(store_->stats().head_spans + store_->stats().block_spans, acknowledged_.spans.size());
  Open(&env_);
  ExpectExactlyAcknowledged();
  ASSERT_TRUE(store_->FlushNow());
  EXPECT_EQ(store_->stats().head_bytes, 0u);
  EXPECT_EQ(store_->stats().head_spans, 0u);
  ASSERT_TRUE(store_->CompactNow(true));
  ExpectExactlyAcknowledged();
}

TEST_F(AppendThreadsTest, AFailedSyncTakesAwayWhatItDidNotSyncAndNothingElse) {
  for (uint64_t nth : {1, 4, 17}) {
    env_.FailCalls(DiskOp::kDataSync, nth, ErrorCode::kIo);
    Append(20, [&] { ExpectConsistent(); });
    EXPECT_GT(refused_, 0) << "sync " << nth;
    ExpectExactlyAcknowledged();
    EXPECT_FALSE(store_->FlushNow() && AppendAndWait(store_.get(), NumberedBatch(0, 1)))
        << "a log that failed takes nothing more";
    store_.reset();
    env_.ClearFaults();
    // What was never synced may be there or not.
    const auto lost = env_.Crash(CrashKind::kDropUnsynced, nth);
    Open(lost.get());
    ExpectConsistent();
    Open(&env_);
    ExpectConsistent();
    // Of what was refused, what the log still had counts as sent from now on.
    const testing::StoredNumbers found = ReadNumbers(store_.get());
    for (const auto& [number, count] : found.spans) acknowledged_.spans.insert(number);
    for (const auto& [number, count] : found.logs) acknowledged_.logs.insert(number);
    refused_ = 0;
  }
}

TEST_F(AppendThreadsTest, AfterAFullDiskTheStoreGoesOnWithWhatIsAcknowledged) {
  for (int round = 0; round < 3; ++round) {
    env_.set_capacity_bytes(env_.used_bytes() + 20 * 1024);
    Append(15, [&] { ExpectConsistent(); });
    EXPECT_GT(refused_, 0);
    ExpectExactlyAcknowledged();
    env_.set_capacity_bytes(0);
    refused_ = 0;
    ASSERT_TRUE(store_->Admit(1)) << "there is space again";
    Append(10, [&] { ExpectConsistent(); });
    EXPECT_EQ(refused_, 0);
    ExpectExactlyAcknowledged();
    if (round % 2 == 1) {
      EXPECT_TRUE(store_->FlushNow());
    }
  }
  Open(&env_);
  ExpectConsistent();
}

// The disk is full and has space again while all of them append: sequences that failed are given
// out anew, to others.
TEST_F(AppendThreadsTest, SequencesThatFailedAreUsedAgainBesideAppenders) {
  int round = 0;
  Append(80, [&] {
    env_.set_capacity_bytes(round++ % 2 == 0 ? env_.used_bytes() + 4 * 1024 : 0);
    ExpectConsistent();
    [[maybe_unused]] const Status admitted = store_->Admit(1);
  });
  env_.set_capacity_bytes(0);
  ASSERT_TRUE(store_->Admit(1));
  EXPECT_GT(refused_, 0);
  EXPECT_FALSE(acknowledged_.spans.empty());
  ExpectExactlyAcknowledged();
  ASSERT_TRUE(store_->FlushNow());
  ExpectExactlyAcknowledged();
  Open(&env_);
  ExpectConsistent();
}

// Batches in which ids and times of spans and log records are equal wherever they can be, and some
// spans come twice: nothing but content tells them apart.
SpanBatch BatchOfTies(uint64_t number) {
  SpanBatch batch;
  const auto text = [&](std::string_view what, uint64_t n) {
    return batch.arena.Copy(std::string(what) + std::to_string(n));
  };
  for (uint64_t i = 0; i < 3; ++i) {
    auto attributes = batch.arena.NewArray<KeyValue>(1);
    const uint64_t of_batch = i == 2 ? 7 : number + i;
    attributes[0] = {"service.name", Value::String(text("service ", of_batch % 3))};
    batch.resources.push_back({attributes, 0, {}, {}});
    batch.scopes.push_back({text("scope ", of_batch % 2), "1", {}, 0, {}});
  }
  for (uint64_t i = 0; i < 6; ++i) {
    Span span;
    span.trace_id = testing::NumberedTrace((number + i) % 5);
    span.span_id.bytes[7] = static_cast<uint8_t>(1 + i % 3);
    span.start_ns = testing::kNumberedStartNs;
    span.end_ns = span.start_ns + 10;
    span.name = "tie";
    span.resource = i % 2;
    span.scope = i / 3;
    auto attributes = batch.arena.NewArray<KeyValue>(1);
    // Keys in an order of their own in every batch.
    attributes[0] = {text("key ", (number * 7 + i) % 11),
                     Value::String(text("from ", number % 20))};
    span.attributes = attributes;
    batch.spans.push_back(span);
    LogRecord log;
    log.trace_id = span.trace_id;
    log.time_ns = span.start_ns;
    log.resource = i % 2;
    log.body = Value::String(text("said by ", number * 10 + i));
    batch.logs.push_back(log);
  }
  Span twice = batch.spans[0];
  twice.resource = twice.scope = 2;
  twice.attributes = {};
  batch.spans.push_back(twice);
  return batch;
}

// Every trace as OTLP, spans then log records.
std::string Answers(Store* store) {
  std::string all;
  const auto snapshot = store->TakeSnapshot("");
  for (uint64_t trace = 0; trace < 5; ++trace) {
    std::string partial, bytes;
    auto batch = snapshot->ReadTrace(testing::NumberedTrace(trace), &partial);
    if (!batch) return batch.error().message;
    EXPECT_EQ(partial, "");
    codec::EncodeOtlpTraces(codec::OtlpFormat::kJson, *batch, &bytes);
    all += bytes;
    bytes.clear();
    codec::EncodeOtlpLogs(codec::OtlpFormat::kJson, *batch, &bytes);
    all += bytes;
  }
  return all;
}

// The rows of the only block, in their order.
std::vector<std::string> RowsOfBlock(Store* store) {
  EXPECT_TRUE(store->FlushNow());
  EXPECT_TRUE(store->CompactNow(true));
  const auto snapshot = store->TakeSnapshot("");
  EXPECT_EQ(snapshot->segments().size(), 1u);
  const segment::Segment& segment = *snapshot->segments()[0];
  SpanBatch batch;
  std::vector<segment::Row> rows(segment.spans().row_count());
  std::iota(rows.begin(), rows.end(), 0);
  EXPECT_TRUE(segment.ReadSpans(rows, &batch));
  rows.resize(segment.table(segment::TableId::kLogs).row_count());
  std::iota(rows.begin(), rows.end(), 0);
  EXPECT_TRUE(segment.ReadLogs(rows, &batch));
  std::vector<std::string> all;
  for (const Span& span : batch.spans) all.push_back(testing::DescribeSpan(batch, span));
  for (const LogRecord& log : batch.logs) all.push_back(testing::DescribeLog(batch, log));
  return all;
}

TEST_F(AppendThreadsTest, TheSameBatchesGiveTheSameAnswersHoweverTheyCame) {
  constexpr uint64_t kBatches = 40;
  for (uint64_t number = 0; number < kBatches; ++number)
    ASSERT_TRUE(AppendAndWait(store_.get(), BatchOfTies(number)));
  const std::string expected = Answers(store_.get());
  EXPECT_GT(expected.size(), 10'000u);
  Open(&env_);
  EXPECT_EQ(Answers(store_.get()), expected) << "after replay";
  const std::vector<std::string> expected_rows = RowsOfBlock(store_.get());
  EXPECT_EQ(Answers(store_.get()), expected) << "from a block";

  SimEnv backwards;
  Open(&backwards);
  for (uint64_t number = kBatches; number-- > 0;) {
    ASSERT_TRUE(AppendAndWait(store_.get(), BatchOfTies(number)));
    if (number % 8 == 0) Answers(store_.get());
    if (number == 17) {
      ASSERT_TRUE(store_->FlushNow());
    }
  }
  EXPECT_EQ(Answers(store_.get()), expected) << "backwards, over a block and parts of the head";
  EXPECT_EQ(RowsOfBlock(store_.get()), expected_rows);

  SimEnv side_by_side;
  Open(&side_by_side);
  std::vector<std::thread> threads;
  for (uint64_t appender = 0; appender < 16; ++appender) {
    threads.emplace_back([&, appender] {
      for (uint64_t number = appender; number < kBatches; number += 16)
        EXPECT_TRUE(AppendAndWait(store_.get(), BatchOfTies(number)));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Answers(store_.get()), expected) << "sixteen threads";
  EXPECT_EQ(RowsOfBlock(store_.get()), expected_rows);
  store_.reset();
}

}  // namespace
}  // namespace weft::store

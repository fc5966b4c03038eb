// SPDX-License-Identifier: Apache-2.0
#include "store/open_chunks.h"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <numeric>
#include <set>
#include <thread>

#include "testing/numbered_spans.h"

namespace weft::store {
namespace {

using testing::NumberedBatch;

// A log that acknowledges at once, and remembers which numbers got which sequence.
class FakeLog {
 public:
  Result<Wal::Place> Next(uint64_t number) {
    std::lock_guard lock(mutex_);
    numbers_.push_back(number);
    return Wal::Place{numbers_.size(), numbers_.size()};
  }
  uint64_t last() const {
    std::lock_guard lock(mutex_);
    return numbers_.size();
  }
  uint64_t number(uint64_t sequence) const {
    std::lock_guard lock(mutex_);
    return numbers_[sequence - 1];
  }

 private:
  mutable std::mutex mutex_;
  std::vector<uint64_t> numbers_;
};

class OpenChunksTest : public ::testing::Test {
 protected:
  OpenChunks::Open* Take(uint64_t number, uint64_t count = 3) {
    OpenChunks::Open* open = chunks_.Take(count);
    OpenChunks::ChunkOf(open).Append(NumberedBatch(number, count));
    return open;
  }
  void Place(OpenChunks::Open* open, uint64_t number) {
    ASSERT_TRUE(chunks_.Place(open, {7, number}, [&] { return log_.Next(number); }));
  }
  void Append(uint64_t number, uint64_t count = 3) { Place(Take(number, count), number); }
  void Refuse(OpenChunks::Open* open) {
    EXPECT_FALSE(chunks_.Place(
        open, {7, 0}, []() -> Result<Wal::Place> { return Fail(ErrorCode::kNoSpace, "full"); }));
  }

  // As a snapshot does.
  void Seal() {
    for (TenantHead::Part& part : chunks_.Seal()) parts_.push_back(std::move(part));
    chunks_.Published();
  }
  // First numbers of the batches in all parts so far: each has one log record.
  std::multiset<uint64_t> Numbers() const {
    std::multiset<uint64_t> numbers;
    for (const TenantHead::Part& part : parts_) {
      for (const TenantHead::PartChunk& in : part.chunks) {
        SpanBatch batch;
        std::vector<segment::Row> rows(in.chunk->log_count());
        std::iota(rows.begin(), rows.end(), 0);
        EXPECT_TRUE(in.chunk->ReadLogs(rows, &batch));
        for (const LogRecord& log : batch.logs) numbers.insert(testing::NumberOf(log.attributes));
      }
    }
    return numbers;
  }
  // What the log gave up to this sequence.
  std::multiset<uint64_t> Logged(uint64_t last) const {
    std::multiset<uint64_t> numbers;
    for (uint64_t sequence = 1; sequence <= last; ++sequence) numbers.insert(log_.number(sequence));
    return numbers;
  }
  uint64_t last() const { return parts_.empty() ? 0 : parts_.back().last_sequence; }

  FakeLog log_;
  std::atomic<uint64_t> bytes_ = 0;
  OpenChunks chunks_{1 << 20, &bytes_};
  std::vector<TenantHead::Part> parts_;
};

TEST_F(OpenChunksTest, OneAppenderFillsOneChunk) {
  for (uint64_t i = 0; i < 20; ++i) Append(i * 10);
  EXPECT_EQ(chunks_.held().chunks, 1u);
  EXPECT_EQ(chunks_.held().spans, 60u);
  EXPECT_EQ(chunks_.held().first_sequence, 1u);
  EXPECT_EQ(chunks_.held().bytes, bytes_);
  Seal();
  ASSERT_EQ(parts_.size(), 1u);
  EXPECT_EQ(parts_[0].bytes, bytes_);
  EXPECT_EQ(chunks_.held().chunks, 0u);
  EXPECT_EQ(Numbers(), Logged(20));
}

TEST_F(OpenChunksTest, AChunkIsMadeOnlyWhereAllAreBusy) {
  OpenChunks::Open* first = Take(10);
  OpenChunks::Open* second = Take(20);
  ASSERT_NE(first, second);
  Place(second, 20);
  Place(first, 10);
  OpenChunks::Open* again = Take(30);
  EXPECT_TRUE(again == first || again == second);
  Place(again, 30);
  EXPECT_EQ(chunks_.held().chunks, 2u);
}

TEST_F(OpenChunksTest, AVeryLargeBatchGetsAChunkOfItsOwn) {
  Append(10);
  OpenChunks::Open* large = Take(1000, 10'000);
  // It has nothing that was to be sealed: nobody waits for it.
  Seal();
  EXPECT_EQ(Numbers(), Logged(1));
  Place(large, 1000);
  Seal();
  EXPECT_EQ(Numbers(), Logged(2));
}

TEST_F(OpenChunksTest, WhatIsRefusedLeavesNothingBehind) {
  Append(10);
  SpanBatch odd = NumberedBatch(500, 1);
  auto attributes = odd.arena.NewArray<KeyValue>(1);
  attributes[0] = {"a key of its own", Value::Int(1)};
  odd.spans[0].attributes = attributes;
  OpenChunks::Open* open = chunks_.Take(1);
  OpenChunks::ChunkOf(open).Append(odd);
  Refuse(open);
  Append(20);
  Refuse(Take(30));
  Seal();
  EXPECT_EQ(Numbers(), Logged(2));
  ASSERT_EQ(parts_[0].chunks.size(), 1u);
  for (const segment::ColumnName& column : parts_[0].chunks[0].chunk->spans().columns())
    EXPECT_NE(column.key, "a key of its own");
}

TEST_F(OpenChunksTest, ABatchUnderWayGoesToTheNextPart) {
  Append(10);
  OpenChunks::Open* slow = Take(20);
  OpenChunks::Open* quick = Take(30);
  Place(quick, 30);
  std::thread sealer([&] { Seal(); });
  // Once both chunks are closed there is another one for who comes then.
  OpenChunks::Open* next = Take(40);
  for (; next == quick; next = Take(40)) Refuse(next);
  Place(next, 40);
  Place(slow, 20);
  sealer.join();
  EXPECT_EQ(last(), 2u);
  EXPECT_EQ(Numbers(), Logged(2));
  Seal();
  EXPECT_EQ(last(), 4u);
  EXPECT_EQ(Numbers(), Logged(4));
}

TEST_F(OpenChunksTest, PartsHoldAllOfTheirSequencesAndNothingElse) {
  constexpr uint64_t kThreads = 4, kBatches = 200;
  std::atomic<uint64_t> running = kThreads;
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (uint64_t i = 0; i < kBatches; ++i) {
        const uint64_t number = (t * kBatches + i) * 100;
        OpenChunks::Open* open = Take(number, 1 + i % 30);
        i % 7 == 3 ? Refuse(open) : Place(open, number);
      }
      --running;
    });
  }
  while (running > 0) {
    const uint64_t before = log_.last();
    Seal();
    EXPECT_GE(last(), before);
    EXPECT_EQ(Numbers(), Logged(last()));
  }
  for (std::thread& thread : threads) thread.join();
  Seal();
  EXPECT_EQ(last(), log_.last());
  EXPECT_EQ(Numbers(), Logged(last()));
  uint64_t end = 0, bytes = 0;
  for (const TenantHead::Part& part : parts_) {
    EXPECT_GT(part.first_sequence, end);
    end = part.last_sequence;
    bytes += part.bytes;
  }
  EXPECT_EQ(bytes, bytes_);
}

TEST_F(OpenChunksTest, ACutTakesAwayWhatIsNotDurable) {
  Append(10);
  OpenChunks::Open* slow = Take(20);
  Append(30);
  Append(40);
  Place(slow, 20);
  // Sequences 1 to 4 are 10, 30, 40, 20.
  chunks_.CutBack(2);
  EXPECT_EQ(chunks_.held().spans, 6u);
  // Sequence 3 is given anew.
  ASSERT_TRUE(
      chunks_.Place(Take(50), {7, 0}, []() -> Result<Wal::Place> { return Wal::Place{3, 2}; }));
  Seal();
  EXPECT_EQ(Numbers(), (std::multiset<uint64_t>{10, 30, 50}));
  EXPECT_EQ(last(), 3u);
  EXPECT_EQ(std::accumulate(parts_.begin(), parts_.end(), uint64_t{0},
                            [](uint64_t sum, const auto& part) { return sum + part.bytes; }),
            bytes_);
}

// A snapshot in the middle of an append must have all that the log acknowledged. This is why the
// rows come first: the other way round the same check finds a loss.
class AppendOrderTest : public OpenChunksTest {
 protected:
  bool SnapshotHasAllThatIsAcknowledged() {
    Seal();
    return Numbers() == Logged(log_.last());
  }
};

TEST_F(AppendOrderTest, RowsBeforeTheSequenceAreNeverMissed) {
  for (uint64_t i = 0; i < 10; ++i) {
    // Into a chunk without other rows: a snapshot does not wait for it.
    OpenChunks::Open* open = Take(i * 10);
    EXPECT_TRUE(SnapshotHasAllThatIsAcknowledged());
    Place(open, i * 10);
    EXPECT_TRUE(SnapshotHasAllThatIsAcknowledged());
  }
}

TEST_F(AppendOrderTest, ControlASequenceBeforeTheRowsIsMissed) {
  Append(10);
  const Result<Wal::Place> early = log_.Next(20);
  EXPECT_FALSE(SnapshotHasAllThatIsAcknowledged());
  ASSERT_TRUE(chunks_.Place(Take(20), {7, 0}, [&] { return early; }));
  EXPECT_TRUE(SnapshotHasAllThatIsAcknowledged());
}

}  // namespace
}  // namespace weft::store

// SPDX-License-Identifier: Apache-2.0
#include "store/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "store/manifest.h"
#include "testing/manual_clock.h"
#include "testing/numbered_spans.h"
#include "testing/random_batch.h"
#include "testing/sim_env.h"

namespace weft::store {
namespace {

using testing::AppendAndWait;
using testing::CheckNumbers;
using testing::CrashKind;
using testing::DiskOp;
using ::testing::HasSubstr;
using testing::ManualClock;
using testing::NumberedBatch;
using testing::NumberedTrace;
using testing::NumberOf;
using testing::Numbers;
using testing::ReadNumbers;
using testing::SimEnv;
using ::testing::SizeIs;
using testing::StoredNumbers;

constexpr uint64_t kDayNs = 24ull * 3600 * 1'000'000'000;

class StoreTest : public ::testing::Test {
 protected:
  StoreTest() {
    config_.directory = "/data";
    config_.background = false;
    config_.wal_segment_bytes = 64 * 1024;
    config_.free_bytes_min = 0;
  }
  std::unique_ptr<Store> Open() {
    auto store = Store::Open(&env_, &clock_, config_);
    EXPECT_TRUE(store) << store.error().message;
    return store ? std::move(*store) : nullptr;
  }
  void Append(Store* store, uint64_t first, uint64_t count, const std::string& tenant = {}) {
    SpanBatch batch = NumberedBatch(first, count);
    batch.tenant = tenant;
    ASSERT_TRUE(AppendAndWait(store, std::move(batch)));
    if (!tenant.empty()) return;
    sent_.Add(first, count);
  }
  void ExpectAll(Store* store) { EXPECT_EQ(CheckNumbers(ReadNumbers(store), sent_, sent_), ""); }
  std::vector<std::string> BlockFiles() {
    std::vector<std::string> blocks;
    for (const std::string& path : env_.Files()) {
      if (path.ends_with(".block")) blocks.push_back(path);
    }
    return blocks;
  }

  SimEnv env_;
  ManualClock clock_;
  StoreConfig config_;
  Numbers sent_;
};

TEST_F(StoreTest, WhatIsAcknowledgedIsVisibleAtOnceAndAfterARestart) {
  auto store = Open();
  Append(store.get(), 0, 10);
  ExpectAll(store.get());
  Append(store.get(), 10, 10);
  ExpectAll(store.get());
  store.reset();
  store = Open();
  ExpectAll(store.get());
  EXPECT_EQ(store->stats().recovered_spans, 20u);
  EXPECT_TRUE(store->stats().damage.empty());
}

TEST_F(StoreTest, ASnapshotNeverChanges) {
  auto store = Open();
  Append(store.get(), 0, 4);
  const auto before = store->TakeSnapshot("");
  EXPECT_EQ(store->TakeSnapshot("default"), before) << "nothing changed: the same snapshot";
  Append(store.get(), 4, 4);
  ASSERT_TRUE(store->FlushNow());
  Append(store.get(), 8, 4);
  ASSERT_TRUE(store->FlushNow());
  ASSERT_TRUE(store->CompactNow(true));
  ASSERT_THAT(before->segments(), SizeIs(1));
  EXPECT_EQ(before->segments()[0]->spans().row_count(), 4u);
  ExpectAll(store.get());
}

TEST_F(StoreTest, FlushAndMergeKeepEverythingOnce) {
  auto store = Open();
  for (uint64_t i = 0; i < 20; ++i) {
    Append(store.get(), i * 10, 10);
    ASSERT_TRUE(store->FlushNow());
    if (i % 5 == 4) {
      ASSERT_TRUE(store->CompactNow(false));
      ExpectAll(store.get());
    }
  }
  ASSERT_TRUE(store->CompactNow(true));
  ExpectAll(store.get());
  const StoreStats stats = store->stats();
  EXPECT_EQ(stats.blocks, 1u);
  EXPECT_EQ(stats.block_spans, 200u);
  EXPECT_EQ(stats.head_spans, 0u);
  EXPECT_EQ(stats.head_bytes, 0u);
  EXPECT_EQ(stats.flushes, 20u);
  EXPECT_THAT(BlockFiles(), SizeIs(1)) << "merged files go when nobody reads them";
  store.reset();
  store = Open();
  ExpectAll(store.get());
  EXPECT_EQ(store->stats().recovered_spans, 0u) << "the log is replayed from behind the blocks";
}

TEST_F(StoreTest, TheManifestForgetsRemovedBlocksOnceTheirFilesAreAwayForGood) {
  auto store = Open();
  // Every file that a power loss would leave must be known, or it would come back as a block.
  env_.set_after_change([&] {
    const auto disk = env_.Crash(CrashKind::kDropUnsynced, 1);
    const auto loaded = Manifest::Load(disk.get(), "/data");
    ASSERT_TRUE(loaded);
    const ManifestState& state = loaded->state;
    for (const std::string& path : disk->Files()) {
      const auto name = ParseBlockFileName(path.substr(path.rfind('/') + 1));
      if (!name || name->number >= state.next_block) continue;
      EXPECT_TRUE(state.blocks.contains(name->number) || state.obsolete.contains(name->number))
          << path;
    }
  });
  const auto obsolete = [&] { return Manifest::Load(&env_, "/data")->state.obsolete; };
  const auto merge_two_more = [&](uint64_t round) {
    for (uint64_t i = 0; i < 2; ++i) {
      Append(store.get(), round * 8 + i * 4, 4);
      ASSERT_TRUE(store->FlushNow());
    }
    ASSERT_TRUE(store->CompactNow(true));
  };
  for (uint64_t round = 0; round < 10; ++round) merge_two_more(round);
  EXPECT_THAT(obsolete(), SizeIs(3)) << "of the last merge";
  // What a snapshot still reads is not gone.
  auto snapshot = store->TakeSnapshot("");
  for (uint64_t round = 10; round < 13; ++round) merge_two_more(round);
  EXPECT_THAT(obsolete(), SizeIs(4));
  snapshot.reset();
  merge_two_more(13);
  EXPECT_THAT(obsolete(), SizeIs(3));
  env_.set_after_change({});
  ExpectAll(store.get());
}

TEST_F(StoreTest, AMergedFileStaysWhileASnapshotReadsIt) {
  auto store = Open();
  Append(store.get(), 0, 4);
  ASSERT_TRUE(store->FlushNow());
  Append(store.get(), 4, 4);
  ASSERT_TRUE(store->FlushNow());
  auto snapshot = store->TakeSnapshot("");
  auto segment = snapshot->segments()[0];
  ASSERT_TRUE(store->CompactNow(true));
  EXPECT_THAT(BlockFiles(), SizeIs(3));
  snapshot.reset();
  EXPECT_THAT(BlockFiles(), SizeIs(2));
  segment.reset();
  EXPECT_THAT(BlockFiles(), SizeIs(1));
}

TEST_F(StoreTest, FlushedLogSegmentsAreFreed) {
  auto store = Open();
  uint64_t next = 0;
  for (int round = 0; round < 8; ++round) {
    for (int i = 0; i < 10; ++i, next += 100) Append(store.get(), next, 100);
    ASSERT_TRUE(store->FlushNow());
  }
  size_t segments = 0;
  for (const std::string& path : env_.Files()) segments += path.ends_with(".wal");
  EXPECT_LE(segments, 4u);
  ExpectAll(store.get());
}

TEST_F(StoreTest, EveryFieldSurvivesLogHeadBlockAndMerge) {
  auto store = Open();
  std::map<TraceId, size_t> spans, logs;
  std::vector<SpanBatch> sent;
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    sent.push_back(testing::RandomBatch({.seed = seed}));
    ASSERT_TRUE(AppendAndWait(store.get(), testing::RandomBatch({.seed = seed})));
    if (seed == 2) {
      ASSERT_TRUE(store->FlushNow());
    }
  }
  std::multiset<std::string> expected;
  std::set<TraceId> traces;
  const auto add = [](const SpanBatch& batch, std::multiset<std::string>* hashes) {
    for (const Span& span : batch.spans) {
      const ContentHash hash = HashSpan(batch, span);
      hashes->insert(span.span_id.ToHex() + std::to_string(hash.high) + std::to_string(hash.low));
    }
    for (const LogRecord& log : batch.logs) {
      const ContentHash hash = HashLog(batch, log);
      hashes->insert("log" + std::to_string(hash.high) + std::to_string(hash.low));
    }
  };
  for (const SpanBatch& batch : sent) {
    add(batch, &expected);
    for (const Span& span : batch.spans) traces.insert(span.trace_id);
    for (const LogRecord& log : batch.logs) traces.insert(log.trace_id);
  }
  for (int stage = 0; stage < 4; ++stage) {
    if (stage == 1) {
      store.reset();
      store = Open();
    }
    if (stage == 2) {
      ASSERT_TRUE(store->FlushNow());
    }
    if (stage == 3) {
      ASSERT_TRUE(store->CompactNow(true));
    }
    std::multiset<std::string> found;
    const auto snapshot = store->TakeSnapshot("");
    for (const TraceId& id : traces) {
      std::string partial;
      auto trace = snapshot->ReadTrace(id, &partial);
      EXPECT_EQ(partial, "");
      ASSERT_TRUE(trace) << trace.error().message;
      add(*trace, &found);
    }
    EXPECT_TRUE(found == expected) << "stage " << stage;
  }
}

TEST_F(StoreTest, TracesAreAssembledFromAllSegmentsWithoutDuplicates) {
  auto store = Open();
  ASSERT_TRUE(AppendAndWait(store.get(), NumberedBatch(0, 3, 100)));
  ASSERT_TRUE(store->FlushNow());
  ASSERT_TRUE(AppendAndWait(store.get(), NumberedBatch(2, 3, 100)));  // 2 comes twice
  ASSERT_TRUE(store->FlushNow());
  ASSERT_TRUE(AppendAndWait(store.get(), NumberedBatch(4, 3, 100)));  // and 4
  const auto snapshot = store->TakeSnapshot("");
  std::string partial;
  auto trace = snapshot->ReadTrace(NumberedTrace(0), &partial);
  ASSERT_TRUE(trace) << trace.error().message;
  ASSERT_THAT(trace->spans, SizeIs(7));
  for (uint64_t i = 0; i < 7; ++i) EXPECT_EQ(NumberOf(trace->spans[i].attributes), i);
  EXPECT_THAT(trace->logs, SizeIs(3));
  EXPECT_EQ(snapshot->ReadTrace(NumberedTrace(77), &partial).error().code, ErrorCode::kNotFound);
}

TEST_F(StoreTest, SplitTracesAreKnownUntilAMergeBringsThemTogether) {
  auto store = Open();
  Append(store.get(), 0, 8);  // traces 0 and 1
  const auto split = [&](uint64_t trace) {
    return store->TakeSnapshot("")->MayBeSplit(NumberedTrace(trace));
  };
  EXPECT_TRUE(split(0)) << "rows in the head";
  ASSERT_TRUE(store->FlushNow());
  EXPECT_FALSE(split(0));
  ASSERT_TRUE(AppendAndWait(store.get(), NumberedBatch(100, 4, 100)));  // trace 1 again
  EXPECT_TRUE(split(1));
  EXPECT_FALSE(split(0));
  ASSERT_TRUE(store->FlushNow());
  EXPECT_TRUE(split(1)) << "in two blocks";
  EXPECT_FALSE(split(0));
  store.reset();
  store = Open();
  EXPECT_TRUE(split(1)) << "after a restart";
  EXPECT_FALSE(split(0));
  ASSERT_TRUE(store->CompactNow(true));
  EXPECT_FALSE(split(1));
  store.reset();
  store = Open();
  EXPECT_FALSE(split(1));
}

TEST_F(StoreTest, SplitTracesOfABlockThatDidNotOpenAreFoundOnceItDoes) {
  auto store = Open();
  Append(store.get(), 0, 8);  // traces 0 and 1
  ASSERT_TRUE(store->FlushNow());
  store.reset();
  ASSERT_THAT(BlockFiles(), SizeIs(1));
  const std::string path = BlockFiles()[0], bytes = env_.Contents(path);
  env_.SetContents(path, "not a block");
  store = Open();
  ASSERT_TRUE(AppendAndWait(store.get(), NumberedBatch(100, 4, 100)));  // trace 1 again
  ASSERT_TRUE(store->FlushNow());
  store.reset();
  env_.SetContents(path, bytes);
  for (int start = 1; start <= 2; ++start) {
    store = Open();
    EXPECT_TRUE(store->TakeSnapshot("")->MayBeSplit(NumberedTrace(1))) << "start " << start;
    EXPECT_FALSE(store->TakeSnapshot("")->MayBeSplit(NumberedTrace(0))) << "start " << start;
    store.reset();
  }
}

TEST_F(StoreTest, ManySnapshotsStayCheap) {
  auto store = Open();
  for (uint64_t i = 0; i < 200; ++i) {
    Append(store.get(), i * 5, 5);
    store->TakeSnapshot("");
  }
  EXPECT_LE(store->TakeSnapshot("")->segments().size(), 12u);
  ExpectAll(store.get());
}

TEST_F(StoreTest, TenantsAreApart) {
  auto store = Open();
  Append(store.get(), 0, 4);
  Append(store.get(), 100, 4, "../evil");
  EXPECT_EQ(ReadNumbers(store.get(), "../evil").spans.size(), 4u);
  ASSERT_TRUE(store->FlushNow());
  ExpectAll(store.get());
  EXPECT_TRUE(store->TakeSnapshot("nobody")->segments().empty());
  EXPECT_THAT(store->tenants(), ::testing::UnorderedElementsAre("default", "../evil"));
  for (const std::string& path : env_.Files()) EXPECT_TRUE(path.starts_with("/data/"));
  store.reset();
  store = Open();
  EXPECT_EQ(ReadNumbers(store.get(), "../evil").spans.size(), 4u);
  SpanBatch batch = NumberedBatch(200, 1);
  batch.tenant = std::string(100, 'x');
  EXPECT_EQ(AppendAndWait(store.get(), std::move(batch)).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(StoreTest, TheDirectoryIsLocked) {
  auto store = Open();
  auto second = Store::Open(&env_, &clock_, config_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
  store->Close();
  EXPECT_TRUE(Store::Open(&env_, &clock_, config_));
}

TEST_F(StoreTest, ReadOnlySeesEverythingAndWritesNothing) {
  auto store = Open();
  Append(store.get(), 0, 10);
  ASSERT_TRUE(store->FlushNow());
  Append(store.get(), 10, 10);
  const std::vector<std::string> files = env_.Files();
  const uint64_t writes = env_.calls(DiskOp::kWrite);
  StoreConfig config = config_;
  config.read_only = true;
  {
    auto reader = Store::Open(&env_, &clock_, config);
    ASSERT_TRUE(reader) << reader.error().message;
    ExpectAll(reader->get());
    EXPECT_FALSE((*reader)->Admit(1));
    EXPECT_FALSE(AppendAndWait(reader->get(), NumberedBatch(50, 1)));
    EXPECT_FALSE((*reader)->FlushNow());
    EXPECT_FALSE((*reader)->CompactNow(true));
  }
  EXPECT_EQ(env_.Files(), files);
  EXPECT_EQ(env_.calls(DiskOp::kWrite), writes);
  config.directory = "/nothing";
  EXPECT_FALSE(Store::Open(&env_, &clock_, config));
}

TEST_F(StoreTest, AFullHeadRefusesBeforeDecodingUntilItIsFlushed) {
  config_.head_bytes_max = 300 * 1024;
  auto store = Open();
  uint64_t next = 0;
  Status admitted;
  for (; next < 100'000 && admitted; next += 100) {
    Append(store.get(), next, 100);
    admitted = store->Admit(10'000);
  }
  ASSERT_FALSE(admitted);
  EXPECT_EQ(admitted.error().code, ErrorCode::kUnavailable);
  EXPECT_GT(admitted.error().retry_after_s, 0u);
  ASSERT_TRUE(store->FlushNow());
  EXPECT_TRUE(store->Admit(10'000));
  EXPECT_TRUE(store->Admit(1 << 30)) << "one large request is let in when the head is empty";
  ExpectAll(store.get());
}

// No block can be written: the head fills up.
TEST_F(StoreTest, SendersAreSlowedDownBeforeTheyAreRefused) {
  config_.background = true;
  config_.head_bytes_max = 400 * 1024;
  config_.flush_bytes = 100 * 1024;
  config_.wal_segment_bytes = 64 << 20;
  auto store = Open();
  env_.FailCalls(DiskOp::kCreate, 1, ErrorCode::kIo, UINT64_MAX / 2);
  std::atomic<uint64_t> answered = 0;
  uint64_t sent = 0, delayed_at_first = 0;
  while (sent < 1000 && store->Admit(1000)) {
    store->Append(NumberedBatch(sent * 20, 20), [&](const Status& status) {
      EXPECT_TRUE(status);
      ++answered;
    });
    sent_.Add(sent * 20, 20);
    ++sent;
    const StoreStats stats = store->stats();
    if (stats.delayed_batches > 0 && delayed_at_first == 0) delayed_at_first = stats.head_bytes;
    if (stats.head_bytes < config_.flush_bytes) {
      EXPECT_EQ(stats.delayed_batches, 0u);
    }
  }
  ASSERT_LT(sent, 1000u) << "the head is full";
  EXPECT_GT(store->stats().delayed_batches, 1u);
  EXPECT_GT(delayed_at_first, config_.flush_bytes);
  EXPECT_LT(delayed_at_first, config_.head_bytes_max * 9 / 10);
  env_.ClearFaults();
  store->Close();
  EXPECT_EQ(answered, sent) << "closing answers what waits";
  store = Open();
  ExpectAll(store.get());
}

TEST_F(StoreTest, TooManyUnmergedBlocksRefuse) {
  config_.level0_blocks_max = 3;
  auto store = Open();
  for (uint64_t i = 0; i < 4; ++i) {
    EXPECT_TRUE(store->Admit(1));
    Append(store.get(), i, 1);
    ASSERT_TRUE(store->FlushNow());
  }
  EXPECT_EQ(store->Admit(1).error().code, ErrorCode::kUnavailable);
  ASSERT_TRUE(store->CompactNow(false));
  EXPECT_TRUE(store->Admit(1));
  ExpectAll(store.get());
}

TEST_F(StoreTest, AFullDiskIsKnownBeforeAnythingIsSent) {
  config_.free_bytes_min = 100'000;
  auto store = Open();
  EXPECT_FALSE(store->stats().read_only);
  store.reset();
  env_.set_capacity_bytes(env_.used_bytes() + 90'000);
  store = Open();
  EXPECT_TRUE(store->stats().read_only);
  EXPECT_THAT(store->stats().read_only_reason, HasSubstr("nearly full"));
}

TEST_F(StoreTest, ANearlyFullDiskRefusesAnswersAndResumesWithHysteresis) {
  config_.free_bytes_min = 100'000;
  auto store = Open();
  Append(store.get(), 0, 10);
  env_.set_capacity_bytes(env_.used_bytes() + 90'000);
  clock_.Advance(1'000'000'000);
  const Status refused = store->Admit(1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kNoSpace);
  EXPECT_GT(refused.error().retry_after_s, 0u);
  EXPECT_TRUE(store->stats().read_only);
  ExpectAll(store.get());
  env_.set_capacity_bytes(env_.used_bytes() + 110'000);
  clock_.Advance(1'000'000'000);
  EXPECT_FALSE(store->Admit(1)) << "resumes only well above the mark";
  env_.set_capacity_bytes(0);
  clock_.Advance(1'000'000'000);
  EXPECT_TRUE(store->Admit(1));
  Append(store.get(), 10, 10);
  ExpectAll(store.get());
}

TEST_F(StoreTest, FillingTheDiskAndFreeingItLosesNothing) {
  auto store = Open();
  uint64_t next = 0;
  for (int cycle = 0; cycle < 4; ++cycle) {
    env_.set_capacity_bytes(env_.used_bytes() + 50'000);
    Status status;
    for (int i = 0; i < 1000 && status; ++i, next += 50) {
      status = AppendAndWait(store.get(), NumberedBatch(next, 50));
      if (!status) break;
      sent_.Add(next, 50);
      if (i % 8 == 7) [[maybe_unused]]
        const Status flushed = store->FlushNow();
    }
    ASSERT_FALSE(status) << "the disk must fill";
    EXPECT_EQ(status.error().code, ErrorCode::kNoSpace);
    ExpectAll(store.get());
    env_.set_capacity_bytes(0);
    clock_.Advance(10'000'000'000);
    ASSERT_TRUE(store->Admit(1)) << "resumes by itself";
    Append(store.get(), next, 50);
    next += 50;
    ExpectAll(store.get());
  }
  store.reset();
  store = Open();
  ExpectAll(store.get());
}

TEST_F(StoreTest, AfterAFailedSyncNothingUnsyncedIsShown) {
  auto store = Open();
  Append(store.get(), 0, 10);
  env_.FailCalls(DiskOp::kDataSync, 1, ErrorCode::kIo);
  EXPECT_FALSE(AppendAndWait(store.get(), NumberedBatch(10, 10)));
  EXPECT_FALSE(AppendAndWait(store.get(), NumberedBatch(20, 10)));
  EXPECT_FALSE(store->Admit(1));
  EXPECT_TRUE(store->stats().read_only);
  EXPECT_THAT(store->stats().read_only_reason, HasSubstr("injected fault"));
  ExpectAll(store.get());
  auto after = env_.Crash(CrashKind::kDropUnsynced, 1);
  store.reset();
  auto reopened = Store::Open(after.get(), &clock_, config_);
  ASSERT_TRUE(reopened);
  ExpectAll(reopened->get());
  EXPECT_TRUE(AppendAndWait(reopened->get(), NumberedBatch(30, 1)));
}

TEST_F(StoreTest, RetentionByAgeCountsFromTheReceivedTime) {
  config_.retention_age_ns = 2 * kDayNs;
  auto store = Open();
  // The spans' own times are years old; they were received now.
  ASSERT_TRUE(AppendAndWait(store.get(), NumberedBatch(0, 4, 4, 1'000'000'000)));
  ASSERT_TRUE(store->FlushNow());
  for (int hour = 0; hour < 47; ++hour) {
    clock_.Advance(kDayNs / 24);
    ASSERT_TRUE(store->EnforceRetentionNow());
  }
  EXPECT_EQ(ReadNumbers(store.get()).spans.size(), 4u);
  Append(store.get(), 100, 4);
  ASSERT_TRUE(store->FlushNow());
  clock_.Advance(kDayNs / 24);
  clock_.Advance(kDayNs / 24);
  ASSERT_TRUE(store->EnforceRetentionNow());
  clock_.Advance(kDayNs / 24);
  ASSERT_TRUE(store->EnforceRetentionNow());
  ExpectAll(store.get());
  EXPECT_EQ(store->stats().blocks_expired, 1u);
  EXPECT_THAT(BlockFiles(), SizeIs(1));
}

TEST_F(StoreTest, RetentionByBytesDropsTheOldest) {
  auto store = Open();
  for (uint64_t i = 0; i < 4; ++i) {
    ASSERT_TRUE(AppendAndWait(store.get(), NumberedBatch(i * 100, 100)));
    ASSERT_TRUE(store->FlushNow());
    clock_.Advance(1'000'000);
  }
  const uint64_t bytes = store->stats().block_bytes;
  store.reset();
  config_.retention_bytes = bytes * 5 / 8;
  store = Open();
  ASSERT_TRUE(store->EnforceRetentionNow());
  for (uint64_t n = 200; n < 400; n += 100) sent_.Add(n, 100);
  ExpectAll(store.get());
}

TEST_F(StoreTest, AClockThatJumpsDeletesNothing) {
  config_.retention_age_ns = 2 * kDayNs;
  auto store = Open();
  Append(store.get(), 0, 4);
  ASSERT_TRUE(store->FlushNow());
  clock_.JumpTo(clock_.NowNs() + 3650 * kDayNs);
  ASSERT_TRUE(store->EnforceRetentionNow());
  ASSERT_TRUE(store->EnforceRetentionNow());
  ExpectAll(store.get());
  store.reset();
  store = Open();
  ASSERT_TRUE(store->EnforceRetentionNow());
  ExpectAll(store.get());
}

TEST_F(StoreTest, ALostManifestIsRebuiltFromTheBlocks) {
  auto store = Open();
  for (uint64_t i = 0; i < 3; ++i) {
    ASSERT_TRUE(AppendAndWait(store.get(), NumberedBatch(i * 10, 10, 1000)));
    sent_.Add(i * 10, 10);
    ASSERT_TRUE(store->FlushNow());
    if (i == 1) {
      ASSERT_TRUE(store->CompactNow(true));
    }
  }
  Append(store.get(), 30, 10);
  store.reset();
  for (int damage = 0; damage < 3; ++damage) {
    auto disk = env_.Crash(CrashKind::kKeepAll, 1);
    for (const std::string& path : disk->Files()) {
      if (path.find("MANIFEST") == std::string::npos) continue;
      if (damage == 0) {
        ASSERT_TRUE(disk->Remove(path));
      }
      std::string bytes = disk->Contents(path);
      if (damage == 1) bytes[60] ^= 1;  // its first edit, which holds the state
      if (damage == 2) bytes[3] ^= 1;   // its header
      if (damage != 0) disk->SetContents(path, bytes);
    }
    for (int round = 0; round < 2; ++round) {
      auto reopened = Store::Open(disk.get(), &clock_, config_);
      ASSERT_TRUE(reopened) << reopened.error().message;
      ExpectAll(reopened->get());
      EXPECT_TRUE((*reopened)->TakeSnapshot("")->MayBeSplit(NumberedTrace(0)));
    }
  }
}

TEST_F(StoreTest, ADamagedBlockIsNamedAndTheRestAnswers) {
  auto store = Open();
  ASSERT_TRUE(AppendAndWait(store.get(), NumberedBatch(0, 10)));
  ASSERT_TRUE(store->FlushNow());
  Append(store.get(), 10, 10);
  ASSERT_TRUE(store->FlushNow());
  store.reset();
  const std::string path = BlockFiles()[0];
  std::string bytes = env_.Contents(path);
  bytes.resize(bytes.size() / 2);
  env_.SetContents(path, bytes);
  store = Open();
  ASSERT_EQ(store->stats().damage.size(), 1u);
  EXPECT_THAT(store->stats().damage[0], HasSubstr(path));
  EXPECT_THAT(store->TakeSnapshot("")->unreadable(), ::testing::ElementsAre(HasSubstr(path)));
  ExpectAll(store.get());
  ASSERT_TRUE(store->CompactNow(true));
  EXPECT_TRUE(env_.Exists(path)) << "never deleted";
}

TEST_F(StoreTest, ADamagedLogSegmentGoesToQuarantineWithItsGoodRecordsKept) {
  auto store = Open();
  Append(store.get(), 0, 10);
  ASSERT_TRUE(AppendAndWait(store.get(), NumberedBatch(10, 10)));
  Append(store.get(), 20, 10);
  store->Close();
  store.reset();
  const std::string path = "/data/wal/0000000001.wal";
  std::string bytes = env_.Contents(path);
  // The second record: the first one's length says where it is.
  uint32_t length = 0;
  std::memcpy(&length, bytes.data() + 4096 + 4, sizeof length);
  bytes[4096 + (length + 7) / 8 * 8 + 60] ^= 1;
  env_.SetContents(path, bytes);
  store = Open();
  ExpectAll(store.get());
  ASSERT_EQ(store->stats().damage.size(), 1u);
  EXPECT_THAT(store->stats().damage[0], HasSubstr("0000000001.wal"));
  EXPECT_TRUE(env_.Exists("/data/quarantine/0000000001.wal"));
  store.reset();
  store = Open();
  EXPECT_TRUE(store->stats().damage.empty()) << "reported once, kept in quarantine";
  ExpectAll(store.get());
}

TEST_F(StoreTest, MemoryModeKeepsNoLog) {
  config_.durability = Durability::kMemory;
  auto store = Open();
  Append(store.get(), 0, 10);
  ExpectAll(store.get());
  ASSERT_TRUE(store->FlushNow());
  ExpectAll(store.get());
  for (const std::string& file : env_.Files()) EXPECT_FALSE(file.ends_with(".wal")) << file;
}

TEST_F(StoreTest, RelaxedSurvivesKill) {
  config_.durability = Durability::kRelaxed;
  auto store = Open();
  Append(store.get(), 0, 10);
  auto killed = env_.Crash(CrashKind::kKeepAll, 1);
  auto reopened = Store::Open(killed.get(), &clock_, config_);
  ASSERT_TRUE(reopened);
  ExpectAll(reopened->get());
  ASSERT_TRUE(store->FlushNow());
  auto lost = env_.Crash(CrashKind::kDropUnsynced, 1);
  auto after = Store::Open(lost.get(), &clock_, config_);
  ASSERT_TRUE(after);
  ExpectAll(after->get());
}

TEST_F(StoreTest, RelaxedWhatWasNeverSyncedIsNotFlushedAfterAFailure) {
  config_.durability = Durability::kRelaxed;
  auto store = Open();
  Append(store.get(), 0, 10);
  Append(store.get(), 10, 10);
  env_.FailCalls(DiskOp::kDataSync, 1, ErrorCode::kIo, 1'000'000);
  EXPECT_FALSE(store->FlushNow());
  EXPECT_FALSE(store->FlushNow());
  ExpectAll(store.get());
}

TEST_F(StoreTest, RecordsOfAClockAheadDoNotAgeTheOthers) {
  auto store = Open();
  Append(store.get(), 0, 4);
  ASSERT_TRUE(store->FlushNow());
  const uint64_t honest = clock_.NowNs();
  clock_.JumpTo(honest + 100 * kDayNs);
  Append(store.get(), 4, 4);
  ASSERT_TRUE(store->FlushNow());
  store.reset();
  clock_.JumpTo(honest + 1'000'000'000);
  store = Open();
  ASSERT_TRUE(store->EnforceRetentionNow());
  ExpectAll(store.get());
}

TEST_F(StoreTest, SplitTracesAreForgottenWithTheirBlocks) {
  auto store = Open();
  Append(store.get(), 0, 2);
  ASSERT_TRUE(store->FlushNow());
  clock_.Advance(10 * kDayNs);
  ASSERT_TRUE(AppendAndWait(store.get(), NumberedBatch(2, 2)));  // trace 0 again
  ASSERT_TRUE(store->FlushNow());
  EXPECT_TRUE(store->TakeSnapshot("")->MayBeSplit(NumberedTrace(0)));
  clock_.Advance(5 * kDayNs);
  ASSERT_TRUE(store->EnforceRetentionNow());
  EXPECT_EQ(store->stats().blocks, 1u);
  EXPECT_FALSE(store->TakeSnapshot("")->MayBeSplit(NumberedTrace(0)));
  store.reset();
  store = Open();
  EXPECT_FALSE(store->TakeSnapshot("")->MayBeSplit(NumberedTrace(0)));
}

TEST_F(StoreTest, BlocksThatTheDiskDoesNotGiveBackDoNotStopIngest) {
  config_.level0_blocks_max = 4;
  config_.page_cache_bytes = 0;
  auto store = Open();
  for (uint64_t i = 0; i < 6; ++i) {
    Append(store.get(), i * 10, 10);
    ASSERT_TRUE(store->FlushNow());
  }
  EXPECT_FALSE(store->Admit(1));
  env_.FailCalls(DiskOp::kRead, 1, ErrorCode::kIo, 1'000'000);
  EXPECT_FALSE(store->CompactNow(false));
  EXPECT_TRUE(store->Admit(1));
  EXPECT_GT(store->stats().damaged_blocks, 0u);
  EXPECT_FALSE(store->stats().damage.empty());
}

TEST_F(StoreTest, ATraceThatStaysSplitWhileMergesRunIsNeverTakenForWhole) {
  auto store = Open();
  std::atomic<bool> done = false;
  std::thread merges([&] {
    while (!done) EXPECT_TRUE(store->CompactNow(true));
  });
  for (uint64_t round = 0; round < 200; ++round) {
    ASSERT_TRUE(AppendAndWait(store.get(), NumberedBatch(round * 8, 8, 1'000'000)));
    ASSERT_TRUE(store->FlushNow());
    const auto snapshot = store->TakeSnapshot("");
    size_t parts = 0;
    for (const auto& segment : snapshot->segments()) {
      parts += !segment->FindTrace(NumberedTrace(0))->spans.empty();
    }
    EXPECT_TRUE(parts <= 1 || snapshot->MayBeSplit(NumberedTrace(0))) << "round " << round;
  }
  done = true;
  merges.join();
}

TEST_F(StoreTest, AppendsSnapshotsFlushesAndMergesSideBySide) {
  config_.background = true;
  config_.flush_bytes = 64 * 1024;
  config_.wal_segment_bytes = 256 * 1024;
  config_.head_bytes_max = 1 << 30;
  config_.level0_blocks_max = 1000;
  config_.processors = 8;  // four merges at a time
  constexpr uint64_t kThreads = 3, kBatches = 60, kSpans = 20;
  auto store = Open();
  std::atomic<uint64_t> completed = 0;
  std::atomic<bool> done = false;
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (uint64_t i = 0; i < kBatches; ++i) {
        store->Append(NumberedBatch((t * kBatches + i) * kSpans, kSpans), [&](Status status) {
          EXPECT_TRUE(status);
          ++completed;
        });
      }
    });
  }
  threads.emplace_back([&] {
    uint64_t seen = 0;
    while (!done) {
      const uint64_t before = completed;
      const StoredNumbers found = ReadNumbers(store.get());
      EXPECT_GE(found.spans.size(), before * kSpans);
      EXPECT_GE(found.spans.size(), seen);
      seen = found.spans.size();
    }
  });
  threads.emplace_back([&] {
    while (!done) {
      EXPECT_TRUE(store->CompactNow(false));
      EXPECT_TRUE(store->FlushNow());
      store->stats();
    }
  });
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (completed < kThreads * kBatches && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  done = true;
  for (std::thread& thread : threads) thread.join();
  for (uint64_t n = 0; n < kThreads * kBatches; ++n) sent_.Add(n * kSpans, kSpans);
  ExpectAll(store.get());
  store->Close();
  store = Open();
  ExpectAll(store.get());
}

}  // namespace
}  // namespace weft::store

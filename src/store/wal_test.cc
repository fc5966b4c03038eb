// SPDX-License-Identifier: Apache-2.0
#include "store/wal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "store/little_endian.h"
#include "store/wal_replay.h"
#include "testing/manual_clock.h"
#include "testing/sim_env.h"

namespace weft::store {
namespace {

using testing::CrashKind;
using testing::DiskOp;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::ManualClock;
using testing::SimEnv;

constexpr StoreUuid kUuid = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
constexpr uint64_t kSegmentBytes = 16 * 1024;

class WalTest : public ::testing::Test {
 protected:
  WalTest() {
    EXPECT_TRUE(env_.MakeDirs("/wal"));
    EXPECT_TRUE(env_.SyncDir("/"));
  }

  WalOptions Options() {
    WalOptions options;
    options.directory = "/wal";
    options.uuid = kUuid;
    options.durability = durability_;
    options.segment_bytes = segment_bytes_;
    return options;
  }
  std::unique_ptr<Wal> Open(WalStart start = {}) {
    auto wal = Wal::Open(&env_, &clock_, Options(), std::move(start), [this](uint64_t durable) {
      cut_back_to_ = durable;
      if (during_cut_back_) during_cut_back_();
    });
    EXPECT_TRUE(wal) << wal.error().message;
    return wal ? std::move(*wal) : nullptr;
  }
  // Appends and waits for the completion.
  Status Append(Wal* wal, const std::string& payload, const std::string& tenant = "t") {
    std::promise<Status> done;
    Wal::Entry entry{7, 1, tenant, payload, [&](Status s) { done.set_value(std::move(s)); }};
    Wal::Record record = Wal::MakeRecord(std::move(entry));
    const auto place = wal->Enqueue(record);
    if (!place) return Fail(place.error());
    wal->Wake();
    return done.get_future().get();
  }
  // Payloads that a replay of `env` finds.
  std::vector<std::string> Replay(SimEnv* env, uint64_t durable = 0, uint64_t freed = 0,
                                  uint64_t blocks_hold_below = 0) {
    std::vector<std::string> payloads;
    WalReplayOptions options{"/wal", kUuid, freed, durable, 0, blocks_hold_below};
    auto report = ReplayWal(env, options, [&](const WalRecord& record) {
      payloads.emplace_back(record.payload);
      return visit_status_;
    });
    EXPECT_TRUE(report) << report.error().message;
    if (report) report_ = std::move(*report);
    return payloads;
  }

  SimEnv env_;
  ManualClock clock_;
  Durability durability_ = Durability::kDurable;
  uint64_t segment_bytes_ = kSegmentBytes;
  std::optional<uint64_t> cut_back_to_;
  std::function<void()> during_cut_back_;
  WalReplayReport report_;
  Status visit_status_;
};

TEST(WalFormatTest, ChecksumIsCrc32c) {
  EXPECT_EQ(Crc32c(0, "123456789"), 0xE3069283u);
  EXPECT_EQ(Crc32c(Crc32c(0, "1234"), "56789"), 0xE3069283u);
}

TEST(WalFormatTest, RecordRoundTripAndEveryFlippedBitIsSeen) {
  WalRecord record{42, 41, 99, WalRecordType::kBatch, 3, "tenant", "payload bytes"};
  const uint32_t seed = WalSeed(7, kUuid);
  std::string bytes;
  AppendWalRecord(seed, record, &bytes);
  EXPECT_EQ(bytes.size() % kWalAlignment, 0u);
  const std::string_view exact =
      std::string_view(bytes).substr(0, *PlausibleWalRecord(bytes, bytes.size()));
  auto parsed = ParseWalRecord(seed, exact);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->sequence, 42u);
  EXPECT_EQ(parsed->durable_sequence, 41u);
  EXPECT_EQ(parsed->received_ns, 99u);
  EXPECT_EQ(parsed->items, 3u);
  EXPECT_EQ(parsed->tenant, "tenant");
  EXPECT_EQ(parsed->payload, "payload bytes");
  EXPECT_FALSE(ParseWalRecord(WalSeed(8, kUuid), exact));
  for (size_t bit = 0; bit < exact.size() * 8; ++bit) {
    std::string damaged(exact);
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(ParseWalRecord(seed, damaged)) << "bit " << bit;
  }
}

TEST(WalFormatTest, FileNames) {
  EXPECT_EQ(WalFileName(12), "0000000012.wal");
  EXPECT_EQ(ParseWalFileName("0000000012.wal"), 12u);
  EXPECT_FALSE(ParseWalFileName("0.wal"));
  EXPECT_FALSE(ParseWalFileName("12.wal.tmp"));
  EXPECT_FALSE(ParseWalFileName("x12.wal"));
}

TEST_F(WalTest, AcknowledgedRecordsSurviveThePowerLoss) {
  auto wal = Open();
  ASSERT_TRUE(Append(wal.get(), "one"));
  ASSERT_TRUE(Append(wal.get(), "two"));
  EXPECT_EQ(wal->acknowledged_sequence(), 2u);
  auto after = env_.Crash(CrashKind::kDropUnsynced, 1);
  EXPECT_THAT(Replay(after.get()), ElementsAre("one", "two"));
  EXPECT_EQ(report_.start.next_sequence, 3u);
  EXPECT_EQ(report_.torn_tail_bytes, 0u);
  EXPECT_TRUE(report_.damage.empty());
}

TEST_F(WalTest, CloseLeavesAMarkAndReplayGoesOnAfterIt) {
  auto wal = Open();
  ASSERT_TRUE(Append(wal.get(), "one"));
  wal->Close();
  wal->Close();
  EXPECT_EQ(Append(wal.get(), "late").error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(Replay(&env_), ElementsAre("one"));
  EXPECT_EQ(report_.start.next_sequence, 3u);
  auto next = Open(report_.start);
  ASSERT_TRUE(Append(next.get(), "two"));
  EXPECT_THAT(Replay(&env_), ElementsAre("one", "two"));
}

TEST_F(WalTest, RotatesFreesRecyclesAndTakesLargeRecords) {
  auto wal = Open();
  std::vector<std::string> expected;
  for (int i = 0; i < 30; ++i) {
    expected.push_back(std::string(3000, static_cast<char>('a' + i % 26)));
    ASSERT_TRUE(Append(wal.get(), expected.back()));
  }
  expected.push_back(std::string(100'000, 'L'));
  ASSERT_TRUE(Append(wal.get(), expected.back()));
  EXPECT_GT(wal->segment_count(), 5u);
  EXPECT_EQ(Replay(&env_), expected);
  const uint64_t through = wal->FreeableThrough(20);
  ASSERT_GT(through, 2u);
  ASSERT_TRUE(wal->Free(through, "/quarantine"));
  for (int i = 0; i < 8; ++i) {
    expected.push_back(std::string(3000, static_cast<char>('A' + i)));
    ASSERT_TRUE(Append(wal.get(), expected.back()));
  }
  const auto rest = Replay(&env_, 0, through);
  ASSERT_LT(rest.size(), expected.size());
  EXPECT_TRUE(std::equal(rest.rbegin(), rest.rend(), expected.rbegin()));
  EXPECT_LE(expected.size() - rest.size(), 19u);
  EXPECT_TRUE(report_.damage.empty());
}

TEST_F(WalTest, ATornLastRecordIsCutAndTheNextStartIsClean) {
  auto wal = Open();
  ASSERT_TRUE(Append(wal.get(), "one"));
  ASSERT_TRUE(Append(wal.get(), std::string(5000, 'x')));
  auto after = env_.Crash(CrashKind::kKeepAll, 1);
  wal.reset();
  const std::string path = "/wal/" + WalFileName(1);
  std::string bytes = after->Contents(path);
  bytes[kWalHeaderBytes + 48 + 4000] ^= 1;
  after->SetContents(path, bytes);
  EXPECT_THAT(Replay(after.get()), ElementsAre("one"));
  EXPECT_GT(report_.torn_tail_bytes, 5000u);
  EXPECT_TRUE(report_.damage.empty());
  EXPECT_EQ(report_.start.next_sequence, 2u);

  // The cut stays a cut after the sequence is used again in a new segment.
  auto reopened = Wal::Open(after.get(), &clock_, Options(), report_.start, [](uint64_t) {});
  ASSERT_TRUE(reopened);
  ASSERT_TRUE(Append(reopened->get(), "two"));
  ASSERT_TRUE(Append(reopened->get(), "three"));
  EXPECT_THAT(Replay(after.get()), ElementsAre("one", "two", "three"));
  EXPECT_TRUE(report_.damage.empty());
}

TEST_F(WalTest, ADamagedRecordThatIsCalledDurableIsCorruption) {
  auto wal = Open();
  for (const char* payload : {"one", "two", "three", "four"}) {
    ASSERT_TRUE(Append(wal.get(), payload));
  }
  auto after = env_.Crash(CrashKind::kKeepAll, 1);
  const std::string path = "/wal/" + WalFileName(1);
  std::string bytes = after->Contents(path);
  bytes[kWalHeaderBytes + 48 + 41] ^= 1;  // inside "two"
  after->SetContents(path, bytes);
  EXPECT_THAT(Replay(after.get()), ElementsAre("one", "three", "four"));
  ASSERT_EQ(report_.damage.size(), 1u);
  EXPECT_THAT(report_.damage[0], HasSubstr("0000000001.wal"));
  EXPECT_THAT(report_.damage[0], HasSubstr("sequences 2 to 2"));
  EXPECT_EQ(report_.lost_records, 1u);
  ASSERT_EQ(report_.start.live.size(), 1u);
  EXPECT_TRUE(report_.start.live[0].damaged);
  EXPECT_EQ(report_.start.next_sequence, 5u);
}

TEST_F(WalTest, DamageNamesOnlySequencesThatNoBlockHolds) {
  auto wal = Open();
  for (const char* payload : {"one", "two", "three", "four", "five"}) {
    ASSERT_TRUE(Append(wal.get(), payload));
  }
  auto after = env_.Crash(CrashKind::kKeepAll, 1);
  const std::string path = "/wal/" + WalFileName(1);
  std::string bytes = after->Contents(path);
  for (const uint64_t record : {1, 2, 3}) bytes[kWalHeaderBytes + record * 48 + 41] ^= 1;
  after->SetContents(path, bytes);
  struct Case {
    uint64_t held_below, lost;
    const char* says;
  };
  for (const Case& one : {Case{0, 3, "sequences 2 to 4 are lost"}, Case{2, 3, "sequences 2 to 4"},
                          Case{4, 1, "sequences 4 to 4 are lost"}, Case{5, 0, "nothing is lost"},
                          Case{6, 0, "nothing is lost"}}) {
    EXPECT_THAT(Replay(after.get(), 0, 0, one.held_below), ElementsAre("one", "five"));
    ASSERT_EQ(report_.damage.size(), 1u);
    EXPECT_THAT(report_.damage[0], HasSubstr(one.says));
    EXPECT_EQ(report_.lost_records, one.lost);
  }
}

// A payload full of headers, each of a record of `length` bytes with this sequence.
std::string FakeHeaders(uint64_t bytes, uint32_t length, uint64_t sequence) {
  std::string header(512, '\0');
  StoreNumber(length, header.data() + 4);
  StoreNumber(sequence, header.data() + 8);
  header[32] = static_cast<char>(WalRecordType::kBatch);
  std::string payload;
  while (payload.size() < bytes) payload += header;
  return payload;
}

TEST_F(WalTest, BytesMadeToLookLikeRecordsDoNotMakeAStartSlow) {
  constexpr uint64_t kPayloadBytes = 3 << 20;
  segment_bytes_ = 4 << 20;
  auto wal = Open();
  ASSERT_TRUE(Append(wal.get(), "one"));
  // A name that lets the payload begin at a multiple of 8, as records do.
  ASSERT_TRUE(Append(wal.get(), FakeHeaders(kPayloadBytes, kPayloadBytes / 2, 3), "tenant_a"));
  auto torn = env_.Crash(CrashKind::kKeepAll, 1);
  ASSERT_TRUE(Append(wal.get(), "three"));
  auto damaged = env_.Crash(CrashKind::kKeepAll, 1);
  const std::string path = "/wal/" + WalFileName(1);
  for (SimEnv* disk : {torn.get(), damaged.get()}) {
    std::string bytes = disk->Contents(path);
    bytes[kWalHeaderBytes + 48 + 41] ^= 1;  // inside the second record's tenant
    disk->SetContents(path, bytes);
    const uint64_t before = disk->bytes_read();
    if (disk == torn.get()) {
      EXPECT_THAT(Replay(disk), ElementsAre("one"));
      EXPECT_GT(report_.torn_tail_bytes, kPayloadBytes);
      EXPECT_TRUE(report_.damage.empty());
    } else {
      EXPECT_THAT(Replay(disk), ElementsAre("one", "three"));
      EXPECT_EQ(report_.lost_records, 1u);
    }
    EXPECT_LT(disk->bytes_read() - before, 8 * bytes.size());
  }
}

TEST_F(WalTest, NoRecordIsLookedForWithASequenceThatCannotBeThere) {
  constexpr uint64_t kPayloadBytes = 3 << 20;
  segment_bytes_ = 8 << 20;
  auto wal = Open();
  ASSERT_TRUE(Append(wal.get(), "one"));
  ASSERT_TRUE(Append(wal.get(), FakeHeaders(kPayloadBytes, kPayloadBytes / 2, 1), "tenant_a"));
  // More than headers fit into the segment.
  ASSERT_TRUE(Append(wal.get(), FakeHeaders(kPayloadBytes, 1 << 20, 300'000), "tenant_a"));
  auto disk = env_.Crash(CrashKind::kKeepAll, 1);
  const std::string path = "/wal/" + WalFileName(1);
  std::string bytes = disk->Contents(path);
  const uint64_t second = kWalHeaderBytes + 48;
  for (const uint64_t at : {second, second + WalRecordBytes(8, kPayloadBytes)}) bytes[at + 41] ^= 1;
  disk->SetContents(path, bytes);
  const uint64_t before = disk->bytes_read();
  EXPECT_THAT(Replay(disk.get()), ElementsAre("one"));
  EXPECT_TRUE(report_.damage.empty());
  EXPECT_LT(disk->bytes_read() - before, 3 * bytes.size());
}

TEST_F(WalTest, TheManifestCanCallTheLastRecordDurable) {
  auto wal = Open();
  ASSERT_TRUE(Append(wal.get(), "one"));
  auto after = env_.Crash(CrashKind::kKeepAll, 1);
  const std::string path = "/wal/" + WalFileName(1);
  std::string bytes = after->Contents(path);
  bytes[kWalHeaderBytes + 42] ^= 1;
  after->SetContents(path, bytes);
  EXPECT_THAT(Replay(after.get(), 1), ElementsAre());
  EXPECT_EQ(report_.lost_records, 1u);
  EXPECT_EQ(report_.start.next_sequence, 2u);
}

TEST_F(WalTest, DamageInAnEarlierSegmentNeverHidesLaterOnes) {
  auto wal = Open();
  std::vector<std::string> expected;
  for (int i = 0; i < 12; ++i) {
    expected.push_back(std::string(3000, static_cast<char>('a' + i)));
    ASSERT_TRUE(Append(wal.get(), expected.back()));
  }
  wal->Close();
  const std::string path = "/wal/" + WalFileName(1);
  // The header, the last record, and the whole file in turn.
  for (int damage = 0; damage < 3; ++damage) {
    auto disk = env_.Crash(CrashKind::kKeepAll, 1);
    std::string bytes = disk->Contents(path);
    if (damage == 0) bytes[20] ^= 1;
    if (damage == 1) bytes[kWalHeaderBytes + 2 * 3048 + 100] ^= 1;
    if (damage == 2) bytes.assign(bytes.size(), '\0');
    disk->SetContents(path, bytes);
    const auto found = Replay(disk.get());
    EXPECT_FALSE(report_.damage.empty()) << damage;
    EXPECT_EQ(found.size(), damage == 0 ? 12u : damage == 1 ? 11u : 8u) << damage;
    EXPECT_EQ(found.back(), expected.back());
  }
  auto disk = env_.Crash(CrashKind::kKeepAll, 1);
  ASSERT_TRUE(disk->Remove(path));
  EXPECT_EQ(Replay(disk.get()).size(), 8u);
  ASSERT_FALSE(report_.damage.empty());
  EXPECT_THAT(report_.damage[0], HasSubstr("0000000001.wal is missing"));
}

TEST_F(WalTest, ASegmentOfAnotherStoreIsNotReplayed) {
  auto wal = Open();
  ASSERT_TRUE(Append(wal.get(), "one"));
  wal->Close();
  StoreUuid other = kUuid;
  other[0] ^= 1;
  auto report = ReplayWal(&env_, {"/wal", other, 0, 0}, [](const WalRecord&) {
    ADD_FAILURE();
    return Status();
  });
  ASSERT_TRUE(report);
  ASSERT_EQ(report->damage.size(), 1u);
  EXPECT_THAT(report->damage[0], HasSubstr("another store"));
}

TEST_F(WalTest, ANewerFormatIsRefusedByName) {
  auto wal = Open();
  wal->Close();
  const std::string path = "/wal/" + WalFileName(1);
  std::string bytes = env_.Contents(path);
  bytes[8] = 2;
  const uint32_t crc = Crc32c(0, std::string_view(bytes).substr(0, 64));
  std::memcpy(bytes.data() + 64, &crc, sizeof crc);
  env_.SetContents(path, bytes);
  auto report = ReplayWal(&env_, {"/wal", kUuid, 0, 0}, [](const WalRecord&) { return Status(); });
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kUnimplemented);
  EXPECT_THAT(report.error().message, HasSubstr("version 2"));
}

TEST_F(WalTest, ARecordThatDoesNotDecodeIsNamedAndTheRestGoesOn) {
  auto wal = Open();
  ASSERT_TRUE(Append(wal.get(), "one"));
  ASSERT_TRUE(Append(wal.get(), "two"));
  visit_status_ = Fail(ErrorCode::kCorruption, "no such field");
  EXPECT_THAT(Replay(&env_), ElementsAre("one", "two"));
  EXPECT_EQ(report_.damage.size(), 2u);
  EXPECT_TRUE(report_.start.live[0].damaged);
}

TEST_F(WalTest, AFailedSyncIsFinalAndNeverRetried) {
  auto wal = Open();
  ASSERT_TRUE(Append(wal.get(), "one"));
  env_.FailCalls(DiskOp::kDataSync, 1, ErrorCode::kIo);
  const uint64_t epoch = wal->epoch();
  const Status failed = Append(wal.get(), "two");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(failed.error().message, HasSubstr("read-only"));
  const uint64_t syncs = env_.calls(DiskOp::kDataSync);
  EXPECT_FALSE(Append(wal.get(), "three"));
  EXPECT_FALSE(wal->Resume());
  EXPECT_TRUE(wal->failed_for_good());
  EXPECT_FALSE(wal->WaitAcknowledged(2, epoch));
  EXPECT_EQ(cut_back_to_, 1u);
  wal->Close();
  EXPECT_EQ(env_.calls(DiskOp::kDataSync), syncs);
  const auto kept = Replay(env_.Crash(CrashKind::kDropUnsynced, 1).get());
  EXPECT_THAT(kept, ElementsAre("one"));
}

TEST_F(WalTest, AFullDiskRefusesAndResumesInANewSegment) {
  auto wal = Open();
  std::vector<std::string> expected;
  env_.set_capacity_bytes(env_.used_bytes() + 1000);
  Status status;
  for (int i = 0; i < 20 && status; ++i) {
    const std::string payload(3000, static_cast<char>('a' + i));
    status = Append(wal.get(), payload);
    if (status) expected.push_back(payload);
  }
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kNoSpace);
  EXPECT_GT(status.error().retry_after_s, 0u);
  EXPECT_EQ(cut_back_to_, expected.size());
  EXPECT_FALSE(wal->Resume());
  EXPECT_FALSE(wal->failed_for_good());
  env_.set_capacity_bytes(0);
  ASSERT_TRUE(wal->Resume());
  expected.push_back("again");
  ASSERT_TRUE(Append(wal.get(), "again"));
  EXPECT_EQ(Replay(env_.Crash(CrashKind::kDropUnsynced, 1).get()), expected);
  EXPECT_TRUE(report_.damage.empty());
}

TEST_F(WalTest, AReaderThatComesBeforeTheHeadIsCutBackNeverTakesAFailedRecordForAGoodOne) {
  auto wal = Open();
  ASSERT_TRUE(Append(wal.get(), "one"));
  uint64_t epoch = 0;
  std::promise<void> asking;
  std::future<Result<bool>> synced;
  during_cut_back_ = [&] {
    // What readers and flushes do, which may still find the record in the head.
    epoch = wal->epoch();
    synced = std::async(std::launch::async, [&] {
      asking.set_value();
      return wal->WaitSynced(2, epoch);
    });
    asking.get_future().wait();
  };
  env_.FailCalls(DiskOp::kWrite, 1, ErrorCode::kNoSpace);
  EXPECT_EQ(Append(wal.get(), "two").error().code, ErrorCode::kNoSpace);
  const Result<bool> flush = synced.get();
  ASSERT_TRUE(flush) << flush.error().message;
  EXPECT_FALSE(*flush);
  // The number is used again, for another record.
  ASSERT_TRUE(wal->Resume());
  ASSERT_TRUE(Append(wal.get(), "again"));
  EXPECT_EQ(wal->acknowledged_sequence(), 2u);
  EXPECT_FALSE(wal->WaitAcknowledged(2, epoch));
  EXPECT_TRUE(wal->WaitAcknowledged(2, wal->epoch()));
}

TEST_F(WalTest, OpensOnAFullDiskAndResumes) {
  env_.set_capacity_bytes(1000);
  auto wal = Open();
  EXPECT_EQ(Append(wal.get(), "one").error().code, ErrorCode::kNoSpace);
  env_.set_capacity_bytes(0);
  ASSERT_TRUE(wal->Resume());
  ASSERT_TRUE(Append(wal.get(), "one"));
  EXPECT_THAT(Replay(&env_), ElementsAre("one"));
}

TEST_F(WalTest, ACrowdSharesASync) {
  auto wal = Open();
  // The hook holds the log's thread in its first sync until everyone else has queued.
  std::promise<void> queued;
  std::shared_future<void> all_queued = queued.get_future().share();
  std::atomic<bool> armed = true;
  env_.set_after_change([&] {
    if (armed.exchange(false)) all_queued.wait();
  });
  const uint64_t before = wal->stats().syncs;
  std::atomic<int> done = 0;
  std::promise<void> finished;
  for (int i = 0; i < 100; ++i) {
    Wal::Entry entry{0, 1, "t", "x", [&](Status s) {
                       EXPECT_TRUE(s);
                       if (++done == 100) finished.set_value();
                     }};
    Wal::Record record = Wal::MakeRecord(std::move(entry));
    ASSERT_TRUE(wal->Enqueue(record));
    wal->Wake();
  }
  queued.set_value();
  finished.get_future().wait();
  EXPECT_LE(wal->stats().syncs - before, 3u);
}

TEST_F(WalTest, RelaxedAcknowledgesBeforeTheSyncAndSyncsWhenAsked) {
  durability_ = Durability::kRelaxed;
  auto wal = Open();
  clock_.Advance(1);
  const uint64_t syncs = env_.calls(DiskOp::kDataSync);
  ASSERT_TRUE(Append(wal.get(), "one"));
  EXPECT_THAT(Replay(env_.Crash(CrashKind::kKeepAll, 1).get()), ElementsAre("one"));
  EXPECT_TRUE(wal->WaitSynced(1, wal->epoch()));
  EXPECT_GT(env_.calls(DiskOp::kDataSync), syncs);
  EXPECT_THAT(Replay(env_.Crash(CrashKind::kDropUnsynced, 1).get()), ElementsAre("one"));
}

// Every state of the disk at every call, after every kind of power loss.
TEST_F(WalTest, EveryPowerLossKeepsAPrefixWithAllThatWasAcknowledged) {
  struct State {
    std::unique_ptr<SimEnv> disk;
    int acknowledged = 0;
  };
  std::atomic<int> acknowledged = 0;
  std::vector<State> states;
  uint64_t seed = 0;
  env_.set_after_change([&] {
    const int acked = acknowledged;
    for (int kind = 0; kind < testing::kCrashKinds; ++kind) {
      if (kind == static_cast<int>(CrashKind::kNamesOnly) && acked == 0) continue;
      states.push_back({env_.Crash(static_cast<CrashKind>(kind), ++seed), acked});
    }
  });
  auto wal = Open();
  for (int i = 0; i < 24; ++i) {
    ASSERT_TRUE(Append(
        wal.get(), std::string(static_cast<size_t>(500 + i * 97 % 4000), 'x') + std::to_string(i)));
    ++acknowledged;
  }
  wal->Close();
  env_.set_after_change({});
  ASSERT_GT(states.size(), 400u);
  for (const State& state : states) {
    const auto found = Replay(state.disk.get());
    ASSERT_TRUE(report_.damage.empty()) << report_.damage[0];
    ASSERT_GE(found.size(), static_cast<size_t>(state.acknowledged));
    for (size_t i = 0; i < found.size(); ++i) {
      ASSERT_TRUE(found[i].ends_with("x" + std::to_string(i)));
    }
  }
}

TEST_F(WalTest, WithoutDataSyncThePowerLossTestFails) {
  env_.set_data_sync_lies(true);
  auto wal = Open();
  ASSERT_TRUE(Append(wal.get(), "one"));
  EXPECT_TRUE(Replay(env_.Crash(CrashKind::kDropUnsynced, 1).get()).empty());
}

}  // namespace
}  // namespace weft::store

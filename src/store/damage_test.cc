// SPDX-License-Identifier: Apache-2.0
//
// Damage is said, never hidden: every part of a block file is damaged in every way, and each trace
// that was acknowledged is then shown as it was sent, shown in part and said to be so, or refused
// with the name of the block. It is never "not found".
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <functional>

#include "block/block_regions.h"
#include "store/manifest.h"
#include "testing/manual_clock.h"
#include "testing/numbered_spans.h"
#include "testing/sim_env.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace weft::store {
namespace {

using ::testing::AllOf;
using testing::AppendAndWait;
using testing::CrashKind;
using testing::DiskOp;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::ManualClock;
using ::testing::Not;
using testing::NumberedBatch;
using testing::NumberedTrace;
using testing::NumberOf;
using testing::ReadNumbers;
using testing::SimEnv;
using ::testing::SizeIs;
using testing::StoredNumbers;

constexpr uint64_t kSpansPerBlock = 400, kSpansPerTrace = 4, kBlocks = 3;
constexpr uint64_t kTraces = kBlocks * kSpansPerBlock / kSpansPerTrace;

class Heard : public StoreObserver {
 public:
  void OnDamage(const std::string& what) override { damage.push_back(what); }
  void OnSync(uint64_t, const Status&) override {}
  void OnWork(const StoreWork&) override {}
  std::vector<std::string> damage;
};

class DamageTest : public ::testing::Test {
 protected:
  DamageTest() {
    config_.directory = "/data";
    config_.background = false;
    config_.free_bytes_min = 0;
    config_.page_cache_bytes = 0;
    auto store = Store::Open(&healthy_, &clock_, config_);
    for (uint64_t block = 0; block < kBlocks; ++block) {
      EXPECT_TRUE(AppendAndWait(
          store->get(), NumberedBatch(block * kSpansPerBlock, kSpansPerBlock, kSpansPerTrace)));
      EXPECT_TRUE((*store)->FlushNow());
    }
    (*store)->Close();
    for (const std::string& path : healthy_.Files())
      if (path.ends_with(".block")) blocks_.push_back(path);
    EXPECT_THAT(blocks_, SizeIs(kBlocks));
    StartAnew();
  }
  void StartAnew() { disk_ = healthy_.Crash(CrashKind::kKeepAll, 1); }
  std::unique_ptr<Store> Open() {
    heard_.damage.clear();
    config_.observer = &heard_;
    auto store = Store::Open(disk_.get(), &clock_, config_);
    EXPECT_TRUE(store) << store.error().message;
    return store ? std::move(*store) : nullptr;
  }
  void Damage(const std::string& path, const std::function<void(std::string*)>& change) {
    std::string bytes = disk_->Contents(path);
    change(&bytes);
    disk_->SetContents(path, std::move(bytes));
  }

  struct Answers {
    int whole = 0, partial = 0, refused = 0;
  };
  // Asks for every trace. What was sent is in the block of its number.
  Answers AskForAll(Store* store, const std::string& damaged) {
    Answers answers;
    const auto snapshot = store->TakeSnapshot("");
    for (uint64_t trace = 0; trace < kTraces; ++trace) {
      std::string partial;
      const auto found = snapshot->ReadTrace(NumberedTrace(trace), &partial);
      if (!found) {
        ++answers.refused;
        EXPECT_TRUE(found.error().code == ErrorCode::kCorruption ||
                    found.error().code == ErrorCode::kIo)
            << "trace " << trace << ": " << found.error().message;
        EXPECT_THAT(found.error().message, HasSubstr(damaged));
        continue;
      }
      for (const Span& span : found->spans) {
        const uint64_t number = NumberOf(span.attributes);
        EXPECT_EQ(number / kSpansPerTrace, trace);
        EXPECT_EQ(FindString(span.attributes, "text"), "value of " + std::to_string(number));
      }
      if (partial.empty()) {
        ++answers.whole;
        EXPECT_THAT(found->spans, SizeIs(kSpansPerTrace)) << "trace " << trace;
      } else {
        ++answers.partial;
        EXPECT_THAT(partial, HasSubstr(damaged));
      }
    }
    return answers;
  }
  // Of ids that nobody sent, some are refuted by the filters of all blocks, none is found.
  int CountNotFound(Store* store) {
    int not_found = 0;
    const auto snapshot = store->TakeSnapshot("");
    for (uint64_t trace = kTraces + 1000; trace < kTraces + 1100; ++trace) {
      std::string partial;
      const auto found = snapshot->ReadTrace(NumberedTrace(trace), &partial);
      EXPECT_FALSE(found);
      not_found += found.error().code == ErrorCode::kNotFound;
    }
    return not_found;
  }

  SimEnv healthy_;
  ManualClock clock_;
  StoreConfig config_;
  Heard heard_;
  std::vector<std::string> blocks_;
  std::unique_ptr<SimEnv> disk_;
};

struct Kind {
  const char* name;
  std::function<void(const block::FileRegion&, std::string*)> damage;
};
const Kind kKinds[] = {
    {"a flipped bit",
     [](const block::FileRegion& region, std::string* bytes) {
       (*bytes)[region.offset + region.bytes / 2] ^= 0x10;
     }},
    {"zeros",
     [](const block::FileRegion& region, std::string* bytes) {
       std::fill_n(bytes->begin() + static_cast<ptrdiff_t>(region.offset), region.bytes, '\0');
     }},
    {"cut off", [](const block::FileRegion& region,
                   std::string* bytes) { bytes->resize(region.offset + region.bytes / 2); }},
    {"ones",
     [](const block::FileRegion& region, std::string* bytes) {
       std::fill_n(bytes->begin() + static_cast<ptrdiff_t>(region.offset), region.bytes, '\xFF');
     }},
};

TEST_F(DamageTest, EveryPartDamagedInEveryWay) {
  const auto regions = block::RegionsOf(disk_->Contents(blocks_[1]));
  ASSERT_GE(regions.size(), 10u);
  for (const auto& [part, region] : regions) {
    for (const Kind& kind : kKinds) {
      SCOPED_TRACE(part + ": " + kind.name);
      StartAnew();
      Damage(blocks_[1], [&](std::string* bytes) { kind.damage(region, bytes); });
      auto store = Open();
      const Answers answers = AskForAll(store.get(), blocks_[1]);
      const bool whole = answers.whole == static_cast<int>(kTraces);
      // A page that no trace needs is found by the scrub.
      if (!whole) {
        EXPECT_THAT(heard_.damage,
                    ElementsAre(AllOf(HasSubstr(blocks_[1]), HasSubstr("left in place"))))
            << "once, at the first";
        EXPECT_EQ(store->stats().damaged_blocks, 1u);
        EXPECT_GT(store->stats().failed_block_reads, 0u);
      }
      ASSERT_TRUE(store->ScrubNow());
      EXPECT_EQ(store->stats().scrub_last_damaged_blocks, 1u);
      EXPECT_THAT(heard_.damage, SizeIs(1));
      EXPECT_EQ(store->stats().quarantined_files, 0u) << "it is where it was";
      EXPECT_TRUE(disk_->Exists(blocks_[1]));
      // The filter is intact unless it or what says which file this is was hit.
      const bool filter = part != "filter" && part != "footer" && part != "trailer" &&
                          part != "magic" && part != "summary" &&
                          kind.name != std::string("cut off");
      EXPECT_EQ(CountNotFound(store.get()) > 50, filter);
      if (filter) {
        EXPECT_GE(answers.whole, 190) << "the others' traces are refuted here: they are whole";
      }
    }
  }
}

TEST_F(DamageTest, AFileThatIsNotThere) {
  ASSERT_TRUE(disk_->Remove(blocks_[0]));
  auto store = Open();
  const Answers answers = AskForAll(store.get(), blocks_[0]);
  EXPECT_EQ(answers.whole, 0);
  EXPECT_EQ(answers.partial, 200);
  EXPECT_EQ(answers.refused, 100);
  EXPECT_THAT(heard_.damage, ElementsAre(HasSubstr(blocks_[0])));
  EXPECT_EQ(CountNotFound(store.get()), 0);
}

TEST_F(DamageTest, ADirectoryInItsPlace) {
  ASSERT_TRUE(disk_->Remove(blocks_[0]));
  ASSERT_TRUE(disk_->MakeDirs(blocks_[0]));
  auto store = Open();
  EXPECT_EQ(AskForAll(store.get(), blocks_[0]).refused, 100);
  EXPECT_THAT(heard_.damage, ElementsAre(HasSubstr(blocks_[0])));
  // Retention by time takes what it can take.
  store.reset();
  clock_.Advance(100ull * 24 * 3600 * 1'000'000'000);
  config_.retention_age_ns = 24ull * 3600 * 1'000'000'000;
  store = Open();
  clock_.Advance(2ull * 3600 * 1'000'000'000);
  ASSERT_TRUE(store->EnforceRetentionNow());
  clock_.Advance(2ull * 3600 * 1'000'000'000);
  ASSERT_TRUE(store->EnforceRetentionNow());
  EXPECT_EQ(store->stats().blocks, 0u);
  store.reset();
  EXPECT_NE(Open(), nullptr) << "it opens again";
}

TEST_F(DamageTest, AnotherBlocksFileUnderTheName) {
  // Of the same size even: what tells them apart is the summary.
  Damage(blocks_[0], [&](std::string* bytes) { *bytes = disk_->Contents(blocks_[2]); });
  auto store = Open();
  const Answers answers = AskForAll(store.get(), blocks_[0]);
  EXPECT_EQ(answers.refused, 100);
  EXPECT_EQ(CountNotFound(store.get()), 0) << "its filter is another's";
  EXPECT_THAT(heard_.damage, ElementsAre(HasSubstr("not the block that was written here")));
}

// A manifest of an earlier version: everything but the summaries' checksums.
void ForgetChecksums(SimEnv* env) {
  auto file = Manifest::Load(env, "/data");
  ASSERT_TRUE(file);
  for (auto& [number, meta] : file->state.blocks) meta.summary_checksum = 0;
  ASSERT_TRUE(Manifest::Create(env, "/data", file->state, file->number + 1));
}

TEST_F(DamageTest, AManifestWithoutChecksumsIsFilledInAtTheFirstOpen) {
  ForgetChecksums(disk_.get());
  auto store = Open();
  EXPECT_EQ(AskForAll(store.get(), "").whole, 300);
  store->Close();
  store.reset();
  auto manifest = Manifest::Load(disk_.get(), "/data");
  ASSERT_TRUE(manifest);
  for (const auto& [number, meta] : manifest->state.blocks) EXPECT_NE(meta.summary_checksum, 0u);
  // What it knows tells most files apart even before that.
  ForgetChecksums(disk_.get());
  Damage(blocks_[0], [&](std::string* bytes) { *bytes = disk_->Contents(blocks_[2]); });
  store = Open();
  EXPECT_EQ(AskForAll(store.get(), blocks_[0]).refused, 100);
}

TEST_F(DamageTest, AFileReplacedWhileTheStoreRuns) {
  auto store = Open();
  EXPECT_EQ(AskForAll(store.get(), "").whole, 300);
  Damage(blocks_[0], [&](std::string* bytes) { *bytes = disk_->Contents(blocks_[2]); });
  ASSERT_TRUE(store->ScrubNow());
  EXPECT_THAT(heard_.damage, ElementsAre(HasSubstr(blocks_[0])));
  const Answers answers = AskForAll(store.get(), blocks_[0]);
  EXPECT_EQ(answers.refused, 100);
  EXPECT_GE(answers.whole, 190) << "the filter in memory is the right one";
}

// The end of the page that begins at `begin`: where the checksum of what is before it stands.
size_t EndOfPage(const std::string& bytes, size_t begin) {
  for (size_t end = begin + 5; end < bytes.size(); ++end) {
    uint32_t stored = 0;
    std::memcpy(&stored, bytes.data() + end - 4, sizeof stored);
    const uint64_t sum = XXH3_64bits(bytes.data() + begin, end - 4 - begin);
    if (stored == static_cast<uint32_t>(sum)) return end;
  }
  return begin;
}

TEST_F(DamageTest, APageThatIsWholeButNotWhatWasWrittenIsFoundByTheScrub) {
  auto store = Open();
  Damage(blocks_[0], [&](std::string* bytes) {
    const size_t begin = block::RegionsOf(*bytes)["pages"].offset;
    const size_t end = EndOfPage(*bytes, begin);
    ASSERT_GT(end, begin);
    (*bytes)[end - 6] ^= 1;
    const auto sum = static_cast<uint32_t>(XXH3_64bits(bytes->data() + begin, end - 4 - begin));
    std::memcpy(bytes->data() + end - 4, &sum, sizeof sum);
  });
  ASSERT_TRUE(store->ScrubNow());
  EXPECT_THAT(heard_.damage, ElementsAre(HasSubstr("file checksum differs")));
  const Answers answers = AskForAll(store.get(), blocks_[0]);
  EXPECT_EQ(answers.refused, 100) << "no page of it is trusted";
  EXPECT_GE(answers.whole, 190);
  EXPECT_THAT(store->TakeSnapshot("")->unreadable(), ElementsAre(HasSubstr(blocks_[0])));
}

TEST_F(DamageTest, ADiskThatFailsAndComesBack) {
  auto store = Open();
  disk_->FailCalls(DiskOp::kRead, 1, ErrorCode::kIo, 1'000'000);
  const Answers answers = AskForAll(store.get(), "/data/default/");
  EXPECT_EQ(answers.refused, 300);
  EXPECT_THAT(heard_.damage, SizeIs(3));
  EXPECT_EQ(store->stats().damaged_blocks, 3u);
  disk_->ClearFaults();
  EXPECT_EQ(AskForAll(store.get(), "").whole, 300);
  ASSERT_TRUE(store->ScrubNow());
  EXPECT_EQ(store->stats().damaged_blocks, 0u);
}

TEST_F(DamageTest, AFilePutBackIsReadAgainWithoutARestart) {
  const std::string good = disk_->Contents(blocks_[1]);
  Damage(blocks_[1], [](std::string* bytes) { bytes->resize(100); });
  auto store = Open();
  EXPECT_EQ(AskForAll(store.get(), blocks_[1]).refused, 100);
  // Parts of its traces come meanwhile: nobody knows yet that they are parts.
  ASSERT_TRUE(AppendAndWait(store.get(), NumberedBatch(kSpansPerBlock, 2, kSpansPerTrace)));
  ASSERT_TRUE(store->FlushNow());
  const TraceId split = NumberedTrace(kSpansPerBlock / kSpansPerTrace);
  EXPECT_FALSE(store->TakeSnapshot("")->MayBeSplit(split));
  disk_->SetContents(blocks_[1], good);
  ASSERT_TRUE(store->ScrubNow());
  EXPECT_EQ(AskForAll(store.get(), "").whole, 300);
  EXPECT_EQ(store->stats().damaged_blocks, 0u);
  EXPECT_TRUE(store->TakeSnapshot("")->MayBeSplit(split));
  EXPECT_THAT(store->TakeSnapshot("")->unreadable(), IsEmpty());
}

TEST_F(DamageTest, MergesLeaveADamagedBlockAsItIs) {
  const auto pages = block::RegionsOf(disk_->Contents(blocks_[1]))["pages"];
  Damage(blocks_[1], [&](std::string* bytes) { (*bytes)[pages.offset + pages.bytes / 2] ^= 0x10; });
  const std::string damaged = disk_->Contents(blocks_[1]);
  auto store = Open();
  EXPECT_FALSE(store->CompactNow(true));
  ASSERT_TRUE(store->CompactNow(true));
  EXPECT_EQ(disk_->Contents(blocks_[1]), damaged);
  EXPECT_EQ(store->stats().damaged_blocks, 1u);
  const Answers answers = AskForAll(store.get(), blocks_[1]);
  EXPECT_GE(answers.whole, 190);
}

TEST_F(DamageTest, ForgettingMakesNotFoundTrueAgain) {
  Damage(blocks_[1], [](std::string* bytes) { bytes->resize(bytes->size() - 10); });
  for (const bool missing : {false, true}) {
    if (missing) {
      ASSERT_TRUE(disk_->Remove(blocks_[2]));
    }
    auto store = Open();
    const std::string& path = missing ? blocks_[2] : blocks_[1];
    // What was forgotten before might lie in the one that is missing.
    EXPECT_EQ(AskForAll(store.get(), path).refused, missing ? 200 : 100);
    const std::vector<StoredBlock> known = store->blocks();
    const auto healthy = std::ranges::find(known, blocks_[0], &StoredBlock::path);
    const auto block = std::ranges::find(known, path, &StoredBlock::path);
    EXPECT_EQ(block->spans, kSpansPerBlock);
    EXPECT_THAT(block->problem, HasSubstr(path));
    EXPECT_THAT(store->ForgetBlock(healthy->number).error().message, HasSubstr("can be read"));
    EXPECT_THAT(store->ForgetBlock(4711).error().message, HasSubstr("no block 4711"));
    ASSERT_TRUE(store->ForgetBlock(block->number));
    for (int round = 0; round < 2; ++round) {
      std::string partial;
      const uint64_t trace = (missing ? 2 : 1) * kSpansPerBlock / kSpansPerTrace;
      const auto found = store->TakeSnapshot("")->ReadTrace(NumberedTrace(trace), &partial);
      EXPECT_EQ(found.error().code, ErrorCode::kNotFound);
      EXPECT_EQ(store->stats().damaged_blocks, 0u);
      EXPECT_FALSE(disk_->Exists(path));
      store->Close();
      store = Open();
    }
    EXPECT_THAT(heard_.damage, IsEmpty());
  }
  EXPECT_TRUE(
      disk_->Exists("/data/quarantine/default-" + blocks_[1].substr(blocks_[1].rfind('/') + 1)));
}

TEST_F(DamageTest, ADamagedStoreOpensReadOnlyToo) {
  ASSERT_TRUE(disk_->Remove(blocks_[0]));
  Damage(blocks_[1], [](std::string* bytes) { bytes->resize(20); });
  config_.read_only = true;
  auto store = Open();
  const Answers answers = AskForAll(store.get(), "/data/default/");
  EXPECT_EQ(answers.refused, 200);
  EXPECT_EQ(answers.partial, 100);
}

// What is damaged in the log lies in a block as well: nothing is lost, and nothing is said to be.
TEST_F(DamageTest, DamageToTheLogNamesOnlyWhatNoBlockHolds) {
  SimEnv env;
  auto store = Store::Open(&env, &clock_, config_);
  for (uint64_t i = 0; i < 4; ++i)
    ASSERT_TRUE(AppendAndWait(store->get(), NumberedBatch(i * 8, 8)));
  ASSERT_TRUE((*store)->FlushNow());
  for (uint64_t i = 4; i < 6; ++i)
    ASSERT_TRUE(AppendAndWait(store->get(), NumberedBatch(i * 8, 8)));
  auto disk = env.Crash(CrashKind::kKeepAll, 1);
  const std::string path = "/data/wal/0000000001.wal";
  std::string bytes = disk->Contents(path);
  uint64_t at = 4096;
  for (int record = 1; record <= 5; ++record) {
    uint32_t length = 0;
    std::memcpy(&length, bytes.data() + at + 4, sizeof length);
    if (record == 2 || record == 5) bytes[at + 60] ^= 1;  // in a block, and not
    at += (length + 7) / 8 * 8;
  }
  disk->SetContents(path, bytes);
  auto again = Store::Open(disk.get(), &clock_, config_);
  ASSERT_TRUE(again);
  const std::vector<std::string> damage = (*again)->stats().damage;
  ASSERT_THAT(damage, SizeIs(2));
  EXPECT_THAT(damage[0], HasSubstr("nothing is lost"));
  EXPECT_THAT(damage[1], HasSubstr("sequences 5 to 5 are lost"));
  const StoredNumbers found = ReadNumbers(again->get());
  EXPECT_EQ(found.spans.size(), 40u);
}

// Only one group of a trace that spans several is hit.
TEST_F(DamageTest, OfALargeTraceTheOtherGroupsAreShown) {
  SimEnv env;
  auto store = Store::Open(&env, &clock_, config_);
  constexpr uint64_t kSpans = 20'000;
  ASSERT_TRUE(AppendAndWait(store->get(), NumberedBatch(0, kSpans, kSpans)));
  ASSERT_TRUE((*store)->FlushNow());
  (*store)->Close();
  store->reset();
  for (const std::string& path : env.Files()) {
    if (!path.ends_with(".block")) continue;
    std::string bytes = env.Contents(path);
    const auto pages = block::RegionsOf(bytes)["pages"];
    int some = 0;
    // Wherever the page lies: some places hit a group, others what all groups need.
    for (int at = 1; at < 12; ++at) {
      std::string damaged = bytes;
      damaged[pages.offset + pages.bytes * static_cast<uint64_t>(at) / 12] ^= 1;
      env.SetContents(path, damaged);
      auto again = Store::Open(&env, &clock_, config_);
      std::string partial;
      const auto trace = (*again)->TakeSnapshot("")->ReadTrace(NumberedTrace(0), &partial);
      if (!trace) {
        EXPECT_EQ(trace.error().code, ErrorCode::kCorruption) << trace.error().message;
        continue;
      }
      EXPECT_EQ(trace->spans.size() == kSpans, partial.empty());
      some += !partial.empty() && trace->spans.size() >= 8000;
    }
    EXPECT_GT(some, 1);
  }
}

}  // namespace
}  // namespace weft::store

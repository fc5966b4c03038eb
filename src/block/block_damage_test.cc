// SPDX-License-Identifier: Apache-2.0
//
// A block is untrusted input: whatever happens to its bytes, reading reports it and never follows
// it.
#include <gtest/gtest.h>

#include <numeric>
#include <random>

#include "block/block_reader.h"
#include "block/block_writer.h"
#include "block/chunk.h"
#include "block/read_everything.h"
#include "testing/sim_env.h"
#include "testing/wild_batch.h"

namespace weft::block {
namespace {

class DamageTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::mt19937_64 random(1);
    auto chunk = std::make_shared<Chunk>();
    chunk->Append(testing::WildBatch(random, {.spans = 120, .logs = 20}));
    chunk->Seal();
    // Few columns, so that the file has every section.
    std::vector<std::shared_ptr<const Segment>> sources = {chunk};
    ASSERT_TRUE(WriteBlock(&env_, "/block", sources, {.columns_max = 24}).has_value());
    auto file = *env_.OpenRead("/block");
    bytes_.resize(file->bytes());
    ASSERT_TRUE(file->ReadAt(0, bytes_).has_value());
  }
  void Put(const std::string& bytes) {
    auto file = *env_.Create("/damaged");
    ASSERT_TRUE(file->WriteAt(0, bytes).has_value());
  }

  testing::SimEnv env_;
  std::string bytes_;
};

TEST_F(DamageTest, EveryFlippedBitIsReported) {
  std::mt19937_64 random(2);
  for (int round = 0; round < 150; ++round) {
    std::string damaged = bytes_;
    const size_t at = random() % damaged.size();
    damaged[at] = static_cast<char>(damaged[at] ^ 1 << (random() % 8));
    Put(damaged);
    Status status = VerifyBlock(&env_, "/damaged");
    // Four bytes of the trailer mean nothing and are covered by its checksum all the same.
    ASSERT_FALSE(status.has_value()) << "byte " << at << " of " << damaged.size();
    EXPECT_EQ(status.error().code, ErrorCode::kCorruption) << status.error().message;
    EXPECT_NE(status.error().message.find("/damaged"), std::string::npos) << "names the file";
    if (auto block = OpenBlock(&env_, "/damaged", nullptr)) (void)ReadEverything(**block);
  }
}

TEST_F(DamageTest, EveryCutIsReported) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 200; ++round) {
    Put(bytes_.substr(0, random() % bytes_.size()));
    EXPECT_FALSE(OpenBlock(&env_, "/damaged", nullptr).has_value());
    EXPECT_FALSE(VerifyBlock(&env_, "/damaged").has_value());
  }
}

// Behind the checksums: what a crafted file could do.
TEST_F(DamageTest, NothingIsFollowedBehindTheChecksums) {
  std::mt19937_64 random(4);
  for (int round = 0; round < 250; ++round) {
    std::string damaged = bytes_;
    for (uint64_t changes = 1 + random() % 3; changes > 0; --changes)
      damaged[random() % damaged.size()] = static_cast<char>(random());
    Put(damaged);
    if (auto block = OpenBlockUnverified(&env_, "/damaged")) (void)ReadEverything(**block);
  }
  SUCCEED() << "no crash, no sanitizer report";
}

TEST_F(DamageTest, AMissingFileIsNotCorruption) {
  auto block = OpenBlock(&env_, "/nowhere", nullptr);
  ASSERT_FALSE(block.has_value());
  EXPECT_NE(block.error().code, ErrorCode::kCorruption);
}

}  // namespace
}  // namespace weft::block

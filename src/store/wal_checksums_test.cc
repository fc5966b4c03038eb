// SPDX-License-Identifier: Apache-2.0
#include "store/wal_checksums.h"

#include <gtest/gtest.h>

#include <random>

#include "store/wal_format.h"
#include "testing/sim_env.h"

namespace weft::store {
namespace {

using testing::DiskOp;
using testing::SimEnv;

std::string RandomBytes(size_t count) {
  std::mt19937_64 random(7);
  std::string bytes(count, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

class RangeChecksumsTest : public ::testing::Test {
 protected:
  std::unique_ptr<ReadableFile> FileOf(const std::string& bytes) {
    EXPECT_TRUE(env_.MakeDirs("/d"));
    env_.SetContents("/d/file", bytes);
    auto file = env_.OpenRead("/d/file");
    EXPECT_TRUE(file);
    return std::move(*file);
  }

  SimEnv env_;
};

TEST_F(RangeChecksumsTest, EveryRangeHasTheChecksumOfItsBytes) {
  // Around the distance of two marks, and of a length that needs more than one digit.
  for (const size_t count : {0u, 1u, 127u, 128u, 129u, 70'000u}) {
    const std::string bytes = RandomBytes(count);
    const auto file = FileOf(bytes);
    RangeChecksums checksums(file.get());
    const size_t step = count < 1000 ? 1 : 997;
    for (size_t begin = 0; begin <= count; begin += step) {
      for (size_t end = begin; end <= count; end += step) {
        const auto found = checksums.Of(0x12345678, begin, end);
        ASSERT_TRUE(found);
        ASSERT_EQ(*found, Crc32c(0x12345678, bytes.substr(begin, end - begin)))
            << count << ": " << begin << " to " << end;
      }
    }
    EXPECT_EQ(*checksums.Of(0, 0, count), Crc32c(0, bytes)) << "at the very end";
  }
}

TEST_F(RangeChecksumsTest, AfterOnePassARangeCostsTheSameHoweverLong) {
  const std::string bytes = RandomBytes(3 << 20);
  const auto file = FileOf(bytes);
  RangeChecksums checksums(file.get());
  ASSERT_TRUE(checksums.Of(0, 1, 2));
  EXPECT_LT(env_.bytes_read(), bytes.size() + 256);
  const uint64_t before = env_.bytes_read();
  const auto found = checksums.Of(1, 5, bytes.size() - 5);
  EXPECT_EQ(*found, Crc32c(1, std::string_view(bytes).substr(5, bytes.size() - 10)));
  EXPECT_LT(env_.bytes_read() - before, 256u);
}

TEST_F(RangeChecksumsTest, AFailedReadIsAnErrorAndMayBeTriedAgain) {
  const auto file = FileOf(RandomBytes(1000));
  RangeChecksums checksums(file.get());
  env_.FailCalls(DiskOp::kRead, 1, ErrorCode::kIo);
  EXPECT_EQ(checksums.Of(0, 1, 999).error().code, ErrorCode::kIo);
  EXPECT_TRUE(checksums.Of(0, 1, 999));
}

}  // namespace
}  // namespace weft::store

// SPDX-License-Identifier: Apache-2.0
#include "store/retention.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/manual_clock.h"

namespace weft::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::ManualClock;

constexpr uint64_t kMinute = 60ull * 1'000'000'000;
constexpr uint64_t kHour = 60 * kMinute;
constexpr uint64_t kDay = 24 * kHour;
constexpr uint64_t kStart = 1000 * kDay;

TEST(RetentionTest, ByAgeCountsFromTheYoungestRecord) {
  const std::vector<RetentionCandidate> blocks = {{10 * kDay, 1}, {2 * kDay, 1}, {5 * kDay, 1}};
  EXPECT_THAT(PickExpired(blocks, {4 * kDay, 0}, 8 * kDay), ElementsAre(1));
  EXPECT_THAT(PickExpired(blocks, {4 * kDay, 0}, 10 * kDay), ElementsAre(1, 2));
  EXPECT_THAT(PickExpired(blocks, {0, 0}, 1000 * kDay), IsEmpty());
}

TEST(RetentionTest, ByBytesTakesTheOldestFirst) {
  const std::vector<RetentionCandidate> blocks = {{3 * kDay, 40}, {1 * kDay, 40}, {2 * kDay, 40}};
  EXPECT_THAT(PickExpired(blocks, {0, 120}, kStart), IsEmpty());
  EXPECT_THAT(PickExpired(blocks, {0, 100}, kStart), ElementsAre(1));
  EXPECT_THAT(PickExpired(blocks, {0, 40}, kStart), ElementsAre(1, 2));
}

TEST(RetentionTest, ABlockFromTheFutureStays) {
  EXPECT_THAT(PickExpired({{kStart + kDay, 1}}, {kDay, 0}, kStart), IsEmpty());
}

TEST(TrustedClockTest, FollowsAnHonestClock) {
  ManualClock clock(kStart);
  TrustedClock trusted(&clock, 0);
  for (int i = 0; i < 100; ++i) {
    clock.Advance(kHour / 2);
    EXPECT_EQ(trusted.NowNs(), clock.NowNs());
  }
}

TEST(TrustedClockTest, AJumpIsBelievedAfterAnHour) {
  ManualClock clock(kStart);
  TrustedClock trusted(&clock, 0);
  clock.JumpTo(kStart + 3650 * kDay);
  EXPECT_EQ(trusted.NowNs(), kStart);
  clock.Advance(59 * kMinute);
  EXPECT_EQ(trusted.NowNs(), kStart + 59 * kMinute);
  clock.Advance(kMinute);
  EXPECT_EQ(trusted.NowNs(), clock.NowNs());
}

TEST(TrustedClockTest, AJumpThatIsTakenBackNeverHappened) {
  ManualClock clock(kStart);
  TrustedClock trusted(&clock, 0);
  clock.JumpTo(kStart + 3650 * kDay);
  trusted.NowNs();
  clock.Advance(30 * kMinute);
  clock.JumpTo(kStart + 30 * kMinute);
  EXPECT_EQ(trusted.NowNs(), kStart + 30 * kMinute);
  clock.JumpTo(kStart + 3650 * kDay);
  trusted.NowNs();
  clock.Advance(40 * kMinute);
  EXPECT_LT(trusted.NowNs(), kStart + kDay);
}

TEST(TrustedClockTest, AThousandJumpsToAndFroDeleteNothing) {
  ManualClock clock(kStart);
  TrustedClock trusted(&clock, 0);
  for (uint64_t i = 0; i < 1000; ++i) {
    clock.Advance(10'000'000'000);
    const uint64_t real = kStart + (i + 1) * 10'000'000'000;
    clock.JumpTo(i % 2 == 0 ? real + 2 * kDay : real);
    EXPECT_LE(trusted.NowNs(), real + kHour);
    clock.JumpTo(real);
  }
}

TEST(TrustedClockTest, AClockSetBackIsBelievedAtOnce) {
  ManualClock clock(kStart + 1500 * kDay);
  TrustedClock trusted(&clock, 0);
  clock.JumpTo(kStart);
  EXPECT_EQ(trusted.NowNs(), kStart);
  // Records that an earlier run stored while its clock was ahead.
  TrustedClock restarted(&clock, kStart + 1500 * kDay);
  EXPECT_EQ(restarted.NowNs(), kStart);
}

TEST(TrustedClockTest, AStartFarAfterTheNewestRecordIsAJump) {
  ManualClock clock(kStart);
  TrustedClock trusted(&clock, kStart - 30 * kDay);
  EXPECT_EQ(trusted.NowNs(), kStart - 30 * kDay);
  clock.Advance(kHour);
  EXPECT_EQ(trusted.NowNs(), kStart + kHour);
}

}  // namespace
}  // namespace weft::store

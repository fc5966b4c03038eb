// SPDX-License-Identifier: Apache-2.0
#include "load/pace.h"

#include <gtest/gtest.h>

#include "testing/manual_clock.h"

namespace weft::load {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;

TEST(PaceTest, RequestsAreDueWhenTheSpansBeforeThemHaveUsedUpTheirTime) {
  testing::ManualClock clock;
  clock.Advance(7 * kSecond);
  Pace pace(100, &clock);
  uint64_t began = clock.MonotonicNs();
  EXPECT_EQ(pace.NextDueNs(500), began);
  EXPECT_EQ(pace.NextDueNs(200), began + 5 * kSecond);
  // Asked late or early: that moves nothing.
  clock.Advance(60 * kSecond);
  EXPECT_EQ(pace.NextDueNs(1), began + 7 * kSecond);
  EXPECT_EQ(pace.NextDueNs(99), began + 7 * kSecond + kSecond / 100);
  EXPECT_EQ(pace.EndNs(), began + 8 * kSecond);
  EXPECT_EQ(pace.ElapsedNs(), 60 * kSecond);
}

TEST(PaceTest, TheSlowestRateIsNeverAndNoOverflow) {
  testing::ManualClock clock;
  Pace pace(1e-300, &clock);
  uint64_t began = pace.NextDueNs(1);
  EXPECT_GE(pace.NextDueNs(1), began + 1'000'000 * kSecond);
}

}  // namespace
}  // namespace weft::load

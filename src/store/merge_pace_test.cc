// SPDX-License-Identifier: Apache-2.0
#include "store/merge_pace.h"

#include <gtest/gtest.h>

namespace weft::store {
namespace {

constexpr uint64_t kMs = 1'000'000;

TEST(MergePace, AMergeAloneIsNotHeldBack) {
  MergePace pace(1000, 0);
  EXPECT_EQ(pace.PauseNs(8192, 1000, 10 * kMs), 0u);
  EXPECT_EQ(pace.PauseNs(16384, 1000, 20 * kMs), 0u);
}

TEST(MergePace, AMergeAheadOfAppendsPausesForItsWorkThreeTimes) {
  MergePace pace(1000, 0);
  EXPECT_EQ(pace.PauseNs(8192, 2000, 10 * kMs), 30 * kMs);
  pace.Resumed(40 * kMs);
  EXPECT_EQ(pace.PauseNs(16384, 3000, 45 * kMs), 15 * kMs);
}

TEST(MergePace, AMergeBehindAppendsDoesNotPause) {
  MergePace pace(0, 0);
  // A quarter more is merged than is appended.
  EXPECT_EQ(pace.PauseNs(10'000, 8'000, 10 * kMs), 0u);
  EXPECT_EQ(pace.PauseNs(10'003, 8'002, 20 * kMs), 60 * kMs);
}

TEST(MergePace, APauseIsBounded) {
  MergePace pace(0, 0);
  EXPECT_EQ(pace.PauseNs(8192, 1, 100'000 * kMs), 100 * kMs);
}

// A merge of eight blocks beside appends of a constant rate.
TEST(MergePace, AMergeIsOverBeforeTheNextOneIsDue) {
  constexpr uint64_t kItems = 800'000, kStep = 8192, kAppendedPerMs = 200, kStepNs = 10 * kMs;
  uint64_t now = 0, paused = 0;
  MergePace pace(0, now);
  for (uint64_t merged = 0; merged < kItems;) {
    now += kStepNs;
    merged += kStep;
    const uint64_t pause = pace.PauseNs(merged, now / kMs * kAppendedPerMs, now);
    now += pause;
    paused += pause;
    pace.Resumed(now);
  }
  EXPECT_LT(now / kMs * kAppendedPerMs, kItems);
  EXPECT_GT(now / kMs * kAppendedPerMs, kItems / 2);
  EXPECT_GT(paused, now / 2);
}

TEST(AnswerDelay, NothingIsLateFarFromALimit) {
  EXPECT_EQ(AnswerDelayNs({0, 64, 44}, {0, 24, 12}), 0u);
  EXPECT_EQ(AnswerDelayNs({44, 64, 44}, {12, 24, 12}), 0u);
  EXPECT_EQ(AnswerDelayNs({64, 64, 64}, {0, 0, 0}), 0u);
}

TEST(AnswerDelay, GrowsTowardsASecondAtTheLimit) {
  uint64_t before = 0;
  for (uint64_t used = 450; used <= 640; used += 10) {
    const uint64_t delay = AnswerDelayNs({used, 640, 440}, {0, 24, 12});
    EXPECT_GT(delay, before) << used;
    before = delay;
  }
  EXPECT_EQ(before, 1000 * kMs);
  EXPECT_EQ(AnswerDelayNs({9999, 640, 440}, {0, 24, 12}), 1000 * kMs);
}

TEST(AnswerDelay, TheNearerLimitCounts) {
  EXPECT_EQ(AnswerDelayNs({540, 640, 440}, {13, 24, 12}), 250 * kMs);
  EXPECT_EQ(AnswerDelayNs({440, 640, 440}, {18, 24, 12}), 250 * kMs);
  EXPECT_EQ(AnswerDelayNs({540, 640, 440}, {24, 24, 12}), 1000 * kMs);
}

}  // namespace
}  // namespace weft::store

// SPDX-License-Identifier: Apache-2.0
#include "base/byte_budget.h"

#include <gtest/gtest.h>

namespace weft {
namespace {

TEST(ByteBudgetTest, RefusesWhatDoesNotFitAndGivesBack) {
  ByteBudget budget(100);
  auto first = budget.Take(60);
  ASSERT_TRUE(first);
  auto second = budget.Take(50);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
  EXPECT_GE(second.error().retry_after_s, 1u);
  EXPECT_EQ(budget.used(), 60u);
  auto third = budget.Take(40);
  ASSERT_TRUE(third);
  (*third)->Add(30);
  EXPECT_EQ(budget.used(), 130u);
  third->reset();
  first->reset();
  EXPECT_EQ(budget.used(), 0u);
  EXPECT_EQ(budget.Take(101).error().code, ErrorCode::kTooLarge);
}

TEST(ByteBudgetTest, AReservationGrowsInStepsOrIsRefused) {
  constexpr uint64_t kStep = ByteBudget::kStepBytes;
  ByteBudget budget(4 * kStep);
  auto grows = budget.Take(kStep);
  auto other = budget.Take(kStep);
  ASSERT_TRUE(grows && other);
  EXPECT_TRUE((*grows)->Cover(kStep));
  EXPECT_EQ(budget.used(), 2 * kStep);
  EXPECT_TRUE((*grows)->Cover(kStep + 1));
  EXPECT_EQ(budget.used(), 3 * kStep);
  EXPECT_TRUE((*grows)->Cover(2 * kStep));
  EXPECT_EQ(budget.used(), 3 * kStep);
  Status refused = (*grows)->Cover(3 * kStep + 1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_GE(refused.error().retry_after_s, 1u);
  EXPECT_EQ(budget.used(), 3 * kStep);
  EXPECT_EQ((*grows)->Cover(4 * kStep + 1).error().code, ErrorCode::kTooLarge);
  other->reset();
  EXPECT_TRUE((*grows)->Cover(3 * kStep + kStep / 2));
  EXPECT_EQ(budget.used(), 3 * kStep + kStep / 2);
  EXPECT_TRUE((*grows)->Cover(4 * kStep - 1)) << "fits, though no step does";
  EXPECT_EQ(budget.used(), 4 * kStep - 1);
  grows->reset();
  EXPECT_EQ(budget.used(), 0u);
}

}  // namespace
}  // namespace weft

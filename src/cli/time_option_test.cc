// SPDX-License-Identifier: Apache-2.0
#include "cli/time_option.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

namespace weft::cli {
namespace {

using testing::HasSubstr;

constexpr uint64_t kSecond = 1'000'000'000;
constexpr uint64_t kNow = 1'763'706'600 * kSecond;  // 2025-11-21T06:30:00Z

class TimeOptionTest : public testing::Test {
 protected:
  TimeOptionTest() {
    setenv("TZ", "UTC-1", 1);  // an hour east
    tzset();
  }
  ~TimeOptionTest() override {
    unsetenv("TZ");
    tzset();
  }
};

TEST_F(TimeOptionTest, ReadsMoments) {
  for (auto [text, ns] : {std::pair<std::string_view, uint64_t>{"now", kNow},
                          {"15m", kNow - 900 * kSecond},
                          {"1h30m", kNow - 5400 * kSecond},
                          {"2025-11-21T06:30:00Z", kNow},
                          {"2025-11-21T06:30Z", kNow},
                          {"2025-11-21T08:00:00+01:30", kNow},
                          {"2025-11-21 07:30", kNow},
                          {"2025-11-21 07:30:00.5", kNow + kSecond / 2},
                          {"2025-11-21", kNow - 27'000 * kSecond},
                          {"07:29:59", kNow - kSecond},
                          {"1763706600", kNow},
                          {"1763706600000000001", kNow + 1}})
    EXPECT_EQ(ParseMoment(text, kNow), std::optional(ns)) << text;
  EXPECT_NE(ParseMoment("2024-02-29", kNow), std::nullopt);
  for (std::string_view text :
       {"", "yesterday", "2025-13-01", "2025-00-10", "2026-02-29", "2026-02-30",
        "2026-06-31T10:00:00Z", "2026-01-00", "2025-11-21T", "2025-11-21 25:00",
        "2025-11-21T06:30:00.Z", "06:30x", "99999999999999999999", "-1h"})
    EXPECT_EQ(ParseMoment(text, kNow), std::nullopt) << text;
}

TEST_F(TimeOptionTest, MakesWindows) {
  auto window = ReadTimeWindow({}, kNow).value();
  EXPECT_EQ(window.start_ns, 0u);
  EXPECT_EQ(window.end_ns, 0u);
  window = ReadTimeWindow({.since = "1m", .from = "", .to = ""}, kNow).value();
  EXPECT_EQ(window.start_ns, kNow - 60 * kSecond);
  EXPECT_EQ(window.end_ns, kEndOfTimeNs);
  window = ReadTimeWindow({.since = "", .from = "2h", .to = "1h"}, kNow).value();
  EXPECT_EQ(window.start_ns, kNow - 7200 * kSecond);
  EXPECT_EQ(window.end_ns, kNow - 3600 * kSecond);
  auto wrong = ReadTimeWindow({.since = "", .from = "1h", .to = "2h"}, kNow);
  ASSERT_FALSE(wrong.has_value());
  EXPECT_THAT(wrong.error().message, HasSubstr("--to 2h is not later than --from 1h"));
  wrong = ReadTimeWindow({.since = "soon", .from = "", .to = ""}, kNow);
  ASSERT_FALSE(wrong.has_value());
  EXPECT_THAT(wrong.error().message, HasSubstr("--since soon"));
}

}  // namespace
}  // namespace weft::cli

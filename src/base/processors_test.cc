// SPDX-License-Identifier: Apache-2.0
#include "base/processors.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <map>

namespace weft {
namespace {

std::optional<uint32_t> QuotaOf(const std::string& groups,
                                const std::map<std::string, std::string>& files) {
  return ProcessorsOfQuota(groups, "/cg",
                           [&](const std::string& path) -> std::optional<std::string> {
                             const auto file = files.find(path);
                             if (file == files.end()) return std::nullopt;
                             return file->second;
                           });
}

TEST(Processors, AQuotaIsRoundedUp) {
  EXPECT_EQ(QuotaOf("0::/\n", {{"/cg/cpu.max", "150000 100000\n"}}), 2u);
  EXPECT_EQ(QuotaOf("0::/\n", {{"/cg/cpu.max", "200000 100000\n"}}), 2u);
  EXPECT_EQ(QuotaOf("0::/\n", {{"/cg/cpu.max", "1000 100000\n"}}), 1u);
  EXPECT_EQ(QuotaOf("0::/\n", {{"/cg/cpu.max", "0 100000\n"}}), 1u);
}

TEST(Processors, NoQuotaLimitsNothing) {
  EXPECT_EQ(QuotaOf("0::/\n", {{"/cg/cpu.max", "max 100000\n"}}), std::nullopt);
  EXPECT_EQ(QuotaOf("0::/\n", {}), std::nullopt);
  EXPECT_EQ(QuotaOf("3:cpu:/\n",
                    {{"/cg/cpu/cpu.cfs_quota_us", "-1\n"}, {"/cg/cpu/cpu.cfs_period_us", "100\n"}}),
            std::nullopt);
}

TEST(Processors, WhatIsNoQuotaIsNotRead) {
  for (const char* text : {"", "\n", "200000", "x 100000", "200000 0", "200000 x"})
    EXPECT_EQ(QuotaOf("0::/\n", {{"/cg/cpu.max", text}}), std::nullopt) << text;
  for (const char* groups : {"", "\n", "0:", "0::", "cpu", "::\n:"})
    EXPECT_EQ(QuotaOf(groups, {}), std::nullopt) << groups;
}

TEST(Processors, TheSmallestQuotaOfAllParentsCounts) {
  const std::map<std::string, std::string> files = {{"/cg/a/b/cpu.max", "800000 100000"},
                                                    {"/cg/a/cpu.max", "300000 100000"},
                                                    {"/cg/cpu.max", "max 100000"}};
  EXPECT_EQ(QuotaOf("0::/a/b\n", files), 3u);
  EXPECT_EQ(QuotaOf("0::/a/b/gone\n", files), 3u);
  EXPECT_EQ(QuotaOf("0::/other\n", files), std::nullopt);
}

TEST(Processors, VersionOneHasAMountForEachSetOfControllers) {
  const std::map<std::string, std::string> files = {
      {"/cg/cpu,cpuacct/pod/cpu.cfs_quota_us", "400000"},
      {"/cg/cpu,cpuacct/pod/cpu.cfs_period_us", "100000"},
      {"/cg/cpuset/pod/cpu.cfs_quota_us", "100000"},
      {"/cg/cpuset/pod/cpu.cfs_period_us", "100000"}};
  EXPECT_EQ(QuotaOf("5:cpuset:/pod\n4:cpu,cpuacct:/pod\n", files), 4u);
}

TEST(Processors, AffinityCounts) {
  cpu_set_t before, one;
  ASSERT_EQ(::sched_getaffinity(0, sizeof before, &before), 0);
  CPU_ZERO(&one);
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &before)) continue;
    CPU_SET(cpu, &one);
    break;
  }
  EXPECT_GE(AvailableProcessors(), 1u);
  EXPECT_LE(AvailableProcessors(), static_cast<uint32_t>(CPU_COUNT(&before)));
  ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
  EXPECT_EQ(AvailableProcessors(), 1u);
  ASSERT_EQ(::sched_setaffinity(0, sizeof before, &before), 0);
}

}  // namespace
}  // namespace weft

// SPDX-License-Identifier: Apache-2.0
#include "server/memory_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "server/components.h"
#include "server/memory_accounts.h"

namespace weft::server {
namespace {

constexpr uint64_t kMiB = 1 << 20;
using ::testing::HasSubstr;

config::Config BuiltIn(std::vector<std::string> settings = {}) {
  auto loaded = config::Load({.uris = {}, .settings = std::move(settings)},
                             config::RealSurroundings(), Components().types());
  EXPECT_TRUE(loaded) << loaded.error().message;
  return loaded ? loaded->config : config::Config();
}

Result<MemoryPlan> Plan(const config::Config& config, uint64_t limit) {
  return PlanMemory(NeedOf(config, Components()), config.in_flight_bytes_max, limit);
}

ReadText Files(std::map<std::string, std::string> files) {
  return [files = std::move(files)](const std::string& path) -> std::optional<std::string> {
    auto found = files.find(path);
    return found == files.end() ? std::nullopt : std::optional(found->second);
  };
}

TEST(MemoryPlanTest, TheDefaultIsAQuarterWithinBounds) {
  EXPECT_EQ(DefaultMemoryLimit(8192 * kMiB), 2048 * kMiB);
  EXPECT_EQ(DefaultMemoryLimit(800 * kMiB), 256 * kMiB);
  EXPECT_EQ(DefaultMemoryLimit(300 * kMiB), 150 * kMiB);
}

TEST(MemoryPlanTest, TheLeastLimitOfAllGroupsCounts) {
  std::map<std::string, std::string> files = {
      {"/proc/meminfo", "MemTotal:        4000000 kB\nMemFree: 1 kB\n"},
      {"/proc/self/cgroup", "1:name=systemd:/x\n0::/system.slice/weft.service\n"},
      {"/sys/fs/cgroup/system.slice/weft.service/memory.max", "max\n"}};
  EXPECT_EQ(AvailableMemory(Files(files)), 4000000ull << 10);
  files["/sys/fs/cgroup/system.slice/memory.max"] = "1073741824\n";
  EXPECT_EQ(AvailableMemory(Files(files)), 1ull << 30);
  files["/proc/self/cgroup"] = "0::/\n";
  EXPECT_EQ(AvailableMemory(Files(files)), 4000000ull << 10);
  files["/sys/fs/cgroup/memory.max"] = "536870912\n";
  EXPECT_EQ(AvailableMemory(Files(files)), 512 * kMiB);
  files["/proc/self/cgroup"] = "5:cpu,memory:/docker/7\n0::/\n";
  files["/sys/fs/cgroup/memory/docker/memory.limit_in_bytes"] = "400000000\n";
  EXPECT_EQ(AvailableMemory(Files(files)), 400'000'000u) << "version 1, of a group above";
  files["/sys/fs/cgroup/memory/memory.limit_in_bytes"] = "268435456\n";
  EXPECT_EQ(AvailableMemory(Files(files)), 256 * kMiB);
  EXPECT_GT(AvailableMemory(ReadRealText), 64 * kMiB);
}

TEST(MemoryPlanTest, EverySmallEnoughPartFitsAndTheLeastIsSaid) {
  const config::Config config = BuiltIn();
  Result<MemoryPlan> plan = Plan(config, 100 * kMiB);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(plan.error().message,
              HasSubstr("the memory limit is 100MiB: this configuration needs"));
  const size_t at = plan.error().message.find("needs ") + 6;
  const uint64_t least = std::stoull(plan.error().message.substr(at)) * kMiB;
  EXPECT_FALSE(Plan(config, least - kMiB));
  for (uint64_t limit : {least, 256 * kMiB, 512 * kMiB, 4096 * kMiB, 65536 * kMiB}) {
    plan = Plan(config, limit);
    ASSERT_TRUE(plan) << plan.error().message;
    MemoryAccounts accounts(*plan);  // would die of reserves that do not fit
    EXPECT_LE(plan->head + plan->flushes + plan->query, limit);
    EXPECT_LE(plan->requests, std::max(16 * kMiB, limit / 2));
    EXPECT_LE(plan->query, 256 * kMiB);
    EXPECT_GE(plan->query, 8 * kMiB);
    EXPECT_GT(plan->merge_values, 100'000u);
  }
  EXPECT_EQ(plan->query, 256 * kMiB) << "plenty: as configured";
  EXPECT_EQ(plan->requests, 128 * kMiB);
}

TEST(MemoryPlanTest, WhatNoPipelineNamesNeedsNothing) {
  config::Config config = BuiltIn();
  const pipeline::MemoryNeed all = NeedOf(config, Components());
  EXPECT_GT(all.head, 0u);
  EXPECT_EQ(all.workers, 2u);
  config.pipelines.clear();
  config.extensions.clear();
  const pipeline::MemoryNeed none = NeedOf(config, Components());
  EXPECT_EQ(none.head + none.flushes + none.page_cache + none.workers + none.query, 0u);
}

TEST(MemoryPlanTest, WhatIsConfiguredMovesTheLeast) {
  const config::Config config = BuiltIn({"exporters.store.memory.head=1GiB"});
  Result<MemoryPlan> plan = Plan(config, 512 * kMiB);
  ASSERT_FALSE(plan);
  EXPECT_THAT(plan.error().message, HasSubstr("(1GiB of heads"));
}

}  // namespace
}  // namespace weft::server

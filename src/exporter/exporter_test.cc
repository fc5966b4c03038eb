// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exporter/debug_exporter.h"
#include "exporter/store_exporter.h"
#include "testing/random_batch.h"

namespace weft::exporter {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

std::vector<std::string> LinesOf(config::DebugSettings::Verbosity verbosity) {
  std::vector<std::string> lines;
  DebugExporter exporter({verbosity}, [&lines](const std::string& line) { lines.push_back(line); });
  SpanBatch batch = weft::testing::RandomBatch({.seed = 5, .spans = 3, .logs = 2});
  bool done = false;
  exporter.Consume(std::move(batch), [&done](Status status) { done = status.has_value(); });
  EXPECT_TRUE(done);
  return lines;
}

TEST(DebugExporterTest, SaysAsMuchAsItIsAskedTo) {
  using Verbosity = config::DebugSettings::Verbosity;
  std::vector<std::string> basic = LinesOf(Verbosity::kBasic);
  ASSERT_THAT(basic, SizeIs(1));
  EXPECT_THAT(basic[0], HasSubstr("3 spans, 2 log records"));
  EXPECT_THAT(LinesOf(Verbosity::kNormal), SizeIs(6));
  std::vector<std::string> detailed = LinesOf(Verbosity::kDetailed);
  ASSERT_THAT(detailed, SizeIs(3));
  EXPECT_THAT(detailed[1], HasSubstr("resourceSpans"));
}

TEST(StoreExporterTest, SettingsBecomeTheStoresConfiguration) {
  config::StoreSettings settings;
  settings.directory = "/data";
  settings.durability = config::StoreSettings::Durability::kRelaxed;
  settings.retention_age_ns = 7;
  settings.retention_bytes = 8;
  settings.head_bytes_max = 9;
  store::StoreConfig config = ToStoreConfig(settings);
  EXPECT_EQ(config.directory, "/data");
  EXPECT_EQ(config.durability, store::Durability::kRelaxed);
  EXPECT_EQ(config.retention_age_ns, 7u);
  EXPECT_EQ(config.retention_bytes, 8u);
  EXPECT_EQ(config.head_bytes_max, 9u);
  EXPECT_EQ(config.flush_bytes, store::StoreConfig().flush_bytes);
}

}  // namespace
}  // namespace weft::exporter

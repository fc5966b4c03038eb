// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <optional>

#include "exporter/debug_exporter.h"
#include "exporter/store_exporter.h"
#include "testing/random_batch.h"
#include "testing/random_metrics.h"
#include "testing/sim_env.h"

namespace weft::exporter {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

std::vector<std::string> LinesOf(DebugSettings::Verbosity verbosity) {
  std::vector<std::string> lines;
  DebugExporter exporter({verbosity}, [&lines](const std::string& line) { lines.push_back(line); });
  SpanBatch batch = weft::testing::RandomBatch({.seed = 5, .spans = 3, .logs = 2});
  bool done = false;
  exporter.Consume(std::move(batch), pipeline::Ack([&done](pipeline::Outcome outcome) {
                     done = outcome.status.has_value();
                   }));
  EXPECT_TRUE(done);
  return lines;
}

TEST(DebugExporterTest, SaysAsMuchAsItIsAskedTo) {
  using Verbosity = DebugSettings::Verbosity;
  std::vector<std::string> basic = LinesOf(Verbosity::kBasic);
  ASSERT_THAT(basic, SizeIs(1));
  EXPECT_THAT(basic[0], HasSubstr("3 spans, 2 log records"));
  EXPECT_THAT(LinesOf(Verbosity::kNormal), SizeIs(6));
  std::vector<std::string> detailed = LinesOf(Verbosity::kDetailed);
  ASSERT_THAT(detailed, SizeIs(3));
  EXPECT_THAT(detailed[1], HasSubstr("resourceSpans"));
}

TEST(StoreSettingsTest, BecomeTheStoresConfiguration) {
  StoreSettings settings;
  settings.directory = "/data";
  settings.durability = StoreSettings::Durability::kRelaxed;
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

class StoreExporterTest : public ::testing::Test {
 protected:
  StoreExporterTest() {
    StoreSettings settings;
    settings.directory = "/data";
    exporter_.emplace(config::ComponentId{"store", ""}, settings,
                      pipeline::Deps{.env = &env_,
                                     .clock = SystemClock(),
                                     .metrics = &metrics_,
                                     .memory = &memory_,
                                     .doors = nullptr,
                                     .services = &services_});
    EXPECT_TRUE(exporter_->Start());
  }
  template <class B>
  pipeline::Outcome Consume(B batch) {
    std::promise<pipeline::Outcome> outcome;
    exporter_->Consume(std::move(batch), pipeline::Ack([&](pipeline::Outcome o) {
                         outcome.set_value(std::move(o));
                       }));
    return outcome.get_future().get();
  }

  weft::testing::SimEnv env_;
  Metrics metrics_;
  pipeline::Memory memory_;
  pipeline::Services services_;
  std::optional<StoreExporter> exporter_;
};

TEST_F(StoreExporterTest, LogRecordsWithoutATraceAreRejectedAndTheRestIsKept) {
  SpanBatch batch = weft::testing::RandomBatch({.seed = 5, .spans = 3, .logs = 4, .traces = 1});
  const TraceId id = batch.spans[0].trace_id;
  batch.logs[1].trace_id = batch.logs[3].trace_id = {};
  const size_t kept = static_cast<size_t>(std::ranges::count(batch.logs, id, &LogRecord::trace_id));
  pipeline::Outcome outcome = Consume(std::move(batch));
  EXPECT_TRUE(outcome.status);
  EXPECT_EQ(outcome.rejected, 2u);
  EXPECT_THAT(outcome.message, HasSubstr("without a trace id"));
  auto* served = services_.Find<store::ServedStore>({"store", ""});
  std::string gaps;
  auto trace = served->store->TakeSnapshot("")->ReadTrace(id, &gaps);
  ASSERT_TRUE(trace);
  EXPECT_EQ(trace->spans.size(), 3u);
  EXPECT_EQ(trace->logs.size(), kept);
  EXPECT_THAT(metrics_.Render(MetricsFormat::kPrometheus),
              HasSubstr("weft_dropped_logs_total{room=\"exporter\",reason=\"no_trace\"} 2\n"));
  // Nothing is left: nothing is logged either.
  SpanBatch bare = weft::testing::RandomBatch({.seed = 6, .spans = 0, .logs = 2});
  for (LogRecord& log : bare.logs) log.trace_id = {};
  EXPECT_EQ(Consume(std::move(bare)).rejected, 2u);
  EXPECT_EQ(served->store->stats().appended_logs, kept);
}

TEST_F(StoreExporterTest, MetricsAreRejectedByNumber) {
  MetricBatch batch = weft::testing::RandomMetrics({.seed = 5});
  const uint64_t points = batch.point_count();
  ASSERT_GT(points, 0u);
  pipeline::Outcome outcome = Consume(std::move(batch));
  EXPECT_TRUE(outcome.status);
  EXPECT_EQ(outcome.rejected, points);
  EXPECT_THAT(outcome.message, HasSubstr("no metrics"));
}

}  // namespace
}  // namespace weft::exporter

// SPDX-License-Identifier: Apache-2.0
#include "base/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "base/log.h"

namespace weft {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(MetricsTest, OneSeriesForOneNameAndLabels) {
  Metrics metrics;
  CountDroppedSpans(&metrics, "receiver", "invalid", 2);
  CountDroppedSpans(&metrics, "receiver", "invalid", 3);
  CountDroppedSpans(&metrics, "store", "full", 1);
  std::string text = metrics.Render(Metrics::Format::kPrometheus);
  EXPECT_THAT(text,
              HasSubstr("weft_dropped_spans_total{room=\"receiver\",reason=\"invalid\"} 5\n"));
  EXPECT_THAT(text, HasSubstr("weft_dropped_spans_total{room=\"store\",reason=\"full\"} 1\n"));
  // One family, one header, however many series.
  EXPECT_EQ(text.find("# TYPE weft_dropped_spans_total counter"),
            text.rfind("# TYPE weft_dropped_spans_total counter"));
  EXPECT_THAT(text, Not(HasSubstr("# EOF")));
}

TEST(MetricsTest, OpenMetricsNamesFamiliesWithoutTotalAndEnds) {
  Metrics metrics;
  metrics.GetCounter("a_total", "Help.")->Add(7);
  std::string text = metrics.Render(Metrics::Format::kOpenMetrics);
  EXPECT_THAT(text, HasSubstr("# TYPE a counter\na_total 7\n"));
  EXPECT_THAT(text, EndsWith("# EOF\n"));
}

TEST(MetricsTest, HistogramBucketsAreCumulative) {
  Metrics metrics;
  Histogram* histogram = metrics.GetHistogram("h", "Help.", {{"k", "v"}}, {1, 2});
  for (double value : {0.5, 1.0, 1.5, 9.0}) histogram->Record(value);
  std::string text = metrics.Render(Metrics::Format::kPrometheus);
  EXPECT_THAT(text, HasSubstr("h_bucket{k=\"v\",le=\"1\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("h_bucket{k=\"v\",le=\"2\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("h_bucket{k=\"v\",le=\"+Inf\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("h_sum{k=\"v\"} 12\n"));
  EXPECT_THAT(text, HasSubstr("h_count{k=\"v\"} 4\n"));
}

TEST(MetricsTest, LabelValuesAreEscaped) {
  Metrics metrics;
  metrics.OnScrape(
      [](MetricsScrape* scrape) { scrape->Gauge("g", "Help.", {{"path", "a\"b\\c\nd"}}, 1); });
  EXPECT_THAT(metrics.Render(Metrics::Format::kPrometheus),
              HasSubstr("g{path=\"a\\\"b\\\\c\\nd\"} 1\n"));
}

TEST(MetricsTest, CountsFromManyThreads) {
  Metrics metrics;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&metrics] {
      for (int n = 0; n < 1000; ++n) metrics.GetCounter("n_total", "Help.")->Add();
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(metrics.GetCounter("n_total", "Help.")->value(), 4000u);
}

TEST(MetricsTest, ProcessReportsMemoryAndCpu) {
  Metrics metrics;
  metrics.OnScrape(ReportProcess);
  std::string text = metrics.Render(Metrics::Format::kPrometheus);
  EXPECT_THAT(text, HasSubstr("process_resident_memory_bytes "));
  EXPECT_THAT(text, HasSubstr("process_cpu_seconds_total "));
  EXPECT_THAT(text, HasSubstr("process_start_time_seconds "));
  metrics.StopScrapes();
  EXPECT_EQ(metrics.Render(Metrics::Format::kPrometheus), "");
}

TEST(LogTest, EscapesWhatPeersSend) {
  std::string lines;
  SetLogSink([&lines](std::string_view line) { lines += line; });
  Log(LogLevel::kWarn, "net", "peer said: a\nFAKE \x1b[31m");
  Log(LogLevel::kDebug, "net", "below the level");
  SetLogSink(nullptr);
  EXPECT_THAT(lines, HasSubstr("WARN net: peer said: a\\x0aFAKE \\x1b[31m\n"));
  EXPECT_THAT(lines, Not(HasSubstr("below the level")));
}

TEST(LogTest, LevelNames) {
  EXPECT_EQ(ParseLogLevel("INFO"), LogLevel::kInfo);
  EXPECT_EQ(ParseLogLevel("Warning"), LogLevel::kWarn);
  EXPECT_EQ(ParseLogLevel("loud"), std::nullopt);
}

}  // namespace
}  // namespace weft

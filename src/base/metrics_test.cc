// SPDX-License-Identifier: Apache-2.0
#include "base/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "base/log.h"
#include "base/reason_counters.h"

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
  EXPECT_THAT(text, HasSubstr("# TYPE a counter\n# HELP a Help.\na_total 7\n"));
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

TEST(MetricsTest, OpenMetricsHasUnitsInfosAndOneSpellingOfABound) {
  Metrics metrics;
  metrics.GetHistogram("x_seconds", "Help.", {}, {0.0001, 1})->Record(0.5);
  metrics.OnScrape(
      [](MetricsScrape* scrape) { scrape->Info("x_build_info", "Help.", {{"version", "1"}}); });
  std::string open = metrics.Render(Metrics::Format::kOpenMetrics);
  EXPECT_THAT(open, HasSubstr("# TYPE x_seconds histogram\n# UNIT x_seconds seconds\n# HELP x_"));
  EXPECT_THAT(open, HasSubstr("x_seconds_bucket{le=\"0.0001\"} 0\n"));
  EXPECT_THAT(open, HasSubstr("x_seconds_bucket{le=\"1.0\"} 1\n"));
  EXPECT_THAT(open, HasSubstr("x_seconds_bucket{le=\"+Inf\"} 1\n"));
  EXPECT_THAT(open, HasSubstr("# TYPE x_build info\n"));
  EXPECT_THAT(open, HasSubstr("x_build_info{version=\"1\"} 1\n"));
  std::string plain = metrics.Render(Metrics::Format::kPrometheus);
  EXPECT_THAT(plain, HasSubstr("# TYPE x_build_info gauge\n"));
  EXPECT_THAT(plain, HasSubstr("x_seconds_bucket{le=\"1\"} 1\n"));
  EXPECT_THAT(plain, Not(HasSubstr("# UNIT")));
}

TEST(MetricsTest, TheLastTraceOfABucketIsItsExemplar) {
  Metrics metrics;
  Histogram* histogram = metrics.GetHistogram("q_seconds", "Help.", {{"k", "v"}}, {1, 2});
  histogram->Record(0.25, "aaaa", 1'700'000'000'250'000'000);
  histogram->Record(0.5, "bbbb", 1'700'000'000'500'000'000);
  histogram->Record(1.5, "", 1);
  std::string open = metrics.Render(Metrics::Format::kOpenMetrics);
  EXPECT_THAT(open, HasSubstr("q_seconds_bucket{k=\"v\",le=\"1.0\"} 2 # {trace_id=\"bbbb\"} 0.5 "
                              "1700000000.5\n"));
  EXPECT_THAT(open, HasSubstr("q_seconds_bucket{k=\"v\",le=\"2.0\"} 3\n"));
  EXPECT_THAT(metrics.Render(Metrics::Format::kPrometheus), Not(HasSubstr("trace_id")));
}

TEST(MetricsTest, ReasonsExistBeforeTheyHappen) {
  Metrics metrics;
  ReasonCounters refused(&metrics, "refused_total", "Help.", {{"a", "b"}},
                         {ErrorCode::kNoSpace, ErrorCode::kTooLarge});
  std::string before = metrics.Render(Metrics::Format::kPrometheus);
  EXPECT_THAT(before, HasSubstr("refused_total{a=\"b\",reason=\"no_space\"} 0\n"));
  EXPECT_THAT(before, HasSubstr("refused_total{a=\"b\",reason=\"too_large\"} 0\n"));
  refused.Of(ErrorCode::kNoSpace)->Add(2);
  refused.Of(ErrorCode::kInternal)->Add();
  std::string after = metrics.Render(Metrics::Format::kPrometheus);
  EXPECT_THAT(after, HasSubstr("refused_total{a=\"b\",reason=\"no_space\"} 2\n"));
  EXPECT_THAT(after, HasSubstr("refused_total{a=\"b\",reason=\"internal\"} 1\n"));
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

// Everything at once, for the thread sanitizer: counting, making series, rendering.
TEST(MetricsTest, CountsAndRendersFromManyThreads) {
  Metrics metrics;
  Histogram* histogram = metrics.GetHistogram("h_seconds", "Help.");
  Gauge* gauge = metrics.GetGauge("g", "Help.");
  ReasonCounters reasons(&metrics, "r_total", "Help.", {}, {});
  metrics.OnScrape([](MetricsScrape* scrape) { scrape->Gauge("s", "Help.", {}, 1); });
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&, i] {
      for (int n = 0; n < 500; ++n) {
        histogram->Record(0.001 * n, n % 10 == 0 ? "abc" : "", 5);
        gauge->Add(n % 2 == 0 ? 1 : -1);
        reasons.Of(static_cast<ErrorCode>(1 + n % 15))->Add();
        CountDroppedSpans(&metrics, "room", i % 2 == 0 ? "a" : "b", 1);
        if (n % 50 == 0) metrics.Render(Metrics::Format::kOpenMetrics);
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(histogram->count(), 2000u);
  EXPECT_EQ(gauge->value(), 0);
  std::string text = metrics.Render(Metrics::Format::kPrometheus);
  EXPECT_THAT(text, HasSubstr("weft_dropped_spans_total{room=\"room\",reason=\"a\"} 1000\n"));
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

TEST(LogTest, FieldsAreWordsNumbersOrQuoted) {
  std::string lines;
  SetLogSink([&lines](std::string_view line) { lines += line; });
  Log(LogLevel::kInfo, "store", "fields of every kind",
      {{"path", "/a"}, {"why", "two \"words\"\n"}, {"n", 3}, {"s", 0.25}, {"ok", true}, {"e", ""}});
  SetLogSink(nullptr);
  EXPECT_THAT(lines, HasSubstr("INFO store: fields of every kind path=/a "
                               "why=\"two \\\"words\\\"\\x0a\" n=3 s=0.25 ok=true e=\"\"\n"));
}

TEST(LogTest, JsonIsOneObjectALineWhateverAPeerSends) {
  std::string lines;
  SetLogSink([&lines](std::string_view line) { lines += line; });
  SetLogEncoding(LogEncoding::kJson);
  Log(LogLevel::kWarn, "net", "json", {{"text", "a\"b\\\n\xff\xc3\xa4"}, {"n", -3}, {"ok", false}});
  SetLogEncoding(LogEncoding::kConsole);
  SetLogSink(nullptr);
  EXPECT_THAT(
      lines,
      ::testing::MatchesRegex(
          "\\{\"ts\":\"[-0-9T:.]+Z\",\"level\":\"warn\",\"room\":\"net\",\"msg\":\"json\","
          "\"text\":\"a\\\\\"b\\\\\\\\\\\\u000a\\\\ufffd\xc3\xa4\",\"n\":-3,\"ok\":false\\}\n"));
}

TEST(LogTest, RepeatedLinesAreHeldBackAndCounted) {
  std::vector<std::string> lines;
  SetLogSink([&lines](std::string_view line) { lines.emplace_back(line); });
  uint64_t before = GetLogCounts().suppressed;
  for (int i = 0; i < 50; ++i) Log(LogLevel::kWarn, "net", "a peer can make this", {{"n", i}});
  for (int i = 0; i < 50; ++i) LogAlways(LogLevel::kInfo, "debug", "asked for");
  SetLogSink(nullptr);
  EXPECT_EQ(lines.size(), 10u + 50u);
  EXPECT_EQ(GetLogCounts().suppressed - before, 40u);
}

TEST(LogSamplerTest, SaysHowManyItHeldBack) {
  LogSampler sampler;
  sampler.Configure({.enabled = true, .tick_ns = 100, .initial = 2, .thereafter = 3});
  uint64_t suppressed = 0;
  std::string passed;
  for (int i = 0; i < 8; ++i) passed += sampler.Pass("k", 10, &suppressed) ? 'x' : '.';
  EXPECT_EQ(passed, "xx..x..x");
  EXPECT_EQ(suppressed, 2u);
  EXPECT_TRUE(sampler.Pass("another", 10, &suppressed));
  for (int i = 0; i < 2; ++i) sampler.Pass("k", 20, &suppressed);
  EXPECT_TRUE(sampler.Pass("k", 110, &suppressed));
  EXPECT_EQ(suppressed, 2u);
  sampler.Configure({.enabled = false});
  for (int i = 0; i < 8; ++i) EXPECT_TRUE(sampler.Pass("k", 111, &suppressed));
}

TEST(LogTest, LevelNames) {
  EXPECT_EQ(ParseLogLevel("INFO"), LogLevel::kInfo);
  EXPECT_EQ(ParseLogLevel("Warning"), LogLevel::kWarn);
  EXPECT_EQ(ParseLogLevel("loud"), std::nullopt);
}

}  // namespace
}  // namespace weft

// SPDX-License-Identifier: Apache-2.0
//
// weft's own metrics: counters and histograms that rooms keep, and callbacks that report what
// somebody else counts (the store's statistics, /proc). One Metrics object per process, made by
// server/, handed to whoever counts; api/ renders it at /metrics.
//
// Label values come from weft's own vocabulary, never from input: a peer cannot make series.
// Names and meanings of all series: docs/metrics.md.
//
// Thread rule: counting and rendering from any thread. Counters and histograms live as long as the
// Metrics object.
// Source: Prometheus text format 0.0.4, OpenMetrics 1.0.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weft {

class Counter {
 public:
  void Add(uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

class Histogram {
 public:
  explicit Histogram(std::vector<double> bounds);
  void Record(double value);
  uint64_t count() const;

 private:
  friend class Metrics;
  const std::vector<double> bounds_;           // upper, ascending; +Inf is implied
  std::vector<std::atomic<uint64_t>> counts_;  // one more than bounds_
  std::atomic<double> sum_{0};
};
// Seconds from 0.5 ms to 30 s: what a request or a query takes.
std::vector<double> DurationBounds();

using Labels = std::vector<std::pair<std::string_view, std::string_view>>;

enum class MetricType : uint8_t { kCounter, kGauge, kHistogram };

// What a scrape callback writes to.
class MetricsScrape {
 public:
  // Names of counters end in "_total". `help` is one sentence.
  void Counter(std::string_view name, std::string_view help, const Labels& labels, double value);
  void Gauge(std::string_view name, std::string_view help, const Labels& labels, double value);

 private:
  friend class Metrics;
  struct Family {
    std::string help;
    MetricType type;
    std::string samples;
  };
  Family& Get(std::string_view name, std::string_view help, MetricType type);
  std::map<std::string, Family, std::less<>> families_;
};

class Metrics {
 public:
  // The counter of this name and these labels, made at the first call. Names end in "_total".
  Counter* GetCounter(std::string_view name, std::string_view help, const Labels& labels = {});
  Histogram* GetHistogram(std::string_view name, std::string_view help, const Labels& labels = {},
                          std::vector<double> bounds = DurationBounds());
  // `report` runs at every scrape. What it uses must outlive this object or StopScrapes().
  void OnScrape(std::function<void(MetricsScrape*)> report);
  // Drops all callbacks: called before the things they report on die.
  void StopScrapes();

  enum class Format : uint8_t { kPrometheus, kOpenMetrics };
  std::string Render(Format format) const;

 private:
  template <class T>
  struct Series {
    std::string name, help, labels;
    std::unique_ptr<T> metric;
  };
  mutable std::mutex mutex_;
  std::vector<Series<Counter>> counters_;
  std::vector<Series<Histogram>> histograms_;
  std::vector<std::function<void(MetricsScrape*)>> reports_;
};

// The two counters behind "every drop is counted with a reason": spans and log records that reached
// `room` and were not kept.
void CountDroppedSpans(Metrics* metrics, std::string_view room, std::string_view reason,
                       uint64_t n);
void CountDroppedLogs(Metrics* metrics, std::string_view room, std::string_view reason, uint64_t n);

// process_cpu_seconds_total, process_resident_memory_bytes, process_threads, process_open_fds,
// process_start_time_seconds, from /proc.
void ReportProcess(MetricsScrape* scrape);

}  // namespace weft

// SPDX-License-Identifier: Apache-2.0
//
// weft's own metrics: counters, gauges and histograms that rooms keep, and callbacks that report
// what somebody else counts (the store's statistics, /proc). One Metrics object per process, made
// by server/, handed to whoever counts; api/ renders it at /metrics.
//
// Label values come from weft's own vocabulary, never from input: a peer cannot make series. What
// can ever be counted exists from the start, with 0: a rate has then something to begin from.
// Names and meanings of all series: docs/metrics.md, which a test compares with what is rendered.
//
// Thread rule: counting and rendering from any thread; counting never locks. Counters, gauges and
// histograms live as long as the Metrics object.
// Source: Prometheus text format 0.0.4, OpenMetrics 1.0. Next: base/reason_counters.h.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace weft {

// One cache line each: counters of one request are neighbours, and threads count different ones.
class alignas(64) Counter {
 public:
  void Add(uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

class alignas(64) Gauge {
 public:
  void Add(int64_t n) { value_.fetch_add(n, std::memory_order_relaxed); }
  int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_{0};
};

// Seconds from 0.5 ms to 30 s: what a request or a query takes.
std::vector<double> DurationBounds();
// Seconds from 0.1 ms to 10 s: what a disk takes to sync.
std::vector<double> SyncBounds();
// Seconds from 10 ms to 10 minutes: what background work takes.
std::vector<double> WorkBounds();

class Histogram {
 public:
  // `bounds` are upper ones, ascending; +Inf is implied.
  explicit Histogram(std::vector<double> bounds = DurationBounds());
  void Record(double value);
  // With the trace that explains the value: the last of each bucket is shown as its exemplar.
  // `time_ns` since the Unix epoch. Locks: for what is traced, not for every request.
  void Record(double value, std::string_view trace_id, uint64_t time_ns);
  uint64_t count() const;

 private:
  friend class MetricsScrape;
  struct Exemplar {
    std::string trace_id;  // empty: none
    double value = 0;
    uint64_t time_ns = 0;
  };
  size_t BucketOf(double value) const;

  const std::vector<double> bounds_;
  std::vector<std::atomic<uint64_t>> counts_;  // one more than bounds_
  std::atomic<double> sum_{0};
  mutable std::mutex exemplars_mutex_;
  std::vector<Exemplar> exemplars_;  // empty, or one a bucket
};

using Labels = std::vector<std::pair<std::string_view, std::string_view>>;

enum class MetricsFormat : uint8_t { kPrometheus, kOpenMetrics };
enum class MetricType : uint8_t { kCounter, kGauge, kHistogram, kInfo };

// What a scrape callback writes to. `help` is one sentence. Names are whole, as samples carry them:
// those of counters end in "_total", of infos in "_info", of histograms in their unit.
class MetricsScrape {
 public:
  void Counter(std::string_view name, std::string_view help, const Labels& labels, double value);
  void Gauge(std::string_view name, std::string_view help, const Labels& labels, double value);
  // Facts as labels; the value is 1.
  void Info(std::string_view name, std::string_view help, const Labels& labels);
  void Histogram(std::string_view name, std::string_view help, const Labels& labels,
                 const weft::Histogram& histogram);

 private:
  friend class Metrics;
  struct Family {
    std::string help;
    MetricType type;
    std::string samples;
  };
  explicit MetricsScrape(MetricsFormat format) : format_(format) {}
  Family& Get(std::string_view name, std::string_view help, MetricType type);
  void AddHistogram(std::string_view name, std::string_view help, const std::string& labels,
                    const weft::Histogram& histogram);
  std::string Text() const;

  const MetricsFormat format_;
  std::map<std::string, Family, std::less<>> families_;
};

class Metrics {
 public:
  using Format = MetricsFormat;

  // The counter of this name and these labels, made at the first call. Ask once and keep it where
  // things happen often.
  Counter* GetCounter(std::string_view name, std::string_view help, const Labels& labels = {});
  Gauge* GetGauge(std::string_view name, std::string_view help, const Labels& labels = {});
  Histogram* GetHistogram(std::string_view name, std::string_view help, const Labels& labels = {},
                          std::vector<double> bounds = DurationBounds());
  // `report` runs at every scrape. What it uses must outlive this object or StopScrapes().
  // Returns what ends it.
  uint64_t OnScrape(std::function<void(MetricsScrape*)> report);
  // Returns when it does not run any more. 0 and what has ended are nothing.
  void EndScrape(uint64_t report);
  // Drops all callbacks: called before the things they report on die.
  void StopScrapes();

  std::string Render(Format format) const;

 private:
  template <class T>
  struct Series {
    std::string name, help, labels;
    std::unique_ptr<T> metric;
  };
  template <class T>
  using SeriesMap = std::unordered_map<std::string, Series<T>>;
  template <class T, class... Arguments>
  T* Get(SeriesMap<T>* all, std::string_view name, std::string_view help, const Labels& labels,
         Arguments&&... arguments);

  mutable std::mutex mutex_;  // the maps
  SeriesMap<Counter> counters_;
  SeriesMap<Gauge> gauges_;
  SeriesMap<Histogram> histograms_;
  mutable std::mutex reports_mutex_;                                 // held while they run
  std::map<uint64_t, std::function<void(MetricsScrape*)>> reports_;  // guarded by reports_mutex_
  uint64_t last_report_ = 0;                                         // guarded by reports_mutex_
};

// The two counters behind "every drop is counted with a reason": spans and log records that reached
// `room` and were not kept. With 0 they declare that the room may drop for this reason.
void CountDroppedSpans(Metrics* metrics, std::string_view room, std::string_view reason,
                       uint64_t n);
void CountDroppedLogs(Metrics* metrics, std::string_view room, std::string_view reason, uint64_t n);
void CountDroppedMetricPoints(Metrics* metrics, std::string_view room, std::string_view reason,
                              uint64_t n);

// process_cpu_seconds_total, process_resident_memory_bytes, process_virtual_memory_bytes,
// process_threads, process_open_fds, process_max_fds, process_start_time_seconds, from /proc.
void ReportProcess(MetricsScrape* scrape);

}  // namespace weft

// SPDX-License-Identifier: Apache-2.0
#include "base/metrics.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "base/check.h"

namespace weft {
namespace {

std::string EscapeLabel(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

// `a="1",b="2"`, without braces.
std::string LabelText(const Labels& labels) {
  std::string out;
  for (const auto& [key, value] : labels) {
    if (!out.empty()) out += ',';
    out += key;
    out += "=\"";
    out += EscapeLabel(value);
    out += '"';
  }
  return out;
}

std::string NumberText(double value) {
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  if (std::isnan(value)) return "NaN";
  char text[64];
  auto [end, error] = std::to_chars(text, text + sizeof text, value);
  return error == std::errc() ? std::string(text, end) : "NaN";
}

void AppendSample(std::string* out, std::string_view name, std::string_view labels, double value) {
  *out += name;
  if (!labels.empty()) {
    *out += '{';
    *out += labels;
    *out += '}';
  }
  *out += ' ';
  *out += NumberText(value);
  *out += '\n';
}

}  // namespace

std::vector<double> DurationBounds() {
  return {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30};
}

Histogram::Histogram(std::vector<double> bounds)
    : bounds_(std::move(bounds)), counts_(bounds_.size() + 1) {}

void Histogram::Record(double value) {
  size_t bucket = static_cast<size_t>(std::ranges::lower_bound(bounds_, value) - bounds_.begin());
  counts_[bucket].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

uint64_t Histogram::count() const {
  uint64_t total = 0;
  for (const auto& count : counts_) total += count.load(std::memory_order_relaxed);
  return total;
}

MetricsScrape::Family& MetricsScrape::Get(std::string_view name, std::string_view help,
                                          MetricType type) {
  auto found = families_.find(name);
  if (found == families_.end())
    found = families_.emplace(std::string(name), Family{std::string(help), type, {}}).first;
  return found->second;
}

void MetricsScrape::Counter(std::string_view name, std::string_view help, const Labels& labels,
                            double value) {
  WEFT_CHECK(name.ends_with("_total"));
  AppendSample(&Get(name, help, MetricType::kCounter).samples, name, LabelText(labels), value);
}

void MetricsScrape::Gauge(std::string_view name, std::string_view help, const Labels& labels,
                          double value) {
  AppendSample(&Get(name, help, MetricType::kGauge).samples, name, LabelText(labels), value);
}

Counter* Metrics::GetCounter(std::string_view name, std::string_view help, const Labels& labels) {
  WEFT_CHECK(name.ends_with("_total"));
  std::string text = LabelText(labels);
  std::lock_guard lock(mutex_);
  for (Series<Counter>& series : counters_)
    if (series.name == name && series.labels == text) return series.metric.get();
  counters_.push_back({std::string(name), std::string(help), text, std::make_unique<Counter>()});
  return counters_.back().metric.get();
}

Histogram* Metrics::GetHistogram(std::string_view name, std::string_view help, const Labels& labels,
                                 std::vector<double> bounds) {
  std::string text = LabelText(labels);
  std::lock_guard lock(mutex_);
  for (Series<Histogram>& series : histograms_)
    if (series.name == name && series.labels == text) return series.metric.get();
  histograms_.push_back(
      {std::string(name), std::string(help), text, std::make_unique<Histogram>(std::move(bounds))});
  return histograms_.back().metric.get();
}

void Metrics::OnScrape(std::function<void(MetricsScrape*)> report) {
  std::lock_guard lock(mutex_);
  reports_.push_back(std::move(report));
}

void Metrics::StopScrapes() {
  std::lock_guard lock(mutex_);
  reports_.clear();
}

std::string Metrics::Render(Format format) const {
  MetricsScrape scrape;
  {
    std::lock_guard lock(mutex_);
    for (const auto& report : reports_) report(&scrape);
    for (const Series<Counter>& series : counters_)
      AppendSample(&scrape.Get(series.name, series.help, MetricType::kCounter).samples, series.name,
                   series.labels, static_cast<double>(series.metric->value()));
    for (const Series<Histogram>& series : histograms_) {
      std::string* out = &scrape.Get(series.name, series.help, MetricType::kHistogram).samples;
      const Histogram& histogram = *series.metric;
      std::string comma = series.labels.empty() ? "" : series.labels + ",";
      uint64_t total = 0;
      for (size_t i = 0; i < histogram.counts_.size(); ++i) {
        total += histogram.counts_[i].load(std::memory_order_relaxed);
        double bound = i < histogram.bounds_.size() ? histogram.bounds_[i] : INFINITY;
        AppendSample(out, series.name + "_bucket", comma + "le=\"" + NumberText(bound) + "\"",
                     static_cast<double>(total));
      }
      AppendSample(out, series.name + "_sum", series.labels,
                   histogram.sum_.load(std::memory_order_relaxed));
      AppendSample(out, series.name + "_count", series.labels, static_cast<double>(total));
    }
  }
  static constexpr std::string_view kTypes[] = {"counter", "gauge", "histogram"};
  std::string out;
  for (const auto& [name, family] : scrape.families_) {
    // OpenMetrics names a counter's family without the suffix of its samples.
    std::string_view shown = name;
    if (format == Format::kOpenMetrics && family.type == MetricType::kCounter)
      shown.remove_suffix(std::string_view("_total").size());
    out.append("# HELP ").append(shown).append(" ").append(family.help).append("\n# TYPE ");
    out.append(shown).append(" ").append(kTypes[static_cast<int>(family.type)]).append("\n");
    out += family.samples;
  }
  if (format == Format::kOpenMetrics) out += "# EOF\n";
  return out;
}

void CountDroppedSpans(Metrics* metrics, std::string_view room, std::string_view reason,
                       uint64_t n) {
  metrics
      ->GetCounter("weft_dropped_spans_total", "Spans that reached weft and were not kept.",
                   {{"room", room}, {"reason", reason}})
      ->Add(n);
}

void CountDroppedLogs(Metrics* metrics, std::string_view room, std::string_view reason,
                      uint64_t n) {
  metrics
      ->GetCounter("weft_dropped_logs_total", "Log records that reached weft and were not kept.",
                   {{"room", room}, {"reason", reason}})
      ->Add(n);
}

void ReportProcess(MetricsScrape* scrape) {
  // /proc/self/stat after the command's ")": state is field 3, utime 14, stime 15, threads 20,
  // start time 22, rss 24 (proc(5)).
  std::ifstream stat("/proc/self/stat");
  std::string line;
  std::getline(stat, line);
  size_t close = line.rfind(')');
  if (close == std::string::npos) return;
  std::vector<double> fields;
  const char* at = line.c_str() + close + 3;  // past ") S"
  for (char* next = nullptr;; at = next) {
    double value = std::strtod(at, &next);
    if (next == at) break;
    fields.push_back(value);
  }
  constexpr size_t kFirst = 4;  // fields[0] is field 4
  if (fields.size() <= 24 - kFirst) return;
  double ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  scrape->Counter("process_cpu_seconds_total", "User and system CPU time spent, in seconds.", {},
                  (fields[14 - kFirst] + fields[15 - kFirst]) / ticks);
  scrape->Gauge("process_resident_memory_bytes", "Resident memory.", {},
                fields[24 - kFirst] * static_cast<double>(sysconf(_SC_PAGESIZE)));
  scrape->Gauge("process_threads", "Threads.", {}, fields[20 - kFirst]);
  std::error_code error;
  std::filesystem::directory_iterator fds("/proc/self/fd", error);
  if (!error)
    scrape->Gauge("process_open_fds", "Open file descriptors.", {},
                  static_cast<double>(std::distance(begin(fds), end(fds))));
  std::ifstream system("/proc/stat");
  while (std::getline(system, line))
    if (line.starts_with("btime "))
      scrape->Gauge("process_start_time_seconds", "Start, in seconds since the Unix epoch.", {},
                    std::strtod(line.c_str() + 6, nullptr) + fields[22 - kFirst] / ticks);
}

}  // namespace weft

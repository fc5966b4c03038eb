// SPDX-License-Identifier: Apache-2.0
#include "base/metrics.h"

#include <algorithm>
#include <charconv>
#include <cmath>

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

// A bucket's bound as a label: OpenMetrics wants one spelling of a number, "1.0" and not "1".
std::string BoundText(double value, MetricsFormat format) {
  if (std::isinf(value)) return "+Inf";
  char text[400];
  auto [end, error] = std::to_chars(text, text + sizeof text, value, std::chars_format::fixed);
  std::string out = error == std::errc() ? std::string(text, end) : "NaN";
  if (format == MetricsFormat::kOpenMetrics && out.find('.') == std::string::npos) out += ".0";
  return out;
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

// The name of a family as OpenMetrics has it: without the suffix that its type gives its samples.
std::string_view FamilyName(std::string_view name, MetricType type, MetricsFormat format) {
  if (format == MetricsFormat::kPrometheus) return name;
  if (type == MetricType::kCounter) name.remove_suffix(std::string_view("_total").size());
  if (type == MetricType::kInfo) name.remove_suffix(std::string_view("_info").size());
  return name;
}

std::string_view TypeName(MetricType type, MetricsFormat format) {
  switch (type) {
    case MetricType::kCounter:
      return "counter";
    case MetricType::kHistogram:
      return "histogram";
    case MetricType::kInfo:
      // The older format knows no infos.
      return format == MetricsFormat::kOpenMetrics ? "info" : "gauge";
    case MetricType::kGauge:
      break;
  }
  return "gauge";
}

// Names end in their unit.
std::string_view UnitOf(std::string_view family) {
  for (std::string_view unit : {"seconds", "bytes"})
    if (family.size() > unit.size() && family.ends_with(unit) &&
        family[family.size() - unit.size() - 1] == '_')
      return unit;
  return "";
}

}  // namespace

std::vector<double> DurationBounds() {
  return {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30};
}

std::vector<double> SyncBounds() {
  return {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 10};
}

std::vector<double> WorkBounds() {
  return {0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600};
}

Histogram::Histogram(std::vector<double> bounds)
    : bounds_(std::move(bounds)), counts_(bounds_.size() + 1) {}

size_t Histogram::BucketOf(double value) const {
  return static_cast<size_t>(std::ranges::lower_bound(bounds_, value) - bounds_.begin());
}

void Histogram::Record(double value) {
  counts_[BucketOf(value)].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

void Histogram::Record(double value, std::string_view trace_id, uint64_t time_ns) {
  Record(value);
  if (trace_id.empty()) return;
  std::lock_guard lock(exemplars_mutex_);
  exemplars_.resize(counts_.size());
  exemplars_[BucketOf(value)] = {std::string(trace_id), value, time_ns};
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

void MetricsScrape::Info(std::string_view name, std::string_view help, const Labels& labels) {
  WEFT_CHECK(name.ends_with("_info"));
  AppendSample(&Get(name, help, MetricType::kInfo).samples, name, LabelText(labels), 1);
}

void MetricsScrape::Histogram(std::string_view name, std::string_view help, const Labels& labels,
                              const weft::Histogram& histogram) {
  AddHistogram(name, help, LabelText(labels), histogram);
}

void MetricsScrape::AddHistogram(std::string_view name, std::string_view help,
                                 const std::string& labels, const weft::Histogram& histogram) {
  std::string* out = &Get(name, help, MetricType::kHistogram).samples;
  const std::string bucket = std::string(name) + "_bucket";
  const std::string comma = labels.empty() ? "" : labels + ",";
  std::vector<weft::Histogram::Exemplar> exemplars;
  if (format_ == MetricsFormat::kOpenMetrics) {
    std::lock_guard lock(histogram.exemplars_mutex_);
    exemplars = histogram.exemplars_;
  }
  uint64_t total = 0;
  for (size_t i = 0; i < histogram.counts_.size(); ++i) {
    total += histogram.counts_[i].load(std::memory_order_relaxed);
    double bound = i < histogram.bounds_.size() ? histogram.bounds_[i] : INFINITY;
    AppendSample(out, bucket, comma + "le=\"" + BoundText(bound, format_) + "\"",
                 static_cast<double>(total));
    if (i >= exemplars.size() || exemplars[i].trace_id.empty()) continue;
    out->pop_back();
    *out += " # {trace_id=\"" + EscapeLabel(exemplars[i].trace_id) + "\"} " +
            NumberText(exemplars[i].value) + " " +
            NumberText(static_cast<double>(exemplars[i].time_ns / 1'000'000) / 1e3) + "\n";
  }
  AppendSample(out, std::string(name) + "_sum", labels,
               histogram.sum_.load(std::memory_order_relaxed));
  AppendSample(out, std::string(name) + "_count", labels, static_cast<double>(total));
}

std::string MetricsScrape::Text() const {
  std::string out;
  for (const auto& [name, family] : families_) {
    std::string_view shown = FamilyName(name, family.type, format_);
    out.append("# TYPE ").append(shown).append(" ").append(TypeName(family.type, format_));
    out += '\n';
    if (std::string_view unit = UnitOf(shown);
        format_ == MetricsFormat::kOpenMetrics && !unit.empty())
      out.append("# UNIT ").append(shown).append(" ").append(unit).append("\n");
    out.append("# HELP ").append(shown).append(" ").append(family.help).append("\n");
    out += family.samples;
  }
  if (format_ == MetricsFormat::kOpenMetrics) out += "# EOF\n";
  return out;
}

template <class T, class... Arguments>
T* Metrics::Get(SeriesMap<T>* all, std::string_view name, std::string_view help,
                const Labels& labels, Arguments&&... arguments) {
  std::string text = LabelText(labels);
  std::string key = std::string(name) + '{' + text;
  std::lock_guard lock(mutex_);
  Series<T>& series = (*all)[key];
  if (series.metric == nullptr)
    series = {std::string(name), std::string(help), std::move(text),
              std::make_unique<T>(std::forward<Arguments>(arguments)...)};
  return series.metric.get();
}

Counter* Metrics::GetCounter(std::string_view name, std::string_view help, const Labels& labels) {
  WEFT_CHECK(name.ends_with("_total"));
  return Get(&counters_, name, help, labels);
}

Gauge* Metrics::GetGauge(std::string_view name, std::string_view help, const Labels& labels) {
  return Get(&gauges_, name, help, labels);
}

Histogram* Metrics::GetHistogram(std::string_view name, std::string_view help, const Labels& labels,
                                 std::vector<double> bounds) {
  return Get(&histograms_, name, help, labels, std::move(bounds));
}

uint64_t Metrics::OnScrape(std::function<void(MetricsScrape*)> report) {
  std::lock_guard lock(reports_mutex_);
  reports_.emplace(++last_report_, std::move(report));
  return last_report_;
}

void Metrics::EndScrape(uint64_t report) {
  std::lock_guard lock(reports_mutex_);
  reports_.erase(report);
}

void Metrics::StopScrapes() {
  std::lock_guard lock(reports_mutex_);
  reports_.clear();
}

std::string Metrics::Render(Format format) const {
  MetricsScrape scrape(format);
  {
    std::lock_guard lock(reports_mutex_);
    for (const auto& [number, report] : reports_) report(&scrape);
  }
  auto in_order = [](const auto& all) {
    std::vector<const typename std::decay_t<decltype(all)>::mapped_type*> series;
    for (const auto& [key, one] : all) series.push_back(&one);
    std::ranges::sort(series, [](const auto* a, const auto* b) {
      return std::tie(a->name, a->labels) < std::tie(b->name, b->labels);
    });
    return series;
  };
  std::lock_guard lock(mutex_);
  for (const Series<Counter>* series : in_order(counters_))
    AppendSample(&scrape.Get(series->name, series->help, MetricType::kCounter).samples,
                 series->name, series->labels, static_cast<double>(series->metric->value()));
  for (const Series<Gauge>* series : in_order(gauges_))
    AppendSample(&scrape.Get(series->name, series->help, MetricType::kGauge).samples, series->name,
                 series->labels, static_cast<double>(series->metric->value()));
  for (const Series<Histogram>* series : in_order(histograms_))
    scrape.AddHistogram(series->name, series->help, series->labels, *series->metric);
  return scrape.Text();
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

void CountDroppedMetricPoints(Metrics* metrics, std::string_view room, std::string_view reason,
                              uint64_t n) {
  metrics
      ->GetCounter("weft_dropped_metric_points_total",
                   "Metric points that reached weft and went nowhere.",
                   {{"room", room}, {"reason", reason}})
      ->Add(n);
}

}  // namespace weft

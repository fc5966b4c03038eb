// SPDX-License-Identifier: Apache-2.0
#include "config/telemetry.h"

#include <fmt/format.h>

#include <algorithm>

namespace weft::config {
namespace {

constexpr std::string_view kScrapeInstead =
    "has no effect: weft sends its metrics nowhere; scrape /metrics of the query extension or of a "
    "pull reader";

void ReadLogs(Section logs, TelemetrySettings* out) {
  std::string level;
  logs.Read("level", &level);
  if (!level.empty()) {
    if (std::optional<LogLevel> parsed = ParseLogLevel(level)) {
      out->log_level = *parsed;
    } else {
      logs.Error(*logs.Get("level"), "level",
                 fmt::format("\"{}\" is not one of debug, info, warn, error, off", level));
    }
  }
  int encoding = 0;
  logs.ReadChoice("encoding", {"console", "json"}, &encoding);
  out->log_encoding = static_cast<LogEncoding>(encoding);
  if (std::optional<Section> sampling = logs.Sub("sampling")) {
    LogSampling& to = out->log_sampling;
    sampling->Read("enabled", &to.enabled);
    sampling->ReadDuration("tick", &to.tick_ns);
    sampling->Read("initial", &to.initial);
    sampling->Read("thereafter", &to.thereafter);
    sampling->Finish();
  }
  std::vector<std::string> paths;
  logs.Read("output_paths", &paths);
  if (!paths.empty() && paths != std::vector<std::string>{"stderr"})
    logs.IgnoreWithWarning("output_paths", "has no effect: the log goes to stderr");
  logs.IgnoreWithWarning("initial_fields", "has no effect in weft");
  logs.IgnoreWithWarning("processors", "has no effect: the log goes to stderr");
  // They change how the Collector's log looks inside; weft's has no callers and no stacks.
  logs.Ignore({"development", "disable_caller", "disable_stacktrace", "error_output_paths"});
  logs.Finish();
}

void ReadPullReader(Section pull, TelemetrySettings* out) {
  std::optional<Section> exporter = pull.Sub("exporter");
  std::optional<Section> prometheus;
  if (exporter) prometheus = exporter->Sub("prometheus");
  if (prometheus) {
    Endpoint endpoint{"localhost", 8888};
    prometheus->Read("host", &endpoint.host);
    uint64_t port = endpoint.port;
    prometheus->Read("port", &port, 0, 65535);
    endpoint.port = static_cast<uint16_t>(port);
    for (std::string_view key : {"without_type_suffix", "without_units", "without_scope_info",
                                 "with_resource_constant_labels", "translation_strategy"})
      prometheus->IgnoreWithWarning(key, "has no effect: names are those of docs/metrics.md");
    prometheus->Finish();
    out->metrics_endpoints.push_back(std::move(endpoint));
  }
  if (exporter) exporter->Finish();
  pull.Ignore({"producers", "cardinality_limits"});
  pull.Finish();
  if (!prometheus && pull.IsSound())
    pull.Error(pull.node(), "", "a pull reader needs exporter: {prometheus: {host, port}}");
}

void ReadReaders(Section* metrics, TelemetrySettings* out) {
  const Node* readers = metrics->Get("readers");
  if (readers == nullptr) return;
  if (readers->kind != Node::Kind::kList)
    return metrics->Error(*readers, "readers", "expected a list of {pull: ...} or {periodic: ...}");
  for (size_t i = 0; i < readers->items.size(); ++i) {
    Section reader(readers->items[i], fmt::format("{}::readers::{}", metrics->path(), i),
                   metrics->problems());
    if (std::optional<Section> pull = reader.Sub("pull")) ReadPullReader(std::move(*pull), out);
    reader.IgnoreWithWarning("periodic", kScrapeInstead);
    reader.Finish();
  }
}

void ReadMetrics(Section metrics, TelemetrySettings* out) {
  int level = 2;
  metrics.ReadChoice("level", {"none", "basic", "normal", "detailed"}, &level);
  out->metrics_on = level != 0;
  metrics.IgnoreWithWarning(
      "address",
      "the Collector ignores it since v0.123; write readers: [{pull: {exporter: {prometheus: "
      "{host: localhost, port: 8888}}}}] to have weft's metrics there; they are at /metrics of the "
      "query extension in any case");
  ReadReaders(&metrics, out);
  metrics.IgnoreWithWarning("views", "has no effect: the metrics are those of docs/metrics.md");
  metrics.Finish();
  if (!out->metrics_on) out->metrics_endpoints.clear();
}

void ReadTraces(Section traces, TelemetrySettings* out) {
  int level = 2;
  traces.ReadChoice("level", {"none", "basic", "normal", "detailed"}, &level);
  traces.Read("exporter", &out->traces_exporter);
  traces.Read("ingest_per_second", &out->ingest_traces_per_second, 0, 1'000'000);
  if (level == 0) out->traces_exporter.clear();
  // basic: queries and the store's work alone.
  if (level == 1) out->ingest_traces_per_second = 0;
  traces.IgnoreWithWarning("processors",
                           "has no effect: weft sends its own spans nowhere; exporter: store keeps "
                           "them in weft itself");
  std::vector<std::string> propagators;
  traces.Read("propagators", &propagators);
  if (std::ranges::any_of(propagators, [](const auto& name) { return name != "tracecontext"; }))
    traces.IgnoreWithWarning("propagators", "weft continues traces by tracecontext alone");
  traces.Finish();
}

// resource: {key: value, other: null}, or the newer resource: {attributes: [{name, value}]}.
void ReadResource(Section resource, TelemetrySettings* out) {
  for (const Node::Entry& entry : resource.node().entries) {
    resource.Ignore({entry.key});
    if (entry.key == "attributes" && entry.value.kind == Node::Kind::kList) {
      for (size_t i = 0; i < entry.value.items.size(); ++i) {
        Section attribute(entry.value.items[i],
                          fmt::format("{}::attributes::{}", resource.path(), i),
                          resource.problems());
        std::pair<std::string, std::string> pair;
        attribute.Read("name", &pair.first);
        attribute.Read("value", &pair.second);
        attribute.Ignore({"type"});
        attribute.Finish();
        out->resource.push_back(std::move(pair));
      }
      continue;
    }
    // Null takes an attribute away: it is then empty here.
    std::string value;
    resource.Read(entry.key, &value);
    out->resource.emplace_back(entry.key, std::move(value));
  }
}

}  // namespace

TelemetrySettings ReadTelemetry(Section telemetry) {
  TelemetrySettings settings;
  if (std::optional<Section> logs = telemetry.Sub("logs")) ReadLogs(std::move(*logs), &settings);
  if (std::optional<Section> metrics = telemetry.Sub("metrics"))
    ReadMetrics(std::move(*metrics), &settings);
  if (std::optional<Section> traces = telemetry.Sub("traces"))
    ReadTraces(std::move(*traces), &settings);
  if (std::optional<Section> resource = telemetry.Sub("resource"))
    ReadResource(std::move(*resource), &settings);
  telemetry.Finish();
  return settings;
}

}  // namespace weft::config

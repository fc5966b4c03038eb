// SPDX-License-Identifier: Apache-2.0
#include "exporter/debug_exporter.h"

#include <fmt/format.h>

#include "base/log.h"
#include "codec/otlp.h"
#include "codec/otlp_metrics.h"

namespace weft::exporter {

namespace {

std::any ReadDebugSettings(config::Section section) {
  DebugSettings settings;
  int verbosity = 0;
  section.ReadChoice("verbosity", {"basic", "normal", "detailed"}, &verbosity);
  settings.verbosity = static_cast<DebugSettings::Verbosity>(verbosity);
  section.Ignore({"sampling_initial", "sampling_thereafter", "use_internal_logger"});
  section.IgnoreWithWarning("output_paths", "has no effect in weft");
  section.Finish();
  return settings;
}

// exporters::logging, removed upstream in v0.111 and still in many tutorials.
std::any ReadLoggingSettings(config::Section section) {
  DebugSettings settings;
  int level = 1, verbosity = 0;
  section.ReadChoice("loglevel", {"debug", "info", "warn", "error"}, &level);
  section.ReadChoice("verbosity", {"basic", "normal", "detailed"}, &verbosity);
  section.Ignore({"sampling_initial", "sampling_thereafter"});
  section.Finish();
  const config::Node* loglevel = section.Get("loglevel");
  if (loglevel != nullptr && section.Get("verbosity") != nullptr) {
    section.Error(*loglevel, "loglevel", "cannot be set together with verbosity; use verbosity");
    return {};
  }
  using Verbosity = DebugSettings::Verbosity;
  if (loglevel != nullptr)
    settings.verbosity = level == 0   ? Verbosity::kDetailed
                         : level == 1 ? Verbosity::kNormal
                                      : Verbosity::kBasic;
  else
    settings.verbosity = static_cast<Verbosity>(verbosity);
  return settings;
}

// Old exporters::logging had its words for how much.
constexpr config::ComponentType::Alias kAliases[] = {
    {.name = "logging",
     .warning =
         "\"logging\" is the old name of \"debug\" with verbosity (basic, normal, detailed) in "
         "place of loglevel",
     .read = ReadLoggingSettings}};

}  // namespace

DebugExporter::DebugExporter(DebugSettings settings, std::function<void(const std::string&)> write)
    : settings_(settings), write_(write ? std::move(write) : [](const std::string& line) {
        LogAlways(LogLevel::kInfo, "debug", line);
      }) {}

void DebugExporter::Consume(pipeline::SharedSpans shared, pipeline::Ack ack) {
  using Verbosity = DebugSettings::Verbosity;
  const SpanBatch& batch = *shared;
  write_(fmt::format("{} spans, {} log records of {} resources", batch.spans.size(),
                     batch.logs.size(), batch.resources.size()));
  if (settings_.verbosity == Verbosity::kNormal) {
    for (const Span& span : batch.spans)
      write_(fmt::format("{} {} {} {} {:.3f} ms{}", span.trace_id.ToHex(), span.span_id.ToHex(),
                         ServiceName(batch.resources[span.resource]), span.name,
                         static_cast<double>(DurationNs(span)) / 1e6,
                         span.status == StatusCode::kError ? " error" : ""));
    for (const LogRecord& log : batch.logs)
      write_(fmt::format("{} {} log {}", log.trace_id.ToHex(), log.span_id.ToHex(),
                         log.severity_text));
  } else if (settings_.verbosity == Verbosity::kDetailed) {
    std::string text;
    if (!batch.spans.empty()) {
      codec::EncodeOtlpTraces(codec::OtlpFormat::kJson, batch, &text);
      write_(text);
    }
    text.clear();
    if (!batch.logs.empty()) {
      codec::EncodeOtlpLogs(codec::OtlpFormat::kJson, batch, &text);
      write_(text);
    }
  }
  ack.Complete();
}

void DebugExporter::Consume(pipeline::SharedMetrics shared, pipeline::Ack ack) {
  using Verbosity = DebugSettings::Verbosity;
  const MetricBatch& batch = *shared;
  write_(fmt::format("{} metrics, {} points of {} resources", batch.metrics.size(),
                     batch.point_count(), batch.resources.size()));
  if (settings_.verbosity == Verbosity::kNormal) {
    for (const Metric& metric : batch.metrics)
      write_(fmt::format("{} {} {} of {} points", ServiceName(batch.resources[metric.resource]),
                         metric.name, MetricKindText(metric.kind), metric.point_count()));
  } else if (settings_.verbosity == Verbosity::kDetailed && !batch.empty()) {
    std::string text;
    codec::EncodeOtlpMetrics(codec::OtlpFormat::kJson, batch, &text);
    write_(text);
  }
  ack.Complete();
}

const pipeline::ComponentRow kDebugExporter = {
    .type = {.kind = config::ComponentKind::kExporter,
             .name = "debug",
             .summary = "writes what passes to weft's log, and keeps nothing",
             .stability = config::Stability::kStable,
             .signals = config::kAllSignals,
             .aliases = kAliases,
             .read = ReadDebugSettings},
    .make_exporter = [](const config::Component& component,
                        const pipeline::Deps&) -> Result<std::unique_ptr<pipeline::Exporter>> {
      return std::make_unique<DebugExporter>(*component.As<DebugSettings>());
    }};

}  // namespace weft::exporter

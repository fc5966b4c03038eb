// SPDX-License-Identifier: Apache-2.0
#include "exporter/debug_exporter.h"

#include <fmt/format.h>

#include "base/log.h"
#include "codec/otlp.h"

namespace weft::exporter {

DebugExporter::DebugExporter(config::DebugSettings settings,
                             std::function<void(const std::string&)> write)
    : settings_(settings), write_(write ? std::move(write) : [](const std::string& line) {
        LogAlways(LogLevel::kInfo, "debug", line);
      }) {}

void DebugExporter::Consume(SpanBatch batch, pipeline::Completion done) {
  using Verbosity = config::DebugSettings::Verbosity;
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
  done({});
}

}  // namespace weft::exporter

// SPDX-License-Identifier: Apache-2.0
#include "cli/trace_command.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "cli/cli.h"
#include "cli/follow.h"
#include "cli/trace_source.h"
#include "codec/otlp.h"
#include "config/section.h"
#include "model/pasted_id.h"
#include "terminal/paged_output.h"
#include "terminal/row_filter.h"
#include "terminal/waterfall.h"

namespace weft::cli {

using terminal::CleanText;
using terminal::PrintError;
using terminal::RowState;

namespace {

struct Options {
  SourceOptions source;
  std::string id, min_duration, max_clock_shift;
  terminal::RowFilter filter;
  trace::ClockRule clock_rule;
  bool json = false, logs = false, follow = false, no_pager = false, as_received = false;
};

// The spans that match, and all else of the trace, as OTLP/JSON.
void PrintJson(const trace::TraceView& view, const std::vector<RowState>& rows, SpanBatch* batch,
               bool logs) {
  if (!rows.empty()) {
    std::vector<Span> kept;
    for (size_t row = 0; row < rows.size(); ++row)
      if (rows[row] == RowState::kMatch) kept.push_back(batch->spans[view.tree.node[row]]);
    batch->spans = std::move(kept);
    batch->received_is_content = false;
  }
  std::string text;
  codec::EncodeOtlpTraces(codec::OtlpFormat::kJson, *batch, &text);
  if (logs && !batch->logs.empty()) {
    text += "\n";
    codec::EncodeOtlpLogs(codec::OtlpFormat::kJson, *batch, &text);
  }
  fmt::print("{}\n", text);
}

int Show(const Options& options, const TraceId& id, TraceSource* source) {
  std::string partial;
  Result<SpanBatch> batch = source->ReadTrace(id, &partial);
  if (batch && batch->spans.empty())
    batch = partial.empty() ? Fail(ErrorCode::kNotFound, "no trace " + id.ToHex())
                            : Fail(ErrorCode::kCorruption, "cannot show the trace: " + partial);
  if (!batch) {
    PrintError(batch.error().message);
    return ExitCodeOf(batch.error());
  }
  if (!partial.empty()) PrintError("partial: " + partial);
  trace::TraceView view = trace::BuildTraceView(*batch, options.clock_rule);
  if (options.as_received) view = trace::AsReceived(std::move(view));
  terminal::WaterfallOptions waterfall{
      .rows = {}, .logs = options.logs, .as_received = options.as_received};
  if (options.filter.Asks()) {
    Result<std::vector<RowState>> rows = terminal::FilterRows(view, options.filter);
    if (!rows) {
      PrintError(rows.error().message);
      return ExitCodeOf(rows.error());
    }
    waterfall.rows = std::move(*rows);
    if (std::ranges::find(waterfall.rows, RowState::kMatch) == waterfall.rows.end()) {
      PrintError(fmt::format("none of the {} of the trace matches",
                             terminal::Count(batch->spans.size(), "span")));
      return kExitNotFound;
    }
  }
  if (options.json) {
    PrintJson(view, waterfall.rows, &*batch, options.logs);
    return kExitOk;
  }
  terminal::Terminal terminal = terminal::StandardOutput();
  terminal::PagedOutput output(terminal, !options.no_pager);
  output.Write(terminal::DrawWaterfall(id, view, waterfall, terminal));
  return ExitCodeOf(output.Finish());
}

int Run(Options options) {
  std::optional<PastedId> id = ParsePastedId(options.id);
  if (!id) {
    PrintError(fmt::format("\"{}\" is no trace id: {}", CleanText(options.id), kTraceIdForms));
    return kExitUsage;
  }
  if (!options.min_duration.empty()) {
    std::optional<uint64_t> least = config::ParseDurationNs(options.min_duration);
    if (!least) {
      PrintError(fmt::format("--min-duration {}: expected a duration such as 10ms or 1.5s",
                             CleanText(options.min_duration)));
      return kExitUsage;
    }
    options.filter.min_duration_ns = *least;
  }
  if (!options.max_clock_shift.empty()) {
    std::optional<uint64_t> most = config::ParseDurationNs(options.max_clock_shift);
    if (!most) {
      PrintError(fmt::format("--max-clock-shift {}: expected a duration such as 10s or 2h",
                             CleanText(options.max_clock_shift)));
      return kExitUsage;
    }
    options.clock_rule.shift_max_ns = *most;
  }
  options.source.needs_server = options.follow;
  Result<std::unique_ptr<TraceSource>> source = OpenSource(options.source);
  if (!source) {
    PrintError(source.error().message);
    return ExitCodeOf(source.error());
  }
  return options.follow ? FollowTrace(source->get(), id->trace_id, options.json)
                        : Show(options, id->trace_id, source->get());
}

void AddFilterOptions(CLI::App* command, Options* options) {
  command
      ->add_option("--service", options->filter.services,
                   "Only spans of this service, or of one of several")
      ->type_name("SERVICE")
      ->allow_extra_args(false);
  command
      ->add_option("--min-duration", options->min_duration,
                   "Only spans that took at least so long: 10ms, 1.5s")
      ->type_name("DURATION");
  command->add_flag("--errors", options->filter.errors, "Only spans with an error");
  command
      ->add_option(
          "--where", options->filter.traceql,
          "Only spans that this expression selects, such as { span.db.system = \"redis\" }")
      ->type_name("TRACEQL");
  command
      ->add_option("--depth", options->filter.depth, "Only so many levels, the root is the first")
      ->check(CLI::Range(1, 1'000'000));
}

}  // namespace

void AddTraceCommand(CLI::App* app, int* exit_code) {
  CLI::App* command = app->add_subcommand("trace", "Show one trace as a waterfall");
  command->footer(
      "Heavy bars are on the critical path. A span is shown if every filter takes it; the spans "
      "above it are shown too, in grey. Where a call between two clocks is proof that one is off, "
      "its spans are moved, and a line says by how much.\n"
      "\n"
      "--follow prints every span and log record of the trace once, as they arrive, until Ctrl-C; "
      "the trace need not be there yet. With --json each look at the server that finds something "
      "gives lines of OTLP/JSON, which `weft import` reads.\n"
      "Examples:\n"
      "  weft trace 4bf92f3577b34da6a3ce929d0e0e4736\n"
      "  weft trace --errors --logs 4bf92f3577b34da6a3ce929d0e0e4736\n"
      "  weft trace --service checkout --min-duration 10ms 4bf92f3577b34da6a3ce929d0e0e4736\n"
      "  weft trace --json 4bf92f3577b34da6a3ce929d0e0e4736 | jq .   # OTLP/JSON\n"
      "  weft trace --follow 4bf92f3577b34da6a3ce929d0e0e4736\n"
      "Exit codes: 0 shown, 2 no trace id or wrong filter, 3 no such trace or no span matches, 4 "
      "nothing to ask.");
  auto options = std::make_shared<Options>();
  command
      ->add_option("ID", options->id,
                   "Trace id, or what it was pasted with: a traceparent, an address")
      ->required();
  AddFilterOptions(command, options.get());
  command->add_flag("--logs", options->logs,
                    "Below each span its events and log records; with --json, LogsData on a second "
                    "line");
  command->add_flag("--json", options->json,
                    "As OTLP/JSON, with the times as received: the spans that match");
  command->add_flag("--as-received", options->as_received,
                    "Do not correct the clocks of other hosts: bars, shares and critical path from "
                    "the times as they came");
  command
      ->add_option("--max-clock-shift", options->max_clock_shift,
                   "Leave clocks alone that seem to be off by more than this (default 1h)")
      ->type_name("DURATION");
  command->add_flag("--no-pager", options->no_pager,
                    "Never through $PAGER (less -R), even where it is longer than the screen");
  AddSourceOptions(command, &options->source);
  command->add_flag("--follow", options->follow, "Print spans and log records as they arrive")
      ->excludes("--data")
      ->excludes("--logs")
      ->excludes("--service")
      ->excludes("--min-duration")
      ->excludes("--errors")
      ->excludes("--where")
      ->excludes("--depth");
  command->callback([options, exit_code] { *exit_code = Run(*options); });
}

}  // namespace weft::cli

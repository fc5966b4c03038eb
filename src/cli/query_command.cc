// SPDX-License-Identifier: Apache-2.0
#include "cli/query_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/terminal.h"
#include "cli/trace_source.h"
#include "config/section.h"
#include "wire/json_writer.h"

namespace weft::cli {
namespace {

struct Options {
  SourceOptions source;
  query::SearchRequest request;
  std::string since;
  bool all = false;
  bool json = false;
};

void PrintJson(const query::TraceSummary& trace) {
  std::string text;
  wire::JsonWriter json(&text);
  json.BeginObject();
  json.Field("traceId", trace.trace_id.ToHex());
  json.Field("rootService", trace.root_service);
  json.Field("rootName", trace.root_name);
  json.Field("rootMissing", trace.root_missing);
  json.Key("startNs");
  json.UintText(trace.start_ns);
  json.Field("durationNs", trace.duration_ns);
  json.Field("spans", trace.spans);
  json.Field("errors", trace.errors);
  json.Key("services");
  json.BeginArray();
  for (const query::ServiceShare& share : trace.services) json.String(share.service);
  json.EndArray();
  json.Field("matched", trace.matched);
  json.Key("matches");
  json.BeginArray();
  for (const query::MatchedSpan& match : trace.matches) {
    json.BeginObject();
    json.Field("spanId", match.span_id.ToHex());
    json.Field("service", match.service);
    json.Field("name", match.name);
    json.Field("durationNs", match.duration_ns);
    json.Field("error", match.error);
    json.Key("attributes");
    json.BeginObject();
    for (const auto& [key, value] : match.attributes) json.Field(key, value);
    json.EndObject();
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
  fmt::print("{}\n", text);
}

void PrintLine(const query::TraceSummary& trace, const Terminal& terminal) {
  std::string errors = trace.errors == 0
                           ? ""
                           : fmt::format("  {}{} error{}{}", Red(terminal), trace.errors,
                                         trace.errors == 1 ? "" : "s", Plain(terminal));
  fmt::print("{}  {}{:>9}{}  {}  {}{}{} {}{}  {}{} spans{}{}\n", LocalTime(trace.start_ns),
             Bold(terminal), ShortDuration(trace.duration_ns), Plain(terminal),
             trace.trace_id.ToHex(), ServiceColour(trace.root_service, terminal),
             CleanText(trace.root_service), Plain(terminal), CleanText(trace.root_name),
             trace.root_missing ? " (root missing)" : "", Dim(terminal), trace.spans,
             Plain(terminal), errors);
}

void ExplainNothing(const TraceSource::SearchAnswer& answer) {
  if (!answer.data_range) {
    fmt::print(stderr, "no trace matches: there is no data yet\n");
    return;
  }
  fmt::print(stderr, "no trace matches; the data lies between {} and {}\n",
             LocalTime(answer.data_range->first), LocalTime(answer.data_range->second));
}

int Run(Options options) {
  if (!options.since.empty()) {
    std::optional<uint64_t> since = config::ParseDurationNs(options.since);
    if (!since) {
      fmt::print(stderr, "weft: --since {}: expected a duration such as 15m, 1h30m or 2d\n",
                 CleanText(options.since));
      return kExitUsage;
    }
    uint64_t now_ns = SystemClock()->NowNs();
    options.request.start_ns = now_ns > *since ? now_ns - *since : 0;
    options.request.end_ns = now_ns;
  }
  Result<std::unique_ptr<TraceSource>> source = OpenSource(options.source);
  if (!source) {
    fmt::print(stderr, "weft: {}\n", source.error().message);
    return ExitCodeOf(source.error());
  }
  Terminal terminal = StandardOutput();
  for (bool first = true;; first = false) {
    Result<TraceSource::SearchAnswer> answer = (*source)->Search(options.request);
    if (!answer) {
      fmt::print(stderr, "weft: {}\n", answer.error().message);
      return ExitCodeOf(answer.error());
    }
    for (const query::TraceSummary& trace : answer->result.traces) {
      if (options.json) {
        PrintJson(trace);
      } else {
        PrintLine(trace, terminal);
      }
    }
    if (!answer->result.partial.empty())
      fmt::print(stderr, "partial: {}\n", answer->result.partial);
    if (first && answer->result.traces.empty()) ExplainNothing(*answer);
    if (answer->result.cursor.empty()) return kExitOk;
    if (!options.all) {
      if (!options.json)
        fmt::print(stderr, "more traces match: --limit {} or --all shows them\n",
                   options.request.limit * 10);
      return kExitOk;
    }
    options.request.cursor = answer->result.cursor;
  }
}

}  // namespace

void AddQueryCommand(CLI::App* app, int* exit_code) {
  CLI::App* command = app->add_subcommand("query", "Find traces with TraceQL, newest first");
  command->footer(
      "Examples:\n"
      "  weft query '{ resource.service.name = \"checkout\" && duration > 2s }'\n"
      "  weft query --since 1h --limit 100 '{ status = error }'\n"
      "  weft query --json --all '{ .http.route = \"/cart\" }' | jq -r .traceId\n"
      "--json prints one object a line. Exit codes: 0 asked and answered, 2 wrong TraceQL, 4 "
      "nothing "
      "to ask.");
  auto options = std::make_shared<Options>();
  command
      ->add_option("TRACEQL", options->request.traceql, "TraceQL, such as { status = error }")
      ->required();
  command->add_option("--limit", options->request.limit, "Traces to show (a page with --all)")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  command
      ->add_option("--spss", options->request.spans_per_trace, "Matched spans with each, in --json")
      ->check(CLI::Range(0, 10'000))
      ->capture_default_str();
  command->add_option("--since", options->since, "Only spans started in the last 15m, 1h, 2d, ...");
  command->add_flag("--all", options->all, "Every page");
  command->add_flag("--json", options->json, "As JSON lines");
  AddSourceOptions(command, &options->source);
  command->callback([options, exit_code] { *exit_code = Run(*options); });
}

}  // namespace weft::cli

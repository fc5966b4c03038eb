// SPDX-License-Identifier: Apache-2.0
#include "cli/query_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/follow.h"
#include "cli/search_output.h"
#include "cli/tag_filter.h"
#include "cli/time_option.h"
#include "cli/trace_source.h"
#include "model/pasted_id.h"
#include "terminal/paged_output.h"
#include "terminal/service_colours.h"
#include "terminal/terminal.h"
#include "usage/slip.h"

namespace weft::cli {

using terminal::PrintError;
using terminal::PrintNote;

namespace {

constexpr uint32_t kLimitMax = 10'000;

struct Options {
  SourceOptions source;
  TimeOptions time;
  query::SearchRequest request;
  std::vector<std::string> tags;
  bool all = false, json = false, ndjson = false, follow = false;
  bool no_pager = false, fail_empty = false;
};

void ExplainNothing(const TraceSource::SearchAnswer& answer) {
  if (!answer.data_range) {
    PrintNote("no trace matches: there is no data yet");
    return;
  }
  PrintNote(fmt::format("no trace matches; the data lies between {} and {}",
                        terminal::LocalTime(answer.data_range->first),
                        terminal::LocalTime(answer.data_range->second)));
}

void ExplainUnknown(const std::vector<query::UnknownName>& unknown) {
  for (const query::UnknownName& name : unknown)
    PrintNote(terminal::CleanText(query::SentenceOf(name)));
}

void ExplainMore(uint32_t limit) {
  const uint32_t larger = std::min<uint32_t>(limit * 10, kLimitMax);
  const std::string some =
      larger > limit ? fmt::format("--limit {} shows more of them, ", larger) : "";
  PrintNote(fmt::format("more traces match: {}--all shows every one", some));
}

// Prints page after page in the form that was asked for.
class Printer {
 public:
  explicit Printer(const Options& options)
      : options_(options),
        terminal_(terminal::StandardOutput()),
        output_(terminal_, !options.no_pager && !options.json && !options.ndjson) {}

  // False when nobody reads on.
  bool Page(const TraceSource::SearchAnswer& answer) {
    std::string text;
    if (options_.json && count_ == 0) text = "{\"traces\":[";
    if (!options_.json && !options_.ndjson && count_ == 0 && !answer.result.traces.empty())
      text = TraceTableHead(terminal_);
    std::vector<std::string> services;
    for (const query::TraceSummary& trace : answer.result.traces)
      services.push_back(trace.root_service);
    colours_.Add(std::move(services));
    for (const query::TraceSummary& trace : answer.result.traces) {
      if (options_.json) {
        text += (count_ == 0 ? "\n" : ",\n") + TraceJson(trace);
      } else {
        text +=
            options_.ndjson ? TraceJson(trace) + "\n" : TraceTableRow(trace, terminal_, &colours_);
      }
      ++count_;
    }
    return output_.Write(text);
  }
  // An error: something could not be printed.
  Status End(const TraceSource::SearchAnswer& last,
             const std::vector<query::UnknownName>& unknown) {
    if (options_.json) output_.Write("\n]," + AnswerTailJson(last, unknown) + "\n");
    return output_.Finish();
  }
  uint64_t count() const { return count_; }

 private:
  const Options& options_;
  const terminal::Terminal terminal_;
  terminal::PagedOutput output_;
  terminal::ServiceColours colours_;
  uint64_t count_ = 0;
};

int PrintPages(const Options& options, TraceSource* source) {
  query::SearchRequest request = options.request;
  Printer printer(options);
  std::vector<query::UnknownName> unknown;
  for (;;) {
    Result<TraceSource::SearchAnswer> answer = source->Search(request);
    if (!answer) {
      PrintError(answer.error().message);
      return ExitCodeOf(answer.error());
    }
    if (request.cursor.empty()) unknown = answer->unknown;
    bool read = printer.Page(*answer);
    request.cursor = answer->result.cursor;
    if (read && options.all && !request.cursor.empty()) continue;
    Status printed = printer.End(*answer, unknown);
    if (!printed) return ExitCodeOf(printed);
    if (!answer->result.partial.empty()) PrintError("partial: " + answer->result.partial);
    bool for_people = !options.json && !options.ndjson;
    if (for_people) ExplainUnknown(unknown);
    if (printer.count() == 0) {
      if (for_people) ExplainNothing(*answer);
      return options.fail_empty ? kExitNotFound : kExitOk;
    }
    if (for_people && read && !options.all && !request.cursor.empty())
      ExplainMore(options.request.limit);
    return kExitOk;
  }
}

int Run(Options options) {
  if (usage::LooksLikeTraceId(options.request.traceql)) {
    PrintError(fmt::format("{} is a trace id, not TraceQL: `weft trace {}` shows the trace",
                           options.request.traceql,
                           ParsePastedId(options.request.traceql)->trace_id.ToHex()));
    return kExitUsage;
  }
  if (options.request.traceql.empty() && options.tags.empty()) {
    PrintError("query needs TRACEQL, such as '{ status = error }', or --tag KEY=VALUE");
    return kExitUsage;
  }
  uint64_t now_ns = SystemClock()->NowNs();
  Result<TimeWindow> window = ReadTimeWindow(options.time, now_ns);
  if (!window) {
    PrintError(window.error().message);
    return kExitUsage;
  }
  Result<std::string> traceql = WithTags(options.request.traceql, options.tags);
  if (!traceql) {
    PrintError(traceql.error().message);
    return ExitCodeOf(traceql.error());
  }
  options.request.traceql = *std::move(traceql);
  options.request.start_ns = window->start_ns;
  options.request.end_ns = window->end_ns;
  options.source.needs_server = options.follow;
  Result<std::unique_ptr<TraceSource>> source = OpenSource(options.source);
  if (!source) {
    PrintError(source.error().message);
    return ExitCodeOf(source.error());
  }
  if (!options.follow) return PrintPages(options, source->get());
  return FollowQuery(source->get(), options.request,
                     window->start_ns != 0 ? window->start_ns : now_ns, options.ndjson);
}

constexpr char kFooter[] =
    "Newest traces come first. On a terminal what is longer than the screen goes through $PAGER "
    "(less -R).\n"
    "\n"
    "--follow prints each trace that comes to match once, the moment a look at the server finds "
    "it (every second, less often where looks take long), until Ctrl-C. The server knows when "
    "spans started, not when they arrived: a match is found if a matching span started at most an "
    "hour before the command did (or before --since). What started within the last minute is found "
    "by the next look; older spans that arrive late within 10 seconds, or as often as a tenth of "
    "the time allows. The counts are those of the moment: a trace may go on growing.\n"
    "Examples:\n"
    "  weft query '{ resource.service.name = \"checkout\" && duration > 2s }'\n"
    "  weft query '{ name = \"GET /cart\" } && { .db.system = \"redis\" && duration > 5ms }'\n"
    "  weft query --since 1h --limit 100 '{ status = error }'\n"
    "  weft query --tag error=true --tag http.status_code=500\n"
    "  weft query --from '2026-11-21 06:30' --to 07:00 '{ name = \"GET /cart\" }'\n"
    "  weft query --ndjson --all '{ .http.route = \"/cart\" }' | jq -r .traceId\n"
    "  weft query --json '{ status = error }' | jq '.traces | length'\n"
    "  weft query --follow '{ status = error }'\n"
    "  weft query --fail-empty --since 5m '{ name = \"smoke test\" }' || echo none\n"
    "Exit codes: 0 asked and answered, 2 wrong TraceQL or time, 3 nothing matches and --fail-empty "
    "was given, 4 nothing to ask.";

}  // namespace

void AddQueryCommand(CLI::App* app, int* exit_code) {
  CLI::App* command = app->add_subcommand("query", "Find traces with TraceQL, newest first");
  command->footer(kFooter);
  auto options = std::make_shared<Options>();
  options->request.traceql.clear();
  command->add_option("TRACEQL", options->request.traceql,
                      "What to find, such as { status = error }");
  command
      ->add_option("--tag", options->tags,
                   "Only spans with this tag, as Jaeger's search takes it: http.status_code=500, "
                   "error=true; may be repeated, and needs no TRACEQL")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  auto* limit =
      command
          ->add_option("--limit", options->request.limit, "Traces to show; with --all, in one page")
          ->check(CLI::Range(1u, kLimitMax))
          ->capture_default_str();
  auto* all = command->add_flag("--all", options->all, "Every page");
  AddTimeOptions(command, &options->time);
  auto* json = command->add_flag("--json", options->json,
                                 "As one JSON document, the answer of GET /api/weft/v1/search");
  command
      ->add_flag("--ndjson", options->ndjson,
                 "As lines of JSON, one trace each, as in \"traces\" of --json")
      ->excludes(json);
  command
      ->add_option("--spss", options->request.spans_per_trace,
                   "Matched spans with each trace, in JSON")
      ->check(CLI::Range(0, 10'000))
      ->capture_default_str();
  command->add_flag("--fail-empty", options->fail_empty, "Exit with 3 where nothing matches");
  command->add_flag("--no-pager", options->no_pager,
                    "Never through $PAGER, even where it is longer than the screen");
  AddSourceOptions(command, &options->source);
  command->add_flag("--follow", options->follow, "Print new matches as they come")
      ->excludes("--data")
      ->excludes("--to")
      ->excludes("--fail-empty")
      ->excludes(limit)
      ->excludes(all)
      ->excludes(json);
  command->callback([options, exit_code] { *exit_code = Run(*options); });
}

}  // namespace weft::cli

// SPDX-License-Identifier: Apache-2.0
#include "cli/import_command.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <memory>

#include "cli/cli.h"
#include "cli/import_run.h"
#include "cli/trace_source.h"
#include "terminal/terminal.h"
#include "wire_core/json_writer.h"

namespace weft::cli {

using terminal::Count;

namespace {

struct Options {
  std::vector<std::string> files;
  SourceOptions target;
  std::string resume, format = "auto";
  uint64_t item_bytes_max = codec::kItemBytesMax;
  bool json = false;
};

constexpr codec::TraceFormat kFormats[] = {codec::TraceFormat::kAny, codec::TraceFormat::kOtlp,
                                           codec::TraceFormat::kJaeger,
                                           codec::TraceFormat::kZipkin};

void PrintReasons(std::string_view name, const std::vector<ImportReason>& reasons,
                  wire::JsonWriter* json) {
  json->Key(name);
  json->BeginArray();
  for (const ImportReason& reason : reasons) {
    json->BeginObject();
    json->Field("message", reason.message);
    json->Field("count", reason.count);
    json->EndObject();
  }
  json->EndArray();
}

void PrintJson(const ImportTotals& totals) {
  const store::ImportCounts& counts = totals.counts;
  std::string text;
  wire::JsonWriter json(&text);
  json.BeginObject();
  for (auto [name, value] :
       {std::pair{"kept", counts.kept}, std::pair{"duplicates", counts.duplicates},
        std::pair{"rejected", counts.rejected}, std::pair{"sameId", counts.same_id},
        std::pair{"finer", counts.finer}, std::pair{"keptLogs", counts.kept_logs},
        std::pair{"duplicateLogs", counts.duplicate_logs},
        std::pair{"rejectedLogs", counts.rejected_logs},
        std::pair{"badDocuments", totals.bad_documents}, std::pair{"leftOut", totals.left_out},
        std::pair{"metricPoints", totals.metric_points}, std::pair{"files", totals.files},
        std::pair{"failedFiles", totals.failed_files}})
    json.Field(name, value);
  PrintReasons("rejections", totals.rejections, &json);
  PrintReasons("omissions", totals.omissions, &json);
  PrintReasons("problems", totals.problems, &json);
  json.EndObject();
  fmt::print("{}\n", text);
}

void PrintText(const ImportTotals& totals) {
  const store::ImportCounts& counts = totals.counts;
  fmt::print("spans: {} kept, {} duplicate, {} rejected\n", counts.kept, counts.duplicates,
             counts.rejected);
  if (counts.kept_logs + counts.duplicate_logs + counts.rejected_logs > 0)
    fmt::print("log records: {} kept, {} duplicate, {} rejected\n", counts.kept_logs,
               counts.duplicate_logs, counts.rejected_logs);
  if (counts.finer > 0)
    fmt::print("{} finer than {} stored: both are kept\n", Count(counts.finer, "span"),
               counts.finer == 1 ? "the copy" : "the copies");
  if (counts.same_id > 0)
    fmt::print("{} {} the id of another span with other content: {}{}\n",
               Count(counts.same_id, "span"), counts.same_id == 1 ? "has" : "have",
               fmt::join(counts.same_id_examples, ", "),
               counts.same_id > counts.same_id_examples.size() ? ", ..." : "");
  if (totals.metric_points > 0)
    fmt::print("metric points: {} left out, weft keeps none\n", totals.metric_points);
  if (!totals.rejections.empty())
    fmt::print("first rejection: {}\n", terminal::CleanText(totals.rejections[0].message));
  if (totals.left_out > 0)
    fmt::print("{} of resources and scopes left out\n", Count(totals.left_out, "value"));
  if (!totals.omissions.empty())
    fmt::print("first one left out: {}\n", terminal::CleanText(totals.omissions[0].message));
  if (totals.bad_documents > 0)
    fmt::print("{} could not be read\n", Count(totals.bad_documents, "document"));
  if (totals.failed_files > 0)
    fmt::print("{} could not be read to the end\n", Count(totals.failed_files, "file"));
}

// The first asks the run to stop at a clean place, the second ends it.
void StopOnSignals() {
  struct sigaction action{};
  action.sa_handler = [](int) { ImportRun::Interrupt(); };
  action.sa_flags = SA_RESETHAND | SA_RESTART;
  for (int signal : {SIGINT, SIGTERM}) sigaction(signal, &action, nullptr);
}

int Refuse(const Error& error) {
  terminal::PrintError(error.message);
  return error.code == ErrorCode::kUnavailable ? kExitUnreachable : kExitFailed;
}

int Run(const Options& options) {
  Result<std::unique_ptr<ImportTarget>> target = OpenImportTarget(options.target);
  if (!target) return Refuse(target.error());
  Result<ImportJournal> journal = ImportJournal::Open(options.resume, (*target)->name());
  if (!journal) return Refuse(journal.error());
  StopOnSignals();
  ImportRun run(target->get(), &*journal,
                codec::ParseTraceFormat(options.format).value_or(codec::TraceFormat::kAny),
                options.item_bytes_max);
  Status stored = run.Files(options.files);
  options.json ? PrintJson(run.totals()) : PrintText(run.totals());
  if (!stored && stored.error().code == ErrorCode::kCancelled) {
    terminal::PrintError(fmt::format(
        "interrupted: the same command again {}",
        options.resume.empty() ? "finds what is stored and adds the rest" : "goes on from here"));
    return kExitFailed;
  }
  if (!stored) return Refuse(stored.error());
  return run.totals().failed_files + run.totals().bad_documents > 0 ? kExitFailed : kExitOk;
}

}  // namespace

void AddImportCommand(CLI::App* app, int* exit_code) {
  CLI::App* command =
      app->add_subcommand("import", "Store the spans and logs of OTLP, Jaeger and Zipkin files");
  command->footer(
      "Files may hold OTLP (protobuf, JSON, a JSON document a line), Jaeger's JSON (of the UI, "
      "the\n"
      "API or Elasticsearch) or Zipkin's (v1, v2), plain or compressed (gzip, zstd, lz4), also in\n"
      "tar archives: the content tells. They go to the server where one answers, else straight\n"
      "into the data directory. Spans that are there already are counted, not stored again.\n"
      "Examples:\n"
      "  weft import traces.json.zst more/*.ndjson\n"
      "  weft import --data /srv/weft spans.pb\n"
      "  curl -s http://jaeger:16686/api/traces/4bf92f3577b34da6 | weft import -\n"
      "  weft import --resume state.json huge.tar.zst\n"
      "Exit codes: 0 everything was read, 1 something was not, 4 no server at --url, or the "
      "directory\n"
      "is in use.");
  auto options = std::make_shared<Options>();
  command->add_option("FILE", options->files, "Files to import; - is standard input")->required();
  auto* url = command
                  ->add_option("--url", options->target.url,
                               UrlHelp("Server to send to, by its query port, not an OTLP port"))
                  ->type_name("URL");
  command
      ->add_option("--data", options->target.data, "Data directory to write, while no server runs")
      ->type_name("DIR")
      ->excludes(url);
  std::vector<std::string> names;
  for (const codec::TraceFormat format : kFormats) names.emplace_back(codec::NameOf(format));
  command
      ->add_option("--format", options->format,
                   "Take nothing but auto, otlp, jaeger or zipkin for the format")
      ->type_name("NAME")
      ->check(CLI::IsMember(names));
  command
      ->add_option("--resume", options->resume,
                   "Keep the place in this file, and go on from the place that it has")
      ->type_name("FILE");
  command
      ->add_option("--item-max", options->item_bytes_max,
                   "Step over what is larger: one resource with its spans, one trace of Jaeger's, "
                   "one message (default 256MiB; importing takes some times as much memory)")
      ->type_name("SIZE")
      ->transform(CLI::AsSizeValue(false));
  AddAccessOptions(command, &options->target.access);
  command->add_flag("--json", options->json, "Counts and reasons as JSON");
  command->callback([options, exit_code] { *exit_code = Run(*options); });
}

}  // namespace weft::cli

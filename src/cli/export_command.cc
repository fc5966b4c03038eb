// SPDX-License-Identifier: Apache-2.0
#include "cli/export_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <unordered_set>

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/output_file.h"
#include "cli/time_option.h"
#include "cli/trace_source.h"
#include "codec/trace_file_writer.h"
#include "model/pasted_id.h"
#include "terminal/progress_bar.h"
#include "terminal/terminal.h"

namespace weft::cli {

using terminal::PrintError;

namespace {

using codec::TraceFileFormat;

constexpr size_t kFlushBytes = 4 << 20;
constexpr uint32_t kPageTraces = 1'000;

struct Options {
  SourceOptions source;
  std::vector<std::string> ids;
  std::string query, since, output, format = "otlp-json";
  uint64_t limit = 0;
};

constexpr std::pair<const char*, TraceFileFormat> kFormats[] = {
    {"otlp-json", TraceFileFormat::kOtlpJson},
    {"otlp-protobuf", TraceFileFormat::kOtlpProtobuf},
    {"jaeger", TraceFileFormat::kJaeger},
    {"zipkin", TraceFileFormat::kZipkin}};

class Export {
 public:
  Export(TraceSource* source, OutputFile* file, TraceFileFormat format)
      : source_(source), file_(file), writer_(format, &text_) {}

  Status Traces(const std::vector<TraceId>& ids) {
    for (const TraceId& id : ids) {
      WEFT_TRY(Trace(id));
      bar_.Show(static_cast<double>(traces_) / static_cast<double>(ids.size()), spans_, "");
    }
    return {};
  }

  // Newest first; 0: all.
  Status Query(query::SearchRequest request, uint64_t limit) {
    request.spans_per_trace = 0;
    while (true) {
      const uint64_t left = limit == 0 ? kPageTraces : limit - traces_;
      request.limit = static_cast<uint32_t>(std::min<uint64_t>(left, kPageTraces));
      WEFT_ASSIGN(TraceSource::SearchAnswer page, source_->Search(request));
      if (!page.result.partial.empty()) gaps_ = page.result.partial;
      // The next page would end as this one did.
      if (!page.result.partial.empty() && page.result.traces.empty()) return {};
      for (const query::TraceSummary& trace : page.result.traces) {
        WEFT_TRY(Trace(trace.trace_id));
        bar_.Show(PartOf(trace, page, limit), spans_, "");
      }
      request.cursor = page.result.cursor;
      if (request.cursor.empty() || traces_ == limit) return {};
    }
  }

  Status Finish() {
    writer_.Finish();
    WEFT_TRY(file_->Write(text_));
    bar_.Clear();
    return file_->Finish();
  }
  // Why not everything that was asked for is in the file; empty: it is.
  const std::string& gaps() const { return gaps_; }
  uint64_t traces() const { return traces_; }
  uint64_t spans() const { return spans_; }

 private:
  // Of a directory; a server calls the same an internal error.
  static bool IsHidden(ErrorCode code) {
    return code == ErrorCode::kCorruption || code == ErrorCode::kIo || code == ErrorCode::kInternal;
  }
  Status Trace(const TraceId& id) {
    std::string partial;
    Result<SpanBatch> trace = source_->ReadTrace(id, &partial);
    if (trace && trace->empty()) trace = Fail(ErrorCode::kNotFound, "no trace " + id.ToHex());
    // What a damaged block hides is left out and told at the end.
    if (!partial.empty()) gaps_ = partial;
    const bool hidden = !trace && IsHidden(trace.error().code);
    if (hidden) gaps_ = trace.error().message;
    if (hidden) return {};
    if (!trace) return Fail(trace.error());
    ++traces_;
    spans_ += trace->spans.size();
    writer_.Write(id, &*trace);
    if (text_.size() < kFlushBytes) return {};
    WEFT_TRY(file_->Write(text_));
    text_.clear();
    return {};
  }

  double PartOf(const query::TraceSummary& trace, const TraceSource::SearchAnswer& page,
                uint64_t limit) const {
    if (limit > 0) return static_cast<double>(traces_) / static_cast<double>(limit);
    if (!page.data_range || page.data_range->second <= page.data_range->first) return -1;
    auto [first, last] = *page.data_range;
    const uint64_t at = std::clamp(trace.start_ns, first, last);
    return static_cast<double>(last - at) / static_cast<double>(last - first);
  }

  TraceSource* const source_;
  OutputFile* const file_;
  std::string text_;
  codec::TraceFileWriter writer_;
  terminal::ProgressBar bar_;
  uint64_t traces_ = 0, spans_ = 0;
  std::string gaps_;
};

int Complain(const Error& error) {
  PrintError(error.message);
  return ExitCodeOf(error);
}

int ComplainUsage(std::string_view what) {
  PrintError(what);
  return kExitUsage;
}

int Write(const Options& options, const std::vector<TraceId>& ids, query::SearchRequest request,
          TraceFileFormat format) {
  auto source = OpenSource(options.source);
  if (!source) return Complain(source.error());
  auto file = OutputFile::Create(options.output);
  if (!file) return Complain(file.error());
  Export all(source->get(), file->get(), format);
  Status status =
      options.query.empty() ? all.Traces(ids) : all.Query(std::move(request), options.limit);
  if (status) status = all.Finish();
  if (!status) return Complain(status.error());
  terminal::PrintNote(fmt::format("{}, {}", terminal::Count(all.traces(), "trace"),
                                  terminal::Count(all.spans(), "span")));
  if (all.gaps().empty()) return kExitOk;
  PrintError("not everything is in the file: " + all.gaps());
  return kExitFailed;
}

int Run(const Options& options) {
  const auto* format = std::ranges::find(
      kFormats, options.format, [](const auto& one) { return std::string_view(one.first); });
  if (options.ids.empty() && options.query.empty())
    return ComplainUsage("export needs trace ids, or --query (`--query '{}'` is everything)");
  if (!options.ids.empty() && !options.query.empty())
    return ComplainUsage("export takes trace ids or --query, not both");
  std::vector<TraceId> ids;
  std::unordered_set<TraceId, IdHash> named;
  for (const std::string& text : options.ids) {
    std::optional<PastedId> id = ParsePastedId(text);
    if (!id)
      return ComplainUsage(
          fmt::format("\"{}\" is no trace id: {}", terminal::CleanText(text), kTraceIdForms));
    if (named.insert(id->trace_id).second) ids.push_back(id->trace_id);
  }
  query::SearchRequest request;
  request.traceql = options.query;
  if (!options.since.empty()) {
    Result<uint64_t> since = ReadDurationNs("--since", options.since);
    if (!since) return Complain(since.error());
    request.end_ns = SystemClock()->NowNs();
    request.start_ns = request.end_ns > *since ? request.end_ns - *since : 0;
  }
  const bool to_terminal = options.output.empty() && isatty(STDOUT_FILENO) == 1;
  if (to_terminal && format->second == TraceFileFormat::kOtlpProtobuf)
    return ComplainUsage("protobuf is nothing for a terminal: name a file with --output");
  return Write(options, ids, std::move(request), format->second);
}

}  // namespace

void AddExportCommand(CLI::App* app, int* exit_code) {
  CLI::App* command = app->add_subcommand("export", "Write traces as OTLP, Jaeger or Zipkin files");
  command->footer(
      "Formats: otlp-json (a JSON document a line) and otlp-protobuf (messages with a 4-byte\n"
      "length before each, as the Collector's file exporter writes them) keep everything; jaeger\n"
      "and zipkin are for these tools, and leave out what they have no place for.\n"
      "Examples:\n"
      "  weft export 4bf92f3577b34da6a3ce929d0e0e4736 > trace.ndjson\n"
      "  weft export --query '{ status = error }' --since 1h --output errors.ndjson.zst\n"
      "  weft export --query '{}' --format jaeger --output all.json.gz\n"
      "Exit codes: 0 written, 1 failed, 2 wrong TraceQL or arguments, 3 no such trace, 4 nothing "
      "to "
      "ask.");
  auto options = std::make_shared<Options>();
  command->add_option("ID", options->ids,
                      "Trace ids, 1 to 32 hex digits each; a trace is written once");
  auto* query =
      command->add_option("--query", options->query, "Every trace with a span that this selects")
          ->type_name("TRACEQL");
  command->add_option("--since", options->since, "With --query: only spans of this last time")
      ->type_name("DURATION")
      ->needs(query);
  command
      ->add_option("--limit", options->limit,
                   "With --query: only so many, the newest ones (all where not given)")
      ->type_name("N")
      ->check(CLI::PositiveNumber)
      ->needs(query);
  std::vector<std::string> names;
  for (const auto& [name, format] : kFormats) names.emplace_back(name);
  command
      ->add_option("--format", options->format,
                   "otlp-json (default), otlp-protobuf, jaeger or zipkin")
      ->type_name("NAME")
      ->check(CLI::IsMember(names));
  command
      ->add_option("-o,--output", options->output,
                   "File to write; .gz, .zst and .lz4 are compressed. Default: standard output")
      ->type_name("FILE");
  AddSourceOptions(command, &options->source);
  command->callback([options, exit_code] { *exit_code = Run(*options); });
}

}  // namespace weft::cli

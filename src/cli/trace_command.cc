// SPDX-License-Identifier: Apache-2.0
#include "cli/trace_command.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/cli.h"
#include "cli/trace_source.h"
#include "cli/waterfall.h"
#include "codec/otlp.h"

namespace weft::cli {
namespace {

struct Options {
  SourceOptions source;
  std::string id;
  bool json = false;
};

int Show(const Options& options) {
  std::optional<TraceId> id = ParseTraceId(options.id);
  if (!id) {
    fmt::print(stderr, "weft: \"{}\" is no trace id: it has 1 to 32 hex digits\n",
               CleanText(options.id));
    return kExitUsage;
  }
  Result<std::unique_ptr<TraceSource>> source = OpenSource(options.source);
  Result<SpanBatch> batch =
      source ? (*source)->ReadTrace(*id) : Result<SpanBatch>(Fail(source.error()));
  if (batch && batch->spans.empty()) batch = Fail(ErrorCode::kNotFound, "no trace " + id->ToHex());
  if (!batch) {
    fmt::print(stderr, "weft: {}\n", batch.error().message);
    return ExitCodeOf(batch.error());
  }
  if (options.json) {
    std::string text;
    codec::EncodeOtlpTraces(codec::OtlpFormat::kJson, *batch, &text);
    fmt::print("{}\n", text);
  } else {
    fmt::print("{}", DrawWaterfall(*id, *batch, StandardOutput()));
  }
  return kExitOk;
}

}  // namespace

void AddTraceCommand(CLI::App* app, int* exit_code) {
  CLI::App* command = app->add_subcommand("trace", "Show one trace as a waterfall");
  command->footer(
      "Heavy bars are on the critical path.\n"
      "Examples:\n"
      "  weft trace 4bf92f3577b34da6a3ce929d0e0e4736\n"
      "  weft trace --json 4bf92f3577b34da6a3ce929d0e0e4736 | jq .   (OTLP/JSON)\n"
      "Exit codes: 0 shown, 2 no trace id, 3 no such trace, 4 nothing to ask.");
  auto options = std::make_shared<Options>();
  command->add_option("ID", options->id, "Trace id, 1 to 32 hex digits")->required();
  command->add_flag("--json", options->json, "As OTLP/JSON");
  AddSourceOptions(command, &options->source);
  command->callback([options, exit_code] { *exit_code = Show(*options); });
}

}  // namespace weft::cli

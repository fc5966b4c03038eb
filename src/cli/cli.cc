// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.h"

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <string>
#include <system_error>
#include <vector>

#include "cli/config_commands.h"
#include "cli/demo_command.h"
#include "cli/export_command.h"
#include "cli/import_command.h"
#include "cli/loadgen_command.h"
#include "cli/query_command.h"
#include "cli/reload_command.h"
#include "cli/services_command.h"
#include "cli/store_command.h"
#include "cli/tags_command.h"
#include "cli/text_commands.h"
#include "cli/trace_command.h"
#include "cli/trace_source.h"
#include "cli/version_command.h"
#include "terminal/terminal.h"
#include "usage/argument_order.h"
#include "usage/help_text.h"
#include "usage/usage_error.h"

namespace weft::cli {

using terminal::PrintError;

namespace {

constexpr char kFooter[] =
    "Without a command weft is `weft serve`. `weft COMMAND --help` says more about each.\n"
    "Examples:\n"
    "  weft                                  run with the built-in configuration\n"
    "  weft demo                             send it the traffic of a small shop\n"
    "  weft query '{ status = error }'       newest traces with an error\n"
    "  weft trace 4bf92f3577b34da6a3ce929d0e0e4736\n"
    "  weft import spans.json.zst            OTLP, Jaeger or Zipkin from files\n"
    "Exit codes: 0 done, 1 failed, 2 wrong arguments or configuration, 3 no such trace, "
    "4 neither a server nor data to read, or another's.";

}  // namespace

void AddCommands(const config::ComponentTypes& types, CLI::App* app, int* exit_code) {
  for (AddCommand add : {AddQueryCommand, AddTraceCommand, AddServicesCommand, AddOperationsCommand,
                         AddTagsCommand, AddImportCommand, AddExportCommand, AddDemoCommand,
                         AddLoadgenCommand, AddStoreCommand, AddReloadCommand})
    add(app, exit_code);
  AddConfigCommands(types, app, exit_code);
  for (AddCommand add : {AddCompletionCommand, AddManCommand, AddHelpCommand, AddVersionCommand})
    add(app, exit_code);
}

namespace {

int ParseAndRun(int argc, char** argv, const config::ComponentTypes& types,
                std::span<const AddCommand> first, const char* default_command) {
  CLI::App app{"Distributed tracing in one binary: receive, store, find, show", "weft"};
  app.formatter(usage::MakeHelpFormatter());
  app.set_help_flag("-h,--help", "Say how this command is used");
  app.footer(kFooter);
  app.require_subcommand(1);
  bool version = false;
  app.add_flag("--version", version, "Print the version");
  int exit_code = kExitOk;
  for (AddCommand add : first) add(&app, &exit_code);
  AddCommands(types, &app, &exit_code);
  std::vector<std::string> arguments =
      usage::OrderArguments(app, {argv + 1, argv + argc}, default_command);
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  try {
    app.parse(std::move(reversed));
  } catch (const CLI::ParseError& error) {
    if (dynamic_cast<const CLI::Success*>(&error) != nullptr) {  // --help
      app.exit(error);
      return kExitOk;
    }
    PrintError(usage::ExplainUsage(app, arguments, error));
    return kExitUsage;
  } catch (const std::system_error& error) {
    if (std::ferror(stdout) == 0) {
      PrintError(error.what());
      return kExitFailed;
    }
    // fmt::print() throws where standard output takes nothing.
    errno = error.code().value();
    return ExitCodeOf(terminal::LostOutput());
  } catch (const std::exception& error) {
    // A library threw where no command caught it: say so rather than abort.
    PrintError(error.what());
    return kExitFailed;
  }
  return exit_code;
}

}  // namespace

int RunCli(int argc, char** argv, const config::ComponentTypes& types,
           std::span<const AddCommand> first, const char* default_command) {
  const int exit_code = ParseAndRun(argc, argv, types, first, default_command);
  // Output that was lost is a failure of every command.
  const int flushed = ExitCodeOf(terminal::FlushOutput());
  return exit_code == kExitOk ? flushed : exit_code;
}

const char* Version() { return WEFT_VERSION; }

}  // namespace weft::cli

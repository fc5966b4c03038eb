// SPDX-License-Identifier: Apache-2.0
//
// The front door of the command line: the table of commands and how they are run. One file a
// command; each adds itself to the CLI::App and, when it was chosen, sets the exit code. `weft
// serve` lies in server/, the only room that sees all.
//
// Exit codes (docs/cli.md): see ExitCode.
// Thread rule: called once, by main. Next: cli/trace_source.h, terminal/waterfall.h.
#pragma once

// The room, along the way of a command:
//
//     RunCli             OrderArguments, CLI11; errors are explained by usage/
//          |
//     x_command.h        its options, its work, its exit code: one file a command
//          |                                |
//     TraceSource        data               what it prints: terminal/, search_output.h, name_list.h
//     server | directory (trace_source.h, server_source.h, server_access.h)
//
// What takes more than a file: import (import_run.h, import_target.h, import_journal.h) and what
// goes on until it is stopped (follow.h, live_tail.h).

#include <span>

#include "config/component_type.h"

namespace CLI {
class App;
}

namespace weft::cli {

enum ExitCode : int {
  kExitOk = 0,
  kExitFailed = 1,       // it was tried and went wrong; the message says why
  kExitUsage = 2,        // wrong arguments, wrong configuration, wrong TraceQL
  kExitNotFound = 3,     // no such trace
  kExitUnreachable = 4,  // neither a server nor a data directory, or not weft's
};

using AddCommand = void (*)(CLI::App* app, int* exit_code);

// Adds every command of this room. `types` are the components that configurations may name; it is
// borrowed.
void AddCommands(const config::ComponentTypes& types, CLI::App* app, int* exit_code);

// Parses and runs. `first` are commands shown before those of this room. Without a command, or with
// options only, `default_command` is run.
int RunCli(int argc, char** argv, const config::ComponentTypes& types,
           std::span<const AddCommand> first, const char* default_command);

// The version of this build: "0.1.0".
const char* Version();

}  // namespace weft::cli

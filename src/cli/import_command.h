// SPDX-License-Identifier: Apache-2.0
//
// `weft import FILE...`: stores the spans and log records of OTLP files, and counts exactly what
// became of them. The command's own --help says how.
//
// Thread rule: called once, by main. Next: cli/cli.h.
#pragma once

namespace CLI {
class App;
}

namespace weft::cli {

// Adds the subcommand; when it was chosen, *exit_code is set after it ran.
void AddImportCommand(CLI::App* app, int* exit_code);

}  // namespace weft::cli

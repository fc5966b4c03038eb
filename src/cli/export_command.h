// SPDX-License-Identifier: Apache-2.0
//
// `weft export`: writes traces, named or found by a query, as a file that other tools and `weft
// import` read. The command's own --help says how.
//
// Thread rule: called once, by main. Next: cli/cli.h, codec/trace_file_writer.h.
#pragma once

namespace CLI {
class App;
}

namespace weft::cli {

// Adds the subcommand; when it was chosen, *exit_code is set after it ran.
void AddExportCommand(CLI::App* app, int* exit_code);

}  // namespace weft::cli

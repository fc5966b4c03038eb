// SPDX-License-Identifier: Apache-2.0
//
// `weft services` and `weft operations [SERVICE]`: who sends, and what they do.
// The commands' own --help says how.
//
// Thread rule: called once, by main. Next: cli/tags_command.h.
#pragma once

namespace CLI {
class App;
}

namespace weft::cli {

// Adds the subcommand; when it was chosen, *exit_code is set after it ran.
void AddServicesCommand(CLI::App* app, int* exit_code);
void AddOperationsCommand(CLI::App* app, int* exit_code);

}  // namespace weft::cli

// SPDX-License-Identifier: Apache-2.0
//
// `weft version`: prints version and build.
// The command's own --help says how.
//
// Thread rule: called once, by main. Next: cli/cli.h.
#pragma once

namespace CLI {
class App;
}

namespace weft::cli {

// Adds the subcommand; when it was chosen, *exit_code is set after it ran.
void AddVersionCommand(CLI::App* app, int* exit_code);

}  // namespace weft::cli

// SPDX-License-Identifier: Apache-2.0
//
// `weft check config` says whether a configuration is good, naming every mistake; `weft
// print-config` prints the built-in one, or what several files and settings amount to; `weft
// components` lists what a configuration may name.
//
// Thread rule: called once, by main. Next: config/config.h.
#pragma once

#include <vector>

#include "config/config.h"

namespace CLI {
class App;
}

namespace weft::cli {

// `types` is borrowed.
void AddConfigCommands(const config::ComponentTypes& types, CLI::App* app, int* exit_code);

// What is wrong with a configuration, each mistake on a line.
void PrintConfigError(const Error& error);

// --config and --set, the same for every command that takes a configuration.
void AddConfigOptions(CLI::App* command, config::LoadOptions* options);

}  // namespace weft::cli

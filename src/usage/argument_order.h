// SPDX-License-Identifier: Apache-2.0
//
// Arguments as people write them, brought into the order in which CLI11 reads them: `weft --url X
// query ...` is `weft query --url X ...`, and without a command the default one runs.
//
// Thread rule: pure function. Used by cli/cli.cc.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace weft::usage {

// Flags before the first command go behind it. Arguments that begin with a flag and name no command
// get `default_command` in front, but for `--help` alone; `--version` alone is the command of that
// name.
std::vector<std::string> OrderArguments(const CLI::App& app, std::vector<std::string> arguments,
                                        const std::string& default_command);

}  // namespace weft::usage

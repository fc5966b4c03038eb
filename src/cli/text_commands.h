// SPDX-License-Identifier: Apache-2.0
//
// `weft help`, `weft man` and `weft completion`: the descriptions of all commands in their three
// other forms.
//
// Thread rule: called once, by main. Next: usage/command_text.h.
#pragma once

namespace CLI {
class App;
}

namespace weft::cli {

void AddHelpCommand(CLI::App* app, int* exit_code);
void AddManCommand(CLI::App* app, int* exit_code);
void AddCompletionCommand(CLI::App* app, int* exit_code);

}  // namespace weft::cli

// SPDX-License-Identifier: Apache-2.0
//
// Completions for bash, zsh and fish: commands, flags with their descriptions, choices, files and
// folders by the name of a value (FILE, DIR), and the names that a running server has (SERVICE,
// OPERATION, TAG), asked for with `weft services --names` and so on.
//
// Thread rule: pure functions. Source of the formats: bash(1) "Programmable Completion",
// zshcompsys(1), fish's complete(1). Next: usage/command_text.h.
#pragma once

#include <string>

#include "usage/command_text.h"

namespace weft::usage {

std::string BashCompletion(const CommandText& root);
std::string ZshCompletion(const CommandText& root);
std::string FishCompletion(const CommandText& root);

}  // namespace weft::usage

// SPDX-License-Identifier: Apache-2.0
//
// --help of a command, filled to the width of the terminal.
//
// Thread rule: pure functions. Next: usage/command_text.h.
#pragma once

#include <memory>
#include <string>

#include "usage/command_text.h"

namespace CLI {
class FormatterBase;
}

namespace weft::usage {

std::string RenderHelp(const CommandText& command, size_t width);

// For CLI::App::formatter(): RenderHelp for standard output.
std::shared_ptr<CLI::FormatterBase> MakeHelpFormatter();

}  // namespace weft::usage

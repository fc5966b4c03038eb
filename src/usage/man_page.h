// SPDX-License-Identifier: Apache-2.0
//
// A command's page for man(1), as roff.
//
// Thread rule: pure functions. Source of the format: man(7). Next: usage/command_text.h.
#pragma once

#include <string>
#include <string_view>

#include "usage/command_text.h"

namespace weft::usage {

std::string RenderManPage(const CommandText& command, std::string_view version);

// "weft-check-config": the page's name, without its section.
std::string ManPageName(const CommandText& command);

}  // namespace weft::usage

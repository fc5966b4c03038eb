// SPDX-License-Identifier: Apache-2.0
//
// Words that people write who know other tools, and the command or flag of weft that they mean.
// Where the spelling is near a command's, the nearest name says enough (usage/usage_error.cc).
//
// Thread rule: pure functions. Used by usage/usage_error.cc, cli/query_command.cc.
#pragma once

#include <string>
#include <string_view>

namespace weft::usage {

// What to write in place of `weft WORD`: "`weft query '{ ... }'` searches". Empty: nothing is
// known.
std::string MeantCommand(std::string_view word);
// What to write in place of a flag of a command: "`weft serve --port-offset N` moves all ports".
std::string MeantFlag(std::string_view command, std::string_view flag);
// What to write in place of an argument that the command does not take: a file given to `serve`.
std::string MeantArgument(std::string_view command, const std::string& argument);

// True of what `weft trace` takes for an id and is TraceQL for nothing: 16 digits or more, a
// header, an address (model/pasted_id.h).
bool LooksLikeTraceId(std::string_view text);

}  // namespace weft::usage

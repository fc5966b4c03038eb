// SPDX-License-Identifier: Apache-2.0
//
// What is said about arguments that are wrong: the word that is wrong, the near one that exists,
// and where to read more.
//
// Thread rule: pure functions. Next: cli/cli.h.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace weft::usage {

// `arguments` as parsed (with the command first), `error` what the parser said. Without "weft: ".
std::string ExplainUsage(const CLI::App& app, const std::vector<std::string>& arguments,
                         const CLI::ParseError& error);

}  // namespace weft::usage

// SPDX-License-Identifier: Apache-2.0
#include "usage/argument_order.h"

#include <CLI/CLI.hpp>
#include <algorithm>

namespace weft::usage {
namespace {

const CLI::App* FindCommand(const CLI::App& app, const std::string& name) {
  auto found = app.get_subcommands([&](const CLI::App* sub) { return sub->get_name() == name; });
  return found.empty() ? nullptr : found.front();
}

bool IsFlagWord(const std::string& word) { return word.size() > 1 && word[0] == '-'; }

// The option that `word` ("--url", "-o", "--url=X") names in this command; null where none.
const CLI::Option* FindOption(const CLI::App& command, const std::string& word) {
  std::string name = word.substr(0, word.find('='));
  for (const CLI::Option* option : command.get_options())
    if (option->check_name(name)) return option;
  return nullptr;
}

// In this command, else in any below `app`: a flag of another command is still known to take a
// value, and the error then speaks of the flag.
const CLI::Option* FindOption(const CLI::App& app, const CLI::App& command,
                              const std::string& word) {
  if (const CLI::Option* option = FindOption(command, word)) return option;
  for (const CLI::App* other : app.get_subcommands([](const CLI::App*) { return true; }))
    if (const CLI::Option* option = FindOption(*other, word)) return option;
  return nullptr;
}

// Whether the first `end` arguments are flags with their values, as `command` takes them.
bool AreFlagsOf(const CLI::App& app, const CLI::App& command,
                const std::vector<std::string>& arguments, size_t end) {
  size_t at = 0;
  while (at < end) {
    const std::string& word = arguments[at++];
    if (!IsFlagWord(word)) return false;
    const CLI::Option* option = FindOption(app, command, word);
    bool has_value = option != nullptr && option->get_items_expected_max() > 0;
    if (has_value && word.find('=') == word.npos) ++at;
  }
  return at == end;
}

}  // namespace

std::vector<std::string> OrderArguments(const CLI::App& app, std::vector<std::string> arguments,
                                        const std::string& default_command) {
  if (arguments.size() == 1 && arguments[0] == "--version") return {"version"};
  const bool asks_help =
      arguments.size() == 1 && (arguments[0] == "--help" || arguments[0] == "-h");
  if (asks_help || (!arguments.empty() && !IsFlagWord(arguments[0]))) return arguments;
  for (size_t first = 0; first < arguments.size(); ++first) {
    const CLI::App* command = FindCommand(app, arguments[first]);
    if (command == nullptr) continue;
    size_t last = first + 1;  // behind the words of the command: "check config"
    for (const CLI::App* below = command; last < arguments.size(); ++last) {
      below = FindCommand(*below, arguments[last]);
      if (below == nullptr) break;
      command = below;
    }
    if (!AreFlagsOf(app, *command, arguments, first)) continue;
    std::rotate(arguments.begin(), arguments.begin() + static_cast<ptrdiff_t>(first),
                arguments.begin() + static_cast<ptrdiff_t>(last));
    return arguments;
  }
  arguments.insert(arguments.begin(), default_command);
  return arguments;
}

}  // namespace weft::usage

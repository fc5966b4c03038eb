// SPDX-License-Identifier: Apache-2.0
#include "usage/usage_error.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "config/node.h"
#include "terminal/terminal.h"
#include "usage/command_text.h"
#include "usage/slip.h"

namespace weft::usage {

using terminal::CleanText;

namespace {

const CLI::App* FindCommand(const CLI::App& app, const std::string& name) {
  auto found = app.get_subcommands([&](const CLI::App* sub) { return sub->get_name() == name; });
  return found.empty() ? nullptr : found.front();
}

std::string DidYouMean(std::string_view word, const std::vector<std::string>& known) {
  std::string nearest = config::NearestWord(word, known);
  return nearest.empty() ? "" : fmt::format("; did you mean {}?", nearest);
}

// "check config" of `weft check config`.
std::string WordsOf(const CommandText& command) {
  return fmt::format("{}", fmt::join(command.path.begin() + 1, command.path.end(), " "));
}

// What is known to be meant, else the nearest name.
std::string Meant(const std::string& meant, std::string_view word,
                  const std::vector<std::string>& known) {
  return meant.empty() ? DidYouMean(word, known) : "; " + meant;
}

std::string UnknownCommand(const CommandText& above, const std::string& word) {
  std::vector<std::string> known;
  for (const CommandText& command : above.commands) known.push_back(command.path.back());
  std::string meant;
  if (above.path.size() == 1) meant = MeantCommand(word);
  if (above.path.size() > 1 && DidYouMean(word, known).empty())
    meant = MeantArgument(WordsOf(above), word);
  return fmt::format("there is no command `{} {}`{}", above.Name(), CleanText(word),
                     Meant(meant, word, known));
}

std::string UnknownFlag(const CommandText& command, const std::string& word) {
  std::vector<std::string> known;
  for (const OptionText& option : command.options) known.push_back(option.long_name);
  std::string flag = word.substr(0, word.find('='));
  return fmt::format("`{}` has no flag {}{}", command.Name(), CleanText(flag),
                     Meant(MeantFlag(WordsOf(command), flag), flag, known));
}

std::string TooMany(const CommandText& command, const std::string& word) {
  std::string out = fmt::format("`{}` does not take {}", command.Name(), CleanText(word));
  if (command.arguments.size() == 1 && command.arguments[0].value == "TRACEQL")
    out += ": write the expression as one word, in '...'";
  std::string meant = MeantArgument(WordsOf(command), word);
  return meant.empty() ? out : out + "; " + meant;
}

}  // namespace

std::string ExplainUsage(const CLI::App& app, const std::vector<std::string>& arguments,
                         const CLI::ParseError& error) {
  const CLI::App* command = &app;
  std::string unknown_command;
  for (const std::string& argument : arguments) {
    if (argument.starts_with('-')) continue;
    const CLI::App* below = FindCommand(*command, argument);
    if (below == nullptr) {
      if (!DescribeCommand(*command).commands.empty()) unknown_command = argument;
      break;
    }
    command = below;
  }
  CommandText text = DescribeCommand(*command);
  std::vector<std::string> extras = app.remaining(true);
  auto flag = std::ranges::find_if(
      extras, [](const std::string& word) { return word.size() > 1 && word[0] == '-'; });
  std::string message;
  if (!unknown_command.empty()) {
    message = UnknownCommand(text, unknown_command);
  } else if (!text.commands.empty()) {
    message = fmt::format("`{}` needs a command", text.Name());
    if (text.commands.size() == 1) message += fmt::format(": `{}`", text.commands[0].Name());
  } else if (flag != extras.end()) {
    message = UnknownFlag(text, *flag);
  } else if (!extras.empty()) {
    message = TooMany(text, extras.front());
  } else {
    message = error.what();
    if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr)
      message = fmt::format("`{}`: {}", text.Name(), message);
  }
  return fmt::format("{}\n`{} --help` says what it takes.", message, text.Name());
}

}  // namespace weft::usage

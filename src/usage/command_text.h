// SPDX-License-Identifier: Apache-2.0
//
// What is to be said about a command, taken out of its CLI::App: the one source of --help, of the
// man pages and of the shells' completions. Nobody describes a command anywhere else.
//
// A footer is read as sections: a line "Examples:" begins one, indented lines are shown as they
// stand, other lines are running text that is filled; "Exit codes: 0 done, ..." is a section on one
// line.
// Thread rule: pure functions. Next: usage/help_text.h, usage/man_page.h,
// usage/completion_script.h.
#pragma once

// The room. A command describes itself once, to CLI11; everything else is read off there.
//
//     CLI::App -> CommandText --> --help         (help_text.h)
//                            \-> man page       (man_page.h)
//                            \-> completions    (completion_script.h)
//     argument_order.h   what was typed, in the order that CLI11 reads
//     usage_error.h      why it was refused, and the near name
//     slip.h             the word of another tool, and what weft calls it

#include <span>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace weft::usage {

struct OptionText {
  std::string short_name, long_name;  // "-h", "--help"; both empty: an argument
  std::string value;                  // "N"; empty: a flag
  std::vector<std::string> choices;   // {"http", "grpc"}
  std::string range;                  // "1 to 10000"
  std::string default_value;
  std::string description;
  std::string excludes;  // "--url, --data"
  std::string group;     // title over some of the options; empty: just "Options"
  bool required = false;
  bool repeats = false;

  bool IsArgument() const { return long_name.empty() && short_name.empty(); }
  bool IsFlag() const { return value.empty(); }
  // "-o,--output FORMAT".
  std::string Usage() const;
  // The description and what else must be known: choices, range, default, exclusions.
  std::string Explanation() const;
};

struct TextBlock {
  bool verbatim = false;
  std::string text;  // verbatim: lines; else one paragraph without line breaks
};
struct TextSection {
  std::string title;  // "Examples"; empty: text that follows the options
  std::vector<TextBlock> blocks;
};

struct CommandText {
  std::vector<std::string> path;  // {"weft", "check", "config"}
  std::string summary;
  std::vector<OptionText> arguments;
  std::vector<OptionText> options;  // those of one group side by side, without a group first
  std::vector<CommandText> commands;
  std::vector<TextSection> sections;

  std::string Name() const;  // "weft check config"
  std::string Usage() const;
  // None is empty; the views are of `options`.
  std::vector<std::span<const OptionText>> OptionGroups() const;
};

CommandText DescribeCommand(const CLI::App& app);

std::vector<TextSection> ReadSections(const std::string& footer);

}  // namespace weft::usage

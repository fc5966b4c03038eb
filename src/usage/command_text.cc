// SPDX-License-Identifier: Apache-2.0
#include "usage/command_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <sstream>
#include <string_view>

namespace weft::usage {
namespace {

// "UINT:INT in [1 - 10000]" or "TEXT:{http,grpc}": the type's name, then what a check says of it.
void ReadType(const CLI::Option& option, OptionText* out) {
  std::string type = option.get_type_name();
  std::string check;
  if (size_t colon = type.find(':'); colon != std::string::npos) {
    check = type.substr(colon + 1);
    type.resize(colon);
  }
  if (type.find("UINT") == 0 || type.find("INT") == 0 || type.find("FLOAT") == 0) type = "N";
  out->value = type.empty() ? "TEXT" : type;
  size_t dash = check.find(" - ");
  if (check.starts_with('{')) {
    std::istringstream list(check.substr(1, check.find('}') - 1));
    for (std::string choice; std::getline(list, choice, ',');) out->choices.push_back(choice);
  } else if (dash != std::string::npos && out->value == "N") {
    size_t open = check.rfind('[', dash), close = check.find(']', dash);
    if (open != std::string::npos && close != std::string::npos)
      out->range = check.substr(open + 1, dash - open - 1) + " to " +
                   check.substr(dash + 3, close - dash - 3);
  }
}

OptionText Describe(const CLI::Option& option) {
  OptionText out;
  for (const std::string& name : option.get_lnames())
    if (out.long_name.empty()) out.long_name = "--" + name;
  for (const std::string& name : option.get_snames())
    if (out.short_name.empty()) out.short_name = "-" + name;
  out.description = option.get_description();
  out.required = option.get_required();
  if (option.get_group() != CLI::OptionDefaults().get_group()) out.group = option.get_group();
  out.repeats = option.get_items_expected_max() > 1;
  if (option.get_items_expected_max() != 0) {
    ReadType(option, &out);
    out.default_value = option.get_default_str();
    if (out.IsArgument()) out.value = option.get_name(true);
  }
  for (const CLI::Option* other : option.get_excludes())
    out.excludes += (out.excludes.empty() ? "" : ", ") + other->get_name();
  return out;
}

void AddParagraph(std::string_view line, bool continues, TextSection* section) {
  if (continues && !section->blocks.empty() && !section->blocks.back().verbatim) {
    section->blocks.back().text += ' ';
    section->blocks.back().text += line;
  } else {
    section->blocks.push_back({false, std::string(line)});
  }
}

CommandText Describe(const CLI::App& app, std::vector<std::string> path) {
  CommandText out;
  path.push_back(app.get_name());
  out.path = path;
  out.summary = app.get_description();
  for (const CLI::Option* option : app.get_options(
           [](const CLI::Option* candidate) { return !candidate->get_group().empty(); })) {
    OptionText text = Describe(*option);
    (text.IsArgument() ? out.arguments : out.options).push_back(std::move(text));
  }
  std::vector<std::string> groups = {""};
  for (const OptionText& option : out.options)
    if (std::ranges::find(groups, option.group) == groups.end()) groups.push_back(option.group);
  std::ranges::stable_sort(out.options, {}, [&groups](const OptionText& option) {
    return std::ranges::find(groups, option.group) - groups.begin();
  });
  for (const CLI::App* command : app.get_subcommands(
           [](const CLI::App* candidate) { return !candidate->get_group().empty(); }))
    out.commands.push_back(Describe(*command, path));
  out.sections = ReadSections(app.get_footer());
  return out;
}

}  // namespace

std::string OptionText::Usage() const {
  if (IsArgument()) return value + (repeats ? "..." : "");
  std::string out = short_name;
  if (!long_name.empty()) out += (out.empty() ? "" : ", ") + long_name;
  return IsFlag() ? out : out + " " + value;
}

std::string OptionText::Explanation() const {
  std::vector<std::string> notes;
  if (!choices.empty()) notes.push_back(fmt::format("one of {}", fmt::join(choices, ", ")));
  if (!range.empty()) notes.push_back(range);
  if (!default_value.empty()) notes.push_back("default " + default_value);
  if (repeats && !IsArgument()) notes.push_back("may be given several times");
  if (!excludes.empty()) notes.push_back("not with " + excludes);
  return notes.empty() ? description : fmt::format("{} ({})", description, fmt::join(notes, "; "));
}

std::string CommandText::Name() const { return fmt::format("{}", fmt::join(path, " ")); }

std::string CommandText::Usage() const {
  std::string out = Name();
  if (!options.empty()) out += " [OPTIONS]";
  for (const OptionText& argument : arguments)
    out += argument.required ? " " + argument.Usage() : " [" + argument.Usage() + "]";
  return commands.empty() ? out : out + " COMMAND";
}

std::vector<std::span<const OptionText>> CommandText::OptionGroups() const {
  std::vector<std::span<const OptionText>> groups;
  for (auto first = options.begin(); first != options.end();) {
    auto end = std::find_if(first, options.end(), [&first](const OptionText& option) {
      return option.group != first->group;
    });
    groups.emplace_back(first, end);
    first = end;
  }
  return groups;
}

std::vector<TextSection> ReadSections(const std::string& footer) {
  std::vector<TextSection> sections;
  bool continues = false;
  auto current = [&sections]() -> TextSection& {
    if (sections.empty()) sections.emplace_back();
    return sections.back();
  };
  std::istringstream lines(footer);
  for (std::string line; std::getline(lines, line);) {
    bool indented = line.starts_with(' ');
    size_t colon = line.find(':');
    std::string title = colon == std::string::npos ? "" : line.substr(0, colon);
    if (line.empty()) {
      continues = false;
    } else if (indented) {
      TextSection& section = current();
      if (section.blocks.empty() || !section.blocks.back().verbatim || !continues)
        section.blocks.push_back({true, ""});
      section.blocks.back().text += line + "\n";
      continues = true;
    } else if (colon + 1 == line.size()) {
      sections.push_back({title, {}});
      continues = false;
    } else if (title == "Exit codes" || title == "Example") {
      sections.push_back({title, {}});
      AddParagraph(std::string_view(line).substr(colon + 2), false, &sections.back());
      continues = true;
    } else {
      // Running text after a block of examples is no part of them.
      if (!current().title.empty() && !current().blocks.empty() && current().blocks.back().verbatim)
        sections.emplace_back();
      AddParagraph(line, continues, &current());
      continues = true;
    }
  }
  return sections;
}

CommandText DescribeCommand(const CLI::App& app) {
  std::vector<std::string> path;
  for (const CLI::App* above = app.get_parent(); above != nullptr; above = above->get_parent())
    path.insert(path.begin(), above->get_name());
  return Describe(app, std::move(path));
}

}  // namespace weft::usage

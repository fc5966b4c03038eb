// SPDX-License-Identifier: Apache-2.0
#include "usage/man_page.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <span>

namespace weft::usage {
namespace {

// Text as it is: no request at the start of a line, no escape, hyphens and quotes that can be
// copied into a shell. Names in backquotes become bold.
std::string Escape(std::string_view text, bool marks_names) {
  std::string out;
  bool in_name = false, line_start = true;
  for (char c : text) {
    if (line_start && (c == '.' || c == '\'')) out += "\\&";
    line_start = c == '\n';
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if (c == '\'') {
      out += "\\(aq";
    } else if (c == '~') {
      out += "\\(ti";
    } else if (c == '^') {
      out += "\\(ha";
    } else if (c == '`' && marks_names) {
      out += in_name ? "\\fR" : "\\fB";
      in_name = !in_name;
    } else if (c == '`') {
      out += "\\(ga";
    } else {
      out += c;
    }
  }
  return in_name ? out + "\\fR" : out;
}

std::string Upper(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

std::string Heading(std::string_view title) {
  return fmt::format(".SH {}\n", Upper(Escape(title, false)));
}

std::string Synopsis(const CommandText& command) {
  std::string out = Heading("Synopsis") + ".B " + Escape(command.Name(), false) + "\n";
  if (!command.options.empty()) out += ".RI [ OPTIONS ]\n";
  for (const OptionText& argument : command.arguments) {
    std::string dots = argument.repeats ? "..." : "";
    out += argument.required ? fmt::format(".IR {} {}\n", argument.value, dots)
                             : fmt::format(".RI [ {} ]{}\n", argument.value, dots);
  }
  if (!command.commands.empty()) out += ".I COMMAND\n";
  return out;
}

std::string Tagged(const std::string& tag, const std::string& text) {
  return fmt::format(".TP\n{}\n{}\n", tag, Escape(text, true));
}

std::string OptionTag(const OptionText& option) {
  if (option.IsArgument()) return fmt::format("\\fI{}\\fR", Escape(option.Usage(), false));
  std::string out;
  for (const std::string& name : {option.short_name, option.long_name})
    if (!name.empty())
      out += fmt::format("{}\\fB{}\\fR", out.empty() ? "" : ", ", Escape(name, false));
  return option.IsFlag() ? out : out + fmt::format(" \\fI{}\\fR", Escape(option.value, false));
}

std::string Blocks(const std::vector<TextBlock>& blocks) {
  std::string out;
  for (const TextBlock& block : blocks)
    out += block.verbatim ? ".PP\n.EX\n" + Escape(block.text, false) + ".EE\n"
                          : ".PP\n" + Escape(block.text, true) + "\n";
  return out;
}

std::string SectionTitle(const std::string& title) {
  return title == "Exit codes" ? "Exit status" : title == "Example" ? "Examples" : title;
}

// The page above and those below.
std::string SeeAlso(const CommandText& command) {
  std::vector<std::string> pages;
  auto add = [&pages](const std::string& name) {
    pages.push_back(fmt::format(".BR {} (1)", Escape(name, false)));
  };
  if (command.path.size() > 1)
    add(fmt::format("{}", fmt::join(command.path.begin(), command.path.end() - 1, "-")));
  for (const CommandText& sub : command.commands) add(ManPageName(sub));
  return pages.empty() ? "" : Heading("See also") + fmt::format("{}\n", fmt::join(pages, ",\n"));
}

}  // namespace

std::string ManPageName(const CommandText& command) {
  return fmt::format("{}", fmt::join(command.path, "-"));
}

std::string RenderManPage(const CommandText& command, std::string_view version) {
  std::string name = ManPageName(command);
  std::string out = fmt::format(".TH {} 1 \"\" \"weft {}\" \"weft\"\n.nh\n.ad l\n",
                                Escape(Upper(name), false), version);
  out += Heading("Name") + Escape(name, false) + " \\- " + Escape(command.summary, true) + "\n";
  out += Synopsis(command);
  // Text without a title tells what the command does.
  std::string description, sections;
  for (const TextSection& section : command.sections)
    (section.title.empty() ? description : sections) +=
        (section.title.empty() ? "" : Heading(SectionTitle(section.title))) +
        Blocks(section.blocks);
  if (!description.empty()) out += Heading("Description") + description;
  auto add = [&out](const std::string& title, std::span<const OptionText> options) {
    if (!options.empty()) out += Heading(title);
    for (const OptionText& option : options) out += Tagged(OptionTag(option), option.Explanation());
  };
  add("Arguments", command.arguments);
  if (!command.commands.empty()) out += Heading("Commands");
  for (const CommandText& sub : command.commands)
    out += Tagged(fmt::format("\\fB{}\\fR", Escape(sub.path.back(), false)), sub.summary);
  for (std::span<const OptionText> group : command.OptionGroups())
    add(group[0].group.empty() ? "Options" : group[0].group, group);
  return out + sections + SeeAlso(command);
}

}  // namespace weft::usage

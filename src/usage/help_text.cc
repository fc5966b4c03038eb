// SPDX-License-Identifier: Apache-2.0
#include "usage/help_text.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <span>

#include "terminal/terminal.h"

namespace weft::usage {
namespace {

constexpr size_t kNameColumnMax = 26;
constexpr size_t kWidthMax = 100;  // longer lines of running text are hard to read

using Row = std::pair<std::string, std::string>;  // name, explanation

// Names in a column and explanations beside them; on a narrow terminal, below them.
std::string Table(const std::vector<Row>& rows, size_t width) {
  size_t column = 0;
  for (const Row& row : rows)
    if (row.first.size() <= kNameColumnMax) column = std::max(column, row.first.size());
  bool beside = width >= column + 4 + 30;
  size_t indent = beside ? column + 4 : 6;
  std::string out;
  for (const auto& [name, explanation] : rows) {
    std::string line = "  " + name;
    bool same_line = beside && name.size() <= column;
    if (!same_line) out += line + "\n";
    for (const std::string& text : terminal::WrapLines(explanation, width - indent)) {
      if (same_line) line.append(indent - line.size(), ' ');
      out += (same_line ? line : std::string(indent, ' ')) + text + "\n";
      same_line = false;
    }
  }
  return out;
}

std::string Paragraph(const std::string& text, size_t width) {
  std::string out;
  for (const std::string& line : terminal::WrapLines(text, width)) out += line + "\n";
  return out;
}

std::string Section(const TextSection& section, size_t width) {
  std::string out = "\n";
  if (section.blocks.size() == 1 && !section.blocks[0].verbatim)
    return out +
           Paragraph((section.title.empty() ? "" : section.title + ": ") + section.blocks[0].text,
                     width);
  if (!section.title.empty()) out += section.title + ":\n";
  for (const TextBlock& block : section.blocks)
    out += block.verbatim ? block.text : Paragraph(block.text, width);
  return out;
}

std::vector<Row> Rows(std::span<const OptionText> options) {
  std::vector<Row> rows;
  for (const OptionText& option : options) rows.emplace_back(option.Usage(), option.Explanation());
  return rows;
}

class HelpFormatter : public CLI::FormatterBase {
 public:
  std::string make_help(const CLI::App* app, std::string, CLI::AppFormatMode) const override {
    return RenderHelp(DescribeCommand(*app), terminal::StandardOutput().width);
  }
};

}  // namespace

std::string RenderHelp(const CommandText& command, size_t width) {
  width = std::min(width, kWidthMax);
  std::string out = Paragraph(command.summary, width) + "\n";
  out += Paragraph("Usage: " + command.Usage(), width);
  std::vector<Row> commands;
  for (const CommandText& sub : command.commands)
    commands.emplace_back(sub.path.back(), sub.summary);
  auto add = [&](const std::string& title, const std::vector<Row>& rows) {
    if (!rows.empty()) out += "\n" + title + ":\n" + Table(rows, width);
  };
  add("Arguments", Rows(command.arguments));
  add("Commands", commands);
  for (std::span<const OptionText> group : command.OptionGroups())
    add(group[0].group.empty() ? "Options" : group[0].group, Rows(group));
  for (const TextSection& section : command.sections) out += Section(section, width);
  return out;
}

std::shared_ptr<CLI::FormatterBase> MakeHelpFormatter() {
  return std::make_shared<HelpFormatter>();
}

}  // namespace weft::usage

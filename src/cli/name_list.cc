// SPDX-License-Identifier: Apache-2.0
#include "cli/name_list.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "terminal/paged_output.h"
#include "terminal/service_colours.h"

namespace weft::cli {

using terminal::CleanText;
using terminal::TextWidth;

namespace {

constexpr size_t kPipedNameWidthMax = 60;

}  // namespace

void AddListOptions(CLI::App* command, ListForm* form) {
  auto* json = command->add_flag("--json", form->json, "As JSON");
  command->add_flag("--names", form->names, "The names alone, one a line")->excludes(json);
  command->add_flag("--no-pager", form->no_pager,
                    "Never through $PAGER, even where it is longer than the screen");
}

void NameList::Add(std::string name, std::string fact, std::string json) {
  items_.push_back({std::move(name), std::move(fact), std::move(json)});
}

std::string NameList::Table(const terminal::Terminal& terminal) const {
  size_t name_width = TextWidth(heads_[0]), fact_width = TextWidth(heads_[1]);
  for (const Item& item : items_) {
    name_width = std::max(name_width, TextWidth(CleanText(item.name)));
    fact_width = std::max(fact_width, TextWidth(CleanText(item.fact)));
  }
  if (terminal.is_tty) {
    size_t room = terminal.width - std::min<size_t>(fact_width + 2, terminal.width - 10);
    name_width = std::min(name_width, room);
  } else {
    name_width = std::min(name_width, kPipedNameWidthMax);
  }
  std::string out = fmt::format("{}{}  {:>{}}{}\n", terminal::Dim(terminal),
                                terminal::Pad(heads_[0], name_width, terminal.utf8), heads_[1],
                                fact_width, terminal::Plain(terminal));
  const bool services = heads_[0] == "service";
  terminal::ServiceColours colours;
  if (services) {
    std::vector<std::string> names;
    for (const Item& item : items_) names.push_back(item.name);
    colours.Add(std::move(names));
  }
  for (const Item& item : items_) {
    std::string name = CleanText(item.name), fact = CleanText(item.fact);
    bool whole = !terminal.is_tty && TextWidth(name) > name_width;
    out += fmt::format("{}{}{}  {}{}\n", services ? colours.Escape(item.name, terminal) : "",
                       whole ? name : terminal::Pad(name, name_width, terminal.utf8),
                       services ? terminal::Plain(terminal) : "",
                       std::string(fact_width - TextWidth(fact), ' '), fact);
  }
  return out;
}

Status NameList::Print(std::string_view key, const std::string& more) const {
  terminal::Terminal terminal = terminal::StandardOutput();
  terminal::PagedOutput output(terminal, !form_.no_pager && !form_.json && !form_.names);
  if (form_.json) {
    std::string text = fmt::format("{{\"{}\":[", key);
    for (const Item& item : items_) text += (&item == &items_[0] ? "" : ",") + item.json;
    output.Write(text + "]" + more + "}\n");
  } else if (form_.names) {
    std::string text, last;
    for (const Item& item : items_) {
      std::string name = CleanText(item.name);
      // One operation may have several kinds.
      if (name != last) text += name + "\n";
      last = name;
    }
    output.Write(text);
  } else {
    output.Write(Table(terminal));
  }
  return output.Finish();
}

}  // namespace weft::cli

// SPDX-License-Identifier: Apache-2.0
//
// NameList: what `services`, `operations` and `tags` print: a name and one fact about it, as a
// table, as JSON, or as names alone for scripts and completions.
//
// Thread rule: one thread. Next: cli/services_command.cc.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "terminal/terminal.h"

namespace CLI {
class App;
}

namespace weft::cli {

struct ListForm {
  bool json = false, names = false, no_pager = false;
};
// --json, --names and --no-pager.
void AddListOptions(CLI::App* command, ListForm* form);

class NameList {
 public:
  NameList(std::array<std::string, 2> heads, const ListForm& form) : heads_(heads), form_(form) {}

  // `json`: the whole item.
  void Add(std::string name, std::string fact, std::string json);
  // {"KEY":[items], more}; `more`: further members of the object, such as "truncated":true.
  // An error: it could not be written.
  Status Print(std::string_view key, const std::string& more = "") const;
  // Where nobody looks at a screen names stay whole, and one that is very long pads no other row.
  std::string Table(const terminal::Terminal& terminal) const;

 private:
  struct Item {
    std::string name, fact, json;
  };

  const std::array<std::string, 2> heads_;
  const ListForm form_;
  std::vector<Item> items_;
};

}  // namespace weft::cli

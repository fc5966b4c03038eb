// SPDX-License-Identifier: Apache-2.0
#include "cli/version_command.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/cli.h"

namespace weft::cli {

void AddVersionCommand(CLI::App* app, int*) {
  CLI::App* command = app->add_subcommand("version", "Print the version");
  command->footer("Examples:\n  weft version\n  weft version --json | jq -r .version");
  auto as_json = std::make_shared<bool>(false);
  command->add_flag("--json", *as_json, "As JSON");
  command->callback([as_json] {
    if (*as_json) {
      fmt::print("{{\"version\":\"{}\",\"compiler\":\"{}\"}}\n", Version(), __VERSION__);
    } else {
      fmt::print("weft {} (compiler {})\n", Version(), __VERSION__);
    }
  });
}

}  // namespace weft::cli

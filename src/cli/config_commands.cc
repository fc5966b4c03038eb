// SPDX-License-Identifier: Apache-2.0
#include "cli/config_commands.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/cli.h"
#include "config/yaml.h"

namespace weft::cli {

void AddConfigOptions(CLI::App* command, config::LoadOptions* options) {
  command
      ->add_option("--config", options->uris,
                   "Configuration file, or file:, env: or yaml: URI; several are merged in order")
      ->type_name("FILE")
      ->allow_extra_args(false);
  command
      ->add_option("--set", options->settings,
                   "One setting over the files, such as exporters.store.durability=relaxed")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
}

void AddCheckCommand(CLI::App* app, int* exit_code) {
  CLI::App* check = app->add_subcommand("check", "Check a configuration");
  check->require_subcommand(1);
  CLI::App* command = check->add_subcommand("config", "Say whether a configuration is good");
  command->footer(
      "Example: weft check config --config weft.yaml --set service.telemetry.logs.level=debug\n"
      "Exit code 2 when it is wrong.");
  auto options = std::make_shared<config::LoadOptions>();
  AddConfigOptions(command, options.get());
  command->callback([options, exit_code] {
    Result<config::Loaded> loaded = config::Load(*options, config::RealSurroundings());
    if (!loaded) {
      fmt::print(stderr, "{}\n", loaded.error().message);
      *exit_code = kExitUsage;
      return;
    }
    for (const std::string& warning : loaded->warnings)
      fmt::print(stderr, "warning: {}\n", warning);
    fmt::print("good: {} components, {} pipelines, {} warnings\n", loaded->config.components.size(),
               loaded->config.pipelines.size(), loaded->warnings.size());
  });
}

void AddPrintConfigCommand(CLI::App* app, int* exit_code) {
  CLI::App* command = app->add_subcommand(
      "print-config", "Print the built-in configuration, or what files and settings amount to");
  command->footer("Example: weft print-config > weft.yaml");
  auto options = std::make_shared<config::LoadOptions>();
  AddConfigOptions(command, options.get());
  command->callback([options, exit_code] {
    if (options->uris.empty() && options->settings.empty()) {
      fmt::print("{}", config::BuiltInYaml());
      return;
    }
    Result<config::Loaded> loaded = config::Load(*options, config::RealSurroundings());
    if (!loaded) {
      fmt::print(stderr, "{}\n", loaded.error().message);
      *exit_code = kExitUsage;
      return;
    }
    fmt::print("{}", config::WriteYaml(loaded->tree));
  });
}

}  // namespace weft::cli

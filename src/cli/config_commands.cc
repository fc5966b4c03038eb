// SPDX-License-Identifier: Apache-2.0
#include "cli/config_commands.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <sstream>
#include <string>

#include "cli/cli.h"
#include "config/listen_rules.h"
#include "config/yaml.h"
#include "terminal/terminal.h"
#include "wire_core/json_writer.h"

namespace weft::cli {

using terminal::Count;

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

void PrintConfigError(const Error& error) {
  std::istringstream lines(error.message);
  for (std::string line; std::getline(lines, line);) terminal::PrintError(line);
}

namespace {

void AddCheckCommand(const config::ComponentTypes& types, CLI::App* app, int* exit_code) {
  CLI::App* check = app->add_subcommand("check", "Check a configuration");
  check->footer("Examples:\n  weft check config /etc/weft/weft.yaml");
  check->require_subcommand(1);
  CLI::App* command = check->add_subcommand("config", "Say whether a configuration is good");
  command->footer(
      "Every mistake is named, with file, line and the nearest key that exists.\n"
      "Examples:\n"
      "  weft check config /etc/weft/weft.yaml\n"
      "  weft check config --config weft.yaml --set service.telemetry.logs.level=debug\n"
      "Exit codes: 0 good, 2 wrong.");
  auto options = std::make_shared<config::LoadOptions>();
  AddConfigOptions(command, options.get());
  auto files = std::make_shared<std::vector<std::string>>();
  command->add_option("FILE", *files, "The same as --config FILE");
  auto insecure = std::make_shared<bool>(false);
  command->add_flag("--insecure", *insecure, "As it is for `weft serve --insecure`");
  command->callback([options, files, insecure, exit_code, &types] {
    options->uris.insert(options->uris.end(), files->begin(), files->end());
    Result<config::Loaded> loaded = config::Load(*options, config::RealSurroundings(), types);
    if (!loaded) {
      PrintConfigError(loaded.error());
      *exit_code = kExitUsage;
      return;
    }
    Status listeners = config::CheckListeners(loaded->config, *insecure, &loaded->warnings);
    for (const std::string& warning : loaded->warnings) terminal::PrintNote("warning: " + warning);
    if (!listeners) {
      PrintConfigError(listeners.error());
      *exit_code = kExitUsage;
      return;
    }
    fmt::print("good: {}, {}, {}\n", Count(loaded->config.components.size(), "component"),
               Count(loaded->config.pipelines.size(), "pipeline"),
               Count(loaded->warnings.size(), "warning"));
  });
}

void AddPrintConfigCommand(const config::ComponentTypes& types, CLI::App* app, int* exit_code) {
  CLI::App* command = app->add_subcommand(
      "print-config", "Print the built-in configuration, or what files and settings amount to");
  command->footer(
      "Examples:\n"
      "  weft print-config > weft.yaml\n"
      "  weft print-config --config collector.yaml --set exporters.store.retention.age=30d\n"
      "Exit codes: 0 printed, 2 the configuration is wrong.");
  auto options = std::make_shared<config::LoadOptions>();
  AddConfigOptions(command, options.get());
  command->callback([options, exit_code, &types] {
    if (options->uris.empty() && options->settings.empty()) {
      fmt::print("{}", config::BuiltInYaml());
      return;
    }
    Result<config::Loaded> loaded = config::Load(*options, config::RealSurroundings(), types);
    if (!loaded) {
      PrintConfigError(loaded.error());
      *exit_code = kExitUsage;
      return;
    }
    fmt::print("{}", config::WriteYaml(loaded->tree));
  });
}

std::string SignalsOf(const config::ComponentType& type) {
  std::string names;
  for (config::Signal signal : config::kSignals)
    if (type.signals.Has(signal))
      names += (names.empty() ? "" : ", ") + std::string(config::SignalName(signal));
  return names;
}

void PrintComponents(const config::ComponentTypes& types) {
  std::string_view section;
  for (const config::ComponentType* type : types.all()) {
    if (!type->warning.empty()) continue;
    if (section != config::KindName(type->kind)) {
      section = config::KindName(type->kind);
      fmt::print("{}s\n", section);
    }
    const std::string signals = SignalsOf(*type);
    fmt::print("  {:<18} {:<12} {}{}\n", type->name, config::StabilityName(type->stability),
               type->summary, signals.empty() ? "" : " (" + signals + ")");
    for (const config::ComponentType::Alias& alias : type->aliases)
      fmt::print("  {:<18} {:<12} {}\n", alias.name, "",
                 (alias.warning.empty() ? "another name of " : "an old name of ") +
                     std::string(type->name));
  }
}

void PrintComponentsJson(const config::ComponentTypes& types) {
  std::string text;
  wire::JsonWriter json(&text);
  json.BeginArray();
  for (const config::ComponentType* type : types.all()) {
    json.BeginObject();
    json.Field("kind", config::KindName(type->kind));
    json.Field("type", type->name);
    json.Field("summary", type->summary);
    json.Field("stability", config::StabilityName(type->stability));
    json.Key("signals");
    json.BeginArray();
    for (config::Signal signal : config::kSignals)
      if (type->signals.Has(signal)) json.String(config::SignalName(signal));
    json.EndArray();
    json.Key("aliases");
    json.BeginArray();
    for (const config::ComponentType::Alias& alias : type->aliases) {
      json.BeginObject();
      json.Field("type", alias.name);
      json.Field("deprecated", !alias.warning.empty());
      json.EndObject();
    }
    json.EndArray();
    json.Field("deprecated", !type->warning.empty());
    json.EndObject();
  }
  json.EndArray();
  fmt::print("{}\n", text);
}

void AddComponentsCommand(const config::ComponentTypes& types, CLI::App* app) {
  CLI::App* command =
      app->add_subcommand("components", "List the components that a configuration may name");
  command->footer(
      "Each with what it promises, what it does and the signals that it takes.\n"
      "Examples:\n"
      "  weft components\n"
      "  weft components --json");
  auto json = std::make_shared<bool>(false);
  command->add_flag("--json", *json, "As a JSON array");
  command->callback([json, &types] {
    if (*json) return PrintComponentsJson(types);
    PrintComponents(types);
  });
}

}  // namespace

void AddConfigCommands(const config::ComponentTypes& types, CLI::App* app, int* exit_code) {
  AddCheckCommand(types, app, exit_code);
  AddPrintConfigCommand(types, app, exit_code);
  AddComponentsCommand(types, app);
}

}  // namespace weft::cli

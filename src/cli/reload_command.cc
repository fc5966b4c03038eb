// SPDX-License-Identifier: Apache-2.0
#include "cli/reload_command.h"

#include <fmt/core.h>
#include <simdjson.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "cli/cli.h"
#include "cli/server_access.h"
#include "outgoing/client.h"
#include "terminal/terminal.h"

namespace weft::cli {

using terminal::PrintError;

namespace {

// Stores are opened, and may replay a log, before it answers.
constexpr int64_t kPatienceMs = 120'000;

struct Options {
  std::string url;
  AccessOptions access;
};

std::string Text(simdjson::dom::element object, std::string_view key) {
  std::string_view text;
  return object[key].get(text) == simdjson::SUCCESS ? std::string(text) : "";
}

int Unreachable(const std::string& url, const std::string& why) {
  PrintError(terminal::CleanText(url) + ": " + why);
  return kExitUnreachable;
}

int SayWhatChanged(simdjson::dom::element answer) {
  uint64_t generation = 0;
  simdjson::dom::array changes;
  if (answer["generation"].get(generation) != simdjson::SUCCESS ||
      answer["changes"].get(changes) != simdjson::SUCCESS) {
    PrintError("the server says nothing of what has changed: is this a weft of this version?");
    return kExitFailed;
  }
  fmt::print("generation {} of the configuration is running\n", generation);
  for (simdjson::dom::element change : changes)
    if (std::string_view text; change.get(text) == simdjson::SUCCESS)
      fmt::print("  {}\n", terminal::CleanText(text));
  if (changes.size() == 0) fmt::print("  nothing has changed\n");
  return kExitOk;
}

int Reload(const Options& options) {
  const std::string url = ReadServerUrl(options.url).url;
  if (Status status = CheckUrl(url); !status) {
    PrintError(status.error().message);
    return kExitUsage;
  }
  Result<outgoing::ClientSecurity> security = ReadAccess(options.access);
  if (!security) {
    PrintError(security.error().message);
    return kExitUsage;
  }
  outgoing::HttpClient client(
      {.connect_timeout_ms = 2000, .timeout_ms = kPatienceMs, .security = std::move(*security)});
  Result<outgoing::ClientResponse> response =
      client.Post(url + "/api/reload", "application/json", "");
  if (!response) return Unreachable(url, response.error().message);
  simdjson::dom::parser parser;
  simdjson::dom::element answer, error;
  if (parser.parse(response->body).get(answer) != simdjson::SUCCESS ||
      (response->status != 200 && answer["error"].get(error) != simdjson::SUCCESS))
    return Unreachable(
        url, fmt::format("answers {}: is this a weft of this version?", response->status));
  if (response->status == 200) return SayWhatChanged(answer);
  PrintError(Text(error, "message"));
  if (response->status == 401 || response->status == 403) return kExitFailed;
  terminal::PrintNote("Nothing has changed: weft runs with the configuration that it had.");
  return response->status == 400 ? kExitUsage : kExitFailed;
}

}  // namespace

void AddReloadCommand(CLI::App* app, int* exit_code) {
  CLI::App* command =
      app->add_subcommand("reload", "Let a running weft read its configuration again");
  command->footer(
      "The new configuration is checked and prepared beside the running one. What is wrong is "
      "named and changes nothing; else requests go on without a break.\n"
      "Examples:\n"
      "  weft reload\n"
      "  weft reload --url https://weft.example.com:16686 --token-file /etc/weft/token\n"
      "  systemctl reload weft\n"
      "Exit codes: 0 taken, 1 could not be done, 2 wrong configuration, 4 nobody to ask.");
  auto options = std::make_shared<Options>();
  command->add_option("--url", options->url, UrlHelp("Server to reload"))->type_name("URL");
  AddAccessOptions(command, &options->access);
  command->callback([options, exit_code] { *exit_code = Reload(*options); });
}

}  // namespace weft::cli

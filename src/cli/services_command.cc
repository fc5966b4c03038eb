// SPDX-License-Identifier: Apache-2.0
#include "cli/services_command.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "cli/cli.h"
#include "cli/terminal.h"
#include "cli/trace_source.h"
#include "wire/json_writer.h"

namespace weft::cli {
namespace {

struct Options {
  SourceOptions source;
  bool json = false;
};

void Print(const std::vector<query::ServiceCount>& services, bool as_json) {
  if (as_json) {
    std::string text;
    wire::JsonWriter json(&text);
    json.BeginObject();
    json.Key("services");
    json.BeginArray();
    for (const query::ServiceCount& service : services) {
      json.BeginObject();
      json.Field("name", service.service);
      json.Field("spans", service.spans);
      json.EndObject();
    }
    json.EndArray();
    json.EndObject();
    fmt::print("{}\n", text);
    return;
  }
  Terminal terminal = StandardOutput();
  size_t width = 7;
  for (const query::ServiceCount& service : services)
    width = std::max(width, TextWidth(CleanText(service.service)));
  fmt::print("{}{} {:>12}{}\n", Dim(terminal), Pad("service", width, true), "spans",
             Plain(terminal));
  for (const query::ServiceCount& service : services)
    fmt::print("{}{}{} {:>12}\n", ServiceColour(service.service, terminal),
               Pad(CleanText(service.service), width, true), Plain(terminal), service.spans);
}

}  // namespace

void AddServicesCommand(CLI::App* app, int* exit_code) {
  CLI::App* command =
      app->add_subcommand("services", "List the services, and how many spans each has");
  auto options = std::make_shared<Options>();
  command->add_flag("--json", options->json, "As JSON");
  AddSourceOptions(command, &options->source);
  command->footer("Example: weft services --json | jq '.services[].name'");
  command->callback([options, exit_code] {
    Result<std::unique_ptr<TraceSource>> source = OpenSource(options->source);
    auto services = source ? (*source)->ListServices()
                           : Result<std::vector<query::ServiceCount>>(Fail(source.error()));
    if (!services) {
      fmt::print(stderr, "weft: {}\n", services.error().message);
      *exit_code = ExitCodeOf(services.error());
      return;
    }
    Print(*services, options->json);
  });
}

}  // namespace weft::cli

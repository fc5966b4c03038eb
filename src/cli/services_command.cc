// SPDX-License-Identifier: Apache-2.0
#include "cli/services_command.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "cli/cli.h"
#include "cli/name_list.h"
#include "cli/trace_source.h"
#include "wire_core/json_writer.h"

namespace weft::cli {
namespace {

struct ServiceOptions {
  SourceOptions source;
  ListForm form;
};
struct OperationOptions {
  SourceOptions source;
  ListForm form;
  std::string service;
};

// What the list says besides its items: a member of the JSON object, or words on standard error.
std::string Ending(const ListForm& form, const std::string& partial) {
  if (!form.json) {
    if (!partial.empty()) terminal::PrintError("partial: " + partial);
    return "";
  }
  std::string text;
  wire::JsonWriter json(&text);
  json.BeginObject();
  json.Field("partial", partial);
  json.EndObject();
  return "," + text.substr(1, text.size() - 2);
}

Status PrintServices(const ServiceOptions& options) {
  WEFT_ASSIGN(std::unique_ptr<TraceSource> source, OpenSource(options.source));
  std::string partial;
  WEFT_ASSIGN(std::vector<query::ServiceCount> services, source->ListServices(&partial));
  NameList list({"service", "spans"}, options.form);
  for (const query::ServiceCount& service : services) {
    std::string text;
    wire::JsonWriter json(&text);
    json.BeginObject();
    json.Field("name", service.service);
    json.Field("spans", service.spans);
    json.EndObject();
    list.Add(service.service, std::to_string(service.spans), text);
  }
  return list.Print("services", Ending(options.form, partial));
}

// A list that is empty because of a slip says so.
Status ExplainUnknownService(const std::string& service, TraceSource* source) {
  std::string partial;
  WEFT_ASSIGN(std::vector<query::ServiceCount> services, source->ListServices(&partial));
  std::vector<std::string> names;
  for (const query::ServiceCount& known : services) names.push_back(known.service);
  if (!partial.empty() || std::ranges::find(names, service) != names.end()) return {};
  terminal::PrintError(terminal::CleanText(query::SentenceOf(
      {query::UnknownName::Kind::kService, service, query::NearestName(service, names)})));
  return {};
}

Status PrintOperations(const OperationOptions& options) {
  WEFT_ASSIGN(std::unique_ptr<TraceSource> source, OpenSource(options.source));
  std::string partial;
  WEFT_ASSIGN(std::vector<query::OperationName> operations,
              source->ListOperations(options.service, &partial));
  if (operations.empty() && !options.service.empty())
    WEFT_TRY(ExplainUnknownService(options.service, source.get()));
  NameList list({"operation", "kind"}, options.form);
  for (const query::OperationName& operation : operations) {
    std::string text;
    wire::JsonWriter json(&text);
    json.BeginObject();
    json.Field("name", operation.name);
    json.Field("kind", KindText(operation.kind));
    json.EndObject();
    list.Add(operation.name, std::string(KindText(operation.kind)), text);
  }
  return list.Print("operations", Ending(options.form, partial));
}

}  // namespace

void AddServicesCommand(CLI::App* app, int* exit_code) {
  CLI::App* command =
      app->add_subcommand("services", "List the services, and how many spans each has");
  command->footer(
      "Examples:\n"
      "  weft services\n"
      "  weft services --json | jq '.services[].name'\n"
      "Exit codes: 0 listed, 4 nothing to ask.");
  auto options = std::make_shared<ServiceOptions>();
  AddListOptions(command, &options->form);
  AddSourceOptions(command, &options->source);
  command->callback([options, exit_code] { *exit_code = ExitCodeOf(PrintServices(*options)); });
}

void AddOperationsCommand(CLI::App* app, int* exit_code) {
  CLI::App* command = app->add_subcommand("operations", "List the names of a service's spans");
  command->footer(
      "Examples:\n"
      "  weft operations checkout\n"
      "  weft operations --json | jq -r '.operations[].name'\n"
      "Exit codes: 0 listed, 4 nothing to ask.");
  auto options = std::make_shared<OperationOptions>();
  command->add_option("SERVICE", options->service, "Of this service; without one, of all");
  AddListOptions(command, &options->form);
  AddSourceOptions(command, &options->source);
  command->callback([options, exit_code] { *exit_code = ExitCodeOf(PrintOperations(*options)); });
}

}  // namespace weft::cli

// SPDX-License-Identifier: Apache-2.0
#include "cli/tags_command.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "cli/api_words.h"
#include "cli/cli.h"
#include "cli/name_list.h"
#include "cli/time_option.h"
#include "cli/trace_source.h"
#include "query/tag_catalog.h"
#include "terminal/terminal.h"
#include "wire_core/json_writer.h"

namespace weft::cli {
namespace {

constexpr uint32_t kLimit = 1000;

struct Options {
  SourceOptions source;
  ListForm form;
  TimeOptions time;
  std::string tag;
  query::TagRequest request{.limit = kLimit};
};

// What the answer says besides its items: members of the JSON object, or words on standard error.
std::string Ending(const Options& options, bool truncated, const std::string& partial) {
  if (!options.form.json) {
    if (truncated)
      terminal::PrintNote(
          fmt::format("there are more than {}: --limit shows them", options.request.limit));
    if (!partial.empty()) terminal::PrintError("partial: " + partial);
    return "";
  }
  std::string text;
  wire::JsonWriter json(&text);
  json.BeginObject();
  json.Field("truncated", truncated);
  json.Field("partial", partial);
  json.EndObject();
  return "," + text.substr(1, text.size() - 2);
}

Status PrintTags(const Options& options, TraceSource* source) {
  WEFT_ASSIGN(query::TagNames names, source->ListTags(options.request));
  NameList list({"tag", "scope"}, options.form);
  for (const query::TagName& tag : names.tags) {
    std::string text;
    wire::JsonWriter json(&text);
    json.BeginObject();
    json.Field("scope", tag.scope);
    json.Field("key", tag.key);
    json.Field("field", query::TagField(tag));
    json.EndObject();
    list.Add(query::TagText(tag), tag.scope, text);
  }
  return list.Print("tags", Ending(options, names.truncated, names.partial));
}

// A list that is empty because of a slip says so.
Status ExplainUnknownTag(const query::TagName& tag, TraceSource* source) {
  if (tag.scope == "intrinsic") return {};
  WEFT_ASSIGN(query::TagNames names, source->ListTags({.limit = query::kTagLimitMax}));
  std::vector<std::string> known;
  for (const query::TagName& name : names.tags)
    if (name.scope != "intrinsic") {
      known.push_back(query::TagText(name));
      if (name.scope == "span" || name.scope == "resource")
        known.push_back(query::TagText({"", name.key}));
    }
  std::string text = query::TagText(tag);
  if (!names.partial.empty() || std::ranges::find(known, text) != known.end()) return {};
  terminal::PrintError(terminal::CleanText(query::SentenceOf(
      {query::UnknownName::Kind::kAttribute, text, query::NearestName(text, known)})));
  return {};
}

Status PrintValues(const Options& options, const query::TagName& tag, TraceSource* source) {
  WEFT_ASSIGN(query::TagValues values, source->ListTagValues(tag, options.request));
  if (values.values.empty()) WEFT_TRY(ExplainUnknownTag(tag, source));
  NameList list({"value", "type"}, options.form);
  for (const query::TagValue& value : values.values) {
    std::string text;
    wire::JsonWriter json(&text);
    json.BeginObject();
    json.Field("type", TypeWord(value));
    json.Field("value", value.text);
    json.EndObject();
    list.Add(value.text, std::string(TypeWord(value)), text);
  }
  return list.Print("values", Ending(options, values.truncated, values.partial));
}

Status Print(Options options) {
  WEFT_ASSIGN(TimeWindow window, ReadTimeWindow(options.time, SystemClock()->NowNs()));
  options.request.start_ns = window.start_ns;
  options.request.end_ns = window.end_ns;
  std::optional<query::TagName> tag = query::ParseTag(options.tag);
  if (!tag && !options.tag.empty())
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("{} is no tag: expected span.http.route, resource.service.name, "
                            ".region, name or another that `weft tags` lists",
                            terminal::CleanText(options.tag)));
  WEFT_ASSIGN(std::unique_ptr<TraceSource> source, OpenSource(options.source));
  return tag ? PrintValues(options, *tag, source.get()) : PrintTags(options, source.get());
}

}  // namespace

void AddTagsCommand(CLI::App* app, int* exit_code) {
  CLI::App* command =
      app->add_subcommand("tags", "List the attributes that occur, or the values of one");
  command->footer(
      "Tags are written as TraceQL has them, so that they can be copied into a query. `.region` "
      "asks for values in spans and resources. Of arrays the items are listed. What TraceQL knows "
      "by itself (`name`, `status`, `kind`, ...) is listed too; of numbers, times and ids among "
      "these no values are.\n"
      "Examples:\n"
      "  weft tags\n"
      "  weft tags span.http.route\n"
      "  weft tags --where '{ status = error }' --since 1h name\n"
      "  weft tags --json .http.status_code | jq -r '.values[].value'\n"
      "Exit codes: 0 listed, 2 no tag, wrong TraceQL or time, 4 nothing to ask.");
  auto options = std::make_shared<Options>();
  command->add_option("TAG", options->tag, "The values of this one; without it, the tags");
  command
      ->add_option("--where", options->request.traceql,
                   "Only of spans that this expression selects, such as { status = error }")
      ->type_name("TRACEQL");
  AddTimeOptions(command, &options->time);
  command->add_option("--limit", options->request.limit, "Values to list, or tags of each scope")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  AddListOptions(command, &options->form);
  AddSourceOptions(command, &options->source);
  command->callback([options, exit_code] { *exit_code = ExitCodeOf(Print(*options)); });
}

}  // namespace weft::cli

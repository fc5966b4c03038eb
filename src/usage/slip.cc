// SPDX-License-Identifier: Apache-2.0
#include "usage/slip.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <initializer_list>
#include <system_error>

#include "model/pasted_id.h"
#include "terminal/terminal.h"

namespace weft::usage {
namespace {

struct Slip {
  std::initializer_list<std::string_view> words;
  std::string_view meant;
};

const Slip kCommandSlips[] = {
    {{"search", "find", "select", "grep", "filter", "traceql", "q", "spans", "recent"},
     "`weft query '{ status = error }'` searches"},
    {{"traces", "ls", "list"},
     "`weft query '{}'` lists the newest traces, `weft trace ID` shows one"},
    {{"trace-id", "traceid", "trace_id", "show", "get", "view", "cat", "inspect", "waterfall"},
     "`weft trace ID` shows a trace"},
    {{"logs", "log"}, "`weft trace --logs ID` shows a trace with its log records"},
    {{"tail", "watch", "follow", "live"}, "`weft query --follow '{}'` prints traces as they come"},
    {{"status", "health", "healthz", "ready", "readyz", "ping", "info", "stats"},
     "`weft services` asks the server what it has; /readyz of its query port says whether it is "
     "ready, /metrics how it does"},
    {{"start", "run", "server", "daemon", "up", "all-in-one", "collector", "listen", "agent"},
     "`weft serve`, or just `weft`, runs the server"},
    {{"stop", "down", "kill", "restart", "shutdown", "quit"},
     "`weft serve` runs until Ctrl-C; as a service, `systemctl stop weft`"},
    {{"validate", "lint", "verify", "check-config", "configtest"},
     "`weft check config FILE` checks a configuration"},
    {{"config", "conf", "configuration", "settings", "components", "defaults"},
     "`weft print-config` prints the configuration, `weft check config FILE` checks one"},
    {{"ui", "web", "open", "gui", "dashboard"},
     "`weft serve` serves the UI: it prints the address"},
    {{"service", "svc", "apps"}, "`weft services` lists the services"},
    {{"ops", "endpoints", "names", "routes"}, "`weft operations` lists what services do"},
    {{"attributes", "attrs", "attribute", "labels", "keys", "fields", "values"},
     "`weft tags` lists the attributes, `weft tags TAG` the values of one"},
    {{"load", "bench", "benchmark", "generate", "gen", "tracegen", "telemetrygen", "stress"},
     "`weft loadgen` sends generated spans, `weft demo` those of a shop"},
    {{"example", "sample", "hotrod", "shop"}, "`weft demo` sends the traffic of a shop"},
    {{"dump", "backup", "save", "download"},
     "`weft export --query '{}' --output FILE` writes traces to a file"},
    {{"ingest", "upload", "restore", "push", "send"},
     "`weft import FILE` stores traces from files"},
    {{"ver", "v", "about", "--ver", "-V", "-v"}, "`weft version` prints the version"},
    {{"usage", "commands", "?"}, "`weft help` lists the commands"},
    {{"autocomplete", "bash", "zsh", "fish"},
     "`weft completion bash` (zsh, fish) prints completions"},
};

constexpr std::string_view kServers[] = {"serve", "demo", "loadgen"};

// `commands`: of which it holds; empty: of all that are not in kServers.
struct FlagSlip {
  std::initializer_list<std::string_view> commands, flags;
  std::string_view meant;
};
const FlagSlip kFlagSlips[] = {
    {{"serve"},
     {"--port", "-p", "--http-port", "--query-port", "--grpc-port", "--ui-port"},
     "`weft serve --port-offset N` moves all ports, `--set "
     "extensions.query.endpoint=localhost:PORT` that of queries"},
    {{"serve"},
     {"--host", "--bind", "--listen", "--addr", "--address", "--endpoint", "--listen-address"},
     "`weft serve --set extensions.query.endpoint=HOST:PORT` says where queries are answered, "
     "receivers.otlp.protocols.grpc.endpoint where spans come in"},
    {{"serve"},
     {"--dir", "--directory", "--data-dir", "--storage", "--store", "--path", "--db", "-d"},
     "`weft serve --data DIR` says where data lies"},
    {{"serve", "check config", "print-config"},
     {"-c", "--conf", "--cfg", "--config-file", "-f", "--file"},
     "`--config FILE` reads a configuration"},
    {{"serve"},
     {"--verbose", "--debug", "--log-level", "--loglevel", "--quiet", "-q"},
     "`weft serve --set service.telemetry.logs.level=debug` (info, warn, error) sets the log's"},
    {{"serve"},
     {"--retention", "--ttl", "--max-age"},
     "`weft serve --set exporters.store.retention.age=30d` sets how long spans are kept"},
    {{"serve"},
     {"--url", "--json", "--token"},
     "that is a flag of commands that ask a server, such as `weft query`"},
    {{"demo", "loadgen"},
     {"--port", "-p", "--host", "--endpoint", "--server", "--address", "--otlp-endpoint"},
     "`--url http://HOST:PORT` names the OTLP receiver"},
    {{},
     {"--port", "-p", "--port-offset", "--host", "--server", "--endpoint", "--address", "--addr"},
     "`--url http://HOST:PORT`, or WEFT_URL, names the server"},
    {{}, {"--dir", "--directory", "--data-dir", "--path"}, "`--data DIR` reads a data directory"},
    {{"query"},
     {"--service", "--service-name", "-s"},
     "`weft query '{ resource.service.name = \"NAME\" }'` finds the traces of a service"},
    {{"query"}, {"--errors", "--error"}, "`weft query '{ status = error }'` finds errors"},
    {{"query"},
     {"--min-duration", "--duration", "--slow"},
     "`weft query '{ duration > 1s }'` finds what is slow"},
    {{"query"}, {"-n", "--count", "--max", "--top"}, "`--limit N` says how many are shown"},
    {{"query", "trace"}, {"-f", "--tail", "--watch"}, "`--follow` goes on looking"},
    {{"query"},
     {"--start", "--begin", "--after", "--last"},
     "`--since 1h` and `--from TIME` say where the search begins"},
    {{"query"}, {"--end", "--before", "--until"}, "`--to TIME` says where the search ends"},
    {{"query", "trace", "services", "operations", "tags"},
     {"-o", "--output", "--format"},
     "`--json` is for programs"},
    {{"import"}, {"--dry-run"}, "there is none: spans that are there already are not stored again"},
};

bool Holds(std::initializer_list<std::string_view> words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

bool EndsWithOneOf(std::string_view text, std::initializer_list<std::string_view> ends) {
  return std::ranges::any_of(ends, [text](std::string_view end) { return text.ends_with(end); });
}
bool IsConfigFile(std::string_view word) { return EndsWithOneOf(word, {".yaml", ".yml"}); }
bool IsTraceFile(std::string_view word) {
  return EndsWithOneOf(word, {".json", ".ndjson", ".jsonl", ".pb", ".gz", ".zst", ".lz4", ".tar"});
}

// Quoted for a shell where it needs to be.
std::string Word(std::string_view text) {
  std::string clean = terminal::CleanText(text);
  bool plain = clean.find_first_of(" \"'{}$&|;<>()*?`\\") == clean.npos;
  return plain ? clean : "'" + clean + "'";
}

}  // namespace

bool LooksLikeTraceId(std::string_view text) {
  constexpr size_t kDigitsMin = 16;
  return text.size() >= kDigitsMin && !text.starts_with('{') && ParsePastedId(text).has_value();
}

std::string MeantCommand(std::string_view word) {
  if (LooksLikeTraceId(word)) return fmt::format("`weft trace {}` shows a trace", Word(word));
  if (word.starts_with('{')) return fmt::format("`weft query {}` searches", Word(word));
  if (IsConfigFile(word))
    return fmt::format("`weft serve --config {0}` runs with it, `weft check config {0}` checks it",
                       Word(word));
  if (IsTraceFile(word)) return fmt::format("`weft import {}` stores its traces", Word(word));
  std::string lower(word);
  if (!word.starts_with('-'))
    std::ranges::transform(lower, lower.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const Slip& slip : kCommandSlips)
    if (Holds(slip.words, lower)) return std::string(slip.meant);
  return "";
}

std::string MeantFlag(std::string_view command, std::string_view flag) {
  if (Holds({"-V", "-v", "--ver", "-version"}, flag)) return MeantCommand("-V");
  for (const FlagSlip& slip : kFlagSlips) {
    bool concerned = slip.commands.size() == 0
                         ? std::ranges::find(kServers, command) == std::end(kServers)
                         : Holds(slip.commands, command);
    if (concerned && Holds(slip.flags, flag)) return std::string(slip.meant);
  }
  return "";
}

std::string MeantArgument(std::string_view command, const std::string& argument) {
  if (command == "check")
    return fmt::format("`weft check config {}` checks a file", Word(argument));
  if (command == "print-config")
    return fmt::format("`weft print-config --config {}` reads a file", Word(argument));
  if (command != "serve") return "";
  std::error_code unknown;
  if (std::filesystem::is_directory(argument, unknown))
    return fmt::format("`weft serve --data {}` keeps its data there", Word(argument));
  return fmt::format("`weft serve --config {}` reads a configuration", Word(argument));
}

}  // namespace weft::usage

// SPDX-License-Identifier: Apache-2.0
#include "server/serve_command.h"

#include <fmt/format.h>
#include <pthread.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <system_error>

#include "base/log.h"
#include "cli/cli.h"
#include "cli/config_commands.h"
#include "config/listen_rules.h"
#include "config/section.h"
#include "server/components.h"
#include "server/running_server.h"
#include "server/service_notice.h"
#include "terminal/terminal.h"

namespace weft::server {
namespace {

struct Options {
  config::LoadOptions load;
  ServeOverrides overrides;
};

std::string LimitText(const std::string& text) { return text == "0" ? "no limit" : text; }

// "otlp/grpc    localhost:4317"; of pages, the address to open in a browser.
std::string ListenerLine(const pipeline::Listener& listener) {
  bool grpc = listener.name.ends_with("/grpc");
  const bool is_path = !listener.endpoint.path.empty();
  std::string_view scheme = grpc || is_path ? "" : listener.tls ? "https://" : "http://";
  config::Endpoint endpoint = listener.endpoint;
  std::string name = listener.name, rest = grpc && listener.tls ? " (TLS)" : "";
  if (listener.is_main) {
    if (listener.has_pages) name = name == "query" ? "UI" : "UI " + name;
    const std::string address = endpoint.ToString();
    if (address.starts_with(':') || address.starts_with("0.0.0.0:") ||
        address.starts_with("[::]:")) {
      rest = fmt::format(" (and by every address of this machine: {})", address);
      endpoint.host = "localhost";
    }
    if (listener.has_pages && !is_path) rest.insert(0, listener.base_path + "/");
  }
  return fmt::format("  {:<12} {}{}{}\n", name, scheme, endpoint.ToString(), rest);
}

void SayHello(const RunningServer& server, bool is_new) {
  fmt::print("weft {} is running\n", cli::Version());
  for (const pipeline::Listener& listener : server.listeners())
    fmt::print("{}", ListenerLine(listener));
  if (const store::ServedStore* served = server.store()) {
    using store::Durability;
    std::string_view durability = served->durability == Durability::kDurable
                                      ? "durable: OK means on disk"
                                  : served->durability == Durability::kRelaxed
                                      ? "relaxed: power loss may cost the last second"
                                      : "memory: nothing outlives this process";
    fmt::print("  {:<12} {}{}\n", "data", terminal::CleanText(served->directory),
               is_new ? " (new, empty)" : "");
    fmt::print("  {:<12} {}\n", "durability", durability);
    fmt::print("  {:<12} {} or {}, whichever comes first\n", "retention",
               LimitText(config::DurationText(served->retention_age_ns)),
               LimitText(config::ByteCountText(served->retention_bytes)));
  }
  std::fflush(stdout);
}

// "127.0.0.1:4317 is already in use by ..."; a path that is in use has no port to move.
bool NamesAPortInUse(std::string_view message) {
  const size_t at = message.find(" is already in use");
  const size_t colon = message.rfind(':', at);
  return at != message.npos && colon != message.npos && colon + 1 < at &&
         message.substr(colon + 1, at - colon - 1).find_first_not_of("0123456789") == message.npos;
}

// Whether the store begins with nothing: perhaps not the directory that was meant.
bool IsNewDirectory(const config::Config& config) {
  for (const config::Component& component : config.components) {
    if (component.type->directory == nullptr) continue;
    std::any settings = component.settings;
    const std::string& directory = *component.type->directory(&settings);
    std::error_code unknown;
    return !std::filesystem::exists(directory, unknown) ||
           std::filesystem::is_empty(directory, unknown);
  }
  return false;
}

// The configuration as files, environment and command line have it now.
Result<config::Config> LoadAgain(const Options& options) {
  config::Surroundings surroundings = config::RealSurroundings();
  WEFT_ASSIGN(config::Loaded loaded,
              config::Load(options.load, surroundings, Components().types()));
  Status applied = ApplyOverrides(options.overrides, config::DefaultDataDirectory(surroundings),
                                  &loaded.config, &loaded.warnings);
  for (const std::string& warning : loaded.warnings) Log(LogLevel::kWarn, "config", warning);
  if (!applied) return Fail(Error(applied.error()));
  if (options.load.uris.empty())
    Log(LogLevel::kInfo, "reload",
        "there is no --config: the built-in configuration, with the same options");
  return std::move(loaded.config);
}

// Until a signal that ends it; what it was.
int WaitForEnd(const sigset_t& signals, RunningServer* server) {
  int signal_number = 0;
  while (sigwait(&signals, &signal_number) != 0 || signal_number == SIGHUP)
    if (signal_number == SIGHUP) server->reloads()->Ask([](const pipeline::ReloadReport&) {});
  return signal_number;
}

int Serve(const Options& options) {
  config::Surroundings surroundings = config::RealSurroundings();
  Result<config::Loaded> loaded = config::Load(options.load, surroundings, Components().types());
  if (!loaded) {
    cli::PrintConfigError(loaded.error());
    return cli::kExitUsage;
  }
  const config::TelemetrySettings& telemetry = loaded->config.telemetry;
  SetLogLevel(telemetry.log_level);
  SetLogEncoding(telemetry.log_encoding);
  SetLogSampling(telemetry.log_sampling);
  Status applied = ApplyOverrides(options.overrides, config::DefaultDataDirectory(surroundings),
                                  &loaded->config, &loaded->warnings);
  for (const std::string& warning : loaded->warnings) Log(LogLevel::kWarn, "config", warning);
  if (!applied) {
    cli::PrintConfigError(applied.error());
    return cli::kExitUsage;
  }
  // Blocked before any thread is made, so that only sigwait() below sees them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  const bool is_new = IsNewDirectory(loaded->config);
  RunningServer server(std::move(loaded->config), Components(), cli::Version(), PosixEnv(),
                       SystemClock());
  server.SetLoader([options] { return LoadAgain(options); });
  if (Status status = server.Start(); !status) {
    terminal::PrintError(status.error().message);
    if (NamesAPortInUse(status.error().message))
      terminal::PrintNote("`weft serve --port-offset 100` moves all ports by 100.");
    if (status.error().message.find("is held by process") != std::string::npos)
      terminal::PrintNote(
          "A weft works on this data directory already; a second one beside it needs --data DIR "
          "and "
          "--port-offset 100.");
    return cli::kExitFailed;
  }
  SayHello(server, is_new);
  NotifyServiceManager("READY=1");
  const int signal_number = WaitForEnd(signals, &server);
  Log(LogLevel::kInfo, "server", signal_number == SIGINT ? "interrupted: stopping" : "stopping");
  NotifyServiceManager("STOPPING=1");
  // A second signal ends the process as if nobody handled it.
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  server.Stop();
  return cli::kExitOk;
}

}  // namespace

Status ApplyOverrides(const ServeOverrides& overrides, const std::string& default_directory,
                      config::Config* config, std::vector<std::string>* warnings) {
  if (!overrides.memory_limit.empty()) {
    const std::optional<uint64_t> bytes = config::ParseByteCount(overrides.memory_limit);
    if (!bytes || *bytes == 0)
      return Fail(
          ErrorCode::kInvalidArgument,
          fmt::format("--memory-limit {}: write it as 512MiB or 2GiB", overrides.memory_limit));
    config->memory_bytes_max = *bytes;
  }
  WEFT_TRY(config::MovePorts(overrides.port_offset, config));
  WEFT_TRY(config::CheckListeners(*config, overrides.insecure, warnings));
  int stores = 0;
  for (config::Component& component : config->components) {
    if (component.type->directory == nullptr) continue;
    ++stores;
    std::string* directory = component.type->directory(&component.settings);
    if (!overrides.data.empty()) *directory = overrides.data;
    if (directory->empty()) *directory = default_directory;
  }
  if (!overrides.data.empty() && stores != 1)
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("--data needs one store exporter; the configuration has {}", stores));
  return {};
}

void AddServeCommand(CLI::App* app, int* exit_code) {
  CLI::App* command =
      app->add_subcommand("serve", "Receive, store and answer (what `weft` alone does)");
  command->footer(
      "Examples:\n"
      "  weft serve --data /srv/weft --set exporters.store.retention.age=30d\n"
      "  weft serve --config collector.yaml --config site.yaml\n"
      "  weft serve --port-offset 100\n"
      "SIGHUP reads the configuration again, as `weft reload` does.\n"
      "Exit codes: 0 stopped by a signal, 1 could not start, 2 wrong configuration.");
  auto options = std::make_shared<Options>();
  cli::AddConfigOptions(command, &options->load);
  command
      ->add_option("--data", options->overrides.data,
                   "Data directory (default $XDG_DATA_HOME/weft or ~/.local/share/weft)")
      ->type_name("DIR");
  command
      ->add_option("--memory-limit", options->overrides.memory_limit,
                   "The most memory that the process holds (default: a quarter of what it may use)")
      ->type_name("SIZE");
  command->add_option("--port-offset", options->overrides.port_offset, "Added to every port")
      ->check(CLI::Range(0, 65535));
  command->add_flag("--insecure", options->overrides.insecure,
                    "Listen beyond this machine without encryption and passwords");
  command->callback([options, exit_code] { *exit_code = Serve(*options); });
}

}  // namespace weft::server

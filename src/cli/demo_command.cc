// SPDX-License-Identifier: Apache-2.0
#include "cli/demo_command.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/server_access.h"
#include "cli/time_option.h"
#include "cli/trace_source.h"
#include "load/demo_traffic.h"
#include "load/otlp_client.h"
#include "terminal/terminal.h"

namespace weft::cli {

using terminal::CleanText;
using terminal::PrintError;

namespace {

constexpr uint64_t kHistoryMaxNs = 7ull * 24 * 3600 * 1'000'000'000;
constexpr uint64_t kRetryAfterNs = 1'000'000'000;
constexpr int kFirstAnswerTries = 15;

struct DemoOptions {
  std::string url = "http://127.0.0.1:4318";
  std::vector<std::string> faults;
  double visits_per_second = 2;
  std::string history = "15m", runs_for;  // as they were given
  uint64_t history_ns = 0;
  std::optional<uint64_t> for_ns;  // nothing: until it is stopped
  uint64_t seed = 0;
  AccessOptions access;
};

class DemoRun {
 public:
  DemoRun(const DemoOptions& options, load::DemoFaults faults, outgoing::ClientSecurity security)
      : options_(options),
        began_ns_(SystemClock()->NowNs()),
        traffic_(faults, options.seed != 0 ? options.seed : began_ns_, options.visits_per_second,
                 began_ns_ - options.history_ns),
        client_(load::OtlpProtocol::kHttp, options.url, std::move(security)) {}

  int Run() {
    StopOnSignals();
    fmt::print("demo: the shop sends {} to {}\n",
               options_.history_ns == 0 ? "no history" : "its last " + CleanText(options_.history),
               CleanText(options_.url));
    std::fflush(stdout);
    if (!SendDue()) return kExitFailed;
    if (!stopped_ && options_.for_ns != 0) {
      fmt::print("demo: {}; {} from now on\n", Sent(), Pace());
      std::fflush(stdout);
    }
    while (!stopped_ && IsOpen()) {
      PauseUntil(traffic_.NextDueNs());
      if (!SendDue()) return kExitFailed;
    }
    fmt::print("demo: {}\n", Sent());
    return kExitOk;
  }

 private:
  // Ctrl-C is how the shop is closed: the first ends it with its totals, the second at once.
  static void StopOnSignals() {
    stopped_ = false;
    struct sigaction action{};
    action.sa_handler = [](int) { stopped_ = true; };
    action.sa_flags = SA_RESETHAND | SA_RESTART;
    for (int signal : {SIGINT, SIGTERM}) sigaction(signal, &action, nullptr);
  }

  // Until then, or until it is stopped.
  static void PauseUntil(uint64_t until_ns) {
    constexpr uint64_t kStepNs = 100'000'000;
    for (uint64_t now_ns = SystemClock()->NowNs(); !stopped_ && now_ns < until_ns;
         now_ns = SystemClock()->NowNs())
      std::this_thread::sleep_for(std::chrono::nanoseconds(std::min(until_ns - now_ns, kStepNs)));
  }

  bool IsOpen() const {
    return !options_.for_ns || SystemClock()->NowNs() - began_ns_ < *options_.for_ns;
  }
  std::string Pace() const {
    const double rate = options_.visits_per_second;
    return fmt::format("{:g} visit{} a second", rate, rate == 1 ? "" : "s");
  }
  std::string Sent() const {
    return fmt::format("{}, {} sent", terminal::Count(visits_, "visit"),
                       terminal::Count(spans_, "span"));
  }

  // False when the receiver refuses for good, or did not answer once. What is left when it is
  // stopped is not sent.
  bool SendDue() {
    for (load::DemoRequest& request : traffic_.Due(SystemClock()->NowNs())) {
      if (stopped_) break;
      if (!SendUntilTaken(load::OtlpSignal::kTraces, request.traces)) return false;
      if (!taken_) break;
      visits_ += request.visits;
      spans_ += request.spans;
      if (!request.logs.empty() && !SendUntilTaken(load::OtlpSignal::kLogs, request.logs))
        return false;
    }
    return true;
  }

  // True also when it was stopped; `taken_` says whether the receiver has it.
  bool SendUntilTaken(load::OtlpSignal signal, const std::string& body) {
    taken_ = false;
    for (int tries = 1; tries == 1 || !stopped_; ++tries) {
      Result<load::OtlpAnswer> answer = client_.Send(signal, body);
      if (answer) {
        if (answered_ && tries > 1) fmt::print("demo: {} answers again\n", CleanText(options_.url));
        answered_ = taken_ = true;
        return true;
      }
      const Error& error = answer.error();
      bool passing = error.code == ErrorCode::kIo || error.code == ErrorCode::kUnavailable;
      if (!passing || (!answered_ && tries >= kFirstAnswerTries)) {
        PrintError(error.message);
        if (passing)
          terminal::PrintNote("Start `weft` first, or name its OTLP/HTTP port (4318) with --url.");
        return false;
      }
      if (answered_ && tries == 1) PrintError(error.message + "; trying again");
      PauseUntil(SystemClock()->NowNs() + kRetryAfterNs);
    }
    return true;
  }

  const DemoOptions& options_;
  const uint64_t began_ns_;
  load::DemoTraffic traffic_;
  load::OtlpClient client_;
  bool answered_ = false, taken_ = false;
  uint64_t visits_ = 0, spans_ = 0;

  static inline std::atomic<bool> stopped_ = false;
};

// Into nanoseconds, what was given as text.
Status ReadDurations(DemoOptions* options) {
  WEFT_ASSIGN(options->history_ns, ReadDurationNs("--history", options->history));
  if (options->history_ns > kHistoryMaxNs)
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("--history {}: at most 7d", CleanText(options->history)));
  if (options->runs_for.empty()) return {};
  WEFT_ASSIGN(options->for_ns, ReadDurationNs("--for", options->runs_for));
  return {};
}

int RunDemo(DemoOptions options) {
  if (Status read = ReadDurations(&options); !read) return ExitCodeOf(read);
  load::DemoFaults faults;
  for (const std::string& name : options.faults) {
    if (Status known = load::SetDemoFault(name, &faults); !known) {
      PrintError(known.error().message);
      return 2;
    }
  }
  Status url = CheckUrl(options.url);
  Result<outgoing::ClientSecurity> security = ReadAccess(options.access);
  if (!url) return ExitCodeOf(url);
  if (!security) return ExitCodeOf(Fail(security.error()));
  return DemoRun(options, faults, std::move(*security)).Run();
}

}  // namespace

void AddDemoCommand(CLI::App* app, int* exit_code) {
  auto options = std::make_shared<DemoOptions>();
  CLI::App* demo = app->add_subcommand("demo", "Send the traffic of a made-up shop");
  demo->footer(
      "Eight services sell things: first a quarter of an hour of history, then visits as they "
      "happen, until Ctrl-C, which says how many they were. Some checkouts take 4.2 s; each fault "
      "makes another service slow.\n"
      "Examples:\n"
      "  weft demo\n"
      "  weft demo --fault missing-index --rate 10\n"
      "  weft demo --history 2h --for 0s --seed 7   # the past only, the same each time\n"
      "Exit codes: 0 done, 1 the receiver refuses or does not answer, 2 no such fault.");
  demo->add_option("--url", options->url, "OTLP/HTTP receiver")
      ->type_name("URL")
      ->capture_default_str();
  demo->add_option("--fault", options->faults,
                   "Switch a fault on: slow-stripe, fraud-900ms, missing-index, cache-miss-retries")
      ->type_name("FAULT");
  demo->add_option("--rate", options->visits_per_second, "Visits a second")
      ->check(CLI::Range(0.01, 1000.0))
      ->capture_default_str();
  demo->add_option("--history", options->history, "How much past to send first, at most 7d")
      ->type_name("DURATION")
      ->capture_default_str();
  demo->add_option("--for", options->runs_for, "Stop after this time; 0s sends the past only")
      ->type_name("DURATION");
  demo->add_option("--seed", options->seed, "The same seed makes the same visits");
  AddAccessOptions(demo, &options->access);
  demo->callback([options, exit_code] { *exit_code = RunDemo(*options); });
}

}  // namespace weft::cli

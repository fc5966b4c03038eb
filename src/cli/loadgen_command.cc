// SPDX-License-Identifier: Apache-2.0
#include "cli/loadgen_command.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "cli/server_access.h"
#include "cli/time_option.h"
#include "cli/trace_source.h"
#include "load/load_sender.h"
#include "load/load_shape.h"
#include "load/pace.h"
#include "terminal/terminal.h"

namespace weft::cli {

using terminal::Count;
using terminal::PrintError;

namespace {

// Requests are made in rounds of about so many bytes, and a round is sent as a whole.
constexpr uint64_t kRoundBytes = 256ull << 20;
// Made while the round before is sent: smaller, so that two of them are no more memory than needed.
constexpr uint64_t kRoundBytesAhead = 64ull << 20;

struct LoadgenOptions {
  std::string url;  // empty: this machine, at the protocol's port
  bool grpc = false;
  load::LoadOptions load;
  std::string spread = "24h";
  double rate = 0;
  uint32_t connections = 4;
  std::string acked_path;
  bool json = false;
  bool ahead = false;
  AccessOptions access;
};

// One line "trace_id spans" for each acknowledged trace, flushed with each request: what is written
// here was acknowledged, whatever happens to this process.
class AckedFile {
 public:
  ~AckedFile() {
    if (file_ != nullptr) std::fclose(file_);
  }
  bool Open(const std::string& path) {
    file_ = std::fopen(path.c_str(), "a");
    return file_ != nullptr;
  }
  void Write(const load::LoadRequest& request) {
    for (const load::LoadRequest::Trace& trace : request.traces) {
      fmt::print(file_, "{} {}\n", trace.id.ToHex(), trace.spans);
    }
    std::fflush(file_);
  }

 private:
  std::FILE* file_ = nullptr;
};

class LoadgenRun {
 public:
  LoadgenRun(const LoadgenOptions& options, std::unique_ptr<load::LoadShape> shape,
             outgoing::ClientSecurity security)
      : options_(options), shape_(std::move(shape)) {
    send_.url = options.url;
    send_.security = std::move(security);
    send_.protocol = options.grpc ? load::OtlpProtocol::kGrpc : load::OtlpProtocol::kHttp;
    send_.connections = options.connections;
    if (options.rate > 0) send_.pace = &pace_.emplace(options.rate);
  }

  int Run() {
    AckedFile acked;
    if (!options_.acked_path.empty()) {
      if (!acked.Open(options_.acked_path)) {
        PrintError(options_.acked_path + ": " + std::strerror(errno));
        return 1;
      }
      send_.acked = [&acked](const load::LoadRequest& request) { acked.Write(request); };
    }
    load::SendReport total;
    std::vector<load::LoadRequest> round = NextRound();
    while (!round.empty() && total.error.empty()) {
      // At a set pace the next round is made meanwhile; at full speed that would take the server's
      // processor time, unless the two have cores of their own.
      std::future<std::vector<load::LoadRequest>> next;
      if (options_.rate > 0 || options_.ahead)
        next = std::async(std::launch::async, [this] { return NextRound(); });
      total.Add(load::Send(round, send_));
      round.clear();
      round = next.valid() ? next.get() : NextRound();
    }
    if (pace_) {
      // The rate is that of the whole run: the last request's spans take their time too.
      if (total.error.empty()) pace_->WaitUntil(pace_->EndNs());
      total.elapsed_ns = pace_->ElapsedNs();
    }
    std::sort(total.latency_ns.begin(), total.latency_ns.end());
    options_.json ? PrintJson(total) : Print(total);
    if (total.error.empty()) return 0;
    PrintError(total.error);
    return 1;
  }

 private:
  std::vector<load::LoadRequest> NextRound() {
    // At a set pace a round is about a second, so that the first does not keep one waiting.
    uint64_t spans_max = options_.rate > 0 ? static_cast<uint64_t>(options_.rate) + 1 : UINT64_MAX;
    const uint64_t bytes_max = options_.ahead ? kRoundBytesAhead : kRoundBytes;
    std::vector<load::LoadRequest> round;
    uint64_t bytes = 0, spans = 0;
    while (made_ < options_.load.spans && bytes < bytes_max && spans < spans_max) {
      uint64_t left = options_.load.spans - made_;
      round.push_back(load::NextRequest(shape_.get(), static_cast<uint32_t>(std::min<uint64_t>(
                                                          left, options_.load.spans_per_request))));
      bytes += round.back().body.size();
      spans += round.back().spans;
      made_ += round.back().spans;
    }
    bytes_ += bytes;
    return round;
  }

  static double Ms(uint64_t ns) { return static_cast<double>(ns) / 1e6; }
  static double PerSecond(const load::SendReport& total) {
    return total.elapsed_ns == 0
               ? 0
               : static_cast<double>(total.spans) / (static_cast<double>(total.elapsed_ns) / 1e9);
  }

  void Print(const load::SendReport& total) const {
    fmt::print("acknowledged  {} in {}, {:.2f} s\n", Count(total.spans, "span"),
               Count(total.requests, "request"), static_cast<double>(total.elapsed_ns) / 1e9);
    fmt::print("rate          {:.0f} spans/s\n", PerSecond(total));
    fmt::print("latency       p50 {:.2f} ms  p99 {:.2f} ms  max {:.2f} ms\n",
               Ms(total.LatencyNs(0.5)), Ms(total.LatencyNs(0.99)), Ms(total.LatencyNs(1)));
    fmt::print("not kept      {} rejected, {} tried again\n", Count(total.rejected_spans, "span"),
               Count(total.retries, "request"));
  }

  void PrintJson(const load::SendReport& total) const {
    fmt::print(
        "{{\"spans\": {}, \"requests\": {}, \"bytes\": {}, \"elapsedNs\": {}, \"spansPerSecond\": "
        "{:.0f}, "
        "\"latencyNs\": {{\"p50\": {}, \"p99\": {}, \"max\": {}}}, \"rejectedSpans\": {}, "
        "\"retries\": {}}}\n",
        total.spans, total.requests, bytes_, total.elapsed_ns, PerSecond(total),
        total.LatencyNs(0.5), total.LatencyNs(0.99), total.LatencyNs(1), total.rejected_spans,
        total.retries);
  }

  const LoadgenOptions& options_;
  std::unique_ptr<load::LoadShape> shape_;
  std::optional<load::Pace> pace_;
  load::SendOptions send_;
  uint64_t made_ = 0, bytes_ = 0;
};

int RunLoadgen(LoadgenOptions options) {
  if (options.url.empty()) {
    options.url = options.grpc ? "http://127.0.0.1:4317" : "http://127.0.0.1:4318";
  }
  Result<uint64_t> spread_ns = ReadDurationNs("--spread", options.spread);
  if (!spread_ns) return ExitCodeOf(Fail(spread_ns.error()));
  const uint64_t now_ns = SystemClock()->NowNs();
  options.load.window_ns = std::min(*spread_ns, now_ns);
  options.load.start_ns = now_ns - options.load.window_ns;
  auto shape = load::MakeLoadShape(options.load);
  if (!shape) {
    PrintError(shape.error().message);
    return 2;
  }
  Status url = CheckUrl(options.url);
  Result<outgoing::ClientSecurity> security = ReadAccess(options.access);
  if (!url) return ExitCodeOf(url);
  if (!security) return ExitCodeOf(Fail(security.error()));
  return LoadgenRun(options, std::move(*shape), std::move(*security)).Run();
}

}  // namespace

void AddLoadgenCommand(CLI::App* app, int* exit_code) {
  auto options = std::make_shared<LoadgenOptions>();
  CLI::App* loadgen = app->add_subcommand("loadgen", "Send generated spans and measure");
  loadgen->footer(
      "Requests are made before the time is taken, unless --ahead. `shop` looks like a company of "
      "15 services, "
      "`tracegen` like the load that trace stores publish numbers for.\n"
      "Examples:\n"
      "  weft loadgen --spans 1000000\n"
      "  weft loadgen --protocol grpc --shape tracegen --connections 8\n"
      "  weft loadgen --rate 5000 --spans 300000 --json\n"
      "Exit codes: 0 everything was acknowledged, 1 it was not, 2 wrong arguments.");
  loadgen
      ->add_option("--url", options->url,
                   "OTLP receiver (this machine's where not given: port 4318, or 4317 for grpc)")
      ->type_name("URL");
  auto protocol = std::make_shared<std::string>("http");
  loadgen->add_option("--protocol", *protocol, "OTLP over this")
      ->check(CLI::IsMember({"http", "grpc"}))
      ->capture_default_str();
  loadgen->add_option("--shape", options->load.shape, "What the spans look like")
      ->check(CLI::IsMember({"shop", "tracegen"}))
      ->capture_default_str();
  loadgen->add_option("--spans", options->load.spans, "How many")->capture_default_str();
  loadgen
      ->add_option("--rate", options->rate,
                   "Spans a second over the whole run; 0: as fast as they are taken")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  loadgen->add_option("--connections", options->connections, "One request at a time on each")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  loadgen->add_option("--spans-per-request", options->load.spans_per_request, "At least so many")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  loadgen->add_option("--spread", options->spread, "The spans' times: this long back, till now")
      ->type_name("DURATION")
      ->capture_default_str();
  loadgen->add_option("--seed", options->load.seed, "The same seed makes the same spans")
      ->capture_default_str();
  loadgen
      ->add_option("--acked", options->acked_path,
                   "Append `trace_id spans` to this file for each acknowledged trace")
      ->type_name("FILE");
  loadgen->add_flag("--ahead", options->ahead,
                    "Make requests while others are sent: for a load that never pauses, from a "
                    "processor that the server does not need");
  loadgen->add_flag("--json", options->json, "Print one JSON object");
  AddAccessOptions(loadgen, &options->access);
  loadgen->callback([options, protocol, exit_code] {
    options->grpc = *protocol == "grpc";
    *exit_code = RunLoadgen(*options);
  });
}

}  // namespace weft::cli

// SPDX-License-Identifier: Apache-2.0
#include "cli/follow.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/live_tail.h"
#include "cli/search_output.h"
#include "codec/otlp.h"
#include "terminal/service_colours.h"
#include "terminal/span_lines.h"
#include "terminal/terminal.h"

namespace weft::cli {

using terminal::Plain;
using terminal::PrintError;
using terminal::ServiceColours;
using terminal::Terminal;

namespace {

constexpr uint64_t kLookEveryNs = 1'000'000'000;
constexpr uint64_t kRestShare = 4;

bool IsPassing(const Error& error) {
  return error.code == ErrorCode::kUnavailable || error.code == ErrorCode::kIo ||
         error.code == ErrorCode::kResourceExhausted;
}

// Calls `look` for ever. The first error, and any that trying again cannot mend, ends it.
template <class Look>
int LookAgainAndAgain(Look look) {
  // Whatever was printed is complete: every look flushes.
  signal(SIGINT, [](int) { _exit(kExitOk); });
  signal(SIGTERM, [](int) { _exit(kExitOk); });
  bool answered = false, away = false;
  for (;;) {
    uint64_t began_ns = SystemClock()->MonotonicNs();
    Status status = look();
    if (Status printed = terminal::FlushOutput(); !printed) return ExitCodeOf(printed);
    if (!status && (!answered || !IsPassing(status.error()))) {
      PrintError(status.error().message);
      return ExitCodeOf(status.error());
    }
    if (!status && !away) PrintError(status.error().message + "; trying again");
    if (status && away) PrintError("the server answers again");
    away = !status;
    answered = true;
    uint64_t took_ns = SystemClock()->MonotonicNs() - began_ns;
    std::this_thread::sleep_for(
        std::chrono::nanoseconds(std::max(kLookEveryNs, kRestShare * took_ns)));
  }
}

// "12:30:00.123  checkout POST /pay  87.3 ms"; a log record: "12:30:00.123  checkout  ERROR ...".
void PrintNews(const SpanBatch& batch, const Terminal& terminal, ServiceColours* colours) {
  size_t log = 0;
  auto print_logs_before = [&](uint64_t ns) {
    for (; log < batch.logs.size() && terminal::LogTimeNs(batch.logs[log]) < ns; ++log)
      fmt::print("{}", terminal::LogLines(batch, batch.logs[log], 0, terminal));
  };
  for (const Span& span : batch.spans) {
    print_logs_before(span.start_ns);
    std::string service(ServiceName(batch.resources[span.resource]));
    bool error = span.status == StatusCode::kError;
    fmt::print("{}  {}{}{} {}  {}{}{}{}\n", terminal::LocalTime(span.start_ns),
               colours->Escape(service, terminal), terminal::CleanText(service), Plain(terminal),
               terminal::CleanText(span.name), terminal::Bold(terminal),
               terminal::ShortDuration(DurationNs(span)), Plain(terminal),
               error ? terminal::Red(terminal) + "  error" + Plain(terminal) : "");
  }
  print_logs_before(UINT64_MAX);
}

}  // namespace

int FollowQuery(TraceSource* source, const query::SearchRequest& request, uint64_t since_ns,
                bool as_json) {
  SearchTail tail(source, request, since_ns, SystemClock());
  Terminal terminal = terminal::StandardOutput();
  if (!as_json) fmt::print("{}", TraceTableHead(terminal));
  ServiceColours colours;
  std::string partial;
  return LookAgainAndAgain([&]() -> Status {
    WEFT_ASSIGN(auto found, tail.Poll());
    for (const query::TraceSummary& trace : found)
      fmt::print("{}",
                 as_json ? TraceJson(trace) + "\n" : TraceTableRow(trace, terminal, &colours));
    if (!tail.partial().empty() && partial.empty())
      PrintError("partial: " + tail.partial() + "; some matches may be missing");
    partial = tail.partial();
    return {};
  });
}

int FollowTrace(TraceSource* source, const TraceId& id, bool as_json) {
  SpanTail tail(source, id);
  Terminal terminal = terminal::StandardOutput();
  ServiceColours colours;
  bool waits = false;
  std::string partial;
  return LookAgainAndAgain([&]() -> Status {
    WEFT_ASSIGN(SpanBatch batch, tail.Poll());
    if (!tail.partial().empty() && partial.empty()) PrintError("partial: " + tail.partial());
    partial = tail.partial();
    if (batch.empty() && !waits && !tail.any())
      terminal::PrintNote(fmt::format("no trace {} yet: waiting", id.ToHex()));
    waits = true;
    if (batch.empty()) return {};
    if (!as_json) {
      PrintNews(batch, terminal, &colours);
      return {};
    }
    std::string text;
    if (!batch.spans.empty()) codec::EncodeOtlpTraces(codec::OtlpFormat::kJson, batch, &text);
    if (!batch.spans.empty() && !batch.logs.empty()) text += "\n";
    if (!batch.logs.empty()) codec::EncodeOtlpLogs(codec::OtlpFormat::kJson, batch, &text);
    fmt::print("{}\n", text);
    return {};
  });
}

}  // namespace weft::cli

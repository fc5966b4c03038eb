// SPDX-License-Identifier: Apache-2.0
//
// --since, --from and --to: which part of time a command looks at; durations in other options.
//
// Thread rule: pure functions. Next: cli/query_command.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace CLI {
class App;
}

namespace weft::cli {

struct TimeOptions {
  std::string since, from, to;
};
void AddTimeOptions(CLI::App* command, TimeOptions* options);

// The span starts asked for: [start, end); 0, 0: all time.
struct TimeWindow {
  uint64_t start_ns = 0, end_ns = 0;
};
// Later than any span.
inline constexpr uint64_t kEndOfTimeNs = 1ull << 63;

// kInvalidArgument names the option and what it takes.
Result<TimeWindow> ReadTimeWindow(const TimeOptions& options, uint64_t now_ns);

// "15m", "1h30m", "2d", "0". kInvalidArgument names the option and what it takes.
Result<uint64_t> ReadDurationNs(std::string_view option, std::string_view text);

// "now", "15m" (so long before now), "2026-11-21", "2026-11-21 06:30[:15[.5]]", the same with T and
// with Z or +01:00 behind it, "06:30" (today), seconds or nanoseconds since 1970. Without a zone:
// local time. Nothing for another text.
std::optional<uint64_t> ParseMoment(std::string_view text, uint64_t now_ns);

}  // namespace weft::cli

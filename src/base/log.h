// SPDX-License-Identifier: Apache-2.0
//
// The server's own log: one line per event on stderr, for the person who runs it. Levels are few;
// what a user must act on is a warning or an error, what happened is info. Text that came from a
// peer is escaped, so that it cannot forge a line or drive a terminal. Metrics (base/metrics.h)
// count what happens often; nothing on a per-request path logs above debug.
//
// Thread rule: every function may be called from any thread; a line is written whole.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace weft {

enum class LogLevel : uint8_t { kDebug, kInfo, kWarn, kError, kOff };

// "debug", "info", "warn", "error", "off", in any case.
std::optional<LogLevel> ParseLogLevel(std::string_view name);
// Lines below `level` are not written. Info at start.
void SetLogLevel(LogLevel level);
LogLevel GetLogLevel();

// "2026-11-21T01:30:00.123Z INFO room: message". `room` is the room of src/ that speaks.
void Log(LogLevel level, std::string_view room, std::string_view message);

// Replaces stderr, for tests; null restores it.
void SetLogSink(std::function<void(std::string_view line)> sink);

// Control characters as \xNN, so that peers' text is safe in a line.
std::string EscapeForLog(std::string_view text);

}  // namespace weft

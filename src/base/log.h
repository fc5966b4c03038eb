// SPDX-License-Identifier: Apache-2.0
//
// The server's own log: one line per event on stderr, for the person who runs it, and as JSON for
// machines. What varies stands in fields, so that a message can be counted and searched:
//
//   Log(LogLevel::kWarn, "store", "compaction failed", {{"tenant", name}, {"error", why}});
//
// Levels are few; what a user must act on is a warning or an error, what happened is info. Text
// that came from a peer is escaped (wire_core/printable.h): it cannot forge a line or drive a
// terminal. Secrets never come here. A message that repeats is sampled (base/log_sampler.h): no
// peer can fill a disk.
//
// Thread rule: every function may be called from any thread; a line is written whole.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "base/log_sampler.h"

namespace weft {

enum class LogLevel : uint8_t { kDebug, kInfo, kWarn, kError, kOff };
enum class LogEncoding : uint8_t { kConsole, kJson };

// "debug", "info", "warn", "error", "off", in any case.
std::optional<LogLevel> ParseLogLevel(std::string_view name);
// Lines below `level` are not written. Info at start.
void SetLogLevel(LogLevel level);
LogLevel GetLogLevel();
// Console at start.
void SetLogEncoding(LogEncoding encoding);
void SetLogSampling(const LogSampling& sampling);

struct LogField {
  LogField(std::string_view name, std::string_view value) : key(name), text(value), is_text(true) {}
  LogField(std::string_view name, const std::string& value)
      : LogField(name, std::string_view(value)) {}
  LogField(std::string_view name, const char* value) : LogField(name, std::string_view(value)) {}
  LogField(std::string_view name, bool value) : key(name), text(value ? "true" : "false") {}
  LogField(std::string_view name, double value);
  template <std::integral T>
  LogField(std::string_view name, T value) : key(name), text(std::to_string(value)) {}

  std::string_view key;  // a constant: letters, digits and "_"
  std::string text;
  bool is_text = false;  // else a number or a bool
};
using LogFields = std::initializer_list<LogField>;

// console: 2026-11-21T01:30:00.123Z INFO store: flushed spans=120 took_s=0.03
// json:    {"ts":"2026-11-21T01:30:00.123Z","level":"info","room":"store","msg":"flushed",
//           "spans":120,"took_s":0.03}
// `room` is the room of src/ that speaks. Times are UTC.
void Log(LogLevel level, std::string_view room, std::string_view message, LogFields fields = {});
// The same, never sampled: for what was asked for line by line (the debug exporter).
void LogAlways(LogLevel level, std::string_view room, std::string_view message,
               LogFields fields = {});

// Since the process began.
struct LogCounts {
  uint64_t debug = 0, info = 0, warn = 0, error = 0;  // lines written
  uint64_t suppressed = 0;                            // by sampling
};
LogCounts GetLogCounts();

// Replaces stderr, for tests; null restores it.
void SetLogSink(std::function<void(std::string_view line)> sink);

}  // namespace weft

// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <unistd.h>

#include <atomic>
#include <cctype>
#include <cstdio>
#include <ctime>
#include <mutex>

#include "base/clock.h"

namespace weft {
namespace {

std::atomic<LogLevel> g_level{LogLevel::kInfo};

struct Sink {
  std::mutex mutex;
  std::function<void(std::string_view)> write;
};
Sink& GetSink() {
  static Sink sink;
  return sink;
}

std::string_view LevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "DEBUG";
    case LogLevel::kInfo:
      return "INFO";
    case LogLevel::kWarn:
      return "WARN";
    default:
      return "ERROR";
  }
}

std::string Timestamp() {
  uint64_t now_ms = SystemClock()->NowNs() / 1'000'000;
  time_t seconds = static_cast<time_t>(now_ms / 1000);
  tm parts{};
  gmtime_r(&seconds, &parts);
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", parts.tm_year + 1900,
                parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                static_cast<int>(now_ms % 1000));
  return text;
}

}  // namespace

std::optional<LogLevel> ParseLogLevel(std::string_view name) {
  std::string lower;
  for (char c : name) lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (lower == "debug") return LogLevel::kDebug;
  if (lower == "info") return LogLevel::kInfo;
  if (lower == "warn" || lower == "warning") return LogLevel::kWarn;
  if (lower == "error") return LogLevel::kError;
  if (lower == "off") return LogLevel::kOff;
  return std::nullopt;
}

void SetLogLevel(LogLevel level) { g_level.store(level, std::memory_order_relaxed); }
LogLevel GetLogLevel() { return g_level.load(std::memory_order_relaxed); }

std::string EscapeForLog(std::string_view text) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(text.size());
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7F) {
      out += c;
    } else {
      out += "\\x";
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    }
  }
  return out;
}

void Log(LogLevel level, std::string_view room, std::string_view message) {
  if (level < GetLogLevel() || level == LogLevel::kOff) return;
  std::string line = Timestamp();
  line += ' ';
  line += LevelName(level);
  line += ' ';
  line += room;
  line += ": ";
  line += EscapeForLog(message);
  line += '\n';
  Sink& sink = GetSink();
  std::lock_guard lock(sink.mutex);
  if (sink.write) {
    sink.write(line);
    return;
  }
  // One write per line; a log that cannot be written has nowhere to report that.
  [[maybe_unused]] ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

void SetLogSink(std::function<void(std::string_view line)> sink) {
  std::lock_guard lock(GetSink().mutex);
  GetSink().write = std::move(sink);
}

}  // namespace weft

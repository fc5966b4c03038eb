// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <unistd.h>

#include <atomic>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <mutex>
#include <utility>

#include "base/clock.h"
#include "wire_core/printable.h"

namespace weft {
namespace {

std::atomic<LogLevel> g_level{LogLevel::kInfo};

std::atomic<LogEncoding> g_encoding{LogEncoding::kConsole};
std::atomic<uint64_t> g_lines[static_cast<int>(LogLevel::kOff)];
std::atomic<uint64_t> g_suppressed{0};

struct Sink {
  std::mutex mutex;
  std::function<void(std::string_view)> write;
  LogSampler sampler;
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

// `base` is the lowest room and has no JSON writer; a log line needs strings alone.
void AppendJsonString(std::string_view text, std::string* out) {
  *out += '"';
  while (!text.empty()) {
    Character character = FirstCharacter(text);
    if (!character.is_utf8) {
      *out += "\\ufffd";
    } else if (!character.printable) {
      char escape[16];
      std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(character.code));
      *out += escape;
    } else {
      if (text[0] == '"' || text[0] == '\\') *out += '\\';
      *out += text.substr(0, character.bytes);
    }
    text.remove_prefix(character.bytes);
  }
  *out += '"';
}

// As it is where that is one plain word, else quoted.
void AppendConsoleValue(const LogField& field, std::string* out) {
  bool plain = !field.text.empty() && field.text.find_first_of(" \"=\\") == std::string::npos;
  if (!field.is_text || plain) {
    *out += EscapeUnprintable(field.text);
    return;
  }
  *out += '"';
  for (char c : EscapeUnprintable(field.text)) {
    if (c == '"') *out += '\\';
    *out += c;
  }
  *out += '"';
}

std::string ConsoleLine(LogLevel level, std::string_view room, std::string_view message,
                        LogFields fields, uint64_t suppressed) {
  std::string line = Timestamp();
  line.append(" ").append(LevelName(level)).append(" ").append(room).append(": ");
  line += EscapeUnprintable(message);
  for (const LogField& field : fields) {
    line.append(" ").append(field.key).append("=");
    AppendConsoleValue(field, &line);
  }
  if (suppressed > 0) line.append(" suppressed=").append(std::to_string(suppressed));
  line += '\n';
  return line;
}

std::string JsonLine(LogLevel level, std::string_view room, std::string_view message,
                     LogFields fields, uint64_t suppressed) {
  std::string line = "{\"ts\":\"" + Timestamp() + "\",\"level\":\"";
  for (char c : LevelName(level)) line += static_cast<char>(std::tolower(c));
  line += "\",\"room\":";
  AppendJsonString(room, &line);
  line += ",\"msg\":";
  AppendJsonString(message, &line);
  for (const LogField& field : fields) {
    line += ',';
    AppendJsonString(field.key, &line);
    line += ':';
    if (field.is_text) {
      AppendJsonString(field.text, &line);
    } else {
      line += field.text;
    }
  }
  if (suppressed > 0) line.append(",\"suppressed\":").append(std::to_string(suppressed));
  line += "}\n";
  return line;
}

void WriteLine(LogLevel level, std::string_view room, std::string_view message, LogFields fields,
               bool sampled) {
  if (level < GetLogLevel() || level == LogLevel::kOff) return;
  Sink& sink = GetSink();
  std::lock_guard lock(sink.mutex);
  uint64_t suppressed = 0;
  if (sampled) {
    std::string key = std::string(room) + static_cast<char>(level) + std::string(message);
    if (!sink.sampler.Pass(key, SystemClock()->MonotonicNs(), &suppressed)) {
      g_suppressed.fetch_add(1, std::memory_order_relaxed);
      return;
    }
  }
  g_lines[static_cast<int>(level)].fetch_add(1, std::memory_order_relaxed);
  std::string line = g_encoding.load(std::memory_order_relaxed) == LogEncoding::kJson
                         ? JsonLine(level, room, message, fields, suppressed)
                         : ConsoleLine(level, room, message, fields, suppressed);
  if (sink.write) {
    sink.write(line);
    return;
  }
  // One write per line; a log that cannot be written has nowhere to report that.
  [[maybe_unused]] ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace

bool LogSampler::Pass(std::string_view key, uint64_t now_ns, uint64_t* suppressed) {
  *suppressed = 0;
  if (!sampling_.enabled) return true;
  Slot& slot = slots_[std::hash<std::string_view>()(key) % slots_.size()];
  if (slot.seen == 0 || now_ns - slot.began_ns >= sampling_.tick_ns) {
    slot.began_ns = now_ns;
    slot.seen = 0;
  }
  ++slot.seen;
  bool pass =
      slot.seen <= sampling_.initial ||
      (sampling_.thereafter > 0 && (slot.seen - sampling_.initial) % sampling_.thereafter == 0);
  if (pass) {
    *suppressed = std::exchange(slot.suppressed, 0);
  } else {
    ++slot.suppressed;
  }
  return pass;
}

LogField::LogField(std::string_view name, double value) : key(name) {
  char number[64];
  // JSON has no word for what is not finite.
  std::snprintf(number, sizeof number, "%.6g", std::isfinite(value) ? value : 0.0);
  text = number;
}

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

void SetLogEncoding(LogEncoding encoding) { g_encoding = encoding; }
void SetLogSampling(const LogSampling& sampling) {
  std::lock_guard lock(GetSink().mutex);
  GetSink().sampler.Configure(sampling);
}

void Log(LogLevel level, std::string_view room, std::string_view message, LogFields fields) {
  WriteLine(level, room, message, fields, true);
}

void LogAlways(LogLevel level, std::string_view room, std::string_view message, LogFields fields) {
  WriteLine(level, room, message, fields, false);
}

LogCounts GetLogCounts() {
  auto lines = [](LogLevel level) {
    return g_lines[static_cast<int>(level)].load(std::memory_order_relaxed);
  };
  return {lines(LogLevel::kDebug), lines(LogLevel::kInfo), lines(LogLevel::kWarn),
          lines(LogLevel::kError), g_suppressed.load(std::memory_order_relaxed)};
}

void SetLogSink(std::function<void(std::string_view line)> sink) {
  std::lock_guard lock(GetSink().mutex);
  GetSink().write = std::move(sink);
}

}  // namespace weft

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

void AppendHex(unsigned char byte, std::string* out) {
  static constexpr char kDigits[] = "0123456789abcdef";
  *out += kDigits[byte >> 4];
  *out += kDigits[byte & 15];
}

// Bytes of the UTF-8 character at the front of `text`; 0 where there is none.
size_t Utf8Length(std::string_view text) {
  auto byte = [text](size_t i) { return static_cast<unsigned char>(text[i]); };
  size_t length = byte(0) < 0x80   ? 1
                  : byte(0) < 0xC2 ? 0
                  : byte(0) < 0xE0 ? 2
                  : byte(0) < 0xF0 ? 3
                  : byte(0) < 0xF5 ? 4
                                   : 0;
  if (length == 0 || length > text.size()) return 0;
  for (size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xC0) != 0x80) return 0;
  // Surrogates, overlong forms and what lies beyond Unicode differ in the second byte.
  if (length == 3 && ((byte(0) == 0xE0 && byte(1) < 0xA0) || (byte(0) == 0xED && byte(1) > 0x9F)))
    return 0;
  if (length == 4 && ((byte(0) == 0xF0 && byte(1) < 0x90) || (byte(0) == 0xF4 && byte(1) > 0x8F)))
    return 0;
  return length;
}

// `base` is the lowest room and has no JSON writer; a log line needs strings alone.
void AppendJsonString(std::string_view text, std::string* out) {
  *out += '"';
  while (!text.empty()) {
    size_t length = Utf8Length(text);
    auto first = static_cast<unsigned char>(text[0]);
    if (length == 0) {
      *out += "\\ufffd";
    } else if (first == '"' || first == '\\') {
      *out += '\\';
      *out += text[0];
    } else if (first < 0x20 || first == 0x7F) {
      *out += "\\u00";
      AppendHex(first, out);
    } else {
      *out += text.substr(0, length);
    }
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  *out += '"';
}

// As it is where that is one plain word, else quoted.
void AppendConsoleValue(const LogField& field, std::string* out) {
  bool plain = !field.text.empty() && field.text.find_first_of(" \"=\\") == std::string::npos;
  if (!field.is_text || plain) {
    *out += EscapeForLog(field.text);
    return;
  }
  *out += '"';
  for (char c : EscapeForLog(field.text)) {
    if (c == '"') *out += '\\';
    *out += c;
  }
  *out += '"';
}

std::string ConsoleLine(LogLevel level, std::string_view room, std::string_view message,
                        LogFields fields, uint64_t suppressed) {
  std::string line = Timestamp();
  line.append(" ").append(LevelName(level)).append(" ").append(room).append(": ");
  line += EscapeForLog(message);
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

std::string EscapeForLog(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7F) {
      out += c;
    } else {
      out += "\\x";
      AppendHex(byte, &out);
    }
  }
  return out;
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

// SPDX-License-Identifier: Apache-2.0
#include "terminal/terminal.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "wire_core/printable.h"

namespace weft::terminal {
namespace {

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

bool LocaleIsUtf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') continue;
    std::string lower;
    for (const char* c = value; *c != '\0'; ++c)
      lower += static_cast<char>(std::tolower(static_cast<unsigned char>(*c)));
    return lower.find("utf-8") != std::string::npos || lower.find("utf8") != std::string::npos;
  }
  return false;
}

// The environment variable where it is a number above 0.
uint32_t NumberIn(const char* variable, uint32_t otherwise) {
  const char* value = std::getenv(variable);
  std::string_view text(value == nullptr ? "" : value);
  uint32_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && number > 0 ? number : otherwise;
}

std::string Escape(const Terminal& terminal, std::string_view code) {
  return terminal.colour ? fmt::format("\x1b[{}m", code) : "";
}

}  // namespace

Terminal StandardOutput() {
  Terminal terminal;
  terminal.is_tty = isatty(STDOUT_FILENO) == 1;
  const char* no_colour = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  bool dumb = term != nullptr && std::string_view(term) == "dumb";
  terminal.colour = terminal.is_tty && !dumb && (no_colour == nullptr || *no_colour == '\0');
  terminal.utf8 = LocaleIsUtf8();
  winsize size{};
  if (terminal.is_tty && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) {
    if (size.ws_col > 0) terminal.width = size.ws_col;
    terminal.height = size.ws_row;
  }
  terminal.width = NumberIn("COLUMNS", terminal.width);
  if (terminal.is_tty) terminal.height = NumberIn("LINES", terminal.height);
  terminal.width = std::clamp(terminal.width, 40u, 400u);
  return terminal;
}

std::string CleanText(std::string_view text) { return ReplaceUnprintable(text); }

size_t TextWidth(std::string_view text) {
  return static_cast<size_t>(
      std::ranges::count_if(text, [](char c) { return !IsContinuation(c); }));
}

std::string Fit(std::string_view text, size_t width, bool utf8) {
  if (TextWidth(text) <= width) return std::string(text);
  if (width == 0) return "";
  size_t bytes = 0, points = 0;
  while (bytes < text.size()) {
    if (!IsContinuation(text[bytes]) && points++ == width - 1) break;
    ++bytes;
  }
  return std::string(text.substr(0, bytes)) + (utf8 ? "\u2026" : "~");
}

std::string Pad(std::string_view text, size_t width, bool utf8) {
  std::string out = Fit(text, width, utf8);
  out.append(width - TextWidth(out), ' ');
  return out;
}

std::vector<std::string> WrapLines(std::string_view text, size_t width) {
  width = std::max<size_t>(width, 1);
  std::vector<std::string> lines;
  std::string line;
  size_t line_width = 0;
  auto end_line = [&] {
    lines.push_back(std::move(line));
    line.clear();
    line_width = 0;
  };
  for (bool first = true;; first = false) {
    size_t gap = std::min(text.find_first_not_of(' '), text.size());
    text.remove_prefix(gap);
    if (text.empty()) break;
    std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(word.size());
    if (first) {
      gap = std::min(gap, width / 2);
    } else if (line_width + gap + TextWidth(word) > width) {
      end_line();
      gap = 0;
    }
    line.append(gap, ' ');
    line_width += gap;
    for (size_t at = 0; at < word.size();) {
      size_t bytes = 1;
      while (at + bytes < word.size() && IsContinuation(word[at + bytes])) ++bytes;
      if (line_width == width) end_line();
      line += word.substr(at, bytes);
      ++line_width;
      at += bytes;
    }
  }
  if (!line.empty() || lines.empty()) end_line();
  return lines;
}

std::string Count(uint64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string ShortDuration(uint64_t ns) {
  struct Unit {
    uint64_t ns;
    const char* name;
  };
  for (const Unit& unit :
       {Unit{86'400'000'000'000, "d"}, Unit{3'600'000'000'000, "h"}, Unit{60'000'000'000, "min"},
        Unit{1'000'000'000, "s"}, Unit{1'000'000, "ms"}, Unit{1'000, "us"}}) {
    double value = static_cast<double>(ns) / static_cast<double>(unit.ns);
    // What rounds up to the next unit is said in it: 999.7 us is 1.00 ms.
    if (value < 0.9995) continue;
    // Most clocks count whole microseconds: digits behind them would be made up.
    int digits = value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
    if (unit.ns == 1'000 && ns % 1'000 == 0) digits = 0;
    return fmt::format("{:.{}f} {}", value, digits, unit.name);
  }
  return fmt::format("{} ns", ns);
}

std::string LocalTime(uint64_t ns) {
  time_t seconds = static_cast<time_t>(ns / 1'000'000'000);
  tm parts{};
  if (localtime_r(&seconds, &parts) == nullptr) return fmt::format("{} ns", ns);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:03}", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     ns / 1'000'000 % 1000);
}

void PrintError(std::string_view message) { PrintNote(fmt::format("weft: {}", message)); }

void PrintNote(std::string_view message) {
  fmt::print(stderr, "{}\n", ReplaceUnprintableInLines(message));
}

Status LostOutput() {
  const int cause = errno;
  std::clearerr(stdout);
  if (cause == EPIPE) return {};
  const std::string why = cause == 0 ? "" : std::string(": ") + std::strerror(cause);
  return Fail(cause == ENOSPC ? ErrorCode::kNoSpace : ErrorCode::kIo,
              "cannot write the output" + why);
}

Status FlushOutput() {
  errno = 0;
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return {};
  return LostOutput();
}

std::string Red(const Terminal& terminal) { return Escape(terminal, "31"); }
std::string Bold(const Terminal& terminal) { return Escape(terminal, "1"); }
std::string Dim(const Terminal& terminal) { return Escape(terminal, "2"); }
std::string Plain(const Terminal& terminal) { return Escape(terminal, "0"); }

}  // namespace weft::terminal

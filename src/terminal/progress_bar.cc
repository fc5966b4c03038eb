// SPDX-License-Identifier: Apache-2.0
#include "terminal/progress_bar.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include "terminal/terminal.h"

namespace weft::terminal {
namespace {

constexpr int kCells = 24;

std::string Grouped(uint64_t number) {
  std::string digits = std::to_string(number), text;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

size_t StandardErrorWidth() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

}  // namespace

std::string ProgressLine(double part, uint64_t spans, double seconds, std::string_view what,
                         size_t width) {
  std::string line;
  if (part >= 0) {
    const int full = static_cast<int>(std::min(part, 1.0) * kCells);
    line = fmt::format("[{}{}] {:3.0f} %  ", std::string(static_cast<size_t>(full), '#'),
                       std::string(static_cast<size_t>(kCells - full), '.'),
                       std::min(part, 1.0) * 100);
  }
  line += Grouped(spans) + " spans";
  if (seconds > 0)
    line +=
        ", " + Grouped(static_cast<uint64_t>(static_cast<double>(spans) / seconds)) + " a second";
  if (!what.empty()) line += "  " + CleanText(what);
  return Fit(line, width, false);
}

ProgressBar::ProgressBar() : on_tty_(isatty(STDERR_FILENO) == 1) {}

void ProgressBar::Show(double part, uint64_t spans, std::string_view what) {
  constexpr auto kQuiet = std::chrono::milliseconds(500), kBetween = std::chrono::milliseconds(100);
  const Clock::time_point now = Clock::now();
  if (!on_tty_ || now - began_ < kQuiet || now - last_ < kBetween) return;
  last_ = now;
  drawn_ = true;
  const double seconds = std::chrono::duration<double>(now - began_).count();
  fmt::print(stderr, "\r\x1b[K{}",
             ProgressLine(part, spans, seconds, what, StandardErrorWidth() - 1));
  std::fflush(stderr);
}

void ProgressBar::Clear() {
  if (drawn_) fmt::print(stderr, "\r\x1b[K");
  drawn_ = false;
}

}  // namespace weft::terminal

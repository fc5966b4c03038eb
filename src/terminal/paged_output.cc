// SPDX-License-Identifier: Apache-2.0
#include "terminal/paged_output.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <sstream>

namespace weft::terminal {
namespace {

bool IsInPath(const std::string& program) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "/usr/bin:/bin" : path);
  for (std::string folder; std::getline(folders, folder, ':');)
    if (access((std::filesystem::path(folder) / program).c_str(), X_OK) == 0) return true;
  return false;
}

std::string PagerCommand() {
  if (const char* pager = std::getenv("PAGER"))
    return std::string_view(pager) == "cat" ? "" : pager;
  return IsInPath("less") ? "less -R" : "";
}

}  // namespace

size_t ScreenRows(std::string_view text, size_t width) {
  size_t rows = 0, column = 0;
  bool escape = false;
  for (char c : text) {
    if (escape) {
      escape = !(c >= '@' && c <= '~' && c != '[');
    } else if (c == '\x1b') {
      escape = true;
    } else if (c == '\n') {
      rows += std::max<size_t>(1, (column + width - 1) / width);
      column = 0;
    } else if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) {
      ++column;
    }
  }
  return rows;
}

PagedOutput::PagedOutput(const Terminal& terminal, bool allowed) : terminal_(terminal) {
  if (allowed && terminal.is_tty && terminal.height > 0) pager_ = PagerCommand();
}

PagedOutput::~PagedOutput() {
  // Who wants to know has called it.
  [[maybe_unused]] const Status written = Finish();
}

bool PagedOutput::Write(std::string_view text) {
  if (closed_) return false;
  if (pipe_ == nullptr && !pager_.empty()) {
    held_ += text;
    rows_ += ScreenRows(text, terminal_.width);
    // The shell's prompt needs a row too.
    if (rows_ < terminal_.height) return true;
    StartPager();
    text = held_;
  }
  if (pipe_ == nullptr) return Print(text);
  closed_ =
      std::fwrite(text.data(), 1, text.size(), pipe_) != text.size() || std::fflush(pipe_) != 0;
  return !closed_;
}

bool PagedOutput::Print(std::string_view text) {
  errno = 0;
  closed_ = std::fwrite(text.data(), 1, text.size(), stdout) != text.size();
  if (closed_) written_ = LostOutput();
  return !closed_;
}

void PagedOutput::StartPager() {
  // Where $PAGER is a bare `less`, colours still come through.
  setenv("LESS", "R", 0);
  std::fflush(stdout);
  pipe_ = popen(pager_.c_str(), "w");
  if (pipe_ == nullptr) {
    pager_.clear();
    return;
  }
  // After popen(), because a child keeps what is ignored. The pager handles Ctrl-C; whoever quits
  // it ends us through the closed pipe.
  signal(SIGINT, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
}

Status PagedOutput::Finish() {
  if (pipe_ != nullptr) {
    pclose(pipe_);
    pipe_ = nullptr;
    closed_ = true;
  } else if (!pager_.empty()) {
    Print(held_);
  }
  // Called again, it has nothing left to print.
  held_.clear();
  pager_.clear();
  if (written_) written_ = FlushOutput();
  return written_;
}

}  // namespace weft::terminal

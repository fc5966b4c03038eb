// SPDX-License-Identifier: Apache-2.0
//
// A line on standard error that is drawn over itself while something long runs, where a person
// watches: nothing is drawn when standard error is no terminal, or in the first half second.
//
//   [############............]  50 %  1,234,567 spans, 310,000 a second  traces.json
//
// Thread rule: one thread. Used by cli/import_run.cc and cli/export_command.cc.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace weft::terminal {

class ProgressBar {
 public:
  ProgressBar();
  ~ProgressBar() { Clear(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // `part` from 0 to 1; negative where nobody knows.
  void Show(double part, uint64_t spans, std::string_view what);
  // Takes the line away, for other output.
  void Clear();

 private:
  using Clock = std::chrono::steady_clock;

  const bool on_tty_;
  const Clock::time_point began_ = Clock::now();
  Clock::time_point last_ = began_;
  bool drawn_ = false;
};

// One line of it, cut to `width` columns.
std::string ProgressLine(double part, uint64_t spans, double seconds, std::string_view what,
                         size_t width);

}  // namespace weft::terminal

// SPDX-License-Identifier: Apache-2.0
//
// What the output goes to, and text fit for it. Colours only on a terminal and without NO_COLOR;
// drawing characters only where the locale is UTF-8. Text out of spans, files and arguments is
// cleaned before it is printed (wire_core/printable.h), so that none of it can drive the terminal;
// also where the output is no terminal, for a pager, a log or a clipboard ends at one.
//
// Thread rule: pure functions. Next: terminal/service_colours.h.
#pragma once

// The room. Nothing here knows a command or where data comes from: values in, text out.
//
//     DrawWaterfall          a trace                   (waterfall.h; which spans: row_filter.h)
//     EventLines, LogLines   what happened in a span   (span_lines.h)
//     ServiceColours         a colour a service        (service_colours.h)
//          |
//     Terminal               width, colours, clean text        (here)
//          |
//     PagedOutput            standard output, by pages (paged_output.h)
//     ProgressBar            standard error            (progress_bar.h)

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace weft::terminal {

struct Terminal {
  bool is_tty = false;
  bool colour = false;
  bool utf8 = true;
  uint32_t width = 100;
  uint32_t height = 0;  // 0: endless
};
// Of standard output; COLUMNS and LINES override its size.
Terminal StandardOutput();

// One line: what is not printable is replaced by "?".
std::string CleanText(std::string_view text);
// Code points.
size_t TextWidth(std::string_view text);
// At most `width` code points, the last one an ellipsis where something was cut.
std::string Fit(std::string_view text, size_t width, bool utf8);
std::string Pad(std::string_view text, size_t width, bool utf8);

// The words of a text in lines of at most `width`; a word that is longer is cut over several.
// Spaces stay as they are, but for those where a line is broken.
std::vector<std::string> WrapLines(std::string_view text, size_t width);
// "1 span", "2 spans".
std::string Count(uint64_t count, std::string_view noun);

// "4.20 s", "87.3 ms", "512 us".
std::string ShortDuration(uint64_t ns);
// "2026-11-21 01:30:00.123", local time.
std::string LocalTime(uint64_t ns);

// "weft: MESSAGE" on standard error, cleaned; the message may have several lines.
void PrintError(std::string_view message);
// The same without "weft: ". Nothing else in the rooms of the command line writes to standard
// error.
void PrintNote(std::string_view message);

// Writes what is still buffered for standard output. An error: something of it was lost, now or
// before, which is said once; none where the reader of a pipe has gone.
Status FlushOutput();
// The error for a write to standard output that has just failed, by errno.
Status LostOutput();

// Escape sequences; empty without colour. Those of services: terminal/service_colours.h.
std::string Red(const Terminal& terminal);
std::string Bold(const Terminal& terminal);
std::string Dim(const Terminal& terminal);
std::string Plain(const Terminal& terminal);

}  // namespace weft::terminal

// SPDX-License-Identifier: Apache-2.0
#include "terminal/span_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "query/value_text.h"

namespace weft::terminal {
namespace {

constexpr size_t kClockFrom = 11, kClockWidth = 12;  // of LocalTime(): "12:30:00.123"
constexpr uint32_t kErrorSeverity = 17;              // OpenTelemetry's ERROR

// A text of several lines as its lines, each clean.
std::vector<std::string> CleanLines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    std::string clean;
    for (char c : line) clean += c == '\t' ? ' ' : c;
    lines.push_back(CleanText(clean));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

// The time, then the text filled beside it; what does not fit on a line goes on below the text.
std::string Lines(uint64_t time_ns, const std::string& colour, std::string_view text, size_t indent,
                  const Terminal& terminal) {
  std::string clock = LocalTime(time_ns);
  if (clock.size() >= kClockFrom + kClockWidth) clock = clock.substr(kClockFrom, kClockWidth);
  size_t column = indent + clock.size() + 2;
  // A pipe gets whole lines.
  size_t width =
      !terminal.is_tty
          ? SIZE_MAX
          : std::max<size_t>(16, terminal.width - std::min<size_t>(column, terminal.width));
  std::string out = std::string(indent, ' ') + Dim(terminal) + clock + Plain(terminal) + "  ";
  bool first = true;
  for (const std::string& whole : CleanLines(text))
    for (const std::string& line : WrapLines(whole, width)) {
      out += (first ? "" : std::string(column, ' ')) + colour + line +
             (colour.empty() ? "" : Plain(terminal)) + "\n";
      first = false;
    }
  return first ? out + "\n" : out;
}

// Values of several lines come last, below their key.
std::string AttributesText(Attributes attributes) {
  std::string beside, below;
  for (const KeyValue& attribute : attributes) {
    std::string value = query::ValueText(attribute.value);
    bool long_text = value.find('\n') != std::string::npos;
    (long_text ? below : beside) += fmt::format("{}{}={}{}", long_text ? "\n" : "  ", attribute.key,
                                                long_text ? "\n" : "", value);
  }
  return beside + below;
}

}  // namespace

uint64_t LogTimeNs(const LogRecord& log) {
  return log.time_ns != 0 ? log.time_ns : log.observed_ns;
}

std::string LogLines(const SpanBatch& batch, const LogRecord& log, size_t indent,
                     const Terminal& terminal) {
  std::string severity = CleanText(SeverityText(log));
  std::string text = severity.empty() ? "" : severity + "  ";
  // A record without a span of its own in sight says whose it is.
  if (indent == 0) text += CleanText(ServiceName(batch.resources[log.resource])) + "  ";
  if (!log.event_name.empty()) text += std::string(log.event_name) + "  ";
  if (log.body.type != ValueType::kEmpty) text += query::ValueText(log.body);
  text += AttributesText(log.attributes);
  return Lines(LogTimeNs(log), log.severity_number >= kErrorSeverity ? Red(terminal) : "", text,
               indent, terminal);
}

std::string EventLines(const Event& event, size_t indent, const Terminal& terminal) {
  return Lines(event.time_ns, event.name == "exception" ? Red(terminal) : "",
               std::string(event.name) + AttributesText(event.attributes), indent, terminal);
}

}  // namespace weft::terminal

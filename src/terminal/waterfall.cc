// SPDX-License-Identifier: Apache-2.0
#include "terminal/waterfall.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <vector>

#include "model/span_twins.h"
#include "terminal/service_colours.h"
#include "terminal/span_lines.h"

namespace weft::terminal {
namespace {

constexpr size_t kDurationWidth = 9;
constexpr size_t kMarksWidth = 8;
constexpr size_t kIndentMax = 40;      // deeper levels are drawn as deep as this
constexpr size_t kLabelMin = 12;       // columns of a label
constexpr size_t kBesideIndent = 12;   // columns of a label that the indentation leaves to its text
constexpr uint32_t kNarrowWidth = 60;  // here a level is one column deep

class Waterfall {
 public:
  Waterfall(const TraceId& id, const trace::TraceView& view, const WaterfallOptions& options,
            const Terminal& terminal)
      : id_(id), batch_(*view.batch), terminal_(terminal), view_(view), options_(options) {
    for (const LogRecord& log : batch_.logs) logs_[log.span_id].push_back(&log);
    rows_with_pieces_.resize(batch_.spans.size());
    size_t fixed = kDurationWidth + kMarksWidth + 4;
    size_t free = terminal.width > fixed ? terminal.width - fixed : 0;
    const size_t label_max = std::max(kLabelMin, free / 2);
    SetIndent(label_max);
    SetColours();
    for (uint32_t row = 0; row < batch_.spans.size(); ++row)
      if (IsShown(row)) label_width_ = std::max(label_width_, TextWidth(Label(row)));
    for (const trace::CriticalPiece& piece : view_.times.critical_path)
      rows_with_pieces_[piece.position].push_back(piece);
    label_width_ = std::min(label_width_, label_max);
    bar_width_ = std::max<size_t>(6, free > label_width_ ? free - label_width_ : 0);
  }

  std::string Draw() {
    std::string out = Head();
    uint32_t matches = 0;
    for (uint32_t row = 0; row < batch_.spans.size(); ++row) {
      if (!IsShown(row)) continue;
      matches += StateOf(row) == RowState::kMatch;
      out += Line(row);
      if (options_.logs) out += Happenings(row);
    }
    if (!options_.rows.empty())
      out += fmt::format("\n{}{} of {} match{}\n", Dim(terminal_), matches,
                         Count(batch_.spans.size(), "span"), Plain(terminal_));
    return options_.logs ? out + LogsOfNoSpan() : out;
  }

 private:
  const Span& SpanAt(uint32_t row) const { return batch_.spans[view_.tree.node[row]]; }
  std::string_view ServiceAt(uint32_t row) const {
    return ServiceName(batch_.resources[SpanAt(row).resource]);
  }
  // Without a start there is none, whatever the end.
  uint64_t DurationAt(uint32_t row) const {
    return SpanAt(row).start_ns == 0 ? 0 : DurationNs(SpanAt(row));
  }
  RowState StateOf(uint32_t row) const {
    return options_.rows.empty() ? RowState::kMatch : options_.rows[row];
  }
  bool IsShown(uint32_t row) const { return StateOf(row) != RowState::kHidden; }
  const std::vector<const LogRecord*>& LogsAt(uint32_t row) const {
    static const std::vector<const LogRecord*> kNoLogs;
    auto found = logs_.find(SpanAt(row).span_id);
    return found == logs_.end() ? kNoLogs : found->second;
  }

  void SetColours() {
    ServiceColours colours;
    std::vector<std::string> services;
    for (const auto& resource : batch_.resources) services.emplace_back(ServiceName(resource));
    colours.Add(services);
    for (const std::string& service : services)
      colours_.push_back(colours.Escape(service, terminal_));
  }

  // So that something of every name is seen beside it: first a level gets less deep, then those far
  // down are drawn as deep as each other. The narrowest labels give a third to it.
  void SetIndent(size_t label_max) {
    indent_max_ = std::min(kIndentMax, std::max(label_max - kBesideIndent, label_max / 3));
    uint32_t deepest = 0;
    for (uint32_t row = 0; row < batch_.spans.size(); ++row)
      if (IsShown(row)) deepest = std::max<uint32_t>(deepest, view_.tree.depth[row]);
    const bool narrow = terminal_.is_tty && terminal_.width < kNarrowWidth;
    indent_step_ = narrow || size_t{deepest} * 2 > indent_max_ ? 1 : 2;
  }

  // Of a span's line.
  size_t Indent(uint32_t row) const {
    return std::min<size_t>(size_t{view_.tree.depth[row]} * indent_step_, indent_max_);
  }

  std::string Label(uint32_t row) const {
    return std::string(Indent(row), ' ') + CleanText(ServiceAt(row)) + " " +
           CleanText(SpanAt(row).name);
  }

  // Pieces side by side, on as many lines as it takes; none is broken unless it is longer than a
  // line.
  std::string Wrapped(const std::vector<std::string>& pieces, std::string_view between,
                      const std::string& before, size_t indent) const {
    size_t room = terminal_.is_tty ? terminal_.width - indent : SIZE_MAX;
    std::vector<std::string> lines;
    std::string line;
    for (const std::string& piece : pieces) {
      std::string joined = line.empty() ? piece : line + std::string(between) + piece;
      if (!line.empty() && TextWidth(joined) > room) {
        // A separator that is seen, such as a comma, stays at the end of the line.
        lines.push_back(line + std::string(between.substr(0, between.find(' '))));
        joined = piece;
      }
      std::vector<std::string> cut = WrapLines(joined, room);
      if (TextWidth(joined) > room) {
        lines.insert(lines.end(), cut.begin(), cut.end() - 1);
        joined = cut.back();
      }
      line = joined;
    }
    lines.push_back(line);
    std::string out;
    for (size_t i = 0; i < lines.size(); ++i)
      out += std::string(i == 0 ? 0 : indent, ' ') + before + lines[i] +
             (before.empty() ? "" : Plain(terminal_)) + "\n";
    return out;
  }

  std::string Head() const {
    const Span& root = SpanAt(view_.root);
    std::string name = CleanText(ServiceAt(view_.root)) + " " + CleanText(root.name);
    std::string out =
        Wrapped({name, ShortDuration(view_.corrected_end_ns - view_.corrected_start_ns)}, "  ",
                Bold(terminal_), 2);
    std::string counts =
        fmt::format("{}, {}", Count(batch_.spans.size(), "span"), Count(view_.services, "service"));
    if (!batch_.logs.empty()) counts += ", " + Count(batch_.logs.size(), "log");
    out += Wrapped({"trace " + id_.ToHex(), LocalTime(view_.start_ns), counts}, "  ",
                   Dim(terminal_), 2);
    if (view_.errors > 0)
      out += fmt::format("{}{} with an error{}\n", Red(terminal_), Count(view_.errors, "span"),
                         Plain(terminal_));
    if (view_.root_missing) out += "The root span has not arrived.\n";
    if (const std::string twins = TwinWarning(batch_, FindTwins(batch_)); !twins.empty())
      out += Wrapped({twins}, "", "", 0);
    return out + ClockNotes() + CriticalSummary() + "\n";
  }

  // One line for each clock about which there is evidence.
  std::string ClockNotes() const {
    std::string out;
    for (const trace::ClockFinding& finding : view_.findings)
      out += Wrapped({"clock of " + CleanText(trace::DescribeFinding(view_, finding))}, " ",
                     Dim(terminal_), 2);
    if (!view_.findings.empty() && options_.as_received) out += "Times are shown as received.\n";
    return out;
  }

  // "critical path: stripe-api POST /charges 3.8 s (91 %), ..."
  std::string CriticalSummary() const {
    std::unordered_map<std::string, uint64_t> by_label;
    uint64_t total = 0;
    for (const trace::CriticalPiece& piece : view_.times.critical_path) {
      std::string label =
          CleanText(ServiceAt(piece.position)) + " " + CleanText(SpanAt(piece.position).name);
      by_label[label] += piece.end_ns - piece.start_ns;
      total += piece.end_ns - piece.start_ns;
    }
    std::vector<std::pair<uint64_t, std::string>> order;
    for (auto& [label, ns] : by_label) order.emplace_back(ns, label);
    std::ranges::sort(order, std::greater<>());
    constexpr size_t kShown = 3;
    std::vector<std::string> pieces;
    for (const auto& [ns, label] : order) {
      double percent = 100.0 * static_cast<double>(ns) / static_cast<double>(total);
      // What rounds to nothing explains nothing.
      if (pieces.size() == kShown || percent < 0.5) break;
      pieces.push_back(fmt::format("{}{} {} ({:.0f} %)", pieces.empty() ? "critical path: " : "",
                                   label, ShortDuration(ns), percent));
    }
    return pieces.empty() ? "" : Wrapped(pieces, ", ", "", 2);
  }

  // The cell of a moment on the bar.
  size_t Cell(uint64_t ns) const {
    const uint64_t start = view_.corrected_start_ns, end = view_.corrected_end_ns;
    uint64_t length = std::max<uint64_t>(end - start, 1);
    uint64_t offset = std::clamp(ns, start, end) - start;
    return std::min(bar_width_ - 1,
                    static_cast<size_t>(static_cast<double>(offset) / static_cast<double>(length) *
                                        static_cast<double>(bar_width_)));
  }

  std::string Bar(uint32_t row) const {
    const Span& span = SpanAt(row);
    if (span.start_ns == 0) return std::string(bar_width_, ' ');
    auto shifted = [&](uint64_t ns) { return ns + static_cast<uint64_t>(view_.skew_ns[row]); };
    uint64_t end_ns = std::max(span.start_ns, span.end_ns);
    size_t first = Cell(shifted(span.start_ns)), last = Cell(shifted(end_ns));
    std::vector<char> cells(bar_width_, ' ');
    for (size_t i = first; i <= last; ++i) cells[i] = '-';
    for (const trace::CriticalPiece& piece : rows_with_pieces_[row])
      for (size_t i = std::max(first, Cell(shifted(piece.start_ns)));
           i <= std::min(last, Cell(shifted(piece.end_ns - (piece.end_ns > piece.start_ns)))); ++i)
        cells[i] = '#';
    std::string out;
    for (char cell : cells) {
      if (!terminal_.utf8 || cell == ' ')
        out += cell;
      else
        out += cell == '#' ? "\u2588" : "\u2500";
    }
    return out;
  }

  // "! 2 logs": what fits on the line.
  std::string Marks(uint32_t row) const {
    std::string marks, count;
    if (SpanAt(row).status == StatusCode::kError)
      marks = Red(terminal_) + (terminal_.utf8 ? "\u2717" : "!") + Plain(terminal_) + " ";
    if (uint64_t logs = LogsAt(row).size(); logs > 0 && !options_.logs)
      count = Fit(Count(logs, "log"), kMarksWidth - (marks.empty() ? 0 : 2), terminal_.utf8);
    return marks.empty() && count.empty() ? "" : " " + marks + count;
  }

  std::string Line(uint32_t row) const {
    // Spans that only show where a match hangs stand back.
    std::string colour =
        StateOf(row) == RowState::kMatch ? colours_[SpanAt(row).resource] : Dim(terminal_);
    return fmt::format("{}{}{}  {}{}{} {:>{}}{}\n", colour,
                       Pad(Label(row), label_width_, terminal_.utf8), Plain(terminal_), colour,
                       Bar(row), Plain(terminal_), ShortDuration(DurationAt(row)), kDurationWidth,
                       Marks(row));
  }

  // Events and log records of the span, in time order.
  std::string Happenings(uint32_t row) const {
    if (StateOf(row) != RowState::kMatch) return "";
    size_t indent = std::min<size_t>(Indent(row) + 2, terminal_.width / 4);
    std::vector<std::pair<uint64_t, std::string>> lines;
    const Span& span = SpanAt(row);
    if (!span.status_message.empty())
      lines.emplace_back(0, std::string(indent, ' ') + Red(terminal_) +
                                CleanText(span.status_message) + Plain(terminal_) + "\n");
    for (const Event& event : span.events)
      lines.emplace_back(event.time_ns, EventLines(event, indent, terminal_));
    for (const LogRecord* log : LogsAt(row))
      lines.emplace_back(LogTimeNs(*log), LogLines(batch_, *log, indent, terminal_));
    std::ranges::stable_sort(lines, {}, &std::pair<uint64_t, std::string>::first);
    std::string out;
    for (const auto& [time_ns, text] : lines) out += text;
    return out;
  }

  // Log records of the trace that name no span of it.
  std::string LogsOfNoSpan() const {
    std::unordered_map<SpanId, bool, IdHash> spans;
    for (const Span& span : batch_.spans) spans[span.span_id] = true;
    std::string out;
    for (const LogRecord& log : batch_.logs)
      if (!spans.contains(log.span_id)) out += LogLines(batch_, log, 0, terminal_);
    return out.empty() ? out : "\nLogs of no span here:\n" + out;
  }

  const TraceId id_;
  const SpanBatch& batch_;
  const Terminal& terminal_;
  const trace::TraceView& view_;
  const WaterfallOptions& options_;
  std::unordered_map<SpanId, std::vector<const LogRecord*>, IdHash> logs_;
  std::vector<std::vector<trace::CriticalPiece>> rows_with_pieces_;
  std::vector<std::string> colours_;  // escape sequences, by resource
  size_t label_width_ = 0, bar_width_ = 0;
  size_t indent_step_ = 2, indent_max_ = kIndentMax;
};

}  // namespace

std::string DrawWaterfall(const TraceId& id, const trace::TraceView& view,
                          const WaterfallOptions& options, const Terminal& terminal) {
  return Waterfall(id, view, options, terminal).Draw();
}

}  // namespace weft::terminal

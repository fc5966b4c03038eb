// SPDX-License-Identifier: Apache-2.0
#include "cli/waterfall.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <vector>

#include "trace/trace.h"

namespace weft::cli {
namespace {

constexpr size_t kDurationWidth = 9;
constexpr size_t kMarksWidth = 8;
constexpr size_t kIndentMax = 40;  // deeper levels are drawn as deep as this

class Waterfall {
 public:
  Waterfall(const TraceId& id, const SpanBatch& batch, const Terminal& terminal)
      : id_(id), batch_(batch), terminal_(terminal), view_(trace::BuildTraceView(batch)) {
    for (const LogRecord& log : batch.logs) ++logs_[log.span_id];
    for (uint32_t row = 0; row < batch.spans.size(); ++row) {
      rows_with_pieces_.emplace_back();
      label_width_ = std::max(label_width_, TextWidth(Label(row)));
    }
    for (const trace::CriticalPiece& piece : view_.critical_path)
      rows_with_pieces_[piece.position].push_back(piece);
    size_t fixed = kDurationWidth + kMarksWidth + 4;
    size_t free = terminal.width > fixed ? terminal.width - fixed : 0;
    label_width_ = std::min(label_width_, std::max<size_t>(12, free / 2));
    bar_width_ = std::max<size_t>(8, free > label_width_ ? free - label_width_ : 0);
  }

  std::string Draw() {
    std::string out = Head();
    for (uint32_t row = 0; row < batch_.spans.size(); ++row) out += Line(row);
    return out;
  }

 private:
  const Span& SpanAt(uint32_t row) const { return batch_.spans[view_.tree.node[row]]; }
  std::string_view ServiceAt(uint32_t row) const {
    return ServiceName(batch_.resources[SpanAt(row).resource]);
  }
  uint64_t LogsAt(uint32_t row) const {
    auto found = logs_.find(SpanAt(row).span_id);
    return found == logs_.end() ? 0 : found->second;
  }

  std::string Label(uint32_t row) const {
    size_t indent = std::min<size_t>(2 * view_.tree.depth[row], kIndentMax);
    return std::string(indent, ' ') + CleanText(ServiceAt(row)) + " " + CleanText(SpanAt(row).name);
  }

  std::string Head() const {
    const Span& root = SpanAt(view_.root);
    std::string out = fmt::format("{}{} {}{}  {}\n", Bold(terminal_),
                                  CleanText(ServiceAt(view_.root)), CleanText(root.name),
                                  Plain(terminal_), ShortDuration(view_.end_ns - view_.start_ns));
    out += fmt::format("{}trace {}  {}  {} spans, {} services{}{}\n", Dim(terminal_), id_.ToHex(),
                       LocalTime(view_.start_ns), batch_.spans.size(), view_.services,
                       batch_.logs.empty() ? "" : fmt::format(", {} logs", batch_.logs.size()),
                       Plain(terminal_));
    if (view_.errors > 0)
      out += fmt::format("{}{} spans with an error{}\n", Red(terminal_), view_.errors,
                         Plain(terminal_));
    if (view_.root_missing) out += "The root span has not arrived.\n";
    return out + CriticalSummary() + "\n";
  }

  // "critical path: stripe-api POST /charges 3.8 s (91 %), ..."
  std::string CriticalSummary() const {
    std::unordered_map<std::string, uint64_t> by_label;
    uint64_t total = 0;
    for (const trace::CriticalPiece& piece : view_.critical_path) {
      std::string label =
          CleanText(ServiceAt(piece.position)) + " " + CleanText(SpanAt(piece.position).name);
      by_label[label] += piece.end_ns - piece.start_ns;
      total += piece.end_ns - piece.start_ns;
    }
    std::vector<std::pair<uint64_t, std::string>> order;
    for (auto& [label, ns] : by_label) order.emplace_back(ns, label);
    std::ranges::sort(order, std::greater<>());
    constexpr size_t kShown = 3;
    std::string out;
    for (size_t i = 0; i < std::min(order.size(), kShown); ++i)
      out += fmt::format("{}{} {} ({:.0f} %)", i == 0 ? "critical path: " : ", ", order[i].second,
                         ShortDuration(order[i].first),
                         100.0 * static_cast<double>(order[i].first) /
                             static_cast<double>(std::max<uint64_t>(total, 1)));
    return out.empty() ? out : out + "\n";
  }

  // The cell of a moment on the bar.
  size_t Cell(uint64_t ns) const {
    uint64_t length = std::max<uint64_t>(view_.end_ns - view_.start_ns, 1);
    uint64_t offset = std::clamp(ns, view_.start_ns, view_.end_ns) - view_.start_ns;
    return std::min(bar_width_ - 1,
                    static_cast<size_t>(static_cast<double>(offset) / static_cast<double>(length) *
                                        static_cast<double>(bar_width_)));
  }

  std::string Bar(uint32_t row) const {
    const Span& span = SpanAt(row);
    auto shifted = [&](uint64_t ns) {
      return static_cast<uint64_t>(static_cast<int64_t>(ns) + view_.skew_ns[row]);
    };
    uint64_t end_ns = std::max(span.start_ns, span.end_ns);
    size_t first = Cell(shifted(span.start_ns)), last = Cell(shifted(end_ns));
    std::vector<char> cells(bar_width_, ' ');
    for (size_t i = first; i <= last; ++i) cells[i] = '-';
    for (const trace::CriticalPiece& piece : rows_with_pieces_[row])
      for (size_t i = std::max(first, Cell(piece.start_ns));
           i <= std::min(last, Cell(piece.end_ns - (piece.end_ns > piece.start_ns))); ++i)
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

  std::string Line(uint32_t row) const {
    const Span& span = SpanAt(row);
    std::string service(ServiceAt(row));
    std::string marks;
    size_t marks_width = 0;
    if (span.status == StatusCode::kError) {
      marks += Red(terminal_) + (terminal_.utf8 ? "\u2717" : "!") + Plain(terminal_) + " ";
      marks_width += 2;
    }
    if (uint64_t logs = LogsAt(row); logs > 0) {
      std::string text = fmt::format("{} log{}", logs, logs == 1 ? "" : "s");
      marks += text;
      marks_width += text.size();
    }
    std::string colour = ServiceColour(service, terminal_);
    return fmt::format("{}{}{}  {}{}{} {:>{}} {}\n", colour,
                       Pad(Label(row), label_width_, terminal_.utf8), Plain(terminal_), colour,
                       Bar(row), Plain(terminal_), ShortDuration(DurationNs(span)), kDurationWidth,
                       marks);
  }

  const TraceId id_;
  const SpanBatch& batch_;
  const Terminal& terminal_;
  const trace::TraceView view_;
  std::unordered_map<SpanId, uint64_t, IdHash> logs_;
  std::vector<std::vector<trace::CriticalPiece>> rows_with_pieces_;
  size_t label_width_ = 0, bar_width_ = 0;
};

}  // namespace

std::string DrawWaterfall(const TraceId& id, const SpanBatch& batch, const Terminal& terminal) {
  return Waterfall(id, batch, terminal).Draw();
}

}  // namespace weft::cli

// SPDX-License-Identifier: Apache-2.0
#include "trace/trace_view.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <unordered_set>

namespace weft::trace {
namespace {

Correction CorrectionOf(const TraceView& view, const ClockRule& rule) {
  if (!MayNeedCorrection(view.tree, view.nodes)) return {};
  ClockNames names;
  std::vector<ClockName> of_resource;
  for (const Resource& resource : view.batch->resources) of_resource.push_back(names.Of(resource));
  return CorrectClocks(view.tree, view.nodes, of_resource, rule);
}

TraceTimes TimesOf(const TraceView& view, std::span<const Node> nodes) {
  return {SelfTimes(view.tree, nodes), CriticalTimes(view.tree, nodes),
          CriticalPath(view.tree, nodes, view.root)};
}

void FindEnds(std::span<const Node> nodes, uint64_t* start_ns, uint64_t* end_ns) {
  *start_ns = UINT64_MAX;
  *end_ns = 0;
  for (const Node& node : nodes) {
    if (!HasTime(node)) continue;
    *start_ns = std::min(*start_ns, node.start_ns);
    *end_ns = std::max({*end_ns, node.start_ns, node.end_ns});
  }
  if (*end_ns == 0) *start_ns = 0;
}

// "+40 ms", "-1.25 s": as exact as it is, in a unit that is easy to read.
std::string ShiftText(int64_t ns) {
  struct Unit {
    double ns;
    const char* name;
  };
  constexpr Unit kUnits[] = {{3.6e12, "h"}, {6e10, "min"}, {1e9, "s"},
                             {1e6, "ms"},   {1e3, "us"},   {1, "ns"}};
  const double size = std::abs(static_cast<double>(ns));
  const Unit* unit = std::ranges::find_if(kUnits, [&](const Unit& u) { return size >= u.ns; });
  if (unit == std::end(kUnits)) --unit;
  char text[48];
  std::snprintf(text, sizeof text, "%+.6g %s", static_cast<double>(ns) / unit->ns, unit->name);
  return text;
}

std::string Counted(uint32_t count, std::string_view noun, std::string_view one,
                    std::string_view many) {
  return std::to_string(count) + ' ' + std::string(noun) + (count == 1 ? " " : "s ") +
         std::string(count == 1 ? one : many);
}

}  // namespace

TraceView BuildTraceView(const SpanBatch& batch, const ClockRule& rule) {
  TraceView view;
  view.batch = &batch;
  view.nodes.reserve(batch.spans.size());
  std::unordered_set<std::string_view> services;
  for (const Span& span : batch.spans) {
    view.nodes.push_back(NodeOf(span));
    view.errors += view.nodes.back().error;
    services.insert(ServiceName(batch.resources[span.resource]));
  }
  view.services = static_cast<uint32_t>(services.size());
  view.tree = BuildTree(view.nodes);
  view.error_origin = ErrorOrigins(view.tree, view.nodes);
  view.root = RootOf(view.tree);
  view.root_missing = !view.nodes.empty() && view.tree.orphan[view.root];
  if (!view.nodes.empty()) view.depth = *std::ranges::max_element(view.tree.depth) + 1;
  FindEnds(view.nodes, &view.start_ns, &view.end_ns);
  view.corrected_start_ns = view.start_ns;
  view.corrected_end_ns = view.end_ns;

  Correction correction = CorrectionOf(view, rule);
  view.findings = std::move(correction.findings);
  view.times = TimesOf(view, view.nodes);
  if (correction.shift_ns.empty()) {
    view.skew_ns.resize(view.nodes.size());
    return view;
  }
  const std::vector<Node> moved = Corrected(view.tree, view.nodes, correction);
  view.skew_ns = std::move(correction.shift_ns);
  view.received = std::move(view.times);
  view.times = TimesOf(view, moved);
  for (CriticalPiece& piece : view.times.critical_path) {
    piece.start_ns -= static_cast<uint64_t>(view.skew_ns[piece.position]);
    piece.end_ns -= static_cast<uint64_t>(view.skew_ns[piece.position]);
  }
  FindEnds(moved, &view.corrected_start_ns, &view.corrected_end_ns);
  return view;
}

TraceView AsReceived(TraceView view) {
  if (!view.moved()) return view;
  view.times = *std::move(view.received);
  view.received.reset();
  std::ranges::fill(view.skew_ns, 0);
  view.corrected_start_ns = view.start_ns;
  view.corrected_end_ns = view.end_ns;
  return view;
}

std::string DescribeFinding(const TraceView& view, const ClockFinding& finding) {
  const Resource& resource =
      view.batch->resources[view.batch->spans[view.tree.node[finding.row]].resource];
  std::string out(ServiceName(resource));
  if (std::string_view host = HostText(resource); !host.empty())
    out.append(" on host ").append(host);
  out += ": " + Counted(finding.spans, "span", "", "");
  out.pop_back();
  if (finding.beyond_limit) {
    out += " left as received: by " + ShiftText(finding.wanted_ns) +
           " the clock would be off by more than the limit";
  } else if (finding.shift_ns == 0) {
    out += " left as received";
  } else {
    out += " moved by " + ShiftText(finding.shift_ns);
  }
  out += ", because ";
  if (finding.early > 0)
    out += Counted(finding.early, "call", "starts before its caller", "start before their callers");
  if (finding.early > 0 && finding.late > 0) out += " and ";
  if (finding.late > 0)
    out += Counted(finding.late, "call", "ends after its caller", "end after their callers");
  if (finding.inconsistent) out += "; no single shift fits all calls, this is the least bad one";
  return out;
}

}  // namespace weft::trace

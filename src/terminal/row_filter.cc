// SPDX-License-Identifier: Apache-2.0
#include "terminal/row_filter.h"

#include <algorithm>

#include "query/assembled_trace.h"
#include "query/plan.h"
#include "traceql/traceql.h"

namespace weft::terminal {
namespace {

// Keeps of `matches` the rows that TraceQL selects, judged with the whole trace in view.
Status KeepSelected(const trace::TraceView& view, const std::string& traceql,
                    std::vector<bool>* matches) {
  WEFT_ASSIGN(traceql::Query query, traceql::Parse(traceql));
  // Of the same spans in the same order; the texts stay the view's.
  SpanBatch spans;
  spans.resources = view.batch->resources;
  spans.scopes = view.batch->scopes;
  spans.spans = view.batch->spans;
  query::AssembledTrace trace(std::move(spans));
  std::vector<bool> selected(matches->size());
  for (uint32_t span : trace.FindMatches(query::MakePlan(query))) selected[span] = true;
  for (size_t row = 0; row < matches->size(); ++row)
    (*matches)[row] = (*matches)[row] && selected[view.tree.node[row]];
  return {};
}

}  // namespace

Result<std::vector<RowState>> FilterRows(const trace::TraceView& view, const RowFilter& filter) {
  size_t count = view.tree.node.size();
  std::vector<bool> matches(count);
  for (uint32_t row = 0; row < count; ++row) {
    const Span& span = view.batch->spans[view.tree.node[row]];
    bool service =
        filter.services.empty() ||
        std::ranges::find(filter.services, ServiceName(view.batch->resources[span.resource])) !=
            filter.services.end();
    matches[row] = service && DurationNs(span) >= filter.min_duration_ns &&
                   (!filter.errors || span.status == StatusCode::kError) &&
                   (filter.depth == 0 || view.tree.depth[row] < filter.depth);
  }
  if (!filter.traceql.empty()) WEFT_TRY(KeepSelected(view, filter.traceql, &matches));
  std::vector<RowState> rows(count, RowState::kHidden);
  // Rows come after those above them: going back, each tells its parent.
  for (size_t row = count; row-- > 0;) {
    if (matches[row]) rows[row] = RowState::kMatch;
    uint32_t parent = view.tree.parent[row];
    if (rows[row] != RowState::kHidden && parent != trace::kNone &&
        rows[parent] == RowState::kHidden)
      rows[parent] = RowState::kAbove;
  }
  return rows;
}

}  // namespace weft::terminal

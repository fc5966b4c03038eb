// SPDX-License-Identifier: Apache-2.0
#include "query/trace_filter.h"

#include "query/assembled_trace.h"
#include "query/plan.h"
#include "traceql/traceql.h"

namespace weft::query {

Result<std::vector<bool>> MatchingSpans(const SpanBatch& batch, std::string_view traceql) {
  WEFT_ASSIGN(traceql::Query query, traceql::Parse(traceql));
  std::vector<bool> out(batch.spans.size());
  if (batch.spans.empty()) return out;
  // A second list of the same spans: the texts stay in the caller's batch.
  SpanBatch view;
  view.resources = batch.resources;
  view.scopes = batch.scopes;
  view.spans = batch.spans;
  for (uint32_t span : AssembledTrace(std::move(view)).FindMatches(MakePlan(query)))
    out[span] = true;
  return out;
}

}  // namespace weft::query

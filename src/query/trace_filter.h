// SPDX-License-Identifier: Apache-2.0
//
// A TraceQL filter over one trace in hand, for answers that show only a part of it.
//
// Thread rule: pure function. Next: query/assembled_trace.h.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/span_batch.h"

namespace weft::query {

// For each span of the batch whether `traceql` selects it. The batch holds one trace, whole.
Result<std::vector<bool>> MatchingSpans(const SpanBatch& batch, std::string_view traceql);

}  // namespace weft::query

// SPDX-License-Identifier: Apache-2.0
#include "api/stored_trace.h"

namespace weft::api {

Result<StoredTrace> ReadStoredTrace(const store::Snapshot& snapshot, const TraceId& id) {
  StoredTrace trace;
  WEFT_ASSIGN(trace.batch, snapshot.ReadTrace(id, &trace.partial));
  if (trace.batch.spans.empty()) return Fail(NotAmong(trace, "no span of trace " + id.ToHex()));
  return trace;
}

Error NotAmong(const StoredTrace& trace, std::string not_found) {
  if (trace.partial.empty()) return {ErrorCode::kNotFound, std::move(not_found), 0};
  return {ErrorCode::kCorruption, "the trace cannot be shown: " + trace.partial, 0};
}

}  // namespace weft::api

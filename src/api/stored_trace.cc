// SPDX-License-Identifier: Apache-2.0
#include "api/stored_trace.h"

#include "query/budget_meter.h"

namespace weft::api {

Result<StoredTrace> ReadStoredTrace(const store::Snapshot& snapshot, const TraceId& id) {
  StoredTrace trace;
  WEFT_ASSIGN(trace.batch, snapshot.ReadTrace(id, &trace.partial));
  if (trace.batch.spans.empty()) return Fail(NotAmong(trace, "no span of trace " + id.ToHex()));
  return trace;
}

uint64_t MemoryOfTrace(const store::Snapshot& snapshot, const TraceId& id, uint64_t more) {
  // A span with its attributes, and what is used while it is read.
  constexpr uint64_t kBytesPerRow = 900;
  return query::CountRows(snapshot, id).value_or(0) * (kBytesPerRow + more);
}

uint64_t MemoryOf(const SpanBatch& batch) {
  return batch.arena.reserved_bytes() + batch.received.capacity() +
         batch.resources.capacity() * sizeof(Resource) + batch.scopes.capacity() * sizeof(Scope) +
         batch.spans.capacity() * sizeof(Span) + batch.logs.capacity() * sizeof(LogRecord);
}

void SettleCharge(uint64_t bytes, const std::shared_ptr<MemoryCharge>& charge) {
  if (charge) charge->Settle(bytes);
}

Error NotAmong(const StoredTrace& trace, std::string not_found) {
  if (trace.partial.empty()) return {ErrorCode::kNotFound, std::move(not_found), 0};
  return {ErrorCode::kCorruption, "the trace cannot be shown: " + trace.partial, 0};
}

}  // namespace weft::api

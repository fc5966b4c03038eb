// SPDX-License-Identifier: Apache-2.0
#include "store/import.h"

#include <future>
#include <set>

namespace weft::store {
namespace {

// Contents of one trace, known and new.
struct KnownTrace {
  std::set<ContentHash> spans, logs;
};
using KnownTraces = std::unordered_map<TraceId, KnownTrace, IdHash>;

Result<KnownTrace*> Look(const Snapshot& snapshot, const TraceId& id, KnownTraces* known) {
  auto [place, is_new] = known->try_emplace(id);
  KnownTrace* trace = &place->second;
  if (!is_new) return trace;
  // What a damaged block hides is not known to be here: imported again it is there again.
  std::string hidden;
  Result<SpanBatch> stored = snapshot.ReadTrace(id, &hidden);
  if (!stored && (stored.error().code == ErrorCode::kNotFound || !hidden.empty())) return trace;
  if (!stored) return Fail(stored.error());
  for (const Span& span : stored->spans) trace->spans.insert(HashSpan(*stored, span));
  for (const LogRecord& log : stored->logs) trace->logs.insert(HashLog(*stored, log));
  return trace;
}

// Removes what is known; returns how many.
Result<uint64_t> RemoveKnown(const Snapshot& snapshot, SpanBatch* batch, KnownTraces* known,
                             ImportCounts* counts) {
  std::vector<Span> spans;
  for (const Span& span : batch->spans) {
    WEFT_ASSIGN(KnownTrace * trace, Look(snapshot, span.trace_id, known));
    if (trace->spans.insert(HashSpan(*batch, span)).second) spans.push_back(span);
  }
  std::vector<LogRecord> logs;
  for (const LogRecord& log : batch->logs) {
    WEFT_ASSIGN(KnownTrace * trace, Look(snapshot, log.trace_id, known));
    if (trace->logs.insert(HashLog(*batch, log)).second) logs.push_back(log);
  }
  counts->duplicates = batch->spans.size() - spans.size();
  counts->duplicate_logs = batch->logs.size() - logs.size();
  counts->kept = spans.size();
  counts->kept_logs = logs.size();
  batch->spans = std::move(spans);
  batch->logs = std::move(logs);
  return counts->duplicates + counts->duplicate_logs;
}

}  // namespace

void ImportCounts::Add(const ImportCounts& more) {
  kept += more.kept;
  duplicates += more.duplicates;
  rejected += more.rejected;
  kept_logs += more.kept_logs;
  duplicate_logs += more.duplicate_logs;
  rejected_logs += more.rejected_logs;
  if (rejected_message.empty()) rejected_message = more.rejected_message;
}

Result<ImportCounts> ImportBatch(Store* store, Clock* clock, SpanBatch batch) {
  ImportCounts counts;
  counts.rejected = batch.rejected_spans.count;
  counts.rejected_logs = batch.rejected_logs.count;
  counts.rejected_message =
      batch.rejected_spans.count > 0 ? batch.rejected_spans.message : batch.rejected_logs.message;
  if (batch.empty()) return counts;
  WEFT_TRY(store->Admit(batch.received.size()));
  KnownTraces known;
  WEFT_ASSIGN(uint64_t removed,
              RemoveKnown(*store->TakeSnapshot(batch.tenant), &batch, &known, &counts));
  if (batch.empty()) return counts;
  if (removed > 0) batch.received_is_content = false;
  batch.received_ns = clock->NowNs();
  std::promise<Status> stored;
  store->Append(std::move(batch),
                [&stored](Status status) { stored.set_value(std::move(status)); });
  WEFT_TRY(stored.get_future().get());
  return counts;
}

}  // namespace weft::store

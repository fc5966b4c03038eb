// SPDX-License-Identifier: Apache-2.0
#include "store/import.h"

#include <algorithm>
#include <future>
#include <unordered_set>
#include <utility>

namespace weft::store {
namespace {

using codec::TraceFormat;

// Spans of which the id is known with other content, and the new ones of the same batch that they
// may be copies of.
SpanBatch Select(const SpanBatch& batch, const std::vector<uint32_t>& indexes) {
  SpanBatch some;
  some.resources = batch.resources;
  some.scopes = batch.scopes;
  for (const uint32_t i : indexes) some.spans.push_back(batch.spans[i]);
  return some;
}

// Of a doubtful span: a duplicate, or new and counted.
FirstLook Judge(const Span& span, const SpanDetails& details, const KnownDetails& known,
                KnownTrace* trace, ImportCounts* counts) {
  // A span before it in the batch may have been the same.
  if (trace->Look(span.span_id, span.kind, details.content) == FirstLook::kDuplicate ||
      known.HasOriginalOf(details))
    return FirstLook::kDuplicate;
  trace->AddSpan(span.span_id, span.kind, details.content);
  if (known.HasCopyOf(details)) {
    ++counts->finer;
    return FirstLook::kNew;
  }
  ++counts->same_id;
  if (counts->same_id_examples.size() < ImportCounts::kExamplesMax)
    counts->same_id_examples.push_back(span.span_id.ToHex() + " of trace " + span.trace_id.ToHex());
  return FirstLook::kNew;
}

}  // namespace

void ImportCounts::Add(const ImportCounts& more) {
  kept += more.kept;
  duplicates += more.duplicates;
  rejected += more.rejected;
  same_id += more.same_id;
  finer += more.finer;
  kept_logs += more.kept_logs;
  duplicate_logs += more.duplicate_logs;
  rejected_logs += more.rejected_logs;
  if (rejected_message.empty()) rejected_message = more.rejected_message;
  for (const std::string& example : more.same_id_examples)
    if (same_id_examples.size() < kExamplesMax) same_id_examples.push_back(example);
}

Status Importer::SiftSpans(TraceFormat format, SpanBatch* batch, ImportCounts* counts) {
  const std::vector<Span>& spans = batch->spans;
  std::vector<KnownTrace*> traces(spans.size());
  std::vector<FirstLook> verdicts(spans.size());
  std::unordered_set<SpanId, IdHash> doubtful;
  for (size_t i = 0; i < spans.size(); ++i) {
    const Span& span = spans[i];
    const bool as_before = i > 0 && span.trace_id == spans[i - 1].trace_id;
    if (as_before) {
      traces[i] = traces[i - 1];
    } else {
      WEFT_ASSIGN(traces[i], known_.Find(span.trace_id));
    }
    const ContentHash content = HashSpan(*batch, span);
    verdicts[i] = traces[i]->Look(span.span_id, span.kind, content);
    if (verdicts[i] == FirstLook::kNew) traces[i]->AddSpan(span.span_id, span.kind, content);
    if (verdicts[i] == FirstLook::kDoubtful) doubtful.insert(span.span_id);
  }
  std::vector<uint32_t> indexes;
  size_t next = 0;
  for (uint32_t i = 0; !doubtful.empty() && i < spans.size(); ++i)
    if (verdicts[i] != FirstLook::kDuplicate && doubtful.contains(spans[i].span_id))
      indexes.push_back(i);
  for (const SpanDetails& one : DetailsOf(format, Select(*batch, indexes))) {
    const uint32_t i = indexes[next++];
    WEFT_ASSIGN(KnownDetails * known, known_.FindDetails(spans[i].trace_id, format, traces[i]));
    if (verdicts[i] == FirstLook::kDoubtful)
      verdicts[i] = Judge(spans[i], one, *known, traces[i], counts);
    if (verdicts[i] == FirstLook::kNew) known->Add(one);
  }
  std::vector<Span> kept;
  for (size_t i = 0; i < spans.size(); ++i)
    if (verdicts[i] == FirstLook::kNew) kept.push_back(spans[i]);
  counts->kept = kept.size();
  counts->duplicates = spans.size() - kept.size();
  batch->spans = std::move(kept);
  return {};
}

Status Importer::SiftLogs(TraceFormat format, SpanBatch* batch, ImportCounts* counts) {
  std::vector<LogRecord> kept;
  for (const LogRecord& log : batch->logs) {
    WEFT_ASSIGN(KnownTrace * trace, known_.Find(log.trace_id));
    const ContentHash content = HashLog(*batch, log);
    FirstLook look = trace->LookAtLog(log, content);
    if (look == FirstLook::kDoubtful) {
      WEFT_ASSIGN(const KnownDetails* known, known_.FindDetails(log.trace_id, format, trace));
      if (known->HasOriginalOfLog(content)) look = FirstLook::kDuplicate;
    }
    if (look == FirstLook::kDuplicate) continue;
    trace->AddLog(log, content);
    kept.push_back(log);
  }
  counts->kept_logs = kept.size();
  counts->duplicate_logs = batch->logs.size() - kept.size();
  batch->logs = std::move(kept);
  return {};
}

Status Importer::Sift(TraceFormat format, SpanBatch* batch, ImportCounts* counts) {
  known_.BeginBatch(batch->tenant, store_->TakeSnapshot(batch->tenant));
  WEFT_TRY(SiftSpans(format, batch, counts));
  WEFT_TRY(SiftLogs(format, batch, counts));
  if (counts->duplicates + counts->duplicate_logs > 0) batch->received_is_content = false;
  return {};
}

Status Importer::Append(SpanBatch batch) {
  if (batch.empty()) return {};
  const std::string tenant = batch.tenant;
  batch.received_ns = clock_->NowNs();
  std::promise<Status> stored;
  store_->Append(std::move(batch),
                 [&stored](Status status) { stored.set_value(std::move(status)); });
  WEFT_TRY(stored.get_future().get());
  known_.EndBatch(*store_->TakeSnapshot(tenant));
  return {};
}

Result<ImportCounts> Importer::Import(SpanBatch batch, TraceFormat format) {
  ImportCounts counts;
  counts.rejected = batch.rejected_spans.count;
  counts.rejected_logs = batch.rejected_logs.count;
  counts.rejected_message =
      batch.rejected_spans.count > 0 ? batch.rejected_spans.message : batch.rejected_logs.message;
  if (batch.empty()) return counts;
  if (format == TraceFormat::kAny) format = TraceFormat::kOtlp;
  WEFT_TRY(store_->Admit(batch.received.size()));
  std::lock_guard lock(mutex_);
  Status stored = Sift(format, &batch, &counts);
  if (stored) stored = Append(std::move(batch));
  if (stored) return counts;
  // What was noted of this batch is not there.
  known_.ForgetAll();
  return Fail(stored.error());
}

}  // namespace weft::store

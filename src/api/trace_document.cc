// SPDX-License-Identifier: Apache-2.0
#include "api/trace_document.h"

#include <algorithm>
#include <unordered_map>

#include "api/stored_trace.h"
#include "model/span_twins.h"

namespace weft::api {

TraceDocument::TraceDocument(const TraceId& id, SpanBatch batch, const trace::ClockRule& rule)
    : id_(id), batch_(std::move(batch)), view_(trace::BuildTraceView(batch_, rule)) {
  PlaceLogs();
  if (std::string twins = TwinWarning(batch_, FindTwins(batch_)); !twins.empty())
    warnings_.push_back(std::move(twins));
}

std::shared_ptr<const TraceDocument> TraceDocument::FromBatch(const TraceId& id, SpanBatch batch,
                                                              const trace::ClockRule& rule) {
  return std::shared_ptr<const TraceDocument>(new TraceDocument(id, std::move(batch), rule));
}

Result<std::shared_ptr<const TraceDocument>> TraceDocument::Read(
    const store::Snapshot& snapshot, const TraceId& id, std::shared_ptr<MemoryCharge> charge) {
  WEFT_ASSIGN(StoredTrace trace, ReadStoredTrace(snapshot, id));
  std::shared_ptr<TraceDocument> document(
      new TraceDocument(id, std::move(trace.batch), snapshot.clock_rule()));
  document->sources_ = FindSources(snapshot, id);
  document->partial_ = std::move(trace.partial);
  uint64_t stored = document->sources_.spans;
  uint64_t shown = document->row_count();
  document->duplicates_ = stored > shown ? stored - shown : 0;
  if (!document->partial_.empty())
    document->warnings_.push_back("Spans may be missing: " + document->partial_ + ".");
  document->charge_ = std::move(charge);
  SettleCharge(document->memory_bytes(), document->charge_);
  return document;
}

TraceDocument::Sources TraceDocument::FindSources(const store::Snapshot& snapshot,
                                                  const TraceId& id) {
  Sources sources;
  for (const auto& segment : snapshot.segments()) {
    Result<segment::Segment::TraceRows> rows = segment->FindTrace(id);
    if (!rows) {
      sources.whole = false;
      continue;
    }
    if (rows->spans.empty() && rows->logs.empty()) continue;
    sources.segments.push_back(segment);
    sources.spans += rows->spans.size();
  }
  return sources;
}

bool TraceDocument::HoldsFor(const store::Snapshot& snapshot) const {
  // What was missing may be back.
  if (!sources_.whole || !partial_.empty()) return false;
  Sources now = FindSources(snapshot, id_);
  return now.whole &&
         std::ranges::equal(now.segments, sources_.segments, [](const auto& a, const auto& b) {
           return !a.owner_before(b) && !b.owner_before(a);
         });
}

uint64_t TraceDocument::memory_bytes() const {
  // Ten numbers and two nodes or so stand in the view for each span; twice two more where the times
  // as received are kept beside the corrected ones.
  return sizeof *this + MemoryOf(batch_) + batch_.spans.capacity() * kViewBytesPerRow +
         batch_.logs.capacity() * sizeof(uint32_t);
}

void TraceDocument::PlaceLogs() {
  const uint32_t rows = row_count();
  std::unordered_map<SpanId, uint32_t, IdHash> row_of;
  if (!batch_.logs.empty())
    for (uint32_t row = 0; row < rows; ++row) row_of.try_emplace(span(row).span_id, row);
  std::vector<std::pair<uint32_t, uint32_t>> placed;  // row, log
  for (uint32_t i = 0; i < batch_.logs.size(); ++i) {
    auto found = row_of.find(batch_.logs[i].span_id);
    if (rows > 0) placed.emplace_back(found == row_of.end() ? view_.root : found->second, i);
  }
  auto time = [this](uint32_t i) {
    const LogRecord& log = batch_.logs[i];
    return log.time_ns != 0 ? log.time_ns : log.observed_ns;
  };
  std::ranges::sort(placed, [&](const auto& a, const auto& b) {
    if (a.first != b.first) return a.first < b.first;
    return std::pair(time(a.second), a.second) < std::pair(time(b.second), b.second);
  });
  log_starts_.assign(rows + 1, 0);
  for (const auto& [row, log] : placed) {
    ++log_starts_[row + 1];
    log_indexes_.push_back(log);
  }
  for (uint32_t row = 0; row < rows; ++row) log_starts_[row + 1] += log_starts_[row];
}

}  // namespace weft::api

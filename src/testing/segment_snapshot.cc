// SPDX-License-Identifier: Apache-2.0
#include "testing/segment_snapshot.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "base/check.h"
#include "chunk/chunk.h"

namespace weft::testing {

SegmentSnapshot::SegmentSnapshot(std::vector<std::shared_ptr<const segment::Segment>> segments)
    : segments_(std::move(segments)) {
  std::unordered_set<TraceId, IdHash> seen;
  for (const auto& segment : segments_) {
    std::vector<segment::TraceEntry> entries(segment->trace_count());
    WEFT_CHECK(segment->ReadTraces(0, entries).has_value());
    for (const segment::TraceEntry& entry : entries)
      if (!segment->has_derived() || !seen.insert(entry.id).second) split_.insert(entry.id);
  }
  // A trace may have been seen in a block before a chunk with the same one came.
  for (const auto& segment : segments_) {
    if (segment->has_derived()) continue;
    std::vector<segment::TraceEntry> entries(segment->trace_count());
    WEFT_CHECK(segment->ReadTraces(0, entries).has_value());
    for (const segment::TraceEntry& entry : entries) split_.insert(entry.id);
  }
}

Result<SpanBatch> SegmentSnapshot::ReadTrace(const TraceId& id, std::string* partial) const {
  partial->clear();
  SpanBatch out;
  for (const auto& segment : segments_) {
    WEFT_ASSIGN(segment::Segment::TraceRows rows, segment->FindTrace(id));
    WEFT_TRY(segment->ReadSpans(rows.spans, &out));
    WEFT_TRY(segment->ReadLogs(rows.logs, &out));
  }
  if (out.empty()) return Fail(ErrorCode::kNotFound, "no such trace");
  std::set<ContentHash> seen;
  std::erase_if(out.spans,
                [&](const Span& span) { return !seen.insert(HashSpan(out, span)).second; });
  std::erase_if(out.logs,
                [&](const LogRecord& log) { return !seen.insert(HashLog(out, log)).second; });
  std::ranges::stable_sort(out.spans, [](const Span& a, const Span& b) {
    return std::tie(a.start_ns, a.span_id) < std::tie(b.start_ns, b.span_id);
  });
  return out;
}

std::shared_ptr<const segment::Segment> MakeChunk(std::span<const SpanBatch* const> batches) {
  auto chunk = std::make_shared<chunk::Chunk>();
  for (const SpanBatch* batch : batches) chunk->Append(*batch);
  chunk->Seal();
  return chunk;
}

}  // namespace weft::testing

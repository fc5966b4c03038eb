// SPDX-License-Identifier: Apache-2.0
#include "store/tenant_head.h"

#include <algorithm>
#include <numeric>

#include "base/check.h"

namespace weft::store {
namespace {

// The first rows of a chunk as a chunk. Rows of a chunk are in the order of their arrival.
Result<std::shared_ptr<const chunk::Chunk>> FirstRows(const chunk::Chunk& chunk, uint32_t spans,
                                                      uint32_t logs) {
  SpanBatch batch;
  std::vector<segment::Row> rows(std::max(spans, logs));
  std::iota(rows.begin(), rows.end(), 0);
  WEFT_TRY(chunk.ReadSpans(std::span(rows).first(spans), &batch));
  WEFT_TRY(chunk.ReadLogs(std::span(rows).first(logs), &batch));
  batch.received_ns = chunk.received_range().second;
  auto first = std::make_shared<chunk::Chunk>();
  first->Append(batch);
  first->Seal();
  return first;
}

}  // namespace

uint64_t TenantHead::bytes() const {
  uint64_t bytes = 0;
  for (const Part& part : parts_) bytes += part.bytes;
  return bytes;
}

uint64_t TenantHead::span_count() const {
  uint64_t count = 0;
  for (const Part& part : parts_) {
    for (const PartChunk& in : part.chunks) count += in.chunk->span_count();
  }
  return count;
}

uint64_t TenantHead::chunk_count() const {
  uint64_t count = 0;
  for (const Part& part : parts_) count += part.chunks.size();
  return count;
}

void TenantHead::Add(std::vector<Part> parts) {
  for (Part& part : parts) {
    WEFT_CHECK(parts_.empty() || part.first_sequence > parts_.back().last_sequence);
    parts_.push_back(std::move(part));
  }
}

Status TenantHead::CutPart(Part* part, uint64_t durable) {
  std::vector<PartChunk> kept;
  part->bytes = part->last_sequence = 0;
  for (PartChunk& in : part->chunks) {
    if (in.last_sequence > durable) {
      Mark keep;
      for (const Mark& mark : in.marks) {
        if (mark.sequence <= durable) keep = mark;
      }
      if (keep.sequence == 0) continue;
      WEFT_ASSIGN(in.chunk, FirstRows(*in.chunk, keep.spans, keep.logs));
      in.last_sequence = keep.sequence;
      in.marks = {keep};
    }
    part->bytes += in.chunk->bytes();
    part->last_sequence = std::max(part->last_sequence, in.last_sequence);
    kept.push_back(std::move(in));
  }
  part->chunks = std::move(kept);
  return {};
}

Status TenantHead::CutBack(uint64_t durable) {
  while (!parts_.empty() && parts_.back().last_sequence > durable) {
    WEFT_TRY(CutPart(&parts_.back(), durable));
    if (parts_.back().chunks.empty()) parts_.pop_back();
  }
  return {};
}

std::pair<size_t, size_t> TenantHead::MergeRun(uint64_t acknowledged, uint64_t bytes_max) const {
  size_t last = parts_.size();
  while (last > 0 && parts_[last - 1].last_sequence > acknowledged) --last;
  if (last < 2) return {0, 0};
  size_t first = last - 1;
  uint64_t bytes = parts_[first].bytes;
  while (first > 0 && parts_[first - 1].bytes <= bytes &&
         bytes + parts_[first - 1].bytes <= bytes_max) {
    bytes += parts_[--first].bytes;
  }
  return first + 1 < last ? std::pair(first, last) : std::pair<size_t, size_t>(0, 0);
}

void TenantHead::ReplaceParts(size_t first, size_t last, Part merged) {
  parts_[first] = std::move(merged);
  parts_.erase(parts_.begin() + static_cast<ptrdiff_t>(first) + 1,
               parts_.begin() + static_cast<ptrdiff_t>(last));
}

void TenantHead::RemoveFirst(size_t count) {
  parts_.erase(parts_.begin(), parts_.begin() + static_cast<ptrdiff_t>(count));
}

Result<TenantHead::Part> TenantHead::Merge(const std::vector<Part>& parts) {
  auto chunk = std::make_unique<chunk::Chunk>();
  for (const Part& part : parts) {
    for (const PartChunk& in : part.chunks) WEFT_TRY(chunk->AppendChunk(*in.chunk));
  }
  chunk->Seal();
  Part merged;
  merged.bytes = chunk->bytes();
  merged.first_sequence = parts.front().first_sequence;
  merged.last_sequence = parts.back().last_sequence;
  merged.born_ns = parts.front().born_ns;
  merged.chunks.push_back({std::move(chunk), merged.first_sequence, merged.last_sequence, {}});
  return merged;
}

}  // namespace weft::store

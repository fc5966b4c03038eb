// SPDX-License-Identifier: Apache-2.0
#include "store/tenant_head.h"

#include <algorithm>
#include <numeric>

#include "base/check.h"

namespace weft::store {
namespace {

// The first rows of a chunk as a chunk. Rows of a chunk are in the order of their arrival.
Result<std::shared_ptr<const block::Chunk>> FirstRows(const block::Chunk& chunk, uint32_t spans,
                                                      uint32_t logs) {
  SpanBatch batch;
  std::vector<block::Row> rows(std::max(spans, logs));
  std::iota(rows.begin(), rows.end(), 0);
  WEFT_TRY(chunk.ReadSpans(std::span(rows).first(spans), &batch));
  WEFT_TRY(chunk.ReadLogs(std::span(rows).first(logs), &batch));
  batch.received_ns = chunk.received_range().second;
  auto first = std::make_shared<block::Chunk>();
  first->Append(batch);
  first->Seal();
  return first;
}

}  // namespace

void TenantHead::Append(const SpanBatch& batch, uint64_t sequence, uint64_t acknowledged,
                        uint64_t now_ns) {
  WEFT_CHECK(sequence >= open_last_);
  if (open_ == nullptr) {
    open_ = std::make_unique<block::Chunk>();
    open_first_ = sequence;
    open_born_ns_ = now_ns;
  }
  open_->Append(batch);
  open_last_ = sequence;
  open_bytes_ = open_->bytes();
  // One mark at or before `acknowledged` stays: the least that a cut leaves.
  size_t known = 0;
  while (known + 1 < open_marks_.size() && open_marks_[known + 1].sequence <= acknowledged) {
    ++known;
  }
  open_marks_.erase(open_marks_.begin(), open_marks_.begin() + static_cast<ptrdiff_t>(known));
  open_marks_.push_back({sequence, open_->span_count(), open_->log_count()});
}

uint64_t TenantHead::span_count() const {
  uint64_t count = open_ == nullptr ? 0 : open_->span_count();
  for (const Part& part : parts_) count += part.chunk->span_count();
  return count;
}

void TenantHead::Seal() {
  if (open_ == nullptr) return;
  open_->Seal();
  Part part;
  part.bytes = open_->bytes();
  part.chunk = std::move(open_);
  part.first_sequence = open_first_;
  part.last_sequence = open_last_;
  part.born_ns = open_born_ns_;
  part.marks = std::move(open_marks_);
  parts_.push_back(std::move(part));
  open_marks_.clear();
  open_bytes_ = 0;
}

Status TenantHead::CutBack(uint64_t durable) {
  Seal();
  open_last_ = std::min(open_last_, durable);
  while (!parts_.empty() && parts_.back().last_sequence > durable) {
    Part& part = parts_.back();
    Mark keep;
    for (const Mark& mark : part.marks) {
      if (mark.sequence <= durable) keep = mark;
    }
    if (keep.sequence == 0) {
      parts_.pop_back();
      continue;
    }
    WEFT_ASSIGN(part.chunk, FirstRows(*part.chunk, keep.spans, keep.logs));
    part.last_sequence = keep.sequence;
    part.bytes = part.chunk->bytes();
    part.marks = {keep};
  }
  return {};
}

uint64_t TenantHead::sealed_bytes() const {
  uint64_t bytes = 0;
  for (const Part& part : parts_) bytes += part.bytes;
  return bytes;
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
  auto chunk = std::make_unique<block::Chunk>();
  for (const Part& part : parts) WEFT_TRY(chunk->AppendChunk(*part.chunk));
  chunk->Seal();
  Part merged;
  merged.bytes = chunk->bytes();
  merged.chunk = std::move(chunk);
  merged.first_sequence = parts.front().first_sequence;
  merged.last_sequence = parts.back().last_sequence;
  merged.born_ns = parts.front().born_ns;
  return merged;
}

}  // namespace weft::store

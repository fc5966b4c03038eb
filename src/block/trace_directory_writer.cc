// SPDX-License-Identifier: Apache-2.0
#include "block/trace_directory_writer.h"

#include <algorithm>

#include "block/block_format.h"
#include "column/bloom_filter.h"
#include "column/byte_cursor.h"
#include "column/numbers.h"

namespace weft::block {

void TraceDirectoryWriter::Add(const TraceId& id, const BlockMerge::TraceRows& rows) {
  if (starts_.size() == format::kTracesPerPage) ClosePage();
  hashes_.push_back({format::HashTraceId(id), count()});
  ids_.append(id.view());
  starts_.push_back(rows.start_ns);
  durations_.push_back(column::ZigZag(static_cast<int64_t>(rows.end_ns - rows.start_ns)));
  first_spans_.push_back(rows.first_span);
  first_logs_.push_back(rows.first_log);
}

void TraceDirectoryWriter::ClosePage() {
  column::ByteWriter meta(&directory_);
  meta.Varint(starts_.size());
  meta.Varint(first_spans_.front());
  meta.Varint(first_logs_.front());
  meta.Varint(file_->offset());
  std::string_view ids = sealer_->SealStored(ids_);
  file_->Append(ids);
  meta.Varint(ids.size());
  for (auto* numbers : {&starts_, &durations_, &first_spans_, &first_logs_}) {
    std::string_view page = sealer_->SealNumbers({}, *numbers);
    file_->Append(page);
    meta.Varint(page.size());
    numbers->clear();
  }
  ids_.clear();
}

// Entries by hash of the id: the upper half of the hash, and the ordinal.
void TraceDirectoryWriter::WriteIndex() {
  std::ranges::sort(hashes_);
  column::ByteWriter meta(&index_);
  std::vector<uint64_t> halves, ordinals;
  for (size_t first = 0; first < hashes_.size(); first += format::kTracesPerPage) {
    const size_t end = std::min<size_t>(hashes_.size(), first + format::kTracesPerPage);
    halves.clear();
    ordinals.clear();
    for (size_t i = first; i < end; ++i) {
      halves.push_back(hashes_[i].first >> 32);
      ordinals.push_back(hashes_[i].second);
    }
    std::string payload;
    column::EncodeNumbers(halves, &payload);
    column::EncodeNumbers(ordinals, &payload);
    meta.Varint(end - first);
    meta.Fixed(static_cast<uint32_t>(halves.front()));
    meta.Varint(file_->offset());
    std::string_view page = sealer_->SealStored(payload);
    meta.Varint(page.size());
    file_->Append(page);
  }
}

void TraceDirectoryWriter::Finish() {
  if (!starts_.empty()) ClosePage();
  std::vector<uint64_t> hashes;
  for (const auto& [hash, ordinal] : hashes_) hashes.push_back(hash);
  filter_ = column::BuildBloomFilter(hashes);
  WriteIndex();
}

}  // namespace weft::block

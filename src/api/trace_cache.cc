// SPDX-License-Identifier: Apache-2.0
#include "api/trace_cache.h"

#include <algorithm>

namespace weft::api {

TraceCache::TraceCache(Metrics* metrics, uint64_t bytes_max)
    : bytes_max_(bytes_max),
      hits_(metrics->GetCounter("weft_trace_cache_hits_total",
                                "Traces shown from memory, arranged already.")),
      misses_(metrics->GetCounter("weft_trace_cache_misses_total",
                                  "Traces that were read and arranged.")),
      bytes_gauge_(
          metrics->GetGauge("weft_trace_cache_bytes", "Memory of the traces shown last.")) {}

Result<std::shared_ptr<const TraceDocument>> TraceCache::Read(const store::Snapshot& snapshot,
                                                              const TraceId& id) {
  std::shared_ptr<const TraceDocument> document = Find(id);
  if (document && document->HoldsFor(snapshot)) {
    hits_->Add();
    return document;
  }
  misses_->Add();
  WEFT_ASSIGN(document, TraceDocument::Read(snapshot, id));
  Keep(document);
  return document;
}

std::shared_ptr<const TraceDocument> TraceCache::Find(const TraceId& id) {
  std::lock_guard lock(mutex_);
  auto found =
      std::ranges::find(documents_, id, [](const auto& document) { return document->id(); });
  if (found == documents_.end()) return nullptr;
  documents_.splice(documents_.begin(), documents_, found);
  return documents_.front();
}

void TraceCache::Keep(std::shared_ptr<const TraceDocument> document) {
  std::list<std::shared_ptr<const TraceDocument>> dropped;  // freed without the lock
  std::lock_guard lock(mutex_);
  auto old =
      std::ranges::find(documents_, document->id(), [](const auto& other) { return other->id(); });
  if (old != documents_.end()) dropped.splice(dropped.begin(), documents_, old);
  if (document->memory_bytes() <= bytes_max_) documents_.push_front(std::move(document));
  uint64_t bytes = 0;
  auto at = documents_.begin();
  for (; at != documents_.end() && bytes + (*at)->memory_bytes() <= bytes_max_; ++at)
    bytes += (*at)->memory_bytes();
  dropped.splice(dropped.begin(), documents_, at, documents_.end());
  bytes_gauge_->Add(static_cast<int64_t>(bytes) - static_cast<int64_t>(bytes_));
  bytes_ = bytes;
}

}  // namespace weft::api

// SPDX-License-Identifier: Apache-2.0
#include "api/trace_cache.h"

#include <algorithm>
#include <iterator>

namespace weft::api {

TraceCache::TraceCache(Metrics* metrics, uint64_t bytes_max)
    : bytes_max_(bytes_max),
      hits_(metrics->GetCounter("weft_trace_cache_hits_total",
                                "Traces shown from memory, arranged already.")),
      misses_(metrics->GetCounter("weft_trace_cache_misses_total",
                                  "Traces that were read and arranged.")),
      bytes_gauge_(
          metrics->GetGauge("weft_trace_cache_bytes", "Memory of the traces shown last.")) {}

std::shared_ptr<TraceCache> TraceCache::Make(Metrics* metrics, const QueryMemory& memory) {
  auto cache =
      std::make_shared<TraceCache>(metrics, std::min(kBytesMax, memory.traces->bytes_max()));
  cache->kept_in_ = memory.traces;
  memory.budget->OnShortage([weak = std::weak_ptr(cache)](uint64_t wanted) {
    if (auto alive = weak.lock()) alive->Shrink(wanted);
  });
  return cache;
}

Result<TraceCache::DocumentPtr> TraceCache::Read(const store::Snapshot& snapshot, const TraceId& id,
                                                 std::shared_ptr<MemoryCharge> charge) {
  DocumentPtr document = Find(id);
  if (document && document->HoldsFor(snapshot)) {
    hits_->Add();
    return document;
  }
  misses_->Add();
  WEFT_ASSIGN(document, TraceDocument::Read(snapshot, id, std::move(charge)));
  Keep(document);
  return document;
}

bool TraceCache::Holds(const store::Snapshot& snapshot, const TraceId& id) {
  DocumentPtr document = Find(id);
  return document && document->HoldsFor(snapshot);
}

TraceCache::DocumentPtr TraceCache::Find(const TraceId& id) {
  std::lock_guard lock(mutex_);
  auto found =
      std::ranges::find(documents_, id, [](const auto& document) { return document->id(); });
  if (found != documents_.end()) {
    documents_.splice(documents_.begin(), documents_, found);
    return documents_.front();
  }
  for (auto at = live_.rbegin(); at != live_.rend(); ++at) {
    DocumentPtr document = at->lock();
    if (document && document->id() == id) return document;
  }
  return nullptr;
}

void TraceCache::Keep(DocumentPtr document) {
  const bool fits = document->memory_bytes() <= bytes_max_;
  if (fits && kept_in_ != nullptr) document->ChargeTo(kept_in_);
  Documents dropped;  // freed without the lock
  std::lock_guard lock(mutex_);
  auto old =
      std::ranges::find(documents_, document->id(), [](const auto& other) { return other->id(); });
  if (old != documents_.end()) {
    bytes_ -= (*old)->memory_bytes();
    dropped.splice(dropped.begin(), documents_, old);
  }
  std::erase_if(live_, [](const auto& weak) { return weak.expired(); });
  if (!fits) live_.push_back(document);
  if (fits) {
    bytes_ += document->memory_bytes();
    documents_.push_front(std::move(document));
  }
  uint64_t bytes = 0;
  auto at = documents_.begin();
  for (; at != documents_.end() && bytes + (*at)->memory_bytes() <= bytes_max_; ++at)
    bytes += (*at)->memory_bytes();
  DropFrom(at, &dropped);
}

void TraceCache::Shrink(uint64_t bytes) {
  Documents dropped;  // freed without the lock
  std::lock_guard lock(mutex_);
  auto at = documents_.end();
  for (uint64_t freed = 0; freed < bytes && at != documents_.begin();)
    freed += (*--at)->memory_bytes();
  DropFrom(at, &dropped);
}

void TraceCache::DropFrom(Documents::iterator at, Documents* dropped) {
  for (auto one = at; one != documents_.end(); ++one) bytes_ -= (*one)->memory_bytes();
  dropped->splice(dropped->begin(), documents_, at, documents_.end());
  bytes_gauge_->Add(static_cast<int64_t>(bytes_) - static_cast<int64_t>(reported_bytes_));
  reported_bytes_ = bytes_;
}

}  // namespace weft::api

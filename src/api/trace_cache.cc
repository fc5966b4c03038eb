// SPDX-License-Identifier: Apache-2.0
#include "api/trace_cache.h"

#include <algorithm>

namespace weft::api {

Result<std::shared_ptr<const TraceDocument>> TraceCache::Read(const store::Snapshot& snapshot,
                                                              const TraceId& id) {
  std::shared_ptr<const TraceDocument> document = Find(id);
  if (document && document->HoldsFor(snapshot)) return document;
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
  auto drop = [&](auto place) { dropped.splice(dropped.begin(), documents_, place); };
  auto old =
      std::ranges::find(documents_, document->id(), [](const auto& other) { return other->id(); });
  if (old != documents_.end()) drop(old);
  if (document->memory_bytes() > bytes_max_) return;
  documents_.push_front(std::move(document));
  uint64_t bytes = 0;
  for (auto at = documents_.begin(); at != documents_.end();) {
    auto here = at++;
    bytes += (*here)->memory_bytes();
    if (bytes > bytes_max_) drop(here);
  }
}

}  // namespace weft::api

// SPDX-License-Identifier: Apache-2.0
//
// TraceCache: the traces shown last. Whoever looks at a trace asks for the details of its spans
// again and again; reading and arranging it anew for each would cost a large trace seconds. A trace
// that is too large to be kept is shared by all to whom it is being shown.
//
// What it gives is never stale: a document is used only where the snapshot at hand has the same
// segments for the trace. It keeps no segment alive. Where memory is short it forgets first.
// Thread rule: any thread.
// Next: api/trace_document.h.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <vector>

#include "api/query_memory.h"
#include "api/trace_document.h"
#include "base/metrics.h"

namespace weft::api {

class TraceCache {
 public:
  static constexpr uint64_t kBytesMax = 64 << 20;
  using DocumentPtr = std::shared_ptr<const TraceDocument>;

  // `bytes_max` bounds all documents together. A larger one is not kept. `metrics` is borrowed.
  explicit TraceCache(Metrics* metrics, uint64_t bytes_max = kBytesMax);
  // One whose documents are charged to memory.traces while they are kept, and which forgets when
  // the budget is short.
  static std::shared_ptr<TraceCache> Make(Metrics* metrics, const QueryMemory& memory);

  // As TraceDocument::Read(). `charge` is for a document that has to be read.
  Result<DocumentPtr> Read(const store::Snapshot& snapshot, const TraceId& id,
                           std::shared_ptr<MemoryCharge> charge = nullptr);
  // Whether Read() would read nothing.
  bool Holds(const store::Snapshot& snapshot, const TraceId& id);
  // Forgets what was used longest ago, about so many bytes.
  void Shrink(uint64_t bytes);

 private:
  using Documents = std::list<DocumentPtr>;
  DocumentPtr Find(const TraceId& id);
  void Keep(DocumentPtr document);
  // REQUIRES: the lock.
  void DropFrom(Documents::iterator at, Documents* dropped);

  const uint64_t bytes_max_;
  MemoryAccount* kept_in_ = nullptr;  // null: not charged
  Counter* const hits_;
  Counter* const misses_;
  Gauge* const bytes_gauge_;
  std::mutex mutex_;
  uint64_t bytes_ = 0, reported_bytes_ = 0;               // guarded by mutex_
  Documents documents_;                                   // guarded by mutex_; last used first
  std::vector<std::weak_ptr<const TraceDocument>> live_;  // guarded by mutex_; being shown
};

}  // namespace weft::api

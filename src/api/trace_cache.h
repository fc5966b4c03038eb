// SPDX-License-Identifier: Apache-2.0
//
// TraceCache: the traces shown last. Whoever looks at a trace asks for the details of its spans
// again and again; reading and arranging it anew for each would cost a large trace seconds.
//
// What it gives is never stale: a document is used only where the snapshot at hand has the same
// segments for the trace. It keeps no segment alive.
// Thread rule: any thread.
// Next: api/trace_document.h.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>

#include "api/trace_document.h"
#include "base/metrics.h"

namespace weft::api {

class TraceCache {
 public:
  static constexpr uint64_t kBytesMax = 64 << 20;

  // `bytes_max` bounds all documents together. A larger one is not kept. `metrics` is borrowed.
  explicit TraceCache(Metrics* metrics, uint64_t bytes_max = kBytesMax);

  // As TraceDocument::Read().
  Result<std::shared_ptr<const TraceDocument>> Read(const store::Snapshot& snapshot,
                                                    const TraceId& id);

 private:
  std::shared_ptr<const TraceDocument> Find(const TraceId& id);
  void Keep(std::shared_ptr<const TraceDocument> document);

  const uint64_t bytes_max_;
  Counter* const hits_;
  Counter* const misses_;
  Gauge* const bytes_gauge_;
  std::mutex mutex_;
  uint64_t bytes_ = 0;                                         // guarded by mutex_
  std::list<std::shared_ptr<const TraceDocument>> documents_;  // guarded by mutex_; last used first
};

}  // namespace weft::api

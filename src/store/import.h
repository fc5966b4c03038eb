// SPDX-License-Identifier: Apache-2.0
//
// Import: appends a batch of spans from a file, and counts exactly how many were new. Spans that
// the store already holds (same trace, id and content) and spans that the batch itself repeats are
// left out before they reach the log.
//
// Thread rule: waits for the append; never call it on a net thread. Batches of one import go one
// after the other, so that each sees what the one before has stored.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "model/span_batch.h"
#include "store/store.h"

namespace weft::store {

struct ImportCounts {
  uint64_t kept = 0, duplicates = 0, rejected = 0;
  uint64_t kept_logs = 0, duplicate_logs = 0, rejected_logs = 0;
  std::string rejected_message;  // the first reason

  void Add(const ImportCounts& more);
};

// kUnavailable or kNoSpace with a retry hint when the store takes nothing now: nothing was stored.
Result<ImportCounts> ImportBatch(Store* store, Clock* clock, SpanBatch batch);

}  // namespace weft::store

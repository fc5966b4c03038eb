// SPDX-License-Identifier: Apache-2.0
//
// One trace out of a snapshot, as every API answers it: found, and whether it is whole; not there;
// or hidden by a block that cannot be read, which is no "not found".
//
// Thread rule: pure functions. Next: store/store.h.
#pragma once

#include <memory>
#include <string>

#include "base/memory_budget.h"
#include "model/span_batch.h"
#include "store/store.h"

namespace weft::api {

struct StoredTrace {
  SpanBatch batch;      // at least one span
  std::string partial;  // why spans may be missing, naming the blocks; empty: it is whole
};

// kNotFound: the snapshot has no span of it, and no block could hide one. kCorruption or kIo, with
// the block's name: nobody can say.
Result<StoredTrace> ReadStoredTrace(const store::Snapshot& snapshot, const TraceId& id);
// What reading the trace and holding it takes, about, by its rows; 0 where it is not there or
// cannot be told. `more` bytes for each row where more is made of it.
uint64_t MemoryOfTrace(const store::Snapshot& snapshot, const TraceId& id, uint64_t more = 0);
// What a batch that was read holds.
uint64_t MemoryOf(const SpanBatch& batch);
// Corrects what was charged beforehand to what is held. `charge` may be null.
void SettleCharge(uint64_t bytes, const std::shared_ptr<MemoryCharge>& charge);
// What an API says where a part of a trace was asked for that is not among what could be read.
Error NotAmong(const StoredTrace& trace, std::string not_found);

}  // namespace weft::api

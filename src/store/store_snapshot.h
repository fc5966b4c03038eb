// SPDX-License-Identifier: Apache-2.0
//
// StoreSnapshot: the head chunks and blocks of one tenant at one moment. Made by the engine, shared
// by all who ask while nothing changes.
//
// Thread rule: immutable; any thread, no locks.
// Next: store/engine.h.
#pragma once

#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "chunk/chunk.h"
#include "store/live_block.h"
#include "store/store.h"

namespace weft::store {

// Trace ids of which parts lie in more than one block of the tenant.
class SplitTraces {
 public:
  using Set = std::unordered_set<TraceId, IdHash>;
  SplitTraces() = default;
  explicit SplitTraces(Set ids) : ids_(std::move(ids)) {}
  bool Contains(const TraceId& id) const { return ids_.contains(id); }
  const Set& ids() const { return ids_; }

 private:
  Set ids_;
};

class StoreSnapshot : public Snapshot {
 public:
  struct HeadChunk {
    std::shared_ptr<const chunk::Chunk> chunk;
    SequenceRange sequences;
  };
  // `blocks` newest first.
  StoreSnapshot(std::vector<HeadChunk> chunks, std::vector<std::shared_ptr<LiveBlock>> blocks,
                std::shared_ptr<const SplitTraces> splits, const trace::ClockRule& rule,
                uint64_t losses = 0);

  const std::vector<std::shared_ptr<const segment::Segment>>& segments() const override {
    return segments_;
  }
  bool MayBeSplit(const TraceId& id) const override;
  Result<SpanBatch> ReadTrace(const TraceId& id, std::string* partial) const override;
  const std::vector<std::string>& unreadable() const override { return unreadable_; }
  trace::ClockRule clock_rule() const override { return clock_rule_; }
  const std::vector<SequenceRange>& sequences() const override { return sequences_; }
  uint64_t losses() const override { return losses_; }

 private:
  std::vector<std::shared_ptr<const segment::Segment>> segments_;
  std::vector<SequenceRange> sequences_;
  size_t chunk_count_ = 0;
  std::vector<std::shared_ptr<LiveBlock>> unreadable_blocks_;
  std::shared_ptr<const SplitTraces> splits_;
  const uint64_t losses_;
  std::vector<std::string> unreadable_;
  trace::ClockRule clock_rule_;
};

}  // namespace weft::store

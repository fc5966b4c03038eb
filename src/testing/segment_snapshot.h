// SPDX-License-Identifier: Apache-2.0
//
// SegmentSnapshot: a store::Snapshot over segments that a test made itself, for queries without a
// store. The layouts of one set of spans (all in a head chunk, one block, several, mixed) must give
// the same answers.
//
// Thread rule: immutable after construction.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/env.h"
#include "model/span_batch.h"
#include "segment/segment.h"
#include "store/store.h"

namespace weft::testing {

class SegmentSnapshot : public store::Snapshot {
 public:
  explicit SegmentSnapshot(std::vector<std::shared_ptr<const segment::Segment>> segments);

  const std::vector<std::shared_ptr<const segment::Segment>>& segments() const override {
    return segments_;
  }
  // True for traces in a chunk or in more than one segment.
  bool MayBeSplit(const TraceId& id) const override { return split_.contains(id); }
  Result<SpanBatch> ReadTrace(const TraceId& id, std::string* partial) const override;
  const std::vector<std::string>& unreadable() const override { return unreadable_; }

 private:
  std::vector<std::shared_ptr<const segment::Segment>> segments_;
  std::unordered_set<TraceId, IdHash> split_;
  std::vector<std::string> unreadable_;
};

// A sealed chunk of these batches.
std::shared_ptr<const segment::Segment> MakeChunk(std::span<const SpanBatch* const> batches);

}  // namespace weft::testing

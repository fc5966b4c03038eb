// SPDX-License-Identifier: Apache-2.0
//
// TenantHead: what one tenant has in the log and not yet in a block: one open chunk that appends go
// to, and sealed chunks that queries and flushes read. Log sequences only grow in it.
//
// Taking a snapshot seals the open chunk; small sealed chunks are merged two by two of like size,
// so that a row is copied O(log n) times however often someone looks. Thread rule: none of its own.
// The engine guards the open chunk by the tenant's append lock and the sealed list by its view
// lock; sealing takes both, in that order. Next: store/engine.h.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "block/chunk.h"

namespace weft::store {

class TenantHead {
 public:
  // Rows of the chunk up to a sequence; kept for what was not yet acknowledged, to cut there.
  struct Mark {
    uint64_t sequence = 0;
    uint32_t spans = 0;
    uint32_t logs = 0;
  };
  struct Part {
    std::shared_ptr<const block::Chunk> chunk;
    uint64_t first_sequence = 0;
    uint64_t last_sequence = 0;
    uint64_t bytes = 0;
    uint64_t born_ns = 0;  // monotonic: of its oldest row
    std::vector<Mark> marks;
  };

  // Under the append lock.
  void Append(const SpanBatch& batch, uint64_t sequence, uint64_t acknowledged, uint64_t now_ns);
  bool open_empty() const { return open_ == nullptr; }
  uint64_t open_bytes() const { return open_bytes_; }
  uint64_t open_first_sequence() const { return open_first_; }
  uint64_t open_born_ns() const { return open_born_ns_; }

  // Under both locks.
  uint64_t span_count() const;
  void Seal();
  // Drops every row of a sequence above `durable`; seals first.
  Status CutBack(uint64_t durable);

  // Under the view lock.
  const std::vector<Part>& parts() const { return parts_; }
  uint64_t sealed_bytes() const;
  // A run of parts worth merging, as [first, last); empty when there is none. Only parts up to
  // `acknowledged`, and none that grows over `bytes_max`.
  std::pair<size_t, size_t> MergeRun(uint64_t acknowledged, uint64_t bytes_max) const;
  void ReplaceParts(size_t first, size_t last, Part merged);
  void RemoveFirst(size_t count);

  // Without a lock: parts are immutable.
  static Result<Part> Merge(const std::vector<Part>& parts);

 private:
  std::unique_ptr<block::Chunk> open_;
  uint64_t open_first_ = 0;
  uint64_t open_last_ = 0;
  uint64_t open_bytes_ = 0;
  uint64_t open_born_ns_ = 0;
  std::vector<Mark> open_marks_;
  std::vector<Part> parts_;
};

}  // namespace weft::store

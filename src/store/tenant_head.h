// SPDX-License-Identifier: Apache-2.0
//
// TenantHead: what one tenant has in the log and not yet in a block, as far as it is sealed: parts,
// which queries and flushes read. A part holds all of its range of log sequences and nothing else;
// parts follow one another. Its chunks were filled side by side, so their ranges overlap.
//
// Small parts are merged two by two of like size, so that a row is copied O(log n) times however
// often someone looks. Thread rule: none of its own; the engine guards it by the tenant's view
// lock. Next: store/open_chunks.h (where parts come from), store/engine.h.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "chunk/chunk.h"

namespace weft::store {

class TenantHead {
 public:
  // Rows of the chunk up to a sequence; kept for what was not yet acknowledged, to cut there.
  struct Mark {
    uint64_t sequence = 0;
    uint32_t spans = 0;
    uint32_t logs = 0;
  };
  struct PartChunk {
    std::shared_ptr<const chunk::Chunk> chunk;
    uint64_t first_sequence = 0;
    uint64_t last_sequence = 0;
    std::vector<Mark> marks;
  };
  struct Part {
    std::vector<PartChunk> chunks;
    uint64_t first_sequence = 0;
    uint64_t last_sequence = 0;
    uint64_t bytes = 0;
    uint64_t born_ns = 0;  // monotonic: of its oldest row
  };

  const std::vector<Part>& parts() const { return parts_; }
  uint64_t bytes() const;
  uint64_t span_count() const;
  uint64_t chunk_count() const;

  void Add(std::vector<Part> parts);
  // Drops every row of a sequence above `durable`.
  Status CutBack(uint64_t durable);
  // A run of parts worth merging, as [first, last); empty when there is none. Only parts up to
  // `acknowledged`, and none that grows over `bytes_max`.
  std::pair<size_t, size_t> MergeRun(uint64_t acknowledged, uint64_t bytes_max) const;
  void ReplaceParts(size_t first, size_t last, Part merged);
  void RemoveFirst(size_t count);

  // Without a lock: parts are immutable.
  static Result<Part> Merge(const std::vector<Part>& parts);

 private:
  static Status CutPart(Part* part, uint64_t durable);

  std::vector<Part> parts_;
};

}  // namespace weft::store

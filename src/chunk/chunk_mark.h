// SPDX-License-Identifier: Apache-2.0
//
// ChunkMark: how far a chunk was filled at one moment, so that what came later can be dropped
// again: rows, values and traces only grow at their ends.
//
// Thread rule: plain data. Made by Chunk::mark(). Next: chunk/chunk.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "segment/stored_rows.h"

namespace weft::chunk {

struct ValuesMark {
  uint32_t keys = 0, columns = 0, entries = 0;
};

struct StoredRowsMark {
  uint32_t rows = 0, layouts = 0;
  ValuesMark values;
};

struct ChunkMark {
  StoredRowsMark tables[segment::kStoredTables];
  uint32_t traces = 0;
  uint64_t received_min_ns = 0, received_max_ns = 0;

  uint32_t rows(segment::StoredTable table) const {
    return tables[static_cast<size_t>(table)].rows;
  }
  uint32_t spans() const { return rows(segment::StoredTable::kSpans); }
  uint32_t logs() const { return rows(segment::StoredTable::kLogs); }
};

}  // namespace weft::chunk

// SPDX-License-Identifier: Apache-2.0
//
// TraceDirectoryWriter: the traces of the block being written: pages of entries in start order, the
// index from trace id to entry, and the filter in front of it.
//
// Thread rule: one thread at a time. Next: docs/format_block.md, section "Traces".
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "block/block_merge.h"
#include "block/file_writer.h"
#include "column/page.h"

namespace weft::block {

class TraceDirectoryWriter {
 public:
  TraceDirectoryWriter(FileWriter* file, column::PageSealer* sealer)
      : file_(file), sealer_(sealer) {}

  void Add(const TraceId& id, const BlockMerge::TraceRows& rows);
  // Writes what is open, then the index; the sections' payloads.
  void Finish();
  uint32_t count() const { return static_cast<uint32_t>(hashes_.size()); }
  const std::string& directory() const { return directory_; }
  const std::string& filter() const { return filter_; }
  const std::string& index() const { return index_; }

 private:
  void ClosePage();
  void WriteIndex();

  FileWriter* file_;
  column::PageSealer* sealer_;
  std::string ids_;
  std::vector<uint64_t> starts_, durations_, first_spans_, first_logs_;
  std::vector<std::pair<uint64_t, uint32_t>> hashes_;  // and ordinal
  std::string directory_, filter_, index_;
};

}  // namespace weft::block

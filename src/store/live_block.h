// SPDX-License-Identifier: Apache-2.0
//
// LiveBlock: one block file of the store, opened, with what the manifest says of it. Snapshots
// share it; a block that was merged into another or has expired takes its file with it when the
// last snapshot that reads it lets go.
//
// Thread rule: immutable but for the two flags; any thread.
// Next: store/store_snapshot.h.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/env.h"
#include "block/block_reader.h"
#include "store/manifest.h"

namespace weft::store {

// Blocks of one tenant whose files were removed, until the manifest has forgotten them too. Any
// thread.
class RemovedBlocks {
 public:
  void Add(uint64_t number);
  std::vector<uint64_t> numbers() const;
  // Drops the `count` that are in there longest.
  void Forget(size_t count);

 private:
  mutable std::mutex mutex_;
  std::vector<uint64_t> numbers_;
};

class LiveBlock {
 public:
  // Never fails: a file that does not open is a block without segment, and says why.
  static std::shared_ptr<LiveBlock> Open(Env* env, const std::string& path, BlockMeta meta,
                                         std::shared_ptr<block::PageCache> cache,
                                         const trace::ClockRule& rule);
  ~LiveBlock();

  const BlockMeta& meta() const { return meta_; }
  const std::string& path() const { return path_; }
  // Null when the file could not be opened.
  const std::shared_ptr<const block::Segment>& segment() const { return segment_; }
  // Distinct values of its columns; 0 when it could not be opened.
  uint64_t values() const { return values_; }
  // Why it cannot be read; empty when it can.
  const std::string& problem() const { return problem_; }

  // The file goes when the last owner does. `removed`, if there is one, hears of it.
  void RemoveWhenUnused(std::shared_ptr<RemovedBlocks> removed = nullptr);
  // A page of it failed its checksum: new snapshots do without it, and say so.
  void MarkDamaged() { damaged_ = true; }
  bool readable() const { return segment_ != nullptr && !damaged_; }
  // False only where it holds nothing of the trace, or could not be opened.
  bool MayHold(const TraceId& id) const;

 private:
  LiveBlock(Env* env, std::string path, BlockMeta meta)
      : env_(env), path_(std::move(path)), meta_(std::move(meta)) {}

  Env* const env_;
  const std::string path_;
  const BlockMeta meta_;
  std::shared_ptr<const block::Segment> segment_;
  uint64_t values_ = 0;
  std::string problem_;
  std::atomic<bool> remove_ = false;
  std::shared_ptr<RemovedBlocks> removed_;  // written once, by an owner
  std::atomic<bool> damaged_ = false;
};

}  // namespace weft::store
